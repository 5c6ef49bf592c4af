//! The kit, against a gateway in this process.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, UNIX_EPOCH};

use conclave_testkit::{Effect, Error, FaultRule, Filter, Gateway, On, RealmOptions, shared};

const GROUP: [(&str, &str); 3] = [("userId", "ann"), ("groupId", "g"), ("groupName", "G")];

#[tokio::test]
async fn a_realm_ends_with_its_test() {
    let gateway = Gateway::start().await.unwrap();
    let realm = gateway.realm().await.unwrap();
    assert_eq!(gateway.realm_names().await.unwrap(), ["dev", realm.name()]);
    drop(realm);
    let options =
        RealmOptions { name: Some("mine".to_owned()), vendors: Some(vec!["rong".to_owned()]), ..Default::default() };
    let mine = gateway.realm_with(&options).await.unwrap();
    assert!(mine.rong().unwrap().user_token("ann").await.is_ok());
    assert!(matches!(mine.tencent(), Err(Error::NoCredentials { vendor: "tencent", .. })));
    let refused = gateway.realm_with(&options).await.unwrap_err();
    assert_eq!(refused.code(), Some("realm_exists"));
    assert!(refused.to_string().contains("mine"), "{refused}");
    mine.delete().await.unwrap();
    // that of a realm that was dropped is deleted meanwhile
    while gateway.realm_names().await.unwrap() != ["dev"] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_gateway_can_be_shared_and_joined() {
    let gateway = shared().await.unwrap();
    assert_eq!(shared().await.unwrap().url(), gateway.url());
    let joined = Gateway::join(gateway.url(), None).await.unwrap();
    let realm = joined.realm().await.unwrap();
    assert!(gateway.realm_names().await.unwrap().contains(&realm.name().to_owned()));
    let own = Gateway::start().await.unwrap();
    let url = own.url().to_owned();
    drop(own);
    assert!(matches!(Gateway::join(&url, None).await, Err(Error::Unreachable { .. })));
    let refused = Gateway::start_with(|config| config.control = conclave::config::Admin::Off).await;
    assert!(matches!(refused, Err(Error::Start(_))));
}

#[tokio::test]
async fn data_can_be_reset_restored_exported_and_seeded() {
    let gateway = shared().await.unwrap();
    let (realm, other) = (gateway.realm().await.unwrap(), gateway.realm().await.unwrap());
    realm.rong().unwrap().call("/group/create.json", &GROUP).await.unwrap();
    realm.snapshots().take("one").await.unwrap();
    assert_eq!(realm.snapshots().take("one").await.unwrap_err().code(), Some("snapshot_exists"));
    realm.snapshots().replace("one").await.unwrap();
    other.seed(realm.export().await.unwrap()).await.unwrap();
    assert_eq!(other.export().await.unwrap(), realm.export().await.unwrap());
    realm.reset_group("g").await.unwrap();
    assert_eq!(realm.reset_group("g").await.unwrap_err().code(), Some("no_such_group"));
    realm.snapshots().restore("one").await.unwrap();
    realm.snapshots().delete("one").await.unwrap();
    assert_eq!(other.export().await.unwrap(), realm.export().await.unwrap());
    realm.reset().await.unwrap();
    assert_eq!(&realm.export().await.unwrap()[..], b"{\"version\":1}\n");
    assert_eq!(realm.seed("nonsense").await.unwrap_err().code(), Some("bad_seed"));
}

#[tokio::test]
async fn clocks_faults_and_journals_do_what_a_test_says() {
    let realm = shared().await.unwrap().realm().await.unwrap();
    let clock = realm.clock();
    let later = UNIX_EPOCH + Duration::from_hours(24 * 365 * 80);
    assert!(clock.freeze().await.unwrap().frozen);
    assert_eq!(clock.set(later).await.unwrap().now(), later);
    assert_eq!(clock.advance(Duration::from_secs(1)).await.unwrap().now(), later + Duration::from_secs(1));
    assert_eq!(clock.set(UNIX_EPOCH).await.unwrap_err().code(), Some("clock_backwards"));
    assert!((clock.scale(60.0).await.unwrap().pace - 60.0).abs() < f64::EPSILON);
    assert!(!clock.resume().await.unwrap().frozen);

    let rong = realm.rong().unwrap();
    let rule =
        FaultRule::new(On::Call, Effect::Error("1008".to_owned())).vendor("rong").operation("group/create").every(2);
    let fault = realm.faults().add(&rule).await.unwrap();
    assert_eq!(rong.call("/group/create.json", &GROUP).await.unwrap()["code"], 200);
    let mark = realm.journal().mark().await.unwrap();
    assert_eq!(rong.call("/group/create.json", &GROUP).await.unwrap()["code"], 1008);
    assert_eq!(fault.counts().await.unwrap(), Some((2, 1)));
    let entries = realm.journal().wait(&Filter::request("rong", "group/create").after(mark)).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.error.as_deref()).collect::<Vec<_>>(), [Some("1008")]);
    fault.delete().await.unwrap();
    assert_eq!(fault.counts().await.unwrap(), None);
    let refused = realm.faults().add_json(&serde_json::json!({ "on": "call", "effect": { "explode": 1 } })).await;
    assert_eq!(refused.unwrap_err().code(), Some("bad_request"));
    realm.faults().add_json(&serde_json::json!({ "on": "call", "effect": { "delay_ms": 1 } })).await.unwrap();
    realm.faults().clear().await.unwrap();
    let never = realm.journal().wait_for(&Filter::push("ann"), 1, Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(never.code(), Some("timed_out"));
    assert!(realm.sessions().list().await.unwrap().is_empty());
    assert_eq!(realm.sessions().disconnect("ann").await.unwrap(), 0);
}
