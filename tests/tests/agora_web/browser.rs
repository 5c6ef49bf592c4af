//! The SDKs in a real browser, on pages of another origin: the newest, and the oldest, whose `SockJS` falls back to requests
//! where `WebSockets` are blocked.

use std::process::Command;
use std::time::Duration;

use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::node;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, Stage};
use crate::{groups, legacy};

/// The oldest.
const OLDEST: &str = "easemob-websdk-3.6";

/// What the browser asked the network for.
async fn requests(stage: &Stage) -> Vec<String> {
    let requests = stage.on("ann").call("requests", json!([])).await;
    requests.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// An upload that is cancelled leaves no file, and its callback is called.
async fn cancels(stage: &Stage, create: &str, list: &str) {
    let data = json!({"groupname": "Files", "desc": "", "members": ["ben"], "public": true, "approval": false,
        "allowinvites": false, "inviteNeedConfirm": false});
    let made = stage.on("ann").call(create, json!([{"data": data}])).await;
    let id = made["data"]["groupid"].as_str().unwrap();
    stage.on("ann").call("slow", json!([400_000])).await;
    let upload = json!([{"groupId": id, "name": "large.bin", "size": 4_000_000, "cancel": true}]);
    let came = stage.on("ann").call("uploadGroupSharedFile", upload).await;
    assert_eq!(came["canceled"], true, "{came}");
    let [loaded, total] = [&came["progress"][0][0], &came["progress"][0][1]].map(|bytes| bytes.as_u64().unwrap());
    assert!(loaded < total && total > 4_000_000, "{came}");
    stage.on("ann").call("slow", json!([-1])).await;
    let files = stage.on("ann").call(list, json!([{"groupId": id}])).await;
    assert_eq!(files["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn agora_chat_works_in_chromium() {
    let mut stage = Stage::in_chromium(AGORA_CHAT, &groups::USERS).await;
    groups::life(&mut stage, "agora-chat").await;
    cancels(&stage, "createGroup", "getGroupSharedFilelist").await;

    // an attachment is fetched by its URL alone, as by an image on the page
    let data = json!({"groupname": "Talk", "desc": "", "members": ["ben"], "public": true, "approval": false,
        "allowinvites": false, "inviteNeedConfirm": false, "maxusers": 10});
    let made = stage.on("ann").call("createGroup", json!([{"data": data}])).await;
    let id = made["data"]["groupid"].as_str().unwrap();
    let paper =
        json!({"chatType": "groupChat", "type": "file", "to": id, "upload": {"name": "paper.txt", "text": "a paper"}});
    assert!(stage.on("ann").call("say", json!([paper])).await["serverMsgId"].is_string());
    let received = stage.on("ben").event("onFileMessage").await;
    assert_eq!(stage.on("ben").call("fetch", json!([received["url"]])).await, json!([200, "a paper"]));

    // a large file in parts, and one that is abandoned while it is sent
    let large = |size: usize, cancel: bool| {
        let upload = json!({"name": "large.bin", "size": size, "cancel": cancel});
        json!([{"chatType": "groupChat", "type": "file", "to": id, "upload": upload}])
    };
    let came = stage.on("ann").call("sayLarge", large(9_000_000, false)).await;
    assert!(came["sent"]["serverMsgId"].is_string(), "{came}");
    assert_eq!(came["progress"].as_array().unwrap().last(), Some(&json!([9_000_000, 9_000_000])), "{came}");
    let received = stage.on("ben").event("onFileMessage").await;
    let fetched = stage.on("ben").call("fetch", json!([received["url"]])).await;
    assert_eq!((&fetched[0], fetched[1].as_str().unwrap().len()), (&json!(200), 9_000_000));
    stage.on("ann").call("slow", json!([1_000_000])).await;
    let came = stage.on("ann").call("sayLarge", large(9_000_000, true)).await;
    assert_eq!(came["abandoned"], true, "{came}");
    stage.on("ann").call("slow", json!([-1])).await;
    let abandons = |request: &String| request.starts_with("DELETE") && request.contains("/chatfiles/part-upload/");
    let ended = async {
        while !requests(&stage).await.iter().any(abandons) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), ended).await.expect("the upload is abandoned");

    // the page is not of the gateway's origin, so the browser asks before it calls
    let requests = requests(&stage).await;
    for begin in ["OPTIONS", "POST", "PUT", "DELETE"] {
        let is_call = |request: &&String| request.starts_with(begin) && request.contains("/chatgroups");
        assert!(requests.iter().any(|request| is_call(&request)), "{begin} is not among {requests:#?}");
    }
    assert!(requests.iter().any(|request| request.starts_with("SOCKET ws") && request.ends_with("/websocket")));
}

#[tokio::test(flavor = "multi_thread")]
async fn easemob_websdk_3_6_works_in_chromium() {
    let mut stage = Stage::in_chromium(OLDEST, &legacy::USERS).await;
    legacy::life(&mut stage, OLDEST, false).await;
    cancels(&stage, "createGroupNew", "fetchGroupSharedFileList").await;
    let requests = requests(&stage).await;
    assert!(requests.iter().any(|request| request.starts_with("OPTIONS") && request.contains("/chatgroups")));
    assert!(requests.iter().any(|request| request.starts_with("GET") && request.contains("/ws/info?t=")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sockjs_falls_back_to_requests_where_there_are_no_websockets() {
    let mut stage = Stage::in_chromium(OLDEST, &[]).await;
    // there is no WebSocket, it fails, and it never opens
    for (user, socket) in [("ann", "none"), ("ben", "refused"), ("cid", "silent")] {
        stage.unopened(user).await.call("load", json!([socket])).await;
        stage.enter(user).await;
    }
    let data = json!({"groupname": "Talk", "desc": "", "members": ["ben", "cid"], "public": true, "approval": false,
        "allowinvites": false, "inviteNeedConfirm": false});
    let made = stage.on("ann").call("createGroupNew", json!([{"data": data}])).await;
    let id = made["data"]["groupid"].as_str().unwrap().to_owned();
    let joined: &[&str] = &["memberJoinPublicGroupSuccess"];
    stage.receive(&[("ben", &["direct_joined"]), ("cid", &["direct_joined"]), ("ann", &[joined[0], joined[0]])]).await;
    let received: [(&str, &[&str]); 3] = [("ann", &["update"]), ("ben", &["update"]), ("cid", &["update"])];
    stage.does("ann", "modifyGroup", json!({"groupId": id, "groupName": "Talk 2"}), &received).await;
    let requests = requests(&stage).await;
    assert!(requests.iter().any(|request| request.contains("/xhr")), "{requests:#?}");
    assert!(!requests.iter().any(|request| request.starts_with("SOCKET")), "{requests:#?}");
}

/// What the README shows runs when it is pasted.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_readme_connects() {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("## Move an Agora Chat app").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    // the settings and the SDK are the test's own, and so is the server of the page
    let is_kept = |line: &&str| !["eval ", "mkdir ", "npx "].iter().any(|start| line.starts_with(start));
    let script: Vec<&str> = block.lines().filter(is_kept).collect();
    let served = Served::start(|_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("page")).unwrap();
    let mut shell = Command::new("sh");
    shell.arg("-ec").arg(script.join("\n")).current_dir(folder.path()).envs(served.settings(Vendor::Agora));
    assert!(shell.status().unwrap().success());
    let page = folder.path().join("page/index.html");
    let opened = tokio::task::spawn_blocking(move || {
        node::command("agora/websdk/readme.cjs").arg(page).arg(node::chromium()).output().unwrap()
    });
    let opened = opened.await.unwrap();
    let (said, why) = (String::from_utf8_lossy(&opened.stdout), String::from_utf8_lossy(&opened.stderr));
    assert_eq!(said, "connected\n", "{why}");
}
