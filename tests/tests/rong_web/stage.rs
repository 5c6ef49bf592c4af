//! A gateway, pages on it, and their results and events.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use conclave::realms::Stores;
use conclave::{Config, Gateway};
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::node::packages;
use conclave_tests::sdk::page::Page;
use conclave_tests::sdk::unread::{self, Explained};
use conclave_tests::sign::rong_signature;
use conclave_tests::vendor::Vendor;
use http::Method;
use serde_json::{Value, json};

/// The version that the vendor publishes now.
pub(crate) const LATEST: &str = "5.38.0";

/// Fields about the SDK itself in requests to the navigator, as it spells them.
pub(crate) const UNREAD: &[Explained] = &[
    Explained { operations: &["navi"], field: "v", why: "all versions are sent the same way" },
    Explained { operations: &["navi"], field: "platfrom", why: "all platforms are sent the same way" },
];

/// A gateway with users on it.
pub(crate) struct Stage {
    pub(crate) served: Served,
    version: &'static str,
    pages: BTreeMap<&'static str, Page>,
    /// The recorded calls, results and events.
    records: Vec<Value>,
}

/// Events of groups and messages, as opposed to those of the connection.
pub(crate) fn is_recorded(event: &str) -> bool {
    event.starts_with("GROUP_") || ["MESSAGES", "UNHANDLED_REJECTION"].contains(&event)
}

impl Stage {
    /// With these users connected, in the latest version.
    pub(crate) async fn with(users: &[&'static str]) -> Self {
        Self::of(LATEST, users, |_| {}).await
    }

    /// With these users connected, in some version. `alice.pad` is a second device of `alice`.
    pub(crate) async fn of(version: &'static str, users: &[&'static str], change: impl FnOnce(&mut Config)) -> Self {
        let served = Served::start(change).await;
        let mut stage = Self { served, version, pages: BTreeMap::new(), records: Vec::new() };
        for user in users {
            stage.enter(user).await;
        }
        stage
    }

    /// With these users connected, over these stores.
    pub(crate) async fn over(stores: Arc<dyn Stores>, users: &[&'static str]) -> Self {
        let config = Config::development().expect("the development configuration");
        let served = Served::of(Gateway::builder(config).stores(stores)).await;
        let mut stage = Self { served, version: LATEST, pages: BTreeMap::new(), records: Vec::new() };
        for user in users {
            stage.enter(user).await;
        }
        stage
    }

    /// The same users after the gateway has stopped and started again at the same address, without its data.
    pub(crate) async fn restarted(self, change: impl FnOnce(&mut Config)) -> Self {
        let Self { served, version, pages, records } = self;
        let address = served.running.addresses.shared;
        for page in pages.values() {
            page.take_all(|name| name == "CONNECTED");
        }
        served.running.shutdown().await;
        let served = Served::start(|config| {
            config.listen = address;
            change(config);
        });
        Self { served: served.await, version, pages, records }
    }

    /// One more user connects.
    pub(crate) async fn enter(&mut self, user: &'static str) {
        let page = self.page(None).await;
        let token = self.token(user).await;
        let connected = page.call("connect", json!([token])).await;
        assert_eq!(connected["code"], 0, "{user}: {connected}");
        // group events are delivered from here on
        page.event("PULL_OFFLINE_MESSAGE_FINISHED").await;
        self.pages.insert(user, page);
    }

    /// A page with the SDK on it, not connected.
    pub(crate) async fn page(&self, storage: Option<&Path>) -> Page {
        self.opened(storage, &self.setting("RONG_APPKEY")).await
    }

    /// The same, of another app.
    pub(crate) async fn page_of(&self, app_key: &str) -> Page {
        self.opened(None, app_key).await
    }

    async fn opened(&self, storage: Option<&Path>, app_key: &str) -> Page {
        let version = self.version;
        let modules = tokio::task::spawn_blocking(move || packages(&format!("rong/imlib-next/{version}")));
        let mut driver = Command::new("node");
        driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/rong/imlib-next/driver.cjs"));
        driver.arg(modules.await.expect("packages")).args(storage);
        let page = Page::open(driver);
        page.call("init", json!([{"appkey": app_key, "navigators": [self.setting("RONG_NAVI")]}])).await;
        page
    }

    pub(crate) fn setting(&self, key: &str) -> String {
        let settings = self.served.settings(Vendor::Rong);
        settings.into_iter().find(|(name, _)| name == key).expect("a setting").1
    }

    /// The token that the app's server gives a user.
    pub(crate) async fn token(&self, user: &str) -> String {
        let id = user.split('.').next().expect("a name");
        let form = format!("userId={id}&name={}&portraitUri=", id.to_uppercase());
        self.api("user/getToken", &form).await["token"].as_str().expect("a token").to_owned()
    }

    /// The app's server calls.
    pub(crate) async fn api(&self, path: &str, form: &str) -> Value {
        let (key, secret) = (self.setting("RONG_APPKEY"), self.setting("RONG_APPSECRET"));
        let signature = rong_signature(&secret, "1", "2");
        let headers = [
            ("app-key", key.as_str()),
            ("nonce", "1"),
            ("timestamp", "2"),
            ("signature", &signature),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let client = self.served.door(Vendor::Rong);
        let answer = client.send(Method::POST, &format!("/{path}.json"), &headers, form.to_owned()).await.json();
        assert_eq!(answer["code"], 200, "{path} {form}: {answer}");
        answer
    }

    pub(crate) fn on(&self, user: &str) -> &Page {
        self.pages.get(user).unwrap_or_else(|| panic!("{user} is not here"))
    }

    /// A user calls a method successfully; then these numbers of events are received, and no others by anybody.
    pub(crate) async fn does(&mut self, user: &str, method: &str, args: Value, received: &[(&str, usize)]) -> Value {
        let answer = self.on(user).call(method, args.clone()).await;
        assert_eq!(answer["code"], 0, "{user} {method} {args}: {answer}");
        let label = format!("{user} {method} {}", settled(args));
        self.records.push(json!({"call": label, "answer": settled(answer.clone())}));
        self.receives(received).await;
        answer["data"].clone()
    }

    /// Expects these numbers of events, and no others by anybody.
    pub(crate) async fn receives(&mut self, received: &[(&str, usize)]) {
        for (user, count) in received {
            let mut events = self.on(user).take(*count, is_recorded).await;
            // the SDK orders events that it fetches together by kind
            events.sort_by(|(one, _), (other, _)| one.cmp(other));
            for (event, data) in events {
                assert_ne!(event, "UNHANDLED_REJECTION", "{user}: {data}");
                self.records.push(json!({"received": format!("{user} {event}"), "data": settled(data)}));
            }
        }
        self.nothing_else().await;
    }

    /// A user calls a method that is refused with this code, without an effect.
    pub(crate) async fn refused(&mut self, user: &str, method: &str, args: Value, code: i64) -> Value {
        let before = self.happenings().await;
        let answer = self.on(user).call(method, args.clone()).await;
        assert_eq!(answer["code"], code, "{user} {method} {args}: {answer}");
        assert_eq!(self.happenings().await, before, "{user} {method} {args} was refused and left something behind");
        answer
    }

    /// The number of events so far.
    pub(crate) async fn happenings(&self) -> usize {
        self.served.running.backends["dev"].log.read(0, usize::MAX).await.expect("the log").len()
    }

    /// Fails if there are unexpected events.
    async fn nothing_else(&self) {
        tokio::time::sleep(Duration::from_millis(60)).await;
        for (user, page) in &self.pages {
            let left = page.take_all(is_recorded);
            assert!(left.is_empty(), "{user} received more: {left:#?}");
        }
    }

    /// All recorded results and events, with volatile values named.
    pub(crate) async fn records(&self) -> Value {
        unread::check(&self.served, Vendor::Rong, UNREAD).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.nothing_else().await;
        Value::Array(self.records.clone())
    }
}

/// The same, with volatile values named.
pub(crate) fn settled(mut value: Value) -> Value {
    const TIMES: [&str; 7] =
        ["operationTime", "joinedTime", "createTime", "sentTime", "receivedTime", "time", "timestamp"];
    const IDS: [&str; 3] = ["messageUId", "messageId", "pageToken"];
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = settled(item.take())),
        Value::Object(fields) => {
            for (key, field) in fields {
                let never = [Value::from(0), Value::from(""), Value::Null].contains(field);
                *field = match key.as_str() {
                    key if TIMES.contains(&key) && !never => Value::from("[time]"),
                    key if IDS.contains(&key) && !never => Value::from(format!("[{key}]")),
                    _ => settled(field.take()),
                };
            }
        }
        _ => {}
    }
    value
}
