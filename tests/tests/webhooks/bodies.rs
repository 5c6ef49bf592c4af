//! The life of a group, and every vendor's notifications of its events: pinned with the event, and compared with the
//! documented samples in `fixtures/<vendor>/webhooks`.

mod life;

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::TopicId;
use conclave_core::ports::{GroupsExt, Typed};
use conclave_kit::{ConnectionEvent, Destination, Notice, query_pairs};
use conclave_tests::house::credentials as of;
use conclave_tests::ledger::callbacks::Sample;
use conclave_tests::world::{World, user};
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use crate::samples::is_as;

/// All notifications, by vendor.
type AllSent = BTreeMap<&'static str, Vec<Value>>;

/// A world whose events are sent to every vendor's destinations.
struct Recorder {
    world: World,
    destinations: Vec<(&'static str, Destination)>,
    after: u64,
    all: AllSent,
}

impl Recorder {
    async fn new() -> Self {
        let world = World::new();
        world.users(&["tst", "abc", "jared", "tommy", "dan", "eve", "fay"]).await;
        Self { after: 7, world, destinations: destinations(), all: AllSent::new() }
    }

    /// Performs an operation as the app.
    async fn done<O: Typed>(&mut self, name: &str, operation: O) -> O::Reply {
        self.done_by(name, &Actor::app(), operation).await
    }

    /// Performs an operation, and pins its events with their notifications.
    async fn done_by<O: Typed>(&mut self, name: &str, actor: &Actor, operation: O) -> O::Reply {
        self.world.clock.step(1000);
        let reply = self.world.groups.run(actor, operation).await.unwrap();
        self.pin(name).await;
        reply
    }

    /// The same in a topic, as the app.
    async fn done_in<O: Typed>(&mut self, name: &str, topic: &TopicId, operation: O) {
        self.world.clock.step(1000);
        self.world.groups.run_in(&Actor::app(), topic, operation).await.unwrap();
        self.pin(name).await;
    }

    /// Pins the events since the last call, with their notifications.
    async fn pin(&mut self, name: &str) {
        let events = self.world.log.read(self.after, 100).await.unwrap();
        assert!(!events.is_empty(), "{name}: nothing has happened");
        let mut pinned = Vec::new();
        for event in events {
            self.after = event.sequence;
            pinned.push(self.send(&event).await);
        }
        insta::assert_json_snapshot!(format!("body-{name}"), pinned);
    }

    /// The same, as a user.
    async fn done_as<O: Typed>(&mut self, name: &str, who: &str, operation: O) -> O::Reply {
        self.done_by(name, &Actor::user(user(who)), operation).await
    }

    async fn send(&mut self, event: &Arc<Event>) -> Value {
        let mut sent = BTreeMap::new();
        for (vendor, destination) in &self.destinations {
            let notices = destination.webhooks.notices(event, &*self.world.groups, &*self.world.log).await.unwrap();
            let again = destination.webhooks.notices(event, &*self.world.groups, &*self.world.log).await.unwrap();
            assert_eq!(notices, again, "worded otherwise the second time");
            pin(vendor, notices, &mut sent, &mut self.all);
        }
        json!({"event": event.what, "by": event.actor, "sent": sent})
    }

    /// Opens and closes connections; pins their notifications.
    async fn passed(&mut self, name: &str, events: &[ConnectionEvent]) {
        let events: Vec<_> = events.iter().cloned().map(Arc::new).collect();
        let mut sent = BTreeMap::new();
        for (vendor, destination) in &self.destinations {
            let notices = destination.webhooks.connection_notices(&events, &*self.world.groups).await.unwrap();
            assert!(notices.is_empty() || destination.webhooks.wants_connection_events());
            pin(vendor, notices, &mut sent, &mut self.all);
        }
        let changes: Vec<String> =
            events.iter().map(|one| format!("{} {:?}", one.connection.user, one.change)).collect();
        insta::assert_json_snapshot!(format!("body-{name}"), [json!({"connections": changes, "sent": sent})]);
    }
}

/// Records the notifications of one destination.
fn pin(vendor: &'static str, notices: Vec<Notice>, sent: &mut BTreeMap<&str, Vec<Value>>, all: &mut AllSent) {
    for notice in notices {
        let body = body(vendor, &notice);
        all.entry(vendor).or_default().push(body.clone());
        let query: Map<String, Value> =
            notice.query.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        sent.entry(vendor).or_default().push(json!({"name": notice.name, "query": query, "body": body}));
    }
}

/// A body, in the vendor's order of keys.
fn body(vendor: &str, notice: &Notice) -> Value {
    let text = std::str::from_utf8(&notice.body).unwrap();
    if notice.name == "message route" {
        let pairs = query_pairs(text).into_iter().map(|(key, value)| (key, Value::from(value)));
        return Value::Object(pairs.collect());
    }
    let value: Value = serde_json::from_str(text).unwrap();
    match vendor {
        "agora" => assert_eq!(value["security"], signed(&value), "{text}"),
        // alphabetical
        "tencent" => assert_eq!(text, value.to_string()),
        _ if notice.name == "user online status" => assert!(text.starts_with("[{\"userid\":"), "{text}"),
        _ => assert!(text.starts_with("[{\"groupId\":"), "{text}"),
    }
    value
}

/// Agora's signature of a body.
fn signed(body: &Value) -> String {
    let text = format!("{}secret123{}", body["callId"].as_str().unwrap(), body["timestamp"]);
    hex::encode(Md5::digest(text.as_bytes()))
}

pub(crate) fn destinations() -> Vec<(&'static str, Destination)> {
    let url = || Some("https://app.example.com/".to_owned());
    let agora = conclave_agora::Credentials {
        org: of::ORG.to_owned(),
        app: of::APP.to_owned(),
        client_id: of::CLIENT_ID.to_owned(),
        client_secret: of::CLIENT_SECRET.to_owned(),
        app_id: None,
        app_certificate: None,
    };
    let hooks = conclave_agora::webhooks::WebhookSettings {
        url: url(),
        muc_url: url(),
        message_url: url(),
        secret: "secret123".into(),
        ..conclave_agora::webhooks::WebhookSettings::default()
    };
    let agora = conclave_agora::webhooks::destinations(&agora, &conclave_agora::Settings::default(), &hooks);

    let rong = conclave_rong::Credentials { app_key: of::APP_KEY.to_owned(), app_secret: of::APP_SECRET.to_owned() };
    let hooks = conclave_rong::webhooks::WebhookSettings {
        url: url(),
        profile_url: url(),
        message_url: url(),
        online_url: url(),
        ..conclave_rong::webhooks::WebhookSettings::default()
    };
    let rong = conclave_rong::webhooks::destinations(&rong, &hooks);

    let credentials = conclave_tencent::Credentials {
        sdkappid: of::SDKAPPID,
        secret_key: of::SECRET_KEY.to_owned(),
        admins: vec![of::ADMIN.to_owned()],
    };
    let settings = conclave_tencent::Settings {
        group_keys: vec!["UserDefined1".to_owned(), "UserDefined2".to_owned()],
        ..conclave_tencent::Settings::default()
    };
    let hooks = conclave_tencent::webhooks::WebhookSettings {
        url: url(),
        ..conclave_tencent::webhooks::WebhookSettings::default()
    };
    let tencent = conclave_tencent::webhooks::destinations(&credentials, &settings, &hooks);

    let named = |vendor| move |destination| (vendor, destination);
    let all = agora.into_iter().map(named("agora")).chain(rong.into_iter().map(named("rong")));
    let hooks = conclave_tencent::webhooks::WebhookSettings {
        commands: vec!["Group.CallbackOnMemberStateChange".to_owned()],
        ..hooks
    };
    let state = conclave_tencent::webhooks::destinations(&credentials, &settings, &hooks);
    all.chain(tencent.into_iter().chain(state).map(named("tencent"))).collect()
}

#[tokio::test]
async fn a_groups_callbacks_are_as_documented() {
    let mut recorder = Recorder::new().await;
    life::beginning(&mut recorder).await;
    life::coming(&mut recorder).await;
    life::changing(&mut recorder).await;
    life::moderating(&mut recorder).await;
    life::speaking(&mut recorder).await;
    life::afterwards(&mut recorder).await;
    life::topics(&mut recorder).await;
    life::passing(&mut recorder).await;
    life::ending(&mut recorder).await;
    let missing: Vec<String> =
        ["agora", "rong", "tencent"].into_iter().flat_map(|vendor| missing(vendor, &recorder.all[vendor])).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The vendor's documented callbacks that were not sent.
fn missing(vendor: &str, sent: &[Value]) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, sample) in Sample::all(vendor) {
        // questions are not notifications
        let is_question = sample.callback.contains("CallbackBefore") || sample.callback == "pre-delivery";
        if !is_question && !sent.iter().any(|notice| is_as(notice, &sample)) {
            missing.push(format!("{vendor}/webhooks/{name} is not sent as documented: {}", sample.body));
        }
    }
    missing
}
