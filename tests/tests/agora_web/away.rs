//! Events that wait for a user who is offline.

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
