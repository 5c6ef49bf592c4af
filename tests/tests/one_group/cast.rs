//! A gateway with six users on it: two of each vendor's client SDK.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::page::Page;
use conclave_tests::story::VendorApi;
use conclave_tests::vendor::{Sections as _, Vendor};
use http::Method;
use serde_json::{Value, json};

use crate::calls::{self, Call};
use crate::clients::Reached;
use crate::events;
use crate::matrix::Cell;
use crate::steps::{ADDED, Action, By, SILENT, Step, VENDORS, creator, inviter, member};

/// How long events that are expected are waited for.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long the absence of further events is checked.
const QUIET: Duration = Duration::from_millis(120);
/// How long what a preparation causes is waited for.
const SETTLED: Duration = Duration::from_millis(700);
/// The same where it is not recorded how many events are to be expected.
const UNKNOWN: Duration = Duration::from_millis(1500);

/// Everybody, signed in.
pub(crate) struct Cast {
    _served: Served,
    pages: BTreeMap<&'static str, Page>,
    reached: Reached,
}

/// One group, from its creation to its end, by the clients of one vendor.
pub(crate) struct Story {
    pub(crate) acting: Vendor,
    pub(crate) group: String,
    /// What the SDK returned for the last text that was sent.
    pub(crate) last_text: Value,
    /// The id of the last message that the creator received, as its SDK has it.
    pub(crate) last_received: Value,
    /// The id of the last shared file.
    pub(crate) last_file: Value,
}

impl Cast {
    pub(crate) async fn sign_in() -> Self {
        let served = Served::start(|config| config.realms[0].rong().settings.message_receipts = true).await;
        let reached = Reached::within(&served).await;
        let vendor_apis = &reached.vendor_apis;
        let users: Vec<&str> = VENDORS.iter().flat_map(|vendor| [creator(*vendor), member(*vendor)]).collect();
        vendor_apis.rong.register(&users).await.expect("accounts");
        vendor_apis.rong.register(&[SILENT, ADDED]).await.expect("accounts");
        let mut pages = BTreeMap::new();
        for vendor in VENDORS {
            for user in [creator(vendor), member(vendor)] {
                pages.insert(user, reached.client(vendor, user).await);
            }
        }
        Self { _served: served, pages, reached }
    }

    /// Does a step, and returns what the clients of each vendor receive.
    pub(crate) async fn perform(&self, story: &mut Story, step: &Step, expected: Option<&Cell>) -> Cell {
        if let Err(why) = calls::call(step, story) {
            return Cell::Absent { why: why.to_owned() };
        }
        if !self.prepare(story, step).await {
            return Cell::Absent { why: "the other vendor's clients cannot ask for it".to_owned() };
        }
        let call = calls::call(step, story).unwrap_or_else(|why| panic!("{}: {why}", step.name));
        let user = step.by.user(story.acting);
        let by = match call {
            Call::Client { method, args } => {
                let answer = self.pages[user].call(method, args.clone()).await;
                let refused = calls::refusal(story.acting, &answer);
                assert_eq!(refused, None, "{} by {user}: {method} {args}: {answer}", step.name);
                story.keep(step, answer);
                "client"
            }
            Call::AgoraServer { method, path, body } => {
                let answer = self.reached.vendor_apis.agora.call(method, &path, body).await;
                answer.unwrap_or_else(|refused| panic!("{}: {path}: {refused:?}", step.name));
                "server"
            }
            Call::TencentServer { command, body } => {
                let answer = self.reached.vendor_apis.tencent.call(command, &body).await;
                answer.unwrap_or_else(|refused| panic!("{}: {command}: {refused:?}", step.name));
                "server"
            }
            Call::RongServer { path, fields } => {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
                let answer = self.reached.vendor_apis.rong.call(path, &fields).await;
                answer.unwrap_or_else(|refused| panic!("{}: {path}: {refused:?}", step.name));
                "server"
            }
        };
        let mut received = self.received(story, step, expected).await;
        self.check_that_nobody_else_received(story, step);
        if let Action::Mute(vendor) | Action::MuteEverywhere(vendor) = step.action {
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
                let is_muted = [Action::Mute(vendor), Action::MuteEverywhere(vendor)].contains(&step.action);
                let refusals = usize::from(is_muted);
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
            for line in lines.iter_mut() {
                *line = self.with_files(line).await;
            }
            lines.sort();
        }
        received
    }

    /// The line with the content of each file that is served here in place of its URL, and the name of each other one.
    async fn with_files(&self, line: &str) -> String {
        let (mut whole, mut rest) = (String::new(), line);
        while let Some((before, url)) = rest.split_once('<') {
            let (url, after) = url.split_once('>').expect("the end of a URL");
            let shown = if url.contains("/chatfiles/") {
                let fetched = self.pages[creator(Vendor::Agora)].call("fetch", json!([url])).await;
                assert_eq!(fetched[0], 200, "{url}: {fetched}");
                fetched[1].to_string()
            } else {
                url.rsplit('/').next().unwrap_or_default().to_owned()
            };
            whole += before;
            whole += &shown;
            rest = after;
        }
        whole + rest
    }

    /// What has to be there before a step, which is not part of it; whether it can be.
    async fn prepare(&self, story: &mut Story, step: &Step) -> bool {
        let acting = story.acting;
        match step.action {
            Action::ConfirmReading(vendor) => {
                let (method, args) = calls::asking(vendor, &story.group);
                let sent = self.pages[member(vendor)].call(method, args).await;
                assert_eq!(calls::refusal(vendor, &sent), None, "{sent}");
                let is_received = |event: &str| ["onTextMessage", "MESSAGE_RECEIVED", "MESSAGES"].contains(&event);
                let received = self.pages[creator(acting)].take(1, is_received).await.remove(0).1;
                story.last_received = match acting {
                    Vendor::Agora => received["id"].clone(),
                    Vendor::Tencent => received[0]["ID"].clone(),
                    Vendor::Rong => received["messages"][0]["messageUId"].clone(),
                };
            }
            Action::DeleteMessages => {
                let body = json!({
                    "GroupId": story.group, "From_Account": SILENT, "Random": 99,
                    "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "to be deleted"}}],
                });
                self.reached.vendor_apis.tencent.group("send_group_msg", &body).await.expect("a message");
            }
            // the other vendors' members are to decide as well
            Action::RequireApproval => {
                for vendor in VENDORS.into_iter().filter(|vendor| *vendor != acting) {
                    self.reached.vendor_apis.tencent.promote(&story.group, member(vendor)).await.expect("an admin");
                }
            }
            Action::DeclineInvitation(vendor) | Action::AcceptInvitation(vendor) => {
                let (apis, user, by) = (&self.reached.vendor_apis, member(acting), inviter(vendor, acting));
                let asks = Some(json!({"invite_need_confirm": true, "allowinvites": true}));
                let path = format!("/chatgroups/{}", story.group);
                apis.agora.call(Method::PUT, &path, asks).await.expect("a group that asks");
                if apis.tencent.truth(&story.group).await.expect("the group").members.contains_key(user) {
                    apis.tencent.remove(&story.group, &[user]).await.expect("removed");
                }
                if by != creator(acting) {
                    apis.tencent.promote(&story.group, by).await.expect("an admin");
                }
                let invite = Action::AddMember(acting);
                let invite = Step { name: "invite", by: By::Creator, action: invite, operation: "add_members" };
                let inviting = Story::begin(vendor).of(&story.group);
                let Ok(Call::Client { method, args }) = calls::call(&invite, &inviting) else { return false };
                let answer = self.pages[by].call(method, args).await;
                // RongCloud's SDK reports with a code that the user has to accept
                let refused = calls::refusal(vendor, &answer).filter(|_| vendor != Vendor::Rong);
                assert_eq!(refused, None, "{by} invites {user}: {answer}");
            }
            Action::Decline(applying) | Action::Accept(applying) => {
                let (api, group) = (&self.reached.vendor_apis.tencent, &story.group);
                let members = api.truth(group).await.expect("the group").members;
                for vendor in VENDORS {
                    let user = member(vendor);
                    match (vendor == applying, members.contains_key(user)) {
                        (true, true) => api.remove(group, &[user]).await.expect("removed"),
                        (false, false) => api.add(group, &[user]).await.expect("added"),
                        _ => {}
                    }
                    if vendor != applying {
                        api.promote(group, user).await.expect("an admin");
                    }
                }
                let apply = Step { name: "apply", by: By::Member, action: Action::Apply, operation: "apply" };
                let story = Story::begin(applying).of(group);
                let Ok(Call::Client { method, args }) = calls::call(&apply, &story) else { return false };
                // it may be repeated
                self.pages[member(applying)].call(method, args).await;
            }
            _ => return true,
        }
        self.settle().await;
        true
    }

    /// Waits for what the last calls cause, and forgets it.
    async fn settle(&self) {
        tokio::time::sleep(SETTLED).await;
        for page in self.pages.values() {
            page.take_all(|_| true);
        }
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
        let agora = self.reached.vendor_apis.agora.truth(&story.group).await;
        let tencent = self.reached.vendor_apis.tencent.truth(&story.group).await;
        let rong = self.reached.vendor_apis.rong.truth(&story.group).await;
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
        Self {
            acting,
            group: format!("by-{acting}"),
            last_text: Value::Null,
            last_received: Value::Null,
            last_file: Value::Null,
        }
    }

    /// The same in another group.
    fn of(mut self, group: &str) -> Self {
        group.clone_into(&mut self.group);
        self
    }

    fn keep(&mut self, step: &Step, answer: Value) {
        match step.action {
            Action::Create if self.acting == Vendor::Agora => {
                answer["data"]["groupid"].as_str().expect("a group id").clone_into(&mut self.group);
            }
            Action::SendText | Action::SendExtensible => self.last_text = answer,
            Action::ShareFile => self.last_file = answer["answer"]["data"]["file_id"].clone(),
            _ => {}
        }
    }
}
