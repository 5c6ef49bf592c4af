//! Messages to groups, to some of their members, with mentions; recalled, and found in the history.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;

fn to_group() -> Value {
    json!({"conversationType": 3, "targetId": "g1"})
}

async fn group() -> Stage {
    let mut stage = Stage::with(&["alice", "alice.pad", "bob", "carol"]).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    let received = [("alice", 2), ("alice.pad", 2), ("bob", 1), ("carol", 1)];
    stage.does("alice", "createGroup", json!([info, ["bob", "carol"]]), &received).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_reach_members_and_ones_other_devices() {
    let mut stage = group().await;
    let bobs = [("alice", 1), ("alice.pad", 1), ("carol", 1)];
    let alices = [("alice.pad", 1), ("bob", 1), ("carol", 1)];
    let text = |content: &str| json!({"$text": {"content": content}});
    let sent = stage.does("bob", "sendMessage", json!([to_group(), text("hi \u{1F600}")]), &bobs).await;
    stage.does("alice", "sendMessage", json!([to_group(), text("hello")]), &alices).await;
    let custom = json!({"$message": ["App:Card", {"of": "carol", "n": 1}]});
    stage.does("alice", "sendMessage", json!([to_group(), custom]), &alices).await;
    let mention = json!({"$text": {"content": "@carol", "mentionedInfo": {"type": 2, "userIdList": ["carol"]}}});
    stage.does("bob", "sendMessage", json!([to_group(), mention, {"isMentioned": true}]), &bobs).await;
    let directed = json!([to_group(), text("between us"), {"directionalUserIdList": ["carol"]}]);
    stage.does("bob", "sendMessage", directed, &[("carol", 1)]).await;
    let silent = json!([to_group(), text("psst"), {"disableNotification": true, "canIncludeExpansion": true,
        "expansion": {"k": "v"}, "pushContent": "push", "pushData": "data"}]);
    stage.does("bob", "sendMessage", silent, &bobs).await;
    // the app's server sends a message
    let form = "fromUserId=alice&toGroupId=g1&objectName=RC%3ATxtMsg&content=%7B%22content%22%3A%22told%22%7D";
    stage.api("message/group/publish", form).await;
    stage.receives(&[("bob", 1), ("carol", 1)]).await;

    let recall = json!([to_group(), {"messageUId": sent["messageUId"], "sentTime": sent["sentTime"]}]);
    stage.refused("carol", "recallMessage", recall.clone(), 25107).await;
    stage.does("bob", "recallMessage", recall, &bobs).await;

    let options = json!([to_group(), {"timestamp": 0, "count": 20, "order": 0}]);
    let answer = stage.does("carol", "getHistoryMessages", options.clone(), &[]).await;
    let said = |answer: &Value| -> Vec<String> {
        let list = answer["list"].as_array().unwrap();
        list.iter().map(|message| message["content"]["content"].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(said(&answer), ["hello", "-", "@carol", "between us", "psst", "told"]);
    let others = stage.does("alice", "getHistoryMessages", options, &[]).await;
    assert_eq!(said(&others), ["hello", "-", "@carol", "psst", "told"]);
    let page = json!([to_group(), {"timestamp": 0, "count": 2, "order": 0}]);
    let page = stage.does("alice", "getHistoryMessages", page, &[]).await;
    assert_eq!((said(&page), &page["hasMore"]), (vec!["psst".to_owned(), "told".to_owned()], &json!(true)));
    insta::assert_json_snapshot!("messages", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_come_once_and_in_order() {
    let stage = group().await;
    let mut expected = Vec::new();
    for number in 0..120 {
        let by = if number % 3 == 0 { "bob" } else { "alice" };
        let text = json!({"$text": {"content": number.to_string()}});
        let answer = stage.on(by).call("sendMessage", json!([to_group(), text])).await;
        assert_eq!(answer["code"], 0, "{answer}");
        expected.push(number.to_string());
    }
    let mut received: Vec<String> = Vec::new();
    while received.len() < expected.len() {
        let event = stage.on("carol").event("MESSAGES").await;
        let messages = event["messages"].as_array().unwrap();
        received.extend(messages.iter().map(|message| message["content"]["content"].as_str().unwrap().to_owned()));
    }
    assert_eq!(received, expected);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(stage.on("carol").take_all(|name| name == "MESSAGES").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn muted_senders_are_refused() {
    let mut stage = group().await;
    let text = json!({"$text": {"content": "hi"}});
    stage.api("group/user/gag/add", "groupId=g1&userId=bob&minute=0").await;
    stage.refused("bob", "sendMessage", json!([to_group(), text]), 22408).await;
    stage.api("group/user/gag/rollback", "groupId=g1&userId=bob").await;
    stage.api("group/ban/add", "groupId=g1").await;
    stage.refused("bob", "sendMessage", json!([to_group(), text]), 22408).await;
    stage.api("group/ban/rollback", "groupId=g1").await;
    stage
        .does(
            "alice",
            "kickGroupMembers",
            json!(["g1", ["bob"]]),
            &[("alice", 1), ("alice.pad", 1), ("bob", 1), ("carol", 1)],
        )
        .await;
    stage.refused("bob", "sendMessage", json!([to_group(), text]), 22406).await;
    stage.refused("bob", "sendMessage", json!([{"conversationType": 3, "targetId": "nowhere"}, text]), 22406).await;
}
