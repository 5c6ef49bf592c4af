//! Methods beside those of groups: message extensions, receipts, typing, conversations and unread counts.

use conclave_core::event::Actor;
use conclave_core::model::GroupId;
use conclave_core::operation::{ExtensionChange, SpeakCheck, WriteExtensions};
use conclave_core::ports::GroupsExt as _;
use http::Method;
use serde_json::{Value, json};

use crate::stage::{Stage, settled};

fn to_group() -> Value {
    json!({"conversationType": 3, "targetId": "g1"})
}

/// A group of alice, and a message of hers that permits extensions.
async fn group() -> (Stage, Value) {
    let mut stage = Stage::with(&["alice", "alice.pad", "bob", "carol"]).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    let received = [("alice", 2), ("alice.pad", 2), ("bob", 1), ("carol", 1)];
    stage.does("alice", "createGroup", json!([info, ["bob", "carol"]]), &received).await;
    let text = json!({"$text": {"content": "hi"}});
    let options = json!({"canIncludeExpansion": true, "expansion": {"a": "1"}});
    let received = [("alice.pad", 1), ("bob", 1), ("carol", 1)];
    let sent = stage.does("alice", "sendMessage", json!([to_group(), text, options]), &received).await;
    (stage, sent)
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_of_a_message_are_sent_and_stored() {
    let (mut stage, sent) = group().await;
    stage.does("alice", "updateMessageExpansion", json!([{"b": "2", "c": "3"}, sent]), &[]).await;
    for user in ["alice.pad", "bob", "carol"] {
        let event = stage.on(user).event("EXPANSION").await;
        assert_eq!(event["updatedExpansion"]["expansion"], json!({"b": "2", "c": "3"}), "{user}");
        assert_eq!(event["updatedExpansion"]["messageUId"], sent["messageUId"]);
    }
    stage.does("bob", "removeMessageExpansionForKey", json!([["a"], sent]), &[]).await;
    for user in ["alice", "alice.pad", "carol"] {
        let event = stage.on(user).event("EXPANSION").await;
        assert_eq!(event["deletedExpansion"]["deletedKeys"], json!(["a"]), "{user}");
    }
    // a later member reads it with the message, here and through another vendor
    let options = json!([to_group(), {"timestamp": 0, "count": 20, "order": 0}]);
    let history = stage.does("carol", "getHistoryMessages", options, &[]).await;
    let history = history["list"].as_array().unwrap();
    assert_eq!((history.len(), &history[0]["expansion"]), (1, &json!({"b": "2", "c": "3"})));
    let vendor_apis = stage.served.vendor_apis().await;
    let asked = json!({"GroupId": "g1", "MsgSeq": 1});
    let theirs = vendor_apis.tencent.call("openim_msg_ext_http_svc/group_get_key_values", &asked).await.unwrap();
    assert_eq!(keys(&theirs), ["b=2", "c=3"], "{theirs}");

    let plain = json!({"$text": {"content": "nothing to add"}});
    let received = [("alice", 1), ("alice.pad", 1), ("carol", 1)];
    let plain = stage.does("bob", "sendMessage", json!([to_group(), plain]), &received).await;
    let mut pretended = plain.clone();
    pretended["canIncludeExpansion"] = json!(true);
    stage.refused("bob", "updateMessageExpansion", json!([{"x": "y"}, pretended]), 22202).await;
    pretended["messageUId"] = json!("9999-9999-9999-9999");
    stage.refused("bob", "updateMessageExpansion", json!([{"x": "y"}, pretended]), 22201).await;
    stage.api("group/user/gag/add", "groupId=g1&userId=bob&minute=0").await;
    stage.refused("bob", "updateMessageExpansion", json!([{"x": "y"}, sent]), 22408).await;
    stage.records().await;
}

/// The app adds so many extensions to a message.
async fn add(stage: &Stage, sequence: u64, count: usize, value: &str) {
    let change =
        |number: usize| ExtensionChange { key: format!("k{number}"), value: Some(value.to_owned()), seen: None };
    let changes = (0..count).map(change).collect();
    let group = GroupId::new("g1").unwrap();
    let write = WriteExtensions { group, sequence, clear: false, changes, most: None, check: SpeakCheck::Skipped };
    stage.served.running.groups["dev"].run(&Actor::app(), write).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_over_the_limit_are_neither_sent_nor_stored() {
    let (mut stage, sent) = group().await;
    // including "a", which it was sent with
    add(&stage, 1, 299, "v").await;
    stage.refused("bob", "updateMessageExpansion", json!([{"more": "v"}, sent]), 22203).await;
    // existing ones may be overwritten
    stage.does("bob", "updateMessageExpansion", json!([{"k0": "w"}, sent]), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_split_into_parts() {
    let (mut stage, _) = group().await;
    let text = json!({"$text": {"content": "much"}});
    let options = json!({"canIncludeExpansion": true, "expansion": {"a": "1"}});
    let received = [("alice.pad", 1), ("bob", 1), ("carol", 1)];
    for sequence in 2..=4 {
        stage.does("alice", "sendMessage", json!([to_group(), text, options]), &received).await;
        add(&stage, sequence, 60, &"x".repeat(4096)).await;
    }
    let mut found = Vec::new();
    let mut from = json!(0);
    for (count, more) in [(2, true), (2, false)] {
        let options = json!([to_group(), {"timestamp": from, "count": 20, "order": 0}]);
        let history = stage.on("carol").call("getHistoryMessages", options).await;
        let mut list = history["data"]["list"].as_array().unwrap().clone();
        assert_eq!((list.len(), &history["data"]["hasMore"]), (count, &json!(more)));
        // clients have each page oldest first
        from = list[0]["sentTime"].clone();
        list.reverse();
        found.extend(list);
    }
    let sizes: Vec<usize> = found.iter().map(|sent| sent["expansion"].as_object().unwrap().len()).collect();
    assert_eq!(sizes, [61, 61, 61, 1]);
}

/// The extensions as another vendor returns them, sorted.
fn keys(answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = answer["ExtensionList"].as_array().cloned().unwrap_or_default();
    let mut keys: Vec<String> =
        rows.iter().map(|row| format!("{}={}", text(&row["Key"]), text(&row["Value"]))).collect();
    keys.sort();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_read_a_message_is_asked_and_answered() {
    let (stage, sent) = group().await;
    let uid = &sent["messageUId"];
    assert_eq!(stage.on("alice").call("sendReadReceiptRequest", json!(["g1", uid])).await["code"], 0);
    for user in ["alice.pad", "bob", "carol"] {
        let asked = stage.on(user).event("MESSAGE_RECEIPT_REQUEST").await;
        assert_eq!((&asked["messageUId"], &asked["senderUserId"]), (uid, &json!("alice")), "{user}");
    }
    let answer = stage.on("bob").call("sendReadReceiptResponseV2", json!(["g1", {"alice": [uid]}])).await;
    assert_eq!(answer["code"], 0);
    for device in ["alice", "alice.pad"] {
        let read = stage.on(device).event("MESSAGE_RECEIPT_RESPONSE").await;
        assert_eq!((&read["receivedUserId"], &read["messageUIdList"]), (&json!("bob"), &json!([uid])), "{device}");
    }
    // newer kinds of receipts are not enabled by the navigator: the SDK itself refuses them
    let text = json!({"$text": {"content": "read me"}});
    let asked = json!([to_group(), text, {"needReceipt": true}]);
    assert_eq!(stage.on("alice").call("sendMessage", asked).await["code"], 34014);
    assert_eq!(stage.on("alice").call("getMessageReader", json!(["g1", uid])).await["code"], 34014);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_goes_by() {
    let (stage, _) = group().await;
    let before = stage.happenings().await;
    let answer = stage.on("bob").call("sendTypingStatusMessage", json!([to_group(), "RC:TxtMsg"])).await;
    assert_eq!(answer["code"], 0);
    for user in ["alice", "alice.pad", "carol"] {
        let event = stage.on(user).event("TYPING_STATUS").await;
        assert_eq!(event["status"][0]["list"][0]["userId"], "bob", "{user}");
    }
    assert_eq!(stage.happenings().await, before + 1);
    let vendor_apis = stage.served.vendor_apis().await;
    let history = json!({"GroupId": "g1", "ReqMsgNumber": 20});
    let history = vendor_apis.tencent.call("group_open_http_svc/group_msg_get_simple", &history).await.unwrap();
    assert_eq!(history["RspMsgList"].as_array().map(Vec::len), Some(1), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_and_what_is_unread_in_them() {
    let (mut stage, _) = group().await;
    let other = json!({"groupId": "g2", "groupName": "Second"});
    stage.on("alice").call("createGroup", json!([other, ["bob"]])).await;
    for (user, count) in [("alice", 2), ("alice.pad", 2), ("bob", 1)] {
        stage.on(user).take(count, |name| name == "GROUP_OPERATION").await;
    }
    let mention = json!({"$text": {"content": "@bob", "mentionedInfo": {"type": 2, "userIdList": ["bob"]}}});
    let to_second = json!({"conversationType": 3, "targetId": "g2"});
    let said = json!([to_second, mention, {"isMentioned": true}]);
    stage.does("alice", "sendMessage", said, &[("alice.pad", 1), ("bob", 1)]).await;

    let mut steps = Vec::new();
    let calls = [
        ("getConversationList", json!([])),
        ("getConversation", json!([to_second])),
        ("getUnreadCount", json!([to_second])),
        ("getTotalUnreadCount", json!([])),
        ("getUnreadMentionedCount", json!([to_second])),
        ("getAllUnreadMentionedCount", json!([])),
        ("getUnreadConversationList", json!([])),
        ("clearMessagesUnreadStatus", json!([to_second])),
        ("getUnreadCount", json!([to_second])),
        ("getTotalUnreadCount", json!([])),
        ("clearAllMessagesUnreadStatus", json!([])),
        ("getTotalUnreadCount", json!([])),
        ("getMyUserProfile", json!([])),
        ("getUserProfiles", json!([["alice", "carol"]])),
    ];
    for (method, args) in calls {
        let answer = stage.on("bob").call(method, args.clone()).await;
        assert_eq!(answer["code"], 0, "{method}: {answer}");
        steps.push(
            json!({"call": format!("{method} {args}"), "answer": settled(conversations(answer["data"].clone()))}),
        );
    }
    insta::assert_json_snapshot!("conversations", steps);

    // data that would be stored on the server is not: refused at once, with the SDK's own code for it
    for (method, args) in [
        ("setConversationToTop", json!([to_second, true])),
        ("setConversationNotificationLevel", json!([to_second, 1])),
        ("removeConversation", json!([to_second])),
        ("clearHistoryMessages", json!([to_second, 1])),
    ] {
        stage.refused("bob", method, args, 20606).await;
    }
    let rows = stage.served.vendor_apis().await.agora.call(Method::GET, "/chatgroups/g2/roles", None).await.unwrap();
    assert_eq!(rows["count"], 2);
}

/// Conversations without the time of their last change.
fn conversations(mut data: Value) -> Value {
    let settle = |row: &mut Value| {
        if let Some(time) = row.get_mut("lastUnreadTime").filter(|time| **time != 0) {
            *time = json!("[time]");
        }
    };
    match &mut data {
        Value::Array(rows) => rows.iter_mut().for_each(settle),
        row => settle(row),
    }
    data
}
