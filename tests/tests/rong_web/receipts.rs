//! Read receipts of single messages (version 5 of receipts), which an app enables.

use conclave_tests::sdk::driven::Driver;
use conclave_tests::vendor::{Sections as _, Vendor};
use serde_json::{Value, json};

use crate::stage::{LATEST, Stage};

const EVENT: &str = "MESSAGE_RECEIPT_RESPONSE_V5";

/// What the SDK asks about them.
const TOPICS: &[&str] = &["readReceipt", "qryReceipt", "qryReceiptBatch"];

fn to_group() -> Value {
    json!({"conversationType": 3, "targetId": "g1"})
}

/// A group of alice with these members.
async fn group(others: &[&'static str]) -> Stage {
    let users = [&["alice", "alice.pad"], others].concat();
    let enable = |config: &mut conclave::Config| config.realms[0].rong().settings.message_receipts = true;
    let mut stage = Stage::of(LATEST, &users, enable).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    let mut received = vec![("alice", 2), ("alice.pad", 2)];
    received.extend(others.iter().map(|user| (*user, 1)));
    stage.does("alice", "createGroup", json!([info, others]), &received).await;
    stage
}

/// A receipt without its time, which is set.
fn receipt(mut event: Value) -> Value {
    for user in event[0]["users"].as_array_mut().expect("users") {
        assert!(user["timestamp"].as_u64().is_some_and(|time| time > 0), "{user}");
        user["timestamp"] = json!("[time]");
    }
    event
}

fn expected(uid: &Value, user: &str, mentioned: bool, [read, unread, total]: [u32; 3]) -> Value {
    json!([{
        "identifier": {"conversationType": 3, "targetId": "g1", "channelId": ""},
        "messageUId": uid,
        "users": [{"userId": user, "timestamp": "[time]", "isMentioned": mentioned}],
        "readCount": read, "unreadCount": unread, "totalCount": total,
    }])
}

/// The ids of the users of an answer, and which of them have read the message.
fn readers(answer: &Value) -> Vec<(String, bool)> {
    let users = answer["data"]["users"].as_array().expect("users");
    let id = |user: &Value| user["userId"].as_str().expect("an id").to_owned();
    users.iter().map(|user| (id(user), user["timestamp"] != 0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn senders_are_notified_of_who_has_read_a_message() {
    let mut stage = group(&["bob", "carol", "dave"]).await;
    let text = json!({"$text": {"content": "read?", "mentionedInfo": {"type": 2, "userIdList": ["bob"]}}});
    let asked = json!([to_group(), text, {"needReceipt": true, "isMentioned": true}]);
    let sent = stage.on("alice").call("sendMessage", asked).await;
    assert_eq!((&sent["code"], &sent["data"]["needReceipt"]), (&json!(0), &json!(true)), "{sent}");
    let uid = &sent["data"]["messageUId"];
    for user in ["alice.pad", "bob", "carol", "dave"] {
        let received = stage.on(user).event("MESSAGES").await;
        assert_eq!(received["messages"][0]["needReceipt"], true, "{user}");
    }

    let give = json!([to_group(), [uid]]);
    for (user, mentioned, counts) in [("bob", true, [1, 2, 3]), ("carol", false, [2, 1, 3])] {
        // once, however often it is given
        for _ in 0..2 {
            stage.does(user, "sendReadReceiptResponseV5", give.clone(), &[]).await;
        }
        for device in ["alice", "alice.pad"] {
            let event = receipt(stage.on(device).event(EVENT).await);
            assert_eq!(event, expected(uid, user, mentioned, counts), "{device}");
        }
    }
    for user in ["alice", "alice.pad", "bob", "carol", "dave"] {
        assert!(stage.on(user).take_all(|event| event == EVENT).is_empty(), "{user} is notified more often");
    }

    let counts = stage.does("alice", "getMessageReadReceiptInfoV5", give.clone(), &[]).await;
    let identifier = json!({"conversationType": 3, "targetId": "g1", "channelId": ""});
    let counted =
        json!([{"identifier": identifier, "messageUId": uid, "unreadCount": 1, "readCount": 2, "totalCount": 3}]);
    assert_eq!(counts, counted);
    let list = async |status: u8, order: u8, size: u8| {
        let (mut found, mut token, mut totals) = (Vec::new(), json!(""), Vec::new());
        loop {
            let option = json!({"pageToken": token, "pageCount": size, "readStatus": status, "order": order});
            let answer =
                stage.on("alice").call("getMessagesReadReceiptUsersByPageV5", json!([to_group(), uid, option]));
            let answer = answer.await;
            assert_eq!(answer["code"], 0, "{answer}");
            found.extend(readers(&answer).into_iter().map(|(user, _)| user));
            totals.push(answer["data"]["totalCount"].clone());
            token = answer["data"]["pageToken"].clone();
            if token == "" {
                return (found, totals);
            }
        }
    };
    let names = |users: &[&str]| users.iter().map(|user| (*user).to_owned()).collect::<Vec<_>>();
    assert_eq!(list(0, 0, 100).await, (names(&["carol", "bob"]), vec![json!(2)]));
    assert_eq!(list(0, 1, 1).await, (names(&["bob", "carol"]), vec![json!(2), json!(2)]));
    assert_eq!(list(1, 0, 100).await, (names(&["dave"]), vec![json!(1)]));
    let named =
        stage.on("alice").call("getMessagesReadReceiptByUsersV5", json!([to_group(), uid, ["bob", "dave", "x"]]));
    assert_eq!(readers(&named.await), [("bob".to_owned(), true), ("dave".to_owned(), false)]);

    // senders alone ask; what has no receipts, or is not there, is refused and changes nothing
    stage.refused("bob", "getMessageReadReceiptInfoV5", give.clone(), 26320).await;
    let option = json!({"pageCount": 10, "readStatus": 0, "order": 0});
    stage.refused("bob", "getMessagesReadReceiptUsersByPageV5", json!([to_group(), uid, option]), 26320).await;
    let plain = stage.on("alice").call("sendMessage", json!([to_group(), {"$text": {"content": "whatever"}}])).await;
    let both = json!([to_group(), [uid, plain["data"]["messageUId"]]]);
    stage.refused("dave", "sendReadReceiptResponseV5", both, 26321).await;
    stage.refused("dave", "sendReadReceiptResponseV5", json!([to_group(), ["9999-9999-9999-9999"]]), 26322).await;
    let sdk = "@rongcloud/imlib-next 5.38.0, receipts of single messages (npm)";
    let driver = Driver::client(Vendor::Rong, sdk, "imlib-next-receipts").only(TOPICS);
    driver.check(&stage.served, "rong_web").await;
    // the other versions of receipts are not available now, as the SDK itself says
    stage.refused("bob", "sendReadReceiptResponseV2", json!(["g1", {"alice": [uid]}]), 34014).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_shared_with_the_other_vendors() {
    let stage = group(&["bob", "carol"]).await;
    let asked = json!([to_group(), {"$text": {"content": "read?"}}, {"needReceipt": true}]);
    let sent = stage.on("alice").call("sendMessage", asked).await;
    let uid = &sent["data"]["messageUId"];
    let tencent = stage.served.vendor_apis().await.tencent;
    let about = |user: &str| json!({"GroupId": "g1", "From_Account": user, "MsgSeqList": [{"MsgSeq": 1}]});
    tencent.call("group_open_http_svc/group_msg_receipt", &about("bob")).await.unwrap();
    let event = receipt(stage.on("alice").event(EVENT).await);
    assert_eq!(event, expected(uid, "bob", false, [1, 1, 2]));

    let given = stage.on("carol").call("sendReadReceiptResponseV5", json!([to_group(), [uid]])).await;
    assert_eq!(given["code"], 0, "{given}");
    let counts = tencent.call("group_open_http_svc/get_group_msg_receipt", &about("alice")).await.unwrap();
    let counts = &counts["GroupMsgReceiptList"][0];
    assert_eq!((&counts["ReadNum"], &counts["UnreadNum"]), (&json!(2), &json!(0)), "{counts}");
}

/// A sender who was offline is notified at the next sign-in, on each device, of every reader.
#[tokio::test(flavor = "multi_thread")]
async fn senders_who_were_offline_are_notified_later() {
    let stage = group(&["bob", "carol"]).await;
    let asked = json!([to_group(), {"$text": {"content": "read?"}}, {"needReceipt": true}]);
    let sent = stage.on("alice").call("sendMessage", asked).await;
    let uid = &sent["data"]["messageUId"];
    let token = stage.token("alice").await;
    for device in ["alice", "alice.pad"] {
        stage.on(device).call("disconnect", json!([])).await;
        stage.on(device).event("DISCONNECT").await;
    }
    for user in ["bob", "carol"] {
        let given = stage.on(user).call("sendReadReceiptResponseV5", json!([to_group(), [uid]])).await;
        assert_eq!(given["code"], 0, "{given}");
    }
    for device in ["alice", "alice.pad"] {
        let connected = stage.on(device).call("connect", json!([token])).await;
        assert_eq!(connected["code"], 0, "{device}: {connected}");
        let mut users = Vec::new();
        while users.len() < 2 {
            for receipt in stage.on(device).event(EVENT).await.as_array().unwrap() {
                assert_eq!((&receipt["messageUId"], &receipt["readCount"]), (uid, &json!(2)), "{device}: {receipt}");
                users.extend(receipt["users"].as_array().unwrap().iter().map(|user| user["userId"].clone()));
            }
        }
        assert_eq!(users, ["bob", "carol"], "{device}");
    }
}
