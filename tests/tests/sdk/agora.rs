//! Agora Chat's and Easemob's SDKs, as far as they use the server API.

use conclave_core::event::Actor;
use conclave_core::model::{Body, GroupId, Sender, Traits, UserId};
use conclave_core::operation::SendMessage;
use conclave_core::ports::GroupsExt as _;
use conclave_tests::sdk::driven::Driver;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::online::online;
use conclave_tests::sdk::script::Script;
use conclave_tests::sdk::unread::{self, Explained};
use conclave_tests::sdk::{node, python};
use conclave_tests::story::Role::{Admin, Member, Owner};
use conclave_tests::story::{TencentApi, Truth, VendorApi};
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn ease_restapi_of_pypi() {
    let served = Served::start(|_| {}).await;
    let mut script = Script::start(python::command("agora/ease-restapi/suite.py"), &served.settings(Vendor::Agora));
    script.until("built").await;

    let vendor_apis = served.vendor_apis().await;
    let [group, other] = ["group", "other"].map(|step| script.reports[step].as_str().unwrap().to_owned());
    let weather = Truth {
        name: "Weather".to_owned(),
        introduction: "all of it".to_owned(),
        owner: Some("sea".to_owned()),
        members: [("sea", Owner), ("sky", Member), ("sun", Member), ("rain", Member)]
            .map(|(user, role)| (user.to_owned(), role))
            .into(),
        count: 4,
    };
    assert_eq!(vendor_apis.tencent.truth(&group).await.as_ref(), Some(&weather));
    assert_eq!(vendor_apis.rong.truth(&group).await.as_ref(), Some(&weather));
    assert!(vendor_apis.rong.joined("sky").await.contains(&other));
    assert!(vendor_apis.tencent.listed(50).await.contains(&other));
    let named = vendor_apis.rong.call("/user/info.json", &[("userId", "sea")]).await.unwrap();
    assert_eq!(named["userName"], "The sea & more");
    let said = messages_in_history(&vendor_apis.tencent, &group).await;
    assert_eq!(said, [("sky".to_owned(), json!("TIMImageElem")), ("sea".to_owned(), json!("hello & 晴"))]);

    script.go_on().await;
    script.finish().await;
    assert_eq!(vendor_apis.tencent.truth(&other).await, None);
    assert_eq!(vendor_apis.rong.truth(&other).await, None);
    unread::check(&served, Vendor::Agora, &[]).await;
    Driver::new(Vendor::Agora, "ease-restapi 1.3 (PyPI)", "ease-restapi").check(&served, "sdk").await;
}

/// The senders and texts, or kinds, of a group's messages in Tencent's history, newest first; tips (`IsSystemMsg`) are
/// left out.
async fn messages_in_history(tencent: &TencentApi, group: &str) -> Vec<(String, Value)> {
    let asked = json!({"GroupId": group, "ReqMsgNumber": 20});
    let history = tencent.call("group_open_http_svc/group_msg_get_simple", &asked).await.unwrap();
    let one = |message: &Value| {
        let element = &message["MsgBody"][0];
        let text = &element["MsgContent"]["Text"];
        let content = if text.is_null() { &element["MsgType"] } else { text };
        (message["From_Account"].as_str().unwrap().to_owned(), content.clone())
    };
    let rows = history["RspMsgList"].as_array().unwrap().iter();
    rows.filter(|row| row["IsSystemMsg"].as_u64().unwrap_or_default() == 0).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ease_restapi_of_pypi_by_its_general_call() {
    let served = Served::start(|_| {}).await;
    let mut script = Script::start(python::command("agora/ease-restapi/general.py"), &served.settings(Vendor::Agora));
    script.until("said").await;

    let vendor_apis = served.vendor_apis().await;
    let [group, other] = ["group", "other"].map(|step| script.reports[step].as_str().unwrap().to_owned());
    let members = [("sea", Owner), ("sky", Member), ("sun", Member)];
    let truth = vendor_apis.tencent.truth(&group).await.unwrap();
    assert_eq!(truth.members, members.map(|(user, role)| (user.to_owned(), role)).into());
    assert!(vendor_apis.rong.joined("sun").await.is_superset(&[group.clone(), other].into()));
    let muted = vendor_apis.rong.call("/group/user/gag/list.json", &[("groupId", &group)]).await.unwrap();
    assert_eq!(muted["users"][0]["userId"], "sun");
    let allowed = vendor_apis.rong.call("/group/user/ban/whitelist/query.json", &[("groupId", &group)]).await.unwrap();
    assert_eq!(allowed["userIds"], json!(["sky"]));
    let said = messages_in_history(&vendor_apis.tencent, &group).await;
    assert!(said.contains(&("sea".to_owned(), json!("hello & 晴"))), "{said:?}");
    let sun = online(&served, &vendor_apis, "sun").await;

    script.go_on().await;
    script.finish().await;
    unread::check(&served, Vendor::Agora, &[]).await;
    drop(sun);
    Driver::general(Vendor::Agora, "ease-restapi 1.3 (PyPI)", "ease-restapi-general").check(&served, "sdk").await;
}

/// Operations that return the same members in the web SDKs' third version as in the first, so that no handler reads
/// which it is.
const SAME_SHAPE: &[&str] = &[
    "add an admin to a group",
    "check whether a member is allowed",
    "check whether a member is muted",
    "delete a group",
    "get several members' attributes (client)",
    "get the announcement",
    "list the admins of a group",
    "list the allowed members",
    "list the blocked users",
    "list the groups of a user in detail",
    "list the muted members",
    "list the shared files",
    "mute all members",
    "mute members",
    "remove an admin from a group",
    "set a member's attributes (client)",
    "set the announcement",
    "shield a group",
    "stop shielding a group",
    "unmute all members",
    "unmute members",
];

/// The version parameter that the web SDKs add to calls.
const VERSION: Explained = Explained {
    operations: SAME_SHAPE,
    field: "version",
    why: "where it is not read, both shapes of the answer are the same",
};
const NO_CACHE: Explained =
    Explained { operations: &["*"], field: "_v", why: "a moment, so that no cache answers instead" };
const MOMENT: Explained = Explained {
    operations: &["get a token"],
    field: "timestamp",
    why: "the moment of asking; tokens begin when they are made",
};

/// A message whose sender asks for receipts.
fn asks_who_reads(group: &str, sender: &str) -> SendMessage {
    let sender = Sender::User(UserId::new(sender).unwrap());
    let traits = Traits { receipts: true, ..Traits::default() };
    SendMessage { traits, ..SendMessage::new(GroupId::new(group).unwrap(), sender, Body::Text("read this".to_owned())) }
}

/// Runs the web SDKs' script with one of them.
async fn web(package: &'static str, sdk: &'static str) {
    let served = Served::start(|_| {}).await;
    let mut node = node::command("agora/websdk/suite.cjs");
    node.arg(package);
    let mut script = Script::start(node, &served.settings(Vendor::Agora));
    script.until("said").await;
    let vendor_apis = served.vendor_apis().await;
    let group = script.reports["group"].as_str().unwrap();
    let posted = served.running.groups["dev"].run(&Actor::app(), asks_who_reads(group, "sea")).await.unwrap();
    let read = json!({"GroupId": group, "From_Account": "sun", "MsgSeqList": [{"MsgSeq": posted.message.sequence}]});
    vendor_apis.tencent.call("group_open_http_svc/group_msg_receipt", &read).await.unwrap();
    script.go_on_with(posted.message.id.as_str()).await;
    script.until("built").await;

    let [group, asked] = ["group", "asked"].map(|step| script.reports[step].as_str().unwrap().to_owned());
    let weather = Truth {
        name: "Weather".to_owned(),
        introduction: "all of it".to_owned(),
        owner: Some("sea".to_owned()),
        members: [("sea", Owner), ("sky", Admin), ("sun", Member)].map(|(user, role)| (user.to_owned(), role)).into(),
        count: 3,
    };
    assert_eq!(vendor_apis.tencent.truth(&group).await.as_ref(), Some(&weather));
    assert_eq!(vendor_apis.rong.truth(&group).await.as_ref(), Some(&weather));
    let muted = vendor_apis.rong.call("/group/user/gag/list.json", &[("groupId", &group)]).await.unwrap();
    assert_eq!(muted["users"][0]["userId"], "sun");
    assert!(vendor_apis.rong.joined("sky").await.contains(&asked));
    assert!(!vendor_apis.tencent.joined("sun").await.contains(&asked));
    let named = vendor_apis.rong.call("/user/info.json", &[("userId", "sea")]).await.unwrap();
    assert_eq!(named["userName"], "The sea & more");

    script.go_on().await;
    script.finish().await;
    assert_eq!(vendor_apis.tencent.truth(&group).await, None);
    assert_eq!(vendor_apis.rong.truth(&group).await, None);
    unread::check(&served, Vendor::Agora, &[VERSION, NO_CACHE, MOMENT]).await;
    Driver::new(Vendor::Agora, sdk, package).check(&served, "sdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn easemob_websdk_of_npm() {
    web("easemob-websdk", "easemob-websdk 4.21.1 (npm)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agora_chat_of_npm() {
    web("agora-chat", "agora-chat 1.4.0 (npm)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_easemob_websdk_of_npm() {
    web("easemob-websdk-4.0", "easemob-websdk 4.0.8 (npm)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_agora_chat_of_npm() {
    web("agora-chat-1.0", "agora-chat 1.0.8 (npm)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_easemob_websdk_of_2021() {
    let served = Served::start(|_| {}).await;
    let mut node = node::command("agora/websdk/classic.cjs");
    node.arg("easemob-websdk-3.6");
    let mut script = Script::start(node, &served.settings(Vendor::Agora));
    script.until("built").await;
    let vendor_apis = served.vendor_apis().await;
    let group = script.reports["group"].as_str().unwrap().to_owned();
    let truth = vendor_apis.tencent.truth(&group).await.unwrap();
    let members = [("sea", Owner), ("sky", Admin), ("sun", Member)].map(|(user, role)| (user.to_owned(), role));
    assert_eq!((truth.name.as_str(), truth.members), ("Weather", members.into()));
    let muted = vendor_apis.rong.call("/group/user/gag/list.json", &[("groupId", &group)]).await.unwrap();
    assert_eq!(muted["users"][0]["userId"], "sun");
    script.go_on().await;
    script.finish().await;
    assert_eq!(vendor_apis.rong.truth(&group).await, None);
    unread::check(&served, Vendor::Agora, &[VERSION, NO_CACHE, MOMENT]).await;
    Driver::new(Vendor::Agora, "easemob-websdk 3.6.3 (npm)", "easemob-websdk-3.6").check(&served, "sdk").await;
}

/// Runs the web SDKs' script that needs a browser with one of them.
async fn files(package: &'static str, sdk: &'static str, coverage: &'static str, unread: &[Explained]) {
    let served = Served::start(|_| {}).await;
    let mut node = node::command("agora/websdk/browser.cjs");
    node.arg(package).arg(node::chromium());
    let mut script = Script::start(node, &served.settings(Vendor::Agora));
    script.until("built").await;
    let vendor_apis = served.vendor_apis().await;
    let group = script.reports["group"].as_str().unwrap().to_owned();
    assert_eq!(vendor_apis.tencent.truth(&group).await.unwrap().count, 2);
    script.go_on().await;
    script.finish().await;
    unread::check(&served, Vendor::Agora, unread).await;
    Driver::new(Vendor::Agora, sdk, coverage).check(&served, "sdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn easemob_websdk_of_npm_in_chromium() {
    files("easemob-websdk", "easemob-websdk 4.21.1 (npm)", "easemob-websdk-chromium", &[VERSION, MOMENT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agora_chat_of_npm_in_chromium() {
    files("agora-chat", "agora-chat 1.4.0 (npm)", "agora-chat-chromium", &[MOMENT]).await;
}
