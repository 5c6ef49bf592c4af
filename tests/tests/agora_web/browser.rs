//! The SDKs in a real browser, on pages of another origin: the newest, and the oldest, whose `SockJS` falls back to requests
//! where `WebSockets` are blocked.

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
