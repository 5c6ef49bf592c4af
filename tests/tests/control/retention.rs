//! Old events and messages are deleted by a realm's clock.

use conclave::config::Admin;
use conclave_core::model::Prefix;
use http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::house::{Control, Realm, gateway};

const DAY: u64 = 24 * 60 * 60_000;

async fn advance(control: &Control, realm: &Realm, days: u64) {
    let clock = control.post(&realm.path("/clock/advance"), json!({ "by_ms": days * DAY })).await;
    assert_eq!(clock["settled"], true, "{clock}");
}

/// How many rows of a kind a realm has.
async fn count(gateway: &conclave::Running, realm: &Realm, prefix: &Prefix) -> usize {
    gateway.realm(&realm.name).unwrap().rows.unwrap().count(prefix).await.unwrap()
}

/// The value of a realm's metric, 0 if it is absent.
async fn metric(gateway: &conclave::Running, name: &str, realm: &Realm) -> u64 {
    let admin = conclave_tests::client::Client::at(gateway.addresses.admin.unwrap(), "");
    let metrics = admin.send(Method::GET, "/metrics", &[], "").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let series = format!("conclave_{name}{{realm=\"{}\"}} ", realm.name);
    metrics.lines().find_map(|line| line.strip_prefix(&series)).map_or(0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn events_are_kept_for_thirty_days_or_until_webhooks_have_delivered_them() {
    // the first attempt is refused, and the next one is made after 40 days
    let app = App::answering(|_, before| Answer::of(if before == 0 { 500 } else { 200 })).await;
    let gateway = gateway(|config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let control = Control::of(&gateway);
    let webhooks = json!({
        "url": app.url("/groups"),
        "allow_private": true,
        "retries": 5,
        "backoff_ms": 40 * DAY,
        "longest_backoff_ms": 60 * DAY,
    });
    let realm = control.realm(json!({ "sections": { "rong": { "webhooks": webhooks } } })).await;
    control.post(&realm.path("/clock/freeze"), Value::Null).await;
    realm.create_group("g", "alice").await;
    app.until(|requests| requests.len() == 1).await;
    realm.create_group("h", "alice").await;
    app.until(|requests| requests.len() == 2).await;
    let all = count(&gateway, &realm, &Prefix::events()).await;
    assert!(all > 1, "{all}");

    advance(&control, &realm, 29).await;
    assert_eq!(count(&gateway, &realm, &Prefix::events()).await, all);
    assert_eq!(metric(&gateway, "log_waits_for_webhooks", &realm).await, 0);
    advance(&control, &realm, 2).await;
    let undelivered = count(&gateway, &realm, &Prefix::events()).await;
    assert!(undelivered > 0 && metric(&gateway, "log_waits_for_webhooks", &realm).await == 1, "{undelivered}");
    advance(&control, &realm, 10).await;
    assert_eq!(app.taken().len(), 2, "the event is delivered though it is old");
    assert_eq!(count(&gateway, &realm, &Prefix::events()).await, 1, "the newest one stays");
    assert_eq!(metric(&gateway, "log_waits_for_webhooks", &realm).await, 0);
    assert_eq!(metric(&gateway, "housekeeping_trimmed_events_total", &realm).await, all as u64 - 1);
}

#[tokio::test]
async fn messages_are_kept_as_long_as_the_realm_says() {
    let gateway = gateway(|config| {
        config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
        config.realms[0].limits.message_lifetime_ms = 60 * DAY;
    })
    .await;
    let control = Control::of(&gateway);
    let realm = Realm::of(&control.get("/v1/realms/dev").await);
    control.post(&realm.path("/clock/freeze"), Value::Null).await;
    realm.create_group("g", "alice").await;
    let content = "%7B%22content%22%3A%22hi%22%7D";
    let message = format!("fromUserId=alice&toGroupId=g&objectName=RC%3ATxtMsg&content={content}");
    let messages = Prefix::messages(&conclave_core::model::GroupId::new("g").unwrap());
    for _ in 0..3 {
        realm.rong_call("/message/group/publish.json", &message).await;
        advance(&control, &realm, 30).await;
    }
    // sent 90, 60 and 30 days ago
    assert_eq!(count(&gateway, &realm, &messages).await, 1);
    assert_eq!(metric(&gateway, "housekeeping_trimmed_messages_total", &realm).await, 2);
    assert_eq!(count(&gateway, &realm, &Prefix::events()).await, 1);
}
