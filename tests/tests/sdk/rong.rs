//! `RongCloud`'s server SDKs.

use std::process::Command;

use conclave_tests::sdk::driven::Driver;
use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::online::page;
use conclave_tests::sdk::script::Script;
use conclave_tests::sdk::unread::{self, Explained};
use conclave_tests::sdk::{node, python};
use conclave_tests::story::{Role, Truth, VendorApi};
use conclave_tests::vendor::Vendor;
use http::Method;
use serde_json::{Value, json};

/// A suite, and what its script leaves where it pauses: two of this vendor's plain groups without an owner.
struct Suite {
    sdk: &'static str,
    file: &'static str,
    explained: &'static [Explained],
    name: &'static str,
    members: &'static [&'static str],
    muted: &'static [&'static str],
    /// Whether all are muted, and the exceptions.
    all_muted: Option<&'static [&'static str]>,
}

/// The npm SDK sends a mention twice: in the content, where it is used, and beside it.
const MENTION: &[Explained] = &[
    Explained {
        operations: &["message/group/publish"],
        field: "type",
        why: "content.mentionedInfo.type is what counts",
    },
    Explained {
        operations: &["message/group/publish"],
        field: "userIds",
        why: "content.mentionedInfo.userIdList counts",
    },
];

/// Runs a script to its end, and checks its groups through the other vendors where it pauses.
async fn run(command: Command, left: Suite) {
    let served = Served::start(|_| {}).await;
    let mut script = Script::start(command, &served.settings(Vendor::Rong));
    script.until("built").await;

    let vendor_apis = served.vendor_apis().await;
    let water = Truth {
        name: left.name.to_owned(),
        introduction: String::new(),
        owner: None,
        members: left.members.iter().map(|user| ((*user).to_owned(), Role::Member)).collect(),
        count: left.members.len() as u64,
    };
    assert_eq!(vendor_apis.agora.truth("water").await.as_ref(), Some(&water));
    assert_eq!(vendor_apis.tencent.truth("water").await.as_ref(), Some(&water));
    assert!(vendor_apis.agora.joined("sky").await.contains("fire"));
    assert!(vendor_apis.tencent.joined("sky").await.contains("fire"));
    let muted = vendor_apis.agora.call(Method::GET, "/chatgroups/water/mute", None).await.unwrap();
    assert_eq!(names(&muted["data"], "user"), left.muted);
    let info = json!({"GroupIdList": ["water"]});
    let info = vendor_apis.tencent.call("group_open_http_svc/get_group_info", &info).await.unwrap();
    let all = if left.all_muted.is_some() { "On" } else { "Off" };
    assert_eq!(info["GroupInfo"][0]["MuteAllMember"], all);
    let allowed = vendor_apis.agora.call(Method::GET, "/chatgroups/water/white/users", None).await.unwrap();
    assert_eq!(allowed["data"], json!(left.all_muted.unwrap_or_default()));

    let history = json!({"GroupId": "water", "ReqMsgNumber": 20});
    let history = vendor_apis.tencent.call("group_open_http_svc/group_msg_get_simple", &history).await.unwrap();
    let said: Vec<&str> = history["RspMsgList"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|message| message["MsgBody"][0]["MsgContent"]["Text"].as_str())
        .collect();
    assert!(!said.is_empty() && !said.contains(&"no"), "what was taken back is gone: {said:?}");

    script.go_on().await;
    script.finish().await;
    assert_eq!(vendor_apis.agora.truth("fire").await, None);
    assert_eq!(vendor_apis.tencent.truth("fire").await, None);
    unread::check(&served, Vendor::Rong, left.explained).await;
    Driver::new(Vendor::Rong, left.sdk, left.file).check(&served, "sdk").await;
}

fn names<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}

/// Runs the script of the SDK for Node.js with one of its versions.
async fn node_sdk(package: &'static str, sdk: &'static str, all_muted: Option<&'static [&'static str]>) {
    let left = Suite {
        sdk,
        file: package,
        explained: MENTION,
        name: "Water & more",
        members: &["sea", "sky", "sun"],
        muted: &["sun"],
        all_muted,
    };
    let mut node = node::command("rong/rongcloud-sdk/suite.cjs");
    node.arg(package);
    run(node, left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rongcloud_sdk_of_npm() {
    node_sdk("rongcloud-sdk", "rongcloud-sdk 3.1.1 (npm)", Some(&["sea"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_rongcloud_sdk_of_npm() {
    node_sdk("rongcloud-sdk-3.0", "rongcloud-sdk 3.0.1 (npm)", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rc_server_sdk_of_pypi() {
    let left = Suite {
        sdk: "rc-server-sdk 3.2.0 (PyPI)",
        file: "rc-server-sdk",
        explained: &[],
        name: "Water: all of it",
        members: &["sea", "sky"],
        muted: &["sky"],
        all_muted: Some(&["sea"]),
    };
    run(python::command("rong/rc-server-sdk/suite.py"), left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rongcloud_of_pypi() {
    let left = Suite {
        sdk: "rongcloud 2.0.1 (PyPI)",
        file: "rongcloud",
        explained: &[],
        name: "Water & 100%",
        members: &["sea", "sky", "sun"],
        muted: &[],
        all_muted: None,
    };
    run(python::command("rong/rongcloud/suite.py"), left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rongcloud_of_pypi_by_its_general_call() {
    let served = Served::start(|_| {}).await;
    let mut script = Script::start(python::command("rong/rongcloud/general.py"), &served.settings(Vendor::Rong));
    script.until("built").await;

    let vendor_apis = served.vendor_apis().await;
    let roles = [("sea", Role::Owner), ("sky", Role::Admin), ("sun", Role::Member), ("rain", Role::Member)];
    let weather = Truth {
        name: "Weather".to_owned(),
        introduction: "all of it".to_owned(),
        owner: Some("sea".to_owned()),
        members: roles.map(|(user, role)| (user.to_owned(), role)).into(),
        count: 4,
    };
    assert_eq!(vendor_apis.agora.truth("weather").await.as_ref(), Some(&weather));
    assert_eq!(vendor_apis.tencent.truth("weather").await.as_ref(), Some(&weather));
    let fire = vendor_apis.agora.truth("fire").await.unwrap();
    assert_eq!((fire.owner.as_deref(), fire.count), (Some("hail"), 2));
    let named = json!({"GroupId": "weather", "Member_List_Account": ["sky"]});
    let named = vendor_apis.tencent.call("group_open_http_svc/get_specified_group_member_info", &named).await.unwrap();
    assert_eq!(named["MemberList"][0]["NameCard"], "Sky above");

    script.go_on().await;
    let reports = script.finish().await;
    assert_eq!(vendor_apis.agora.truth("fire").await, None);
    unread::check(&served, Vendor::Rong, &[]).await;
    Driver::general(Vendor::Rong, "rongcloud 2.0.1 (PyPI)", "rongcloud-general").check(&served, "sdk").await;
    let page = page(&served).await;
    assert_eq!(page.call("connect", json!([reports["old token"]])).await["code"], 31020);
    let connected = page.call("connect", json!([reports["new token"]])).await;
    assert_eq!((&connected["code"], &connected["data"]["userId"]), (&json!(0), &json!("sea")));
}
