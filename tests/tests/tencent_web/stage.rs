//! A gateway, pages with the SDK on them, and what they receive.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use conclave::Config;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::node::packages;
use conclave_tests::sdk::page::Page;
use conclave_tests::sign::user_sig;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

/// An SDK of the vendor, and how it is pointed here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sdk {
    /// The folder of its lock file, below `tests/sdk/tencent`.
    pub(crate) folder: &'static str,
    /// What is loaded of it.
    pub(crate) module: &'static str,
    /// Whether its host is a constant, so that the host's name leads here instead of an option.
    pub(crate) is_mapped: bool,
}

/// The one that the vendor publishes now.
pub(crate) const LATEST: Sdk = Sdk { folder: "chat/3.6.6", module: "@tencentcloud/chat", is_mapped: false };

/// How long the absence of events is checked.
const QUIET: Duration = Duration::from_millis(300);

/// A gateway with users on it.
pub(crate) struct Stage {
    pub(crate) served: Served,
    sdk: Sdk,
    pages: BTreeMap<&'static str, Page>,
    seen: Vec<Value>,
}

/// Events of groups and messages, as opposed to lists that the SDK keeps.
pub(crate) fn is_message(event: &str) -> bool {
    ["MESSAGE_RECEIVED", "MESSAGE_REVOKED", "KICKED_OUT", "ERROR", "UNHANDLED_REJECTION"].contains(&event)
}

impl Stage {
    /// With these users signed in.
    pub(crate) async fn with(users: &[&'static str]) -> Self {
        Self::of(users, |_| {}).await
    }

    /// The same, with a changed configuration.
    pub(crate) async fn of(users: &[&'static str], change: impl FnOnce(&mut Config)) -> Self {
        Self::by(LATEST, users, change).await
    }

    /// The same by another SDK.
    pub(crate) async fn by(sdk: Sdk, users: &[&'static str], change: impl FnOnce(&mut Config)) -> Self {
        let served = Served::start(change).await;
        let mut stage = Self { served, sdk, pages: BTreeMap::new(), seen: Vec::new() };
        for user in users {
            stage.enter(user).await;
        }
        stage
    }

    /// One more user signs in. `alice.pad` is a second client of `alice`.
    pub(crate) async fn enter(&mut self, user: &'static str) {
        let page = self.page().await;
        let answer = self.login(&page, user).await;
        assert_eq!(answer["code"], 0, "{user}: {answer}");
        page.event("SDK_READY").await;
        // the first list of groups has been received
        page.event("GROUP_LIST_UPDATED").await;
        self.pages.insert(user, page);
    }

    /// Signs a user in on a page.
    pub(crate) async fn login(&self, page: &Page, user: &str) -> Value {
        let name = user.split('.').next().expect("a name");
        page.call("login", json!([{"userID": name, "userSig": self.signature(name, 0)}])).await
    }

    /// A signature that the app's server generated so many seconds ago.
    pub(crate) fn signature(&self, user: &str, ago: u64) -> String {
        let sdkappid = self.setting("TENCENT_SDKAPPID").parse().expect("a number");
        let now = self.served.running.groups["dev"].now().seconds();
        user_sig(sdkappid, &self.setting("TENCENT_SECRET_KEY"), user, now - ago, 86_400)
    }

    /// A page with the SDK on it, not signed in.
    pub(crate) async fn page(&self) -> Page {
        self.page_with(json!({})).await
    }

    /// The same, created with more options.
    pub(crate) async fn page_with(&self, options: Value) -> Page {
        let Sdk { folder, module, is_mapped } = self.sdk;
        let modules = tokio::task::spawn_blocking(move || packages(&format!("tencent/{folder}")));
        let mut driver = Command::new("node");
        driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/tencent/chat/driver.cjs"));
        let here = self.setting("TENCENT_WS_URL");
        driver.arg(modules.await.expect("packages")).arg(module).args(is_mapped.then_some(&here));
        if let Some(authority) = &self.served.running.authority {
            driver.env("NODE_EXTRA_CA_CERTS", authority);
        }
        let page = Page::open(driver);
        let sdkappid: u64 = self.setting("TENCENT_SDKAPPID").parse().expect("a number");
        let mut all = json!({"SDKAppID": sdkappid});
        if !is_mapped {
            all["proxyServer"] = json!(here);
        }
        all.as_object_mut().expect("options").extend(options.as_object().expect("options").clone());
        page.call("create", json!([all])).await;
        page
    }

    /// Takes a user's page away, as if it was closed.
    pub(crate) fn close(&mut self, user: &str) {
        self.pages.remove(user).expect("a page");
    }

    pub(crate) fn setting(&self, key: &str) -> String {
        let settings = self.served.settings(Vendor::Tencent);
        settings.into_iter().find(|(name, _)| name == key).expect("a setting").1
    }

    pub(crate) fn on(&self, user: &str) -> &Page {
        self.pages.get(user).unwrap_or_else(|| panic!("{user} is not here"))
    }

    /// A user calls a method successfully; then so many messages are received, and no others by anybody.
    pub(crate) async fn does(&mut self, user: &str, method: &str, args: Value, received: &[(&str, usize)]) -> Value {
        let answer = self.on(user).call(method, args.clone()).await;
        assert!(answer["refused"].is_null(), "{user} {method} {args}: {answer}");
        let call = format!("{user} {method} {}", settled(args));
        self.seen.push(json!({"call": call, "answer": settled(answer.clone())}));
        self.receives(received).await;
        answer
    }

    /// A user calls a method, which succeeds; what is received of it is looked at by the caller.
    pub(crate) async fn calls(&self, user: &str, method: &str, args: Value) -> Value {
        let answer = self.on(user).call(method, args.clone()).await;
        assert!(answer["refused"].is_null(), "{user} {method} {args}: {answer}");
        answer
    }

    /// The next messages that a user receives.
    pub(crate) async fn messages(&self, user: &str, count: usize) -> Vec<Value> {
        let mut messages = Vec::new();
        while messages.len() < count {
            let (event, data) = self.on(user).take(1, is_message).await.remove(0);
            assert_eq!(event, "MESSAGE_RECEIVED", "{user}: {data}");
            messages.extend(data.as_array().expect("messages").iter().cloned());
        }
        assert_eq!(messages.len(), count, "{user}: {messages:#?}");
        messages
    }

    /// A user creates a group, in which so many others of those who are here are from the start.
    pub(crate) async fn group(&self, owner: &str, options: Value) -> Value {
        let answer = self.calls(owner, "createGroup", json!([options])).await;
        for member in options["memberList"].as_array().into_iter().flatten() {
            let member = member["userID"].as_str().expect("a name");
            // the notice, and the message by which the SDK begins a conversation
            if self.pages.contains_key(member) {
                self.messages(member, 2).await;
            }
        }
        answer["data"]["group"].clone()
    }

    /// So many messages are received, and nothing else by anybody.
    pub(crate) async fn receives(&mut self, received: &[(&str, usize)]) {
        for (user, count) in received {
            let mut messages = Vec::new();
            while messages.len() < *count {
                let (event, data) = self.on(user).take(1, is_message).await.remove(0);
                assert!(event.starts_with("MESSAGE_"), "{user} {event}: {data}");
                let items = data.as_array().expect("messages").iter();
                messages.extend(
                    items.map(|item| json!({"received": format!("{user} {event}"), "message": settled(item.clone())})),
                );
            }
            assert_eq!(messages.len(), *count, "{user}: {messages:#?}");
            self.seen.extend(messages);
        }
        self.nothing_else().await;
    }

    /// A user calls a method, which is refused with this code.
    pub(crate) async fn refused(&mut self, user: &str, method: &str, args: Value, code: i64) {
        let answer = self.on(user).call(method, args.clone()).await;
        assert_eq!(answer["refused"]["code"], code, "{user} {method} {args}: {answer}");
    }

    async fn nothing_else(&self) {
        tokio::time::sleep(QUIET).await;
        for (user, page) in &self.pages {
            let left = page.take_all(is_message);
            assert!(left.is_empty(), "{user} received more: {left:#?}");
        }
    }

    /// All recorded results and events, with volatile values named.
    pub(crate) async fn seen(&self) -> Value {
        self.nothing_else().await;
        Value::Array(self.seen.clone())
    }
}

/// The same, with volatile values named.
pub(crate) fn settled(mut value: Value) -> Value {
    const NAMED: [&str; 5] = ["ID", "messageKey", "authentication", "random", "clientSequence"];
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = settled(item.take())),
        // a timestamp, under whatever name
        Value::Number(number) if number.as_u64().is_some_and(|number| number > 1_500_000_000) => {
            value = Value::from("[time]");
        }
        Value::Object(fields) => {
            // notices have no number in a group
            let is_notice = fields.get("type") == Some(&Value::from("TIMGroupSystemNoticeElem"));
            let is_profile = fields.contains_key("nextMessageSeq");
            if is_profile {
                // the SDK fills these in when its list of groups arrives, before or after it answers
                fields.retain(|key, _| !["errorInfo", "muteAllMember"].contains(&key.as_str()));
            }
            for (key, field) in fields {
                let never = [Value::from(0), Value::from(""), Value::Null].contains(field);
                *field = match key.as_str() {
                    key if NAMED.contains(&key) && !never => Value::from(format!("[{key}]")),
                    "sequence" if is_notice => Value::from("[sequence]"),
                    // how much of a conversation the SDK has processed at a given time depends on its own timers
                    "lastMessage" | "nextMessageSeq" | "infoSequence" | "selfInfo" => Value::from(format!("[{key}]")),
                    "memberCount" | "memberNum" if is_profile => Value::from(format!("[{key}]")),
                    _ => settled(field.take()),
                };
            }
        }
        _ => {}
    }
    value
}
