//! Realms that are created and deleted while the gateway runs.

use std::collections::BTreeSet;

use conclave::config::Admin;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::house::{Control, REDIRECT, farewell, gateway};

#[tokio::test]
async fn a_realm_is_created_with_credentials_that_work_at_every_vendor() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let view = control.post("/v1/realms", json!({ "name": "mine" })).await;
    assert_eq!((&view["name"], &view["origin"], &view["data"]), (&json!("mine"), &json!("created"), &json!("memory")));
    assert_eq!(view["vendors"], json!(["agora", "tencent", "rong"]));
    // the same keys as `conclave env` prints
    let printed = conclave::cli::environment(&gateway.config, None, None).unwrap();
    let keys: BTreeSet<&str> = printed.lines().filter_map(|line| line.split_once('=')).map(|(key, _)| key).collect();
    let created: BTreeSet<&str> = view["settings"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(created, keys);

    let realm = crate::house::Realm::of(&view);
    realm.create_group("readers", "alice").await;
    let token = realm.agora_token().await;
    let found = realm.agora(Method::GET, "/chatgroups/readers", &token, "").await;
    assert_eq!(found.status, 200, "{:?}", found.body);
    assert_eq!(found.json()["data"][0]["name"], "name of readers");
    let found = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["readers"] })).await;
    assert_eq!(found["GroupInfo"][0]["Name"], "name of readers", "{found}");

    // it is a realm of its own
    let dev = crate::house::Realm::of(&control.get("/v1/realms/dev").await);
    let found = dev.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["readers"] })).await;
    assert_eq!(found["GroupInfo"][0]["ErrorCode"], 10015, "{found}");
    let foreign = dev.agora(Method::GET, "/chatgroups/readers", &token, "").await;
    assert_eq!(foreign.status, 401, "a token of another realm");
}

#[tokio::test]
async fn a_realm_has_the_sections_and_limits_that_it_is_given() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let body = json!({
        "vendors": ["rong"],
        "sections": { "rong": { "app_key": "given-key", "settings": { "status_254xx": 418 } } },
        "limits": { "groups": 1 },
    });
    let realm = control.realm(body.clone()).await;
    assert_eq!(realm.setting("RONG_APPKEY"), "given-key");
    realm.create_group("first", "alice").await;
    let refused = realm.rong("/entrust/group/create.json", "groupId=second&name=n&owner=alice").await;
    assert_ne!(refused.json()["code"], 200, "one group at most");
    // another realm cannot have the same identity
    let (status, code, message) = control.refused(Method::POST, "/v1/realms", body).await;
    assert_eq!((status.as_u16(), &*code), (409, "realm_exists"), "{message}");
    assert!(message.contains("given-key") && message.contains(&realm.name), "{message}");
    assert_eq!(control.get("/v1/realms").await["realms"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deleted_realm_is_gone_with_its_clients() {
    let gateway = gateway(|config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let control = Control::of(&gateway);
    let realm = control.realm(json!({ "name": "short-lived" })).await;
    let other = control.realm(Value::Null).await;
    realm.create_group("g", "alice").await;
    let (socket, mut kept) = (realm.connect("alice").await, other.connect("alice").await);
    let admin = conclave_tests::client::Client::at(gateway.addresses.admin.unwrap(), "");
    let reported = async || {
        let metrics = admin.send(Method::GET, "/metrics", &[], "").await;
        String::from_utf8(metrics.body.to_vec()).unwrap().contains("short-lived")
    };
    assert!(reported().await);

    control.call(Method::DELETE, "/v1/realms/short-lived", Value::Null).await;
    assert_eq!(farewell(socket).await, REDIRECT);
    assert_eq!(realm.rong("/user/getToken.json", "userId=alice&name=N").await.json()["code"], 1001);
    assert_eq!(realm.agora(Method::GET, "/chatgroups", "token", "").await.status, 404);
    let refused = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["g"] })).await;
    assert_eq!(refused["ActionStatus"], "FAIL");
    assert_eq!(control.refused(Method::DELETE, "/v1/realms/short-lived", Value::Null).await.1, "no_such_realm");
    assert!(!reported().await, "its metrics are still reported");
    // other realms are not affected
    futures_util::SinkExt::send(&mut kept, tokio_tungstenite::tungstenite::Message::Binary(vec![0xc0].into()))
        .await
        .unwrap();
    let pong = tokio::time::timeout(crate::house::PATIENCE, futures_util::StreamExt::next(&mut kept)).await.unwrap();
    assert_eq!(pong.unwrap().unwrap().into_data()[0], 0xd0);
    // its name is free again, with other credentials and without its data
    let again = control.realm(json!({ "name": "short-lived" })).await;
    assert_ne!(again.setting("RONG_APPKEY"), realm.setting("RONG_APPKEY"));
    assert_ne!(again.rong("/entrust/group/query.json", "groupIds=g").await.json()["code"], 1001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_live_at_once() {
    const REALMS: usize = 200;
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let lives = (0..REALMS).map(|number| {
        let control = control.clone();
        async move {
            let realm = control.realm(Value::Null).await;
            // the same ids in every realm
            realm.create_group("g", "alice").await;
            if number % 2 == 0 {
                realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=bob").await;
            }
            let found = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["g"] })).await;
            let members = found["GroupInfo"][0]["MemberNum"].as_u64().unwrap_or_else(|| panic!("{found}"));
            assert_eq!(members, if number % 2 == 0 { 2 } else { 1 });
            realm.name
        }
    });
    let names: BTreeSet<String> = join_all(lives).await.into_iter().collect();
    assert_eq!(names.len(), REALMS);
    assert_eq!(control.get("/v1/realms").await["realms"].as_array().unwrap().len(), REALMS + 1);
    let deleted = names.iter().map(|name| {
        let (control, path) = (control.clone(), format!("/v1/realms/{name}"));
        async move { control.call(Method::DELETE, &path, Value::Null).await }
    });
    join_all(deleted).await;
    let left = control.get("/v1/realms").await;
    assert_eq!(left["realms"][0]["name"], "dev");
    assert_eq!(left["realms"].as_array().unwrap().len(), 1);
    assert!(gateway.shutdown().await, "something of a deleted realm still runs");
}
