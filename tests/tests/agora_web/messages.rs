//! Messages, and their later changes.

use conclave_tests::sdk::driven::Driver;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, Stage};

async fn group(stage: &Stage, members: &[&str]) -> String {
    let data = json!({"groupname": "Talk", "owner": "ann", "members": members, "public": true, "maxusers": 50});
    let made = stage.api(http::Method::POST, "/chatgroups", Some(data)).await;
    made["data"]["groupid"].as_str().unwrap().to_owned()
}

fn to(group: &str, kind: &str, more: &Value) -> Value {
    let mut options = json!({"chatType": "groupChat", "type": kind, "to": group});
    for (key, value) in more.as_object().unwrap() {
        options[key] = value.clone();
    }
    options
}

async fn talk(package: &'static str, sdk: &'static str, coverage: &'static str) {
    let mut stage = Stage::with(package, &["ann", "ann.pad", "ben", "cid"]).await;
    let id = group(&stage, &["ben"]).await;
    stage
        .receive(&[
            ("ann", &["create", "memberPresence"]),
            ("ann.pad", &["create", "memberPresence"]),
            ("ben", &["directJoined"]),
        ])
        .await;

    // every type, to everybody else and the sender's other device
    let text = to(&id, "txt", &json!({"msg": "hello", "ext": {"a": 1, "b": "2", "c": true, "d": {"e": [1.5]}}}));
    let received: [(&str, &[&str]); 2] = [("ann.pad", &["onTextMessage"]), ("ben", &["onTextMessage"])];
    let sent = stage.does("ann", "say", text, &received).await;
    let custom = to(&id, "custom", &json!({"customEvent": "dice", "customExts": {"n": "6"}}));
    stage.does("ben", "say", custom, &[("ann", &["onCustomMessage"]), ("ann.pad", &["onCustomMessage"])]).await;
    let place = to(&id, "loc", &json!({"addr": "Quai 1", "lat": 1.5, "lng": 2.5, "buildingName": "B"}));
    stage.does("ben", "say", place, &[("ann", &["onLocationMessage"]), ("ann.pad", &["onLocationMessage"])]).await;
    let command = to(&id, "cmd", &json!({"action": "wave"}));
    stage.does("ben", "say", command, &[("ann", &["onCmdMessage"]), ("ann.pad", &["onCmdMessage"])]).await;

    // files: all recipients of the message can fetch them
    let picture = to(&id, "img", &json!({"upload": {"name": "dot.png", "text": "a picture"}, "width": 3, "height": 4}));
    let received_picture: [(&str, &[&str]); 2] = [("ann", &["onImageMessage"]), ("ann.pad", &["onImageMessage"])];
    stage.does("ben", "say", picture, &received_picture).await;
    let paper = to(&id, "file", &json!({"upload": {"name": "paper.txt", "text": "a paper"}}));
    let received_paper: [(&str, &[&str]); 2] = [("ann", &["onFileMessage"]), ("ann.pad", &["onFileMessage"])];
    stage.does("ben", "say", paper, &received_paper).await;
    for (kind, received, more) in
        [("audio", "onAudioMessage", json!({"length": 3})), ("video", "onVideoMessage", json!({"length": 5}))]
    {
        let mut options = to(&id, kind, &json!({"upload": {"name": format!("a.{kind}"), "text": "moving"}}));
        options["length"] = more["length"].clone();
        let received: [(&str, &[&str]); 2] = [("ann", &[received]), ("ann.pad", &[received])];
        stage.does("ben", "say", options, &received).await;
    }
    let combined = json!({"compatibleText": "several", "title": "Talk", "summary": "two of them",
        "messageList": [{"type": "txt", "chatType": "groupChat", "to": id, "from": "ann", "id": "1", "msg": "one", "time": 1}]});
    let received_combined: [(&str, &[&str]); 2] = [("ann", &["onCombineMessage"]), ("ann.pad", &["onCombineMessage"])];
    stage.does("ben", "say", to(&id, "combine", &combined), &received_combined).await;
    let url = stage.delivered_last("onFileMessage")["url"].as_str().unwrap().to_owned();
    assert_eq!(stage.on("ann").call("fetch", json!([url])).await, json!([200, "a paper"]));
    let (bare, _) = url.split_once('?').unwrap();
    assert_eq!(stage.on("ann").call("fetch", json!([bare])).await[0], 401, "not without the secret");
    let stranger = json!([bare, {"authorization": format!("Bearer {}", stage.token("cid").await)}]);
    assert_eq!(stage.on("ann").call("fetch", stranger).await[0], 403);

    // receipts
    let asked = to(&id, "txt", &json!({"msg": "read this", "msgConfig": {"allowGroupAck": true}}));
    let read = stage.does("ann", "say", asked, &received).await;
    let mid = read["serverMsgId"].as_str().unwrap();
    let receipt = to(&id, "read", &json!({"id": mid, "msgConfig": {"allowGroupAck": true}, "ackContent": "done"}));
    let received_read: [(&str, &[&str]); 2] = [("ann", &["onReadMessage"]), ("ann.pad", &["onReadMessage"])];
    stage.does("ben", "say", receipt, &received_read).await;

    // editing, twice
    let mid = sent["serverMsgId"].as_str().unwrap();
    let received: [(&str, &[&str]); 2] = [("ann.pad", &["onModifiedMessage"]), ("ben", &["onModifiedMessage"])];
    for said in ["hello again", "and again"] {
        let edit = to(&id, "txt", &json!({"msg": said, "messageId": mid}));
        stage.does("ann", "edit", edit, &received).await;
    }

    // recalling
    let recall = json!({"mid": mid, "to": id, "chatType": "groupChat"});
    let received: [(&str, &[&str]); 2] = [("ann.pad", &["onRecallMessage"]), ("ben", &["onRecallMessage"])];
    stage.does("ann", "recallMessage", recall, &received).await;

    // history
    let asked = json!({"targetId": id, "chatType": "groupChat", "pageSize": 2});
    let page = stage.does("ben", "getHistoryMessages", asked, &[]).await;
    let cursor = page["cursor"].as_str().unwrap();
    let asked = json!({"targetId": id, "chatType": "groupChat", "pageSize": 10, "cursor": cursor});
    let rest = stage.does("ben", "getHistoryMessages", asked, &[]).await;
    let count = |page: &Value| page["messages"].as_array().unwrap().len();
    assert_eq!((count(&page), count(&rest), &rest["isLast"]), (2, 7, &json!(true)));

    insta::assert_json_snapshot!(format!("{package}-talk"), stage.records().await);
    stage.on("ben").call("close", json!([])).await;
    stage.on("ben").event("onDisconnected").await;
    Driver::new(Vendor::Agora, sdk, coverage).check(&stage.served, "agora_web").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_talk_in_agora_chat() {
    talk(AGORA_CHAT, "agora-chat 1.4.0 (npm)", "agora-chat-live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_talk_in_easemob_websdk() {
    talk(EASEMOB, "easemob-websdk 4.21.1 (npm)", "easemob-websdk-live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_permitted_is_refused_with_the_sdks_own_types() {
    let mut stage = Stage::with(AGORA_CHAT, &["ann", "ben", "cid"]).await;
    let id = group(&stage, &["ben"]).await;
    let path = |rest: &str| format!("/chatgroups/{id}{rest}");
    let text = |said: &str| to(&id, "txt", &json!({"msg": said}));
    let post = http::Method::POST;

    let refused = stage.refused("cid", "say", text("stranger")).await;
    assert_eq!(refused["type"], 602);
    let unknown = to("404", "txt", &json!({"msg": "nobody"}));
    assert_eq!(stage.refused("ben", "say", unknown).await["type"], 605);
    assert_eq!(stage.refused("ben", "say", text(&"x".repeat(6000))).await["type"], 511);
    stage.api(post.clone(), &path("/mute"), Some(json!({"usernames": ["ben"], "mute_duration": 60_000}))).await;
    assert_eq!(stage.refused("ben", "say", text("muted")).await["type"], 507);
    stage.api(http::Method::DELETE, &path("/mute/ben"), None).await;
    stage.api(post.clone(), &path("/ban"), None).await;
    assert_eq!(stage.refused("ben", "say", text("all muted")).await["type"], 506);
    stage.api(post.clone(), &path("/disable"), None).await;
    assert_eq!(stage.refused("ben", "say", text("disabled")).await["type"], 608);
    let alone = json!({"chatType": "singleChat", "type": "txt", "to": "ann", "msg": "hi"});
    assert_eq!(stage.refused("ben", "say", alone).await["type"], 503);
}
