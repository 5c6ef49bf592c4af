//! The journal: what a realm was asked and what it sent.

use http::Method;
use serde_json::{Value, json};

use crate::app::App;
use crate::house::{Control, gateway};

#[tokio::test]
async fn it_has_what_was_asked_and_sent_and_no_secrets() {
    let app = App::willing().await;
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let webhooks = json!({ "url": app.url("/hook"), "allow_private": true });
    let realm = control.realm(json!({ "sections": { "rong": { "webhooks": webhooks } } })).await;
    let other = control.realm(Value::Null).await;
    let query = realm.path("/journal/query");
    assert_eq!(control.refused(Method::POST, &query, Value::Null).await.1, "no_journal");
    control.post(&realm.path("/journal"), json!({ "entries": 100 })).await;
    let _alice = realm.connect("alice").await;
    realm.create_group("g", "alice").await;
    other.create_group("g", "alice").await;
    realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=bob&nonsense=1").await;
    let token = realm.agora_token().await;
    realm.agora(Method::GET, "/chatgroups/nothing", &token, "").await;

    // a push and a notification arrive when they arrive
    let wait = realm.path("/journal/wait");
    let pushed = json!({ "filter": { "kind": "push", "user": "alice", "group": "g" } });
    let pushed = control.post(&wait, pushed).await;
    assert_eq!(pushed["entries"][0]["vendor"], "rong", "{pushed}");
    let notified = json!({ "filter": { "kind": "webhook", "vendor": "rong", "group": "g" }, "count": 2 });
    let notified = control.post(&wait, notified).await;
    assert_eq!(notified["entries"].as_array().unwrap().len(), 2, "{notified}");

    let requests = control.post(&query, json!({ "kind": "request", "vendor": "rong" })).await;
    let requests = requests["entries"].as_array().unwrap().clone();
    let of = |path: &str| requests.iter().filter(|entry| entry["path"] == format!("/rong{path}")).collect::<Vec<_>>();
    assert_eq!(of("/entrust/group/create.json").len(), 1, "only its own realm's: {requests:?}");
    let [join] = of("/entrust/group/join.json")[..] else { panic!("{requests:?}") };
    assert_eq!((&join["status"], &join["unread"]), (&json!(200), &json!(["nonsense"])), "{join}");
    assert!(join["actor"].as_str().unwrap().starts_with("app"), "{join}");
    let calls = control.post(&query, json!({ "kind": "call", "operation": "connect" })).await;
    assert_eq!(calls["entries"].as_array().unwrap().len(), 1, "{calls}");
    let of_agora = control.post(&query, json!({ "vendor": "agora" })).await;
    let refused: Vec<&Value> =
        of_agora["entries"].as_array().unwrap().iter().filter(|entry| entry["status"] == 404).collect();
    assert_eq!(refused.len(), 1, "{of_agora}");
    let same = json!({ "vendor": "agora", "error": refused[0]["error"] });
    assert_eq!(control.post(&query, same).await["entries"].as_array().unwrap().len(), 1);
    let all = control.post(&query, Value::Null).await.to_string();
    for secret in ["RONG_APPSECRET", "AGORA_CLIENT_SECRET", "TENCENT_SECRET_KEY"] {
        assert!(!all.contains(realm.setting(secret)), "{secret}");
    }
    assert!(!all.contains(&token) && !all.contains("usersig"));

    // what does not come is reported after the time that was given
    let never = json!({ "filter": { "user": "nobody" }, "timeout_ms": 50 });
    let (_, code, message) = control.refused(Method::POST, &wait, never).await;
    assert_eq!(code, "timed_out");
    assert!(message.contains("0 of 1") && message.contains("after 50 ms"), "{message}");
    control.call(Method::DELETE, &realm.path("/journal"), Value::Null).await;
    assert_eq!(control.refused(Method::POST, &query, Value::Null).await.1, "no_journal");
}
