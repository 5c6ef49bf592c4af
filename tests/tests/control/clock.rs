//! The clock of a realm, and everything that follows it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::house::{Control, Realm, farewell, gateway, wall};

const MINUTE: u64 = 60_000;

async fn advance(control: &Control, realm: &Realm, by_ms: u64) -> Value {
    let clock = control.post(&realm.path("/clock/advance"), json!({ "by_ms": by_ms })).await;
    assert_eq!(clock["settled"], true, "{clock}");
    clock
}

#[tokio::test]
async fn it_is_frozen_set_advanced_and_scaled() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    let clock = control.get(&realm.path("/clock")).await;
    assert!(clock["now_ms"].as_u64().unwrap().abs_diff(wall()) < 10_000, "{clock}");
    assert_eq!((&clock["frozen"], &clock["controlled"]), (&json!(false), &json!(false)));

    let frozen = control.post(&realm.path("/clock/freeze"), json!({ "at": "2040-01-31T12:00:00Z" })).await;
    assert_eq!((&frozen["now"], &frozen["frozen"]), (&json!("2040-01-31T12:00:00Z"), &json!(true)));
    let now = frozen["now_ms"].as_u64().unwrap();
    assert_eq!(advance(&control, &realm, 1500).await["now_ms"], now + 1500);
    assert_eq!(control.get(&realm.path("/clock")).await["now_ms"], now + 1500);
    let set = control.post(&realm.path("/clock/set"), json!({ "at_ms": now + 2000 })).await;
    assert_eq!(set["now_ms"], now + 2000);
    let backwards = json!({ "at_ms": now + 1999 });
    for path in ["/clock/set", "/clock/freeze"] {
        let (status, code, _) = control.refused(Method::POST, &realm.path(path), backwards.clone()).await;
        assert_eq!((status.as_u16(), &*code), (409, "clock_backwards"));
    }
    for body in [json!({}), json!({ "at": "tomorrow" }), json!({ "at": "2041-01-01T00:00:00Z", "at_ms": 1 })] {
        assert_eq!(control.refused(Method::POST, &realm.path("/clock/set"), body).await.1, "bad_request");
    }
    for pace in [0.0, -1.0, 20_000.0] {
        let scale = json!({ "pace": pace });
        assert_eq!(control.refused(Method::POST, &realm.path("/clock/scale"), scale).await.1, "bad_request");
    }
    control.post(&realm.path("/clock/scale"), json!({ "pace": 1000.0 })).await;
    assert_eq!(control.get(&realm.path("/clock")).await["now_ms"], now + 2000, "a frozen clock stays frozen");
    control.post(&realm.path("/clock/resume"), Value::Null).await;
    // an hour of the realm passes in 3.6 s
    let begun = std::time::Instant::now();
    while control.get(&realm.path("/clock")).await["now_ms"].as_u64().unwrap() < now + 60 * MINUTE {
        assert!(begun.elapsed() < Duration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // other realms keep the gateway's time
    let dev = control.get("/v1/realms/dev/clock").await;
    assert!(dev["now_ms"].as_u64().unwrap().abs_diff(wall()) < 10_000, "{dev}");
}

/// A group with two members; bob is muted for ten minutes.
async fn muted(control: &Control) -> Realm {
    let realm = control.realm(Value::Null).await;
    control.post(&realm.path("/clock/freeze"), Value::Null).await;
    realm.create_group("g", "alice").await;
    realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=bob").await;
    realm.rong_call("/group/user/gag/add.json", "groupId=g&userId=bob&minute=10").await;
    realm
}

async fn muted_users(realm: &Realm) -> usize {
    let listed = realm.rong_call("/group/user/gag/list.json", "groupId=g").await;
    listed["users"].as_array().unwrap().len()
}

#[tokio::test]
async fn mutes_end_by_it() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = muted(&control).await;
    advance(&control, &realm, 9 * MINUTE).await;
    assert_eq!(muted_users(&realm).await, 1);
    let rows = gateway.realm(&realm.name).unwrap().rows.unwrap();
    let mutes = conclave_core::model::Prefix::mutes(&conclave_core::model::GroupId::new("g").unwrap());
    assert_eq!(rows.count(&mutes).await.unwrap(), 1);
    advance(&control, &realm, 2 * MINUTE).await;
    assert_eq!(muted_users(&realm).await, 0);
    assert_eq!(rows.count(&mutes).await.unwrap(), 0, "what has expired is deleted when the clock is advanced");
}

#[tokio::test]
async fn signatures_and_tokens_expire_by_it_and_their_users_are_disconnected() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let body = json!({ "sections": { "rong": { "settings": { "token_lifetime": 600 } } } });
    let realm = control.realm(body).await;
    let frozen = control.post(&realm.path("/clock/freeze"), Value::Null).await;
    let now = frozen["now_ms"].as_u64().unwrap() / 1000;
    let info = json!({ "GroupIdList": ["g"] });
    let code = async || realm.tencent_at("group_open_http_svc/get_group_info", &info, now).await["ErrorCode"].clone();
    let token = realm.agora_token().await;
    let status = async || realm.agora(Method::GET, "/chatgroups", &token, "").await.status.as_u16();
    let socket = realm.connect("alice").await;
    advance(&control, &realm, 5 * MINUTE).await;
    assert_eq!((code().await, status().await), (json!(0), 200));
    let sessions = gateway.realm(&realm.name).unwrap().presence;
    let alice = [conclave_core::model::UserId::new("alice").unwrap()];
    assert_eq!(sessions.connections(&alice).await[0].len(), 1);
    advance(&control, &realm, 6 * MINUTE).await;
    // when the call returns she is disconnected, though nobody has sent anything
    assert_eq!(sessions.connections(&alice).await[0].len(), 0);
    assert_eq!(farewell(socket).await[0], 0xe0);
    advance(&control, &realm, 60 * MINUTE).await;
    assert_eq!(code().await, json!(70001), "the signature was valid for an hour");
    advance(&control, &realm, 100 * 24 * 60 * MINUTE).await;
    assert_eq!(status().await, 401, "the app's token has expired");
}

#[tokio::test]
async fn webhooks_are_retried_by_it() {
    // the first two attempts are refused
    let app = App::answering(|_, before| Answer::of(if before < 2 { 500 } else { 200 })).await;
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let webhooks = json!({
        "url": app.url("/groups"),
        "allow_private": true,
        "retries": 5,
        "backoff_ms": 10 * MINUTE,
        "longest_backoff_ms": 60 * MINUTE,
    });
    let realm = control.realm(json!({ "sections": { "rong": { "webhooks": webhooks } } })).await;
    control.post(&realm.path("/clock/freeze"), Value::Null).await;
    realm.create_group("g", "alice").await;
    app.until(|requests| requests.len() == 1).await;
    // nothing is due yet
    advance(&control, &realm, 9 * MINUTE).await;
    assert_eq!(app.requests().len(), 1);
    // when the call returns, the retry has been answered
    advance(&control, &realm, MINUTE).await;
    assert_eq!(app.requests().len(), 2);
    advance(&control, &realm, 19 * MINUTE).await;
    assert_eq!(app.requests().len(), 2, "the second wait is twice as long");
    advance(&control, &realm, MINUTE).await;
    assert_eq!((app.requests().len(), app.taken().len()), (3, 1));
    // what was waiting is dropped by a reset, and later events are delivered
    control.post(&realm.path("/reset"), Value::Null).await;
    realm.create_group("h", "alice").await;
    let all = app.until(|requests| requests.len() == 4).await;
    assert_eq!(all[3].body[0]["groupId"], "h");
}

#[tokio::test]
async fn rate_windows_follow_it() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let body = json!({
        "sections": { "rong": {}, "agora": { "settings": { "message_rate": 1 } } },
    });
    let realm = control.realm(body).await;
    control.post(&realm.path("/clock/freeze"), Value::Null).await;
    realm.create_group("g", "alice").await;
    let token = realm.agora_token().await;
    let message = json!({ "from": "alice", "to": ["g"], "type": "txt", "body": { "msg": "hi" } }).to_string();
    let send = async || realm.agora(Method::POST, "/messages/chatgroups", &token, &message).await.status.as_u16();
    assert_eq!((send().await, send().await), (200, 403), "one in a second that does not end");
    advance(&control, &realm, 1000).await;
    assert_eq!(send().await, 200);
}
