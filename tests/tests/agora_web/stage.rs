//! A gateway, pages with an SDK on them, and the events they receive.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use conclave::Config;

use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::node;
use conclave_tests::sdk::page::Page;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The packages of the SDKs that the vendor publishes now.
pub(crate) const AGORA_CHAT: &str = "agora-chat";
pub(crate) const EASEMOB: &str = "easemob-websdk";

/// The older event of groups, where an SDK has the newer one.
const ALSO: &str = "alsoPresence";

/// Keeps its socket in the module's scope, so that each user needs a process.
const ALONE: &str = "easemob-websdk-3.6";

/// The types of `onPresence`, the only event of groups in older SDKs and one of several in newer ones.
pub(crate) const PRESENCE_TYPES: [&str; 26] = [
    "addAdmin",
    "addMute",
    "addUserToGroupWhiteList",
    "allow",
    "changeOwner",
    "deleteAnnouncement",
    "deleteFile",
    "deleteGroupChat",
    "direct_joined",
    "invite",
    "invite_accept",
    "invite_decline",
    "joinGroupNotifications",
    "joinPublicGroupDeclined",
    "joinPublicGroupSuccess",
    "leaveGroup",
    "memberJoinPublicGroupSuccess",
    "muteGroup",
    "removeAdmin",
    "removeMute",
    "removedFromGroup",
    "rmGroupMute",
    "rmUserFromGroupWhiteList",
    "update",
    "updateAnnouncement",
    "uploadFile",
];

/// How long the absence of events is checked.
const QUIET: Duration = Duration::from_millis(400);

/// Where the SDK runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Driver {
    Node,
    Chromium,
}

/// A gateway with users on it.
pub(crate) struct Stage {
    pub(crate) served: Served,
    package: &'static str,
    driver: Driver,
    /// Whether the SDK is from before the binary WebSocket: it connects over `SockJS`, and has the older event names.
    is_legacy: bool,
    /// The process of all clients, where the SDK can have several in one.
    process: OnceCell<Page>,
    pages: BTreeMap<&'static str, Page>,
    records: Vec<Value>,
    /// The latest data of each event.
    last: BTreeMap<String, Value>,
    /// The methods that users have called.
    called: BTreeSet<String>,
    /// The types of `onPresence` that were received.
    types: BTreeSet<String>,
}

/// Events of groups and messages, as opposed to those of the connection.
pub(crate) fn is_recorded(event: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "onConnected",
        "onOpened",
        "onOnline",
        "onOffline",
        "onReconnecting",
        // the older names of the same
        "onGroupChange",
        "onOfflineMessageSyncStart",
        "onOfflineMessageSyncFinish",
        // what newer SDKs report in the older way as well
        ALSO,
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
        let mut stage = Self::empty(package, Driver::Node, change).await;
        for user in users {
            stage.enter(user).await;
        }
        stage
    }

    /// With these users signed in on pages in a browser.
    pub(crate) async fn in_chromium(package: &'static str, users: &[&'static str]) -> Self {
        let mut stage = Self::empty(package, Driver::Chromium, |_| {}).await;
        for user in users {
            stage.enter(user).await;
        }
        stage
    }

    /// Without users.
    async fn empty(package: &'static str, driver: Driver, change: impl FnOnce(&mut Config)) -> Self {
        let served = Served::start(change).await;
        let is_legacy = package != AGORA_CHAT && package != EASEMOB;
        Self {
            served,
            package,
            driver,
            is_legacy,
            process: OnceCell::new(),
            pages: BTreeMap::new(),
            records: Vec::new(),
            last: BTreeMap::new(),
            called: BTreeSet::new(),
            types: BTreeSet::new(),
        }
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

    /// A page of a user before the SDK is given the address to connect to.
    pub(crate) async fn unopened(&self, user: &str) -> Page {
        if self.driver == Driver::Node && self.package == ALONE {
            return self.driver.start(self.package).await.client(user);
        }
        self.process.get_or_init(|| self.driver.start(self.package)).await.client(user)
    }

    /// A page with the SDK on it, not signed in. The user has an account.
    pub(crate) async fn page(&self, user: &'static str) -> Page {
        self.page_with(user, json!({})).await
    }

    /// The same, with further options of the connection.
    pub(crate) async fn page_with(&self, user: &'static str, further: Value) -> Page {
        let page = self.unopened(user).await;
        let settings = self.served.settings(Vendor::Agora);
        let setting = |key: &str| settings.iter().find(|(name, _)| name == key).expect("a setting").1.clone();
        let device = user.replace('.', "_");
        let mut options = json!({
            "appKey": setting("AGORA_APPKEY"), "apiUrl": setting("AGORA_API_URL"), "url": setting(if self.is_legacy { "AGORA_SOCKJS_URL" } else { "AGORA_WS_URL" }),
            "deviceId": device, "isFixedDeviceId": false,
        });
        for (name, value) in further.as_object().expect("options") {
            options[name] = value.clone();
        }
        page.call("start", json!([options, self.is_legacy])).await;
        self.account(name(user)).await;
        page
    }

    /// Makes an account unless there is one: a second device finds an existing one.
    pub(crate) async fn account(&self, user: &str) {
        let account = json!({"username": user, "password": "secret"});
        let agora = self.served.vendor_apis().await.agora;
        let _ = agora.call(http::Method::POST, "/users", Some(account)).await;
    }

    /// The same users after the gateway has stopped and started again at the same address, with its data.
    pub(crate) async fn restarted(mut self, change: impl FnOnce(&mut Config)) -> Self {
        let address = self.served.running.addresses.shared;
        let Served { running, .. } = self.served;
        running.shutdown().await;
        self.served = Served::start(|config| {
            config.listen = address;
            change(config);
        })
        .await;
        self
    }

    /// Drops the events received so far.
    pub(crate) fn forget(&self) {
        for page in self.pages.values() {
            page.take_all(|_| true);
        }
    }

    pub(crate) fn on(&self, user: &str) -> &Page {
        self.pages.get(user).unwrap_or_else(|| panic!("{user} is not here"))
    }

    /// A user calls a method successfully; then these events are received, in any order between users, and no others.
    pub(crate) async fn does(&mut self, user: &str, method: &str, args: Value, received: &[(&str, &[&str])]) -> Value {
        let answer = self.on(user).call(method, json!([args])).await;
        assert!(answer["refused"].is_null(), "{user} {method} {args}: {answer}");
        self.called.insert(method.to_owned());
        self.records
            .push(json!({"call": format!("{user} {method} {}", settled(args)), "answer": settled(answer.clone())}));
        self.receive(received).await;
        answer
    }

    /// A user calls a method, which is refused.
    pub(crate) async fn refused(&mut self, user: &str, method: &str, args: Value) -> Value {
        let answer = self.on(user).call(method, json!([args])).await;
        let refused = answer["refused"].clone();
        assert!(refused.is_object(), "{user} {method} {args} was answered: {answer}");
        self.records
            .push(json!({"call": format!("{user} {method} {}", settled(args)), "refused": settled(refused.clone())}));
        refused
    }

    /// Expects these events, and no others.
    pub(crate) async fn receive(&mut self, received: &[(&str, &[&str])]) {
        for (user, expected) in received {
            let mut events = Vec::new();
            for (event, data) in self.on(user).take(expected.len(), is_recorded).await {
                let operation = data["operation"].as_str().or(data["type"].as_str().filter(|_| event == "onPresence"));
                let operation = operation.unwrap_or(&event).to_owned();
                if event == "onPresence" {
                    self.types.insert(operation.clone());
                }
                self.last.insert(event.clone(), data.clone());
                events.push((operation, json!({"received": format!("{user} {event}"), "data": settled(data)})));
            }
            // a user's own queue and the groups' are read one after another, in any order: the sort keeps each one's
            events.sort_by(|(one, _), (other, _)| one.cmp(other));
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            assert_eq!(events.iter().map(|(operation, _)| operation).collect::<Vec<_>>(), expected, "{user}");
            self.records.extend(events.into_iter().map(|(_, record)| record));
        }
    }

    /// The methods that were called and succeeded.
    pub(crate) fn methods(&self) -> &BTreeSet<String> {
        &self.called
    }

    /// The latest data of this event.
    pub(crate) fn delivered_last(&self, event: &str) -> &Value {
        self.last.get(event).unwrap_or_else(|| panic!("no {event} was received"))
    }

    /// A token of a user, as clients get one.
    pub(crate) async fn token(&self, user: &str) -> String {
        let asked = json!({"grant_type": "password", "username": user, "password": "secret"});
        let answer = self.api(http::Method::POST, "/token", Some(asked)).await;
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// The types of `onPresence` received so far.
    pub(crate) fn presence_types(&self) -> BTreeSet<String> {
        let of_page = |page: &Page| page.take_all(|event| event == ALSO);
        let newer = self.pages.values().flat_map(of_page);
        let newer = newer.map(|(_, data)| data["type"].as_str().expect("a type").to_owned());
        self.types.iter().cloned().chain(newer).collect()
    }

    /// The app's server calls the REST API.
    pub(crate) async fn api(&self, method: http::Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.served.vendor_apis().await.agora.call(method, path, body).await;
        answer.unwrap_or_else(|_| panic!("{path} was refused"))
    }

    /// All recorded results and events, with volatile values named. Fails if there are other events.
    pub(crate) async fn records(&self) -> Value {
        tokio::time::sleep(QUIET).await;
        for (user, page) in &self.pages {
            let left = page.take_all(is_recorded);
            assert!(left.is_empty(), "{user} received more: {left:#?}");
        }
        Value::Array(self.records.clone())
    }
}

impl Driver {
    /// Starts a process with the SDK.
    async fn start(self, package: &'static str) -> Page {
        let command = move || match self {
            Self::Node => {
                let mut node = node::command("agora/websdk/driver.cjs");
                node.arg(package);
                node
            }
            Self::Chromium => {
                let mut node = node::command("agora/websdk/pages.cjs");
                node.arg(package).arg(node::chromium());
                node
            }
        };
        Page::open(tokio::task::spawn_blocking(command).await.expect("packages"))
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
                    (
                        "application" | "uri" | "share-secret" | "secret" | "thumb_secret" | "accessToken" | "url"
                        | "thumb" | "file",
                        Value::String(_) | Value::Object(_),
                    ) => format!("[{key}]").into(),
                    ("file_id" | "fileId" | "file_url" | "cursor", Value::String(text)) if !text.is_empty() => {
                        format!("[{key}]").into()
                    }
                    ("progress" | "uuid", _) => format!("[{key}]").into(),
                    ("id", Value::String(id)) if is_number(id, 1) => "[id]".into(),
                    (name, Value::String(id)) if IDS.contains(&name) && is_number(id, LONG) => {
                        format!("[{name}]").into()
                    }
                    _ => settled(field),
                };
                (if is_number(&key, LONG) { "[id]".to_owned() } else { without_numbers(&key) }, field)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::String(text) => match serde_json::from_str(&text) {
            // a body that is quoted whole
            Ok(quoted @ Value::Object(_)) => settled(quoted),
            _ => without_numbers(&text).into(),
        },
        other => other,
    }
}

/// A text with its long numbers, ids and times, named instead; and with the time that a call took, where an error is quoted.
fn without_numbers(text: &str) -> String {
    const LONG: usize = 12;
    const TOOK: &str = "\"duration\":";
    let mut out = String::with_capacity(text.len());
    let mut digits = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        let is_volatile = digits.len() >= LONG || (!digits.is_empty() && out.ends_with(TOOK));
        out += if is_volatile { "[number]" } else { &digits };
        digits.clear();
        out.push(character);
    }
    out.pop();
    out
}
