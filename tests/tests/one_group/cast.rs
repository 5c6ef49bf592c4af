//! A gateway with six users on it: two of each vendor's client SDK.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use conclave_tests::sdk::gateway::{Served, VendorApis};
use conclave_tests::sdk::node;
use conclave_tests::sdk::page::Page;
use conclave_tests::sign::user_sig;
use conclave_tests::story::VendorApi;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::calls::{self, Call};
use crate::events;
use crate::matrix::Cell;
use crate::steps::{ADDED, Action, By, SILENT, Step, VENDORS, creator, member};

/// How long events that are expected are waited for.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long the absence of further events is checked.
const QUIET: Duration = Duration::from_millis(120);
/// The same where it is not recorded how many events are to be expected.
const UNKNOWN: Duration = Duration::from_millis(1500);

/// Everybody, signed in.
pub(crate) struct Cast {
    served: Served,
    pages: BTreeMap<&'static str, Page>,
    vendor_apis: VendorApis,
}

/// One group, from its creation to its end, by the clients of one vendor.
pub(crate) struct Story {
    pub(crate) acting: Vendor,
    pub(crate) group: String,
    /// What the SDK returned for the last text that was sent.
    pub(crate) last_text: Value,
}

impl Cast {
    pub(crate) async fn sign_in() -> Self {
        let served = Served::start(|_| {}).await;
        let vendor_apis = served.vendor_apis().await;
        let users: Vec<&str> = VENDORS.iter().flat_map(|vendor| [creator(*vendor), member(*vendor)]).collect();
        vendor_apis.rong.register(&users).await.expect("accounts");
        vendor_apis.rong.register(&[SILENT, ADDED]).await.expect("accounts");
        let mut cast = Self { served, pages: BTreeMap::new(), vendor_apis };
        for vendor in VENDORS {
            for user in [creator(vendor), member(vendor)] {
                let page = match vendor {
                    Vendor::Agora => cast.agora(user).await,
                    Vendor::Tencent => cast.tencent(user).await,
                    Vendor::Rong => cast.rong(user).await,
                };
                cast.pages.insert(user, page);
            }
        }
        cast
    }

    fn setting(&self, vendor: Vendor, key: &str) -> String {
        self.served.settings(vendor).into_iter().find(|(name, _)| name == key).expect("a setting").1
    }

    async fn agora(&self, user: &str) -> Page {
        let driver = tokio::task::spawn_blocking(|| node::command("agora/websdk/driver.cjs")).await;
        let mut driver = driver.expect("packages");
        driver.arg("agora-chat");
        let page = Page::open(driver);
        let setting = |key| self.setting(Vendor::Agora, key);
        let options = json!({
            "appKey": setting("AGORA_APPKEY"), "apiUrl": setting("AGORA_API_URL"), "url": setting("AGORA_WS_URL"),
            "deviceId": user, "isFixedDeviceId": false,
        });
        page.call("start", json!([options, false])).await;
        let inherited = json!({"grant_type": "inherit", "username": user});
        let token = self.vendor_apis.agora.call(http::Method::POST, "/token", Some(inherited)).await.expect("a token");
        let opened = page.call("open", json!([{"user": user, "accessToken": token["access_token"]}])).await;
        assert!(opened["refused"].is_null(), "{user}: {opened}");
        page.event("onConnected").await;
        page
    }

    async fn tencent(&self, user: &str) -> Page {
        let modules = tokio::task::spawn_blocking(|| node::packages("tencent/chat/3.6.6")).await.expect("packages");
        let mut driver = Command::new("node");
        driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/tencent/chat/driver.cjs")).arg(modules);
        let page = Page::open(driver);
        let sdkappid = self.setting(Vendor::Tencent, "TENCENT_SDKAPPID").parse().expect("a number");
        let proxy = self.setting(Vendor::Tencent, "TENCENT_WS_URL");
        page.call("create", json!([{"SDKAppID": sdkappid, "proxyServer": proxy}])).await;
        let now = self.served.running.groups["dev"].now().seconds();
        let signature = user_sig(sdkappid, &self.setting(Vendor::Tencent, "TENCENT_SECRET_KEY"), user, now, 86_400);
        let answer = page.call("login", json!([{"userID": user, "userSig": signature}])).await;
        assert_eq!(answer["code"], 0, "{user}: {answer}");
        page.event("SDK_READY").await;
        page.event("GROUP_LIST_UPDATED").await;
        page
    }

    async fn rong(&self, user: &str) -> Page {
        let modules = tokio::task::spawn_blocking(|| node::packages("rong/imlib-next/5.38.0")).await.expect("packages");
        let mut driver = Command::new("node");
        driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/rong/imlib-next/driver.cjs")).arg(modules);
        let page = Page::open(driver);
        let setting = |key| self.setting(Vendor::Rong, key);
        page.call("init", json!([{"appkey": setting("RONG_APPKEY"), "navigators": [setting("RONG_NAVI")]}])).await;
        let form = [("userId", user), ("name", user)];
        let token = self.vendor_apis.rong.call("/user/getToken.json", &form).await.expect("a token");
        let connected = page.call("connect", json!([token["token"]])).await;
        assert_eq!(connected["code"], 0, "{user}: {connected}");
        page.event("PULL_OFFLINE_MESSAGE_FINISHED").await;
        page
    }

    /// Does a step, and returns what the clients of each vendor receive.
    pub(crate) async fn perform(&self, story: &mut Story, step: &Step, expected: Option<&Cell>) -> Cell {
        let Some(call) = calls::call(step, story) else { return Cell::Absent };
        let user = step.by.user(story.acting);
        let by = match call {
            Call::Client { method, args } => {
                let answer = self.pages[user].call(method, args.clone()).await;
                let refused = calls::refusal(story.acting, &answer);
                assert_eq!(refused, None, "{} by {user}: {method} {args}: {answer}", step.name);
                story.keep(step, answer);
                "client"
            }
            Call::RongServer { path, fields } => {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
                let answer = self.vendor_apis.rong.call(path, &fields).await;
                answer.unwrap_or_else(|refused| panic!("{}: {path}: {refused:?}", step.name));
                "server"
            }
        };
        let mut received = self.received(story, step, expected).await;
        self.check_that_nobody_else_received(story, step);
        if let Action::Mute(vendor) = step.action {
            let (method, args) = calls::attempt(vendor, &story.group);
            let answer = self.pages[member(vendor)].call(method, args).await;
            let code = calls::refusal(vendor, &answer).unwrap_or_else(|| panic!("a muted member may send: {answer}"));
            received.get_mut(vendor.name()).expect("all vendors").push(format!("and may not send: {code}"));
        }
        Cell::Done { by: by.to_owned(), received }
    }

    /// What each vendor's observer receives: its member or, when that is the one who acts, its creator.
    async fn received(&self, story: &Story, step: &Step, expected: Option<&Cell>) -> BTreeMap<String, Vec<String>> {
        let mut received: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut collect = |vendor: Vendor| {
            let lines = received.entry(vendor.name().to_owned()).or_default();
            let observer = observer(story, step, vendor);
            let (page, names) = (&self.pages[observer], calls::names(step, story.acting, observer));
            for (event, data) in page.take_all(|event| events::is_received(vendor, event)) {
                lines.extend(events::lines(vendor, &event, &data, &names));
            }
            lines.len()
        };
        if let Some(expected) = expected {
            let begun = Instant::now();
            for vendor in VENDORS {
                // the refusal that is recorded with a mute is no event
                let refusals = usize::from(step.action == Action::Mute(vendor));
                let count = expected.received(vendor).len().saturating_sub(refusals);
                while collect(vendor) < count && begun.elapsed() < PATIENCE {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
        tokio::time::sleep(if expected.is_some() { QUIET } else { UNKNOWN }).await;
        for vendor in VENDORS {
            collect(vendor);
        }
        for lines in received.values_mut() {
            lines.sort();
        }
        received
    }

    /// The creators of other stories are not in this group.
    fn check_that_nobody_else_received(&self, story: &Story, step: &Step) {
        for vendor in VENDORS {
            let observer = observer(story, step, vendor);
            for user in [creator(vendor), member(vendor)] {
                let events = self.pages[user].take_all(|event| events::is_received(vendor, event));
                let is_part = user == observer || vendor == story.acting;
                assert!(is_part || events.is_empty(), "{}: {user} is not in the group: {events:#?}", step.name);
            }
        }
    }

    /// All three server APIs read the same group.
    pub(crate) async fn check_that_all_read_the_same(&self, story: &Story, step: &Step) {
        let agora = self.vendor_apis.agora.truth(&story.group).await;
        let tencent = self.vendor_apis.tencent.truth(&story.group).await;
        let rong = self.vendor_apis.rong.truth(&story.group).await;
        assert_eq!(agora, tencent, "{}, by {}: Agora's API and Tencent's", step.name, story.acting);
        assert_eq!(agora, rong, "{}, by {}: Agora's API and RongCloud's", step.name, story.acting);
        assert_eq!(agora.is_none(), step.action == Action::Disband, "{}", step.name);
    }
}

fn observer(story: &Story, step: &Step, vendor: Vendor) -> &'static str {
    if vendor == story.acting && step.by == By::Member { creator(vendor) } else { member(vendor) }
}

impl Story {
    pub(crate) fn begin(acting: Vendor) -> Self {
        // Agora chooses the ids of its groups itself
        Self { acting, group: format!("by-{acting}"), last_text: Value::Null }
    }

    fn keep(&mut self, step: &Step, answer: Value) {
        match step.action {
            Action::Create if self.acting == Vendor::Agora => {
                answer["data"]["groupid"].as_str().expect("a group id").clone_into(&mut self.group);
            }
            Action::SendText => self.last_text = answer,
            _ => {}
        }
    }
}
