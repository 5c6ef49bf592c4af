//! Events that wait for a user who is offline.

use conclave::Config;
use conclave::config::Data;
use conclave_tests::sdk::page::Page;
use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, Stage, is_recorded, open};

async fn said(stage: &Stage, group: &str, count: usize) {
    for number in 0..count {
        let text = json!({"chatType": "groupChat", "type": "txt", "to": group, "msg": format!("{number}")});
        let sent = stage.on("ann").call("say", json!([text])).await;
        assert!(sent["serverMsgId"].is_string(), "{sent}");
    }
}

fn texts(events: &[(String, Value)]) -> Vec<String> {
    let texts = events.iter().filter(|(name, _)| name == "onTextMessage");
    texts.map(|(_, data)| data["msg"].as_str().unwrap().to_owned()).collect()
}

async fn group(stage: &Stage) -> String {
    let data = json!({"groupname": "Talk", "owner": "ann", "members": ["ben"], "public": true, "maxusers": 50});
    let made = stage.api(http::Method::POST, "/chatgroups", Some(data)).await;
    made["data"]["groupid"].as_str().unwrap().to_owned()
}

/// Messages and events while a user is offline arrive once, in order, when they return, and are not sent again.
async fn comes_back(package: &'static str) {
    const COUNT: usize = 120;
    let mut stage = Stage::with(package, &["ann"]).await;
    let page = stage.page("ben").await;
    let id = group(&stage).await;
    said(&stage, &id, COUNT).await;
    let numbers: Vec<String> = (0..COUNT).map(|number| number.to_string()).collect();

    assert!(open(&page, "ben").await["accessToken"].is_string());
    let events = page.take(COUNT + 1, is_recorded).await;
    assert_eq!(events.iter().filter(|(name, _)| name == "onGroupEvent").count(), 1, "that ben was added");
    assert_eq!(texts(&events), numbers);

    // the network breaks, and returns
    page.event("onOfflineMessageSyncFinish").await;
    page.call("cut", json!([])).await;
    page.event("onReconnecting").await;
    said(&stage, &id, 3).await;
    let events = page.take(3, |event| event == "onTextMessage").await;
    assert_eq!(texts(&events), ["0", "1", "2"]);

    // signing out and in on the same device
    page.call("close", json!([])).await;
    stage.receive(&[("ann", &["create", "memberPresence"])]).await;
    let name = json!({"groupId": id, "groupName": "Renamed"});
    stage.does("ann", "modifyGroup", name, &[]).await;
    page.take_all(is_recorded);
    assert!(open(&page, "ben").await["accessToken"].is_string());
    let events = page.take(1, |event| event == "onGroupEvent").await;
    assert_eq!(events[0].1["operation"], "updateInfo");
    said(&stage, &id, 1).await;
    assert_eq!(texts(&page.take(1, |event| event == "onTextMessage").await), ["0"]);
    let left = page.take_all(|event| event == "onTextMessage" || event == "onGroupEvent");
    assert_eq!(left, [], "nothing is delivered twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_waits_once_and_in_order_in_agora_chat() {
    comes_back(AGORA_CHAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_waits_once_and_in_order_in_easemob_websdk() {
    comes_back(EASEMOB).await;
}

/// The next texts, in order.
async fn next_texts(page: &Page, count: usize) -> Vec<String> {
    let events = page.take(count, |event| event == "onTextMessage").await;
    // older SDKs have the text under another name
    let text = |data: &Value| data["msg"].as_str().or(data["data"].as_str()).unwrap().to_owned();
    events.iter().map(|(_, data)| text(data)).collect()
}

/// What a user has not received yet is delivered after a restart, once and in order, and nothing is delivered again.
async fn over_a_restart(package: &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let keep = |config: &mut Config| config.data = Data::Folder(data.clone());
    let mut stage = Stage::of(package, &["ann", "ben", "cid"], keep).await;
    let group = json!({"groupname": "Talk", "owner": "ann", "members": ["ben", "cid"], "public": true, "maxusers": 50});
    let made = stage.api(http::Method::POST, "/chatgroups", Some(group)).await;
    let id = made["data"]["groupid"].as_str().unwrap().to_owned();
    stage
        .receive(&[("ann", &["create", "membersPresence"]), ("ben", &["directJoined"]), ("cid", &["directJoined"])])
        .await;
    said(&stage, &id, 2).await;
    assert_eq!(next_texts(stage.on("ben"), 2).await, ["0", "1"]);
    assert_eq!(next_texts(stage.on("cid"), 2).await, ["0", "1"]);
    stage.on("cid").call("close", json!([])).await;
    stage.on("cid").event("onDisconnected").await;
    said(&stage, &id, 40).await;
    assert_eq!(next_texts(stage.on("ben"), 40).await.len(), 40);

    let mut stage = stage.restarted(keep).await;
    for user in ["ann", "ben"] {
        stage.on(user).event("onReconnecting").await;
    }
    said(&stage, &id, 3).await;
    assert_eq!(next_texts(stage.on("ben"), 3).await, ["0", "1", "2"]);
    assert!(open(stage.on("cid"), "cid").await["accessToken"].is_string());
    let expected: Vec<String> = (0..40).chain(0..3).map(|number| number.to_string()).collect();
    assert_eq!(next_texts(stage.on("cid"), 43).await, expected);
    let received: [(&str, &[&str]); 2] = [("ben", &["updateInfo"]), ("cid", &["updateInfo"])];
    stage.does("ann", "modifyGroup", json!({"groupId": id, "groupName": "After"}), &received).await;
    for user in ["ben", "cid"] {
        let left = stage.on(user).take_all(|event| event == "onTextMessage" || event == "onGroupEvent");
        assert_eq!(left, [], "{user}: nothing is delivered twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_survives_a_restart_in_agora_chat() {
    over_a_restart(AGORA_CHAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_survives_a_restart_in_easemob_websdk() {
    over_a_restart(EASEMOB).await;
}

/// Older SDKs receive what waited for them as well, over `SockJS`, also if the network breaks while they read a queue.
/// `agora-chat` 1.3 does not ask for that queue on its next connection.
#[tokio::test(flavor = "multi_thread")]
async fn everything_waits_once_and_in_order_in_older_sdks() {
    const COUNT: usize = 70;
    for package in ["agora-chat-1.3", "agora-chat-1.0.4", "easemob-websdk-4.0.1", "easemob-websdk-3.6"] {
        let stage = Stage::with(package, &["ann"]).await;
        let options = json!({"autoReconnectNumMax": 5, "autoReconnectInterval": 1});
        let page = stage.page_with("ben", options).await;
        let id = group(&stage).await;
        let speak = async |count: usize| {
            for number in 0..count {
                let text = json!({"from": "ann", "target_type": "chatgroups", "target": [id],
                    "msg": {"type": "txt", "msg": number.to_string()}});
                stage.api(http::Method::POST, "/messages", Some(text)).await;
            }
        };
        speak(COUNT).await;
        page.call("cutAfter", json!([COUNT])).await;
        open(&page, "ben").await;
        let expected: Vec<String> = (0..COUNT).map(|number| number.to_string()).collect();
        assert_eq!(next_texts(&page, COUNT).await, expected, "{package}");
        speak(3).await;
        assert_eq!(next_texts(&page, 3).await, ["0", "1", "2"], "{package}");
        speak(1).await;
        assert_eq!(next_texts(&page, 1).await, ["0"], "{package}");
        assert_eq!(page.take_all(|event| event == "onTextMessage"), [], "{package}");
    }
}
