//! A gateway, pages with an SDK on them, and the events they receive.

use std::collections::BTreeMap;
use std::time::Duration;

use conclave::Config;

use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::node;
use conclave_tests::sdk::page::Page;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

/// The packages of the SDKs that the vendor publishes now.
pub(crate) const AGORA_CHAT: &str = "agora-chat";
pub(crate) const EASEMOB: &str = "easemob-websdk";

/// How long the absence of events is checked.
const QUIET: Duration = Duration::from_millis(400);

/// A gateway with users on it.
pub(crate) struct Stage {
    pub(crate) served: Served,
    package: &'static str,
    /// Whether the SDK is from before the binary WebSocket: it connects over `SockJS`, and has the older event names.
    is_legacy: bool,
    pages: BTreeMap<&'static str, Page>,
    told: Vec<Value>,
}

/// Events of groups and messages, as opposed to those of the connection.
pub(crate) fn is_told(event: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "onConnected",
        "onOpened",
        "onOnline",
        "onOffline",
        "onReconnecting",
        // the older names of the same
        "onGroupChange",
        "onOfflineMessageSyncStart",
        "onOfflineMessageSyncFinish",
    ];
    !OTHERS.contains(&event)
}

impl Stage {
    /// With these users signed in with an SDK. `ann.pad` is a second device of `ann`.
    pub(crate) async fn with(package: &'static str, users: &[&'static str]) -> Self {
        Self::of(package, users, |_| {}).await
    }

    /// The same, with a changed configuration.
    pub(crate) async fn of(package: &'static str, users: &[&'static str], change: impl FnOnce(&mut Config)) -> Self {
        let served = Served::start(change).await;
        let is_legacy = package != AGORA_CHAT && package != EASEMOB;
        let mut stage = Self { served, package, is_legacy, pages: BTreeMap::new(), told: Vec::new() };
        for user in users {
            stage.enter(user).await;
        }
        stage
    }

    /// One more user signs in.
    pub(crate) async fn enter(&mut self, user: &'static str) {
        let page = self.page(user).await;
        let opened = open(&page, user).await;
        if self.is_legacy {
            // these report that they are connected before they are
            page.event("onOpened").await;
        } else {
            assert!(opened["accessToken"].is_string(), "{user}: {opened}");
        }
        self.pages.insert(user, page);
    }

    /// A page with the SDK on it, not signed in. The user has an account.
    pub(crate) async fn page(&self, user: &'static str) -> Page {
        let package = self.package;
        let driver = move || {
            let mut node = node::command("agora/websdk/driver.cjs");
            node.arg(package);
            node
        };
        let page = Page::open(tokio::task::spawn_blocking(driver).await.expect("packages"));
        let settings = self.served.settings(Vendor::Agora);
        let setting = |key: &str| settings.iter().find(|(name, _)| name == key).expect("a setting").1.clone();
        let device = user.replace('.', "_");
        let options = json!({
            "appKey": setting("AGORA_APPKEY"), "apiUrl": setting("AGORA_API_URL"), "url": setting(if self.is_legacy { "AGORA_SOCKJS_URL" } else { "AGORA_WS_URL" }),
            "deviceId": device, "isFixedDeviceId": false,
        });
        page.call("start", json!([options, self.is_legacy])).await;
        // a second device finds an existing account
        let account = json!({"username": name(user), "password": "secret"});
        let agora = self.served.tellers().await.agora;
        let _ = agora.call(http::Method::POST, "/users", Some(account)).await;
        page
    }

    pub(crate) fn on(&self, user: &str) -> &Page {
        self.pages.get(user).unwrap_or_else(|| panic!("{user} is not here"))
    }

    /// A user calls a method successfully; then these events are received, in any order between users, and no others.
    pub(crate) async fn does(&mut self, user: &str, method: &str, args: Value, heard: &[(&str, &[&str])]) -> Value {
        let answer = self.on(user).call(method, json!([args])).await;
        assert!(answer["refused"].is_null(), "{user} {method} {args}: {answer}");
        self.told
            .push(json!({"call": format!("{user} {method} {}", settled(args)), "answer": settled(answer.clone())}));
        self.hear(heard).await;
        answer
    }

    /// A user calls a method, which is refused.
    pub(crate) async fn refused(&mut self, user: &str, method: &str, args: Value) -> Value {
        let answer = self.on(user).call(method, json!([args])).await;
        let refused = answer["refused"].clone();
        assert!(refused.is_object(), "{user} {method} {args} was answered: {answer}");
        self.told
            .push(json!({"call": format!("{user} {method} {}", settled(args)), "refused": settled(refused.clone())}));
        refused
    }

    /// Expects these events, and no others.
    pub(crate) async fn hear(&mut self, heard: &[(&str, &[&str])]) {
        for (user, expected) in heard {
            let mut events = Vec::new();
            for (event, data) in self.on(user).take(expected.len(), is_told).await {
                let operation = data["operation"].as_str().or(data["type"].as_str().filter(|_| event == "onPresence"));
                let operation = operation.unwrap_or(&event).to_owned();
                self.told.push(json!({"heard": format!("{user} {event}"), "data": settled(data)}));
                events.push(operation);
            }
            // a user's own queue and the groups' are read one after another
            let (mut events, mut expected) = (events, expected.to_vec());
            events.sort();
            expected.sort_unstable();
            assert_eq!(events, expected, "{user}");
        }
    }

    /// The app's server calls the REST API.
    pub(crate) async fn api(&self, method: http::Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.served.tellers().await.agora.call(method, path, body).await;
        answer.unwrap_or_else(|_| panic!("{path} was refused"))
    }

    /// All recorded results and events, with volatile values named. Fails if there are other events.
    pub(crate) async fn told(&self) -> Value {
        tokio::time::sleep(QUIET).await;
        for (user, page) in &self.pages {
            let left = page.take_all(is_told);
            assert!(left.is_empty(), "{user} heard more: {left:#?}");
        }
        Value::Array(self.told.clone())
    }
}

/// The user's name: the part before the device.
pub(crate) fn name(user: &str) -> &str {
    user.split('.').next().expect("a name")
}

/// Signs in with a password.
pub(crate) async fn open(page: &Page, user: &str) -> Value {
    page.call("open", json!([{"user": name(user), "pwd": "secret"}])).await
}

/// The same, with volatile values named.
pub(crate) fn settled(value: Value) -> Value {
    const IDS: [&str; 12] = [
        "groupid",
        "groupId",
        "id",
        "gid",
        "mid",
        "messageId",
        "serverMsgId",
        "localMsgId",
        "file_id",
        "to",
        "targetId",
        "cursor",
    ];
    const LONG: usize = 10;
    let is_number = |text: &str, least: usize| text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit());
    match value {
        Value::Array(items) => items.into_iter().map(settled).collect(),
        // a timestamp, under whatever name
        Value::Number(number) if number.as_u64().is_some_and(|number| number > 1_500_000_000_000) => "[time]".into(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, field)| {
                let field = match (key.as_str(), &field) {
                    ("duration", Value::Number(_)) => "[time]".into(),
                    ("application" | "uri", _) => format!("[{key}]").into(),
                    ("id", Value::String(id)) if is_number(id, 1) => "[id]".into(),
                    (name, Value::String(id)) if IDS.contains(&name) && is_number(id, LONG) => {
                        format!("[{name}]").into()
                    }
                    _ => settled(field),
                };
                (if is_number(&key, LONG) { "[id]".to_owned() } else { key }, field)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other,
    }
}
