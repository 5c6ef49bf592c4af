//! Messages that are pinned in a group, for all its members.

use conclave_tests::sdk::driven::Driver;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, Stage};

/// What the SDKs call.
const CALLS: &[&str] = &["pin a message (client)", "unpin a message (client)", "list pinned messages (client)"];

/// As many as a group may have.
const MOST: usize = 20;

/// A message of ann's, by its id.
async fn said(stage: &mut Stage, group: &str, text: &str) -> Value {
    let message = json!({"chatType": "groupChat", "type": "txt", "to": group, "msg": text});
    let received: [(&str, &[&str]); 2] = [("ann.pad", &["onTextMessage"]), ("ben", &["onTextMessage"])];
    stage.does("ann", "say", message, &received).await["serverMsgId"].clone()
}

async fn pinned_for_all(package: &'static str, sdk: &'static str, coverage: &'static str) {
    let mut stage = Stage::with(package, &["ann", "ann.pad", "ben", "cid"]).await;
    let data = json!({"groupname": "Talk", "owner": "ann", "members": ["ben"], "public": true, "maxusers": 50});
    let made = stage.api(http::Method::POST, "/chatgroups", Some(data)).await;
    let id = made["data"]["groupid"].as_str().unwrap().to_owned();
    let created: &[&str] = &["create", "memberPresence"];
    stage.receive(&[("ann", created), ("ann.pad", created), ("ben", &["directJoined"])]).await;
    let about = |message: &Value| json!({"conversationId": id, "conversationType": "groupChat", "messageId": message});
    let list = json!({"conversationId": id, "conversationType": "groupChat", "pageSize": 15, "cursor": ""});

    let message = said(&mut stage, &id, "important").await;
    let all: [(&str, &[&str]); 2] = [("ann", &["pin"]), ("ann.pad", &["pin"])];
    stage.does("ben", "pinMessage", about(&message), &all).await;
    let pinned = stage.delivered_last("onMessagePinEvent").clone();
    let expected = json!({"messageId": message, "conversationId": id, "conversationType": "groupChat",
        "operation": "pin", "operatorId": "ben", "time": pinned["time"]});
    assert_eq!(pinned, expected, "{package}");
    assert!(pinned["time"].is_u64(), "{package}: {pinned}");
    for user in ["ann", "ben"] {
        let shown = stage.does(user, "getServerPinnedMessages", list.clone(), &[]).await;
        let shown = &shown["data"]["list"];
        assert_eq!(shown.as_array().unwrap().len(), 1, "{package} {user}: {shown}");
        let shown = &shown[0];
        assert_eq!((&shown["message"]["id"], &shown["message"]["msg"]), (&message, &json!("important")), "{shown}");
        assert_eq!((&shown["operatorId"], &shown["pinTime"]), (&json!("ben"), &pinned["time"]), "{shown}");
    }
    // pinned already: nobody is notified again
    stage.does("ann", "pinMessage", about(&message), &[]).await;
    let others: [(&str, &[&str]); 2] = [("ann.pad", &["unpin"]), ("ben", &["unpin"])];
    stage.does("ann", "unpinMessage", about(&message), &others).await;
    stage.does("ann", "unpinMessage", about(&message), &[]).await;

    // who is no member, and a message that is not there
    stage.refused("cid", "pinMessage", about(&message)).await;
    stage.refused("ann", "pinMessage", about(&json!("7"))).await;
    stage
        .refused(
            "ann",
            "pinMessage",
            json!({"conversationId": "7", "conversationType": "groupChat", "messageId": message}),
        )
        .await;

    // the latest first, in pages, and so many at most
    let both: [(&str, &[&str]); 2] = [("ann.pad", &["pin"]), ("ben", &["pin"])];
    let mut last = Value::Null;
    for number in 0..MOST {
        last = said(&mut stage, &id, &number.to_string()).await;
        stage.does("ann", "pinMessage", about(&last), &both).await;
    }
    stage.refused("ann", "pinMessage", about(&message)).await;
    let texts = |page: &Value| -> Vec<String> {
        let of = |shown: &Value| shown["message"]["msg"].as_str().unwrap().to_owned();
        page["data"]["list"].as_array().unwrap().iter().map(of).collect()
    };
    let mut next = list.clone();
    let first = stage.does("ben", "getServerPinnedMessages", next.clone(), &[]).await;
    next["cursor"] = first["data"]["cursor"].clone();
    let second = stage.does("ben", "getServerPinnedMessages", next, &[]).await;
    let expected: Vec<String> = (0..MOST).rev().map(|number| number.to_string()).collect();
    assert_eq!([texts(&first), texts(&second)].concat(), expected, "{package}");
    assert_eq!((texts(&first).len(), &second["data"]["cursor"]), (15, &json!("")), "{package}");

    // a recalled message is no longer in the list
    let recalled: [(&str, &[&str]); 2] = [("ann.pad", &["onRecallMessage"]), ("ben", &["onRecallMessage"])];
    let recall = json!({"mid": last, "to": id, "chatType": "groupChat"});
    stage.does("ann", "recallMessage", recall, &recalled).await;
    let first = stage.does("ben", "getServerPinnedMessages", list, &[]).await;
    assert_eq!(texts(&first)[0], (MOST - 2).to_string(), "{package}");
    stage.records().await;
    Driver::new(Vendor::Agora, sdk, coverage).only(CALLS).check(&stage.served, "agora_web").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_pinned_for_all_members() {
    pinned_for_all(AGORA_CHAT, "agora-chat 1.4.0, pinned messages (npm)", "agora-chat-pins").await;
    pinned_for_all(EASEMOB, "easemob-websdk 4.21.1, pinned messages (npm)", "easemob-websdk-pins").await;
}
