//! A signed caller in one world, and helpers to read its responses.

use conclave_rong::Settings;
use conclave_tests::client::{Answer, Client};
use conclave_tests::house::credentials::{APP_KEY, APP_SECRET};
use conclave_tests::house::{mounted, rong};
use conclave_tests::sign::rong_signature;
use conclave_tests::world::World;
use http::Method;
use serde_json::Value;

/// One world behind the surface.
pub(crate) struct Api {
    /// The world.
    pub(crate) world: World,
    /// A client for the surface in this process.
    pub(crate) client: Client,
}

impl Api {
    /// With default settings.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    /// With these settings.
    pub(crate) fn with(settings: Settings) -> Self {
        let world = World::new();
        let client = mounted(rong(&world, settings));
        Self { world, client }
    }

    /// Posts a body unchanged, signed.
    pub(crate) async fn post(&self, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
        let signature = rong_signature(APP_SECRET, "1", "2");
        let headers = [("app-key", APP_KEY), ("nonce", "1"), ("timestamp", "2"), ("signature", signature.as_str())];
        self.client.send(Method::POST, &format!("/{path}.json"), &headers, body).await
    }

    /// Posts a form unchanged; it has to be accepted.
    pub(crate) async fn ok(&self, path: &str, form: &str) -> Value {
        let answer = self.post(path, form.to_owned()).await;
        let body = answer.json();
        assert_eq!((answer.status.as_u16(), &body["code"]), (200, &Value::from(200)), "{path} {form}: {body}");
        body
    }

    /// Posts a form unchanged; it has to be refused with this code, without an event.
    pub(crate) async fn refused(&self, path: &str, form: &str, code: u64) -> Value {
        let before = self.happenings().await;
        let answer = self.post(path, form.to_owned()).await;
        let body = answer.json();
        assert_eq!(body["code"], code, "{path} {form}: {body}");
        assert!(body["errorMessage"].is_string(), "{path} {form}: {body}");
        assert_eq!(self.happenings().await, before, "{path} {form} was refused and left something behind");
        body
    }

    /// The number of events in the world.
    pub(crate) async fn happenings(&self) -> usize {
        self.world.log.read(0, usize::MAX).await.expect("the log").len()
    }

    /// The ids of a group's members, in the returned order.
    pub(crate) async fn members(&self, group: &str) -> Vec<String> {
        texts(&self.ok("group/user/query", &format!("groupId={group}")).await["users"], "id")
    }

    /// Members of a hosted group with their roles, latest first.
    pub(crate) async fn roles(&self, group: &str) -> Vec<(String, u64)> {
        let answer = self.ok("entrust/group/member/query", &format!("groupId={group}")).await;
        let rows = answer["members"].as_array().expect("members");
        rows.iter().map(|row| (text(&row["userId"]), row["role"].as_u64().expect("a role"))).collect()
    }

    /// The one profile of a hosted group.
    pub(crate) async fn profile(&self, group: &str) -> Value {
        let answer = self.ok("entrust/group/profile/query", &format!("groupIds={group}")).await;
        answer["profiles"][0].clone()
    }
}

/// A text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

/// One member of each entry of a list.
pub(crate) fn texts(list: &Value, key: &str) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|entry| text(&entry[key])).collect()
}

/// JSON inside a string.
pub(crate) fn inner(value: &Value) -> Value {
    serde_json::from_str(value.as_str().expect("json in a string")).expect("json")
}
