//! The list of a user's conversations: the groups with messages, the one with the latest message first.

use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, Stage};

async fn group(stage: &Stage, name: &str) -> String {
    let data = json!({"groupname": name, "owner": "ann", "members": ["ben"], "public": true, "maxusers": 50});
    let made = stage.api(http::Method::POST, "/chatgroups", Some(data)).await;
    made["data"]["groupid"].as_str().unwrap().to_owned()
}

async fn said(stage: &Stage, group: &str, text: &str) {
    let text = json!({"chatType": "groupChat", "type": "txt", "to": group, "msg": text});
    assert!(stage.on("ann").call("say", json!([text])).await["serverMsgId"].is_string());
}

/// The conversations of a page: group, unread messages, and the text of the last one.
fn rows(page: &Value) -> Vec<(String, u64, String)> {
    let row = |row: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&row["conversationId"]), row["unReadCount"].as_u64().unwrap(), text(&row["lastMessage"]["msg"]))
    };
    page["data"]["conversations"].as_array().unwrap_or_else(|| panic!("{page}")).iter().map(row).collect()
}

async fn listed(stage: &Stage, user: &str, cursor: &str, size: usize) -> (Vec<(String, u64, String)>, String) {
    let page = stage.on(user).call("getServerConversations", json!([{"pageSize": size, "cursor": cursor}])).await;
    (rows(&page), page["data"]["cursor"].as_str().unwrap_or_default().to_owned())
}

async fn ordered(package: &'static str) {
    let stage = Stage::with(package, &["ann", "ben"]).await;
    let [one, two, three] = [group(&stage, "1").await, group(&stage, "2").await, group(&stage, "3").await];
    group(&stage, "nobody speaks here").await;
    for (group, text) in [(&three, "a"), (&two, "b"), (&one, "c"), (&three, "d")] {
        said(&stage, group, text).await;
    }
    let row = |group: &String, unread, text: &str| (group.clone(), unread, text.to_owned());
    let all = [row(&three, 2, "d"), row(&one, 1, "c"), row(&two, 1, "b")];
    assert_eq!(listed(&stage, "ben", "", 10).await, (all.to_vec(), String::new()));

    // page by page
    let (first, cursor) = listed(&stage, "ben", "", 2).await;
    assert_eq!(first, all[..2]);
    let (second, end) = listed(&stage, "ben", &cursor, 2).await;
    assert_eq!((second.as_slice(), end.as_str()), (&all[2..], ""));
    let (whole, end) = listed(&stage, "ben", "", 3).await;
    assert_eq!((whole.as_slice(), end.as_str()), (&all[..], ""), "a full last page has no cursor");
    let wrong = stage.on("ben").call("getServerConversations", json!([{"pageSize": 2, "cursor": "!"}])).await;
    assert_eq!(wrong["refused"]["type"], 17, "{wrong}");

    // what was read is not unread, a recalled message is no last message, and a new message moves its group to the front
    stage.on("ben").call("say", json!([{"chatType": "groupChat", "type": "channel", "to": three}])).await;
    said(&stage, &two, "e").await;
    let text = json!({"chatType": "groupChat", "type": "txt", "to": one, "msg": "f"});
    let mid = stage.on("ann").call("say", json!([text])).await["serverMsgId"].clone();
    let recall = json!([{"mid": mid, "to": one, "chatType": "groupChat"}]);
    assert!(stage.on("ann").call("recallMessage", recall).await["refused"].is_null());
    let (now, _) = listed(&stage, "ben", "", 10).await;
    assert_eq!(now, [row(&one, 1, "c"), row(&two, 2, "e"), row(&three, 0, "d")]);
    // nobody's own messages are unread
    assert!(listed(&stage, "ann", "", 10).await.0.iter().all(|(_, unread, _)| *unread == 0));

    // a group that a user has left, or that is gone, is no conversation of theirs
    assert!(stage.on("ben").call("leaveGroup", json!([{"groupId": one}])).await["refused"].is_null());
    assert!(stage.on("ann").call("destroyGroup", json!([{"groupId": two}])).await["refused"].is_null());
    assert_eq!(listed(&stage, "ben", "", 10).await.0, [row(&three, 0, "d")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_are_in_the_order_of_their_last_message_in_agora_chat() {
    ordered(AGORA_CHAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_are_in_the_order_of_their_last_message_in_easemob_websdk() {
    ordered(EASEMOB).await;
}
