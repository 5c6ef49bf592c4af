//! Messages: what they may say, what becomes of them, and what of that is pushed.

use serde_json::{Value, json};

use crate::stage::{Stage, is_message};

/// Two members of a group, and a third.
async fn three() -> Stage {
    let stage = Stage::with(&["alice", "bob", "carol"]).await;
    let members = json!([{"userID": "bob"}, {"userID": "carol"}]);
    stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "memberList": members})).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_element_arrives_as_it_was_sent() {
    let stage = three().await;
    for (kind, payload) in [
        ("Text", json!({"text": "hello 👋"})),
        ("Custom", json!({"data": "{\"a\":1}", "description": "dice", "extension": "more"})),
        ("Face", json!({"index": 3, "data": "tt00"})),
        ("Location", json!({"description": "here", "latitude": 31.5, "longitude": 121.25})),
    ] {
        let sent = stage.calls("alice", "send", json!([kind, "g1", payload])).await;
        for user in ["bob", "carol"] {
            let received = stage.messages(user, 1).await.remove(0);
            assert_eq!(received["payload"], sent["payload"], "{kind}");
            for (field, expected) in [("ID", &sent["ID"]), ("type", &sent["type"]), ("sequence", &sent["sequence"])] {
                assert_eq!(received[field], *expected, "{kind} {field}");
            }
            assert_eq!(received["from"], "alice");
        }
    }
    // beside the elements
    let more = json!({"cloudCustomData": "mine"});
    stage.calls("alice", "send", json!(["Text", "g1", {"text": "with more"}, more])).await;
    assert_eq!(stage.messages("bob", 1).await[0]["cloudCustomData"], "mine");
    // several elements, by the app's server
    let elements = json!([
        {"MsgType": "TIMTextElem", "MsgContent": {"Text": "two"}},
        {"MsgType": "TIMCustomElem", "MsgContent": {"Data": "elements", "Desc": "", "Ext": ""}},
    ]);
    let vendor_api = stage.served.vendor_apis().await.tencent;
    let body = json!({"GroupId": "g1", "Random": 7, "MsgBody": elements, "From_Account": "carol"});
    assert!(vendor_api.call("group_open_http_svc/send_group_msg", &body).await.is_ok());
    let received = stage.messages("bob", 1).await.remove(0);
    assert_eq!((&received["type"], &received["payload"]["text"]), (&json!("TIMTextElem"), &json!("two")));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_frames_come_compressed() {
    let stage = three().await;
    let before = stage.calls("bob", "compressed", json!([])).await.as_u64().unwrap();
    let long = "long ".repeat(1500);
    stage.calls("alice", "sendText", json!(["g1", long])).await;
    assert_eq!(stage.messages("bob", 1).await[0]["payload"]["text"], long);
    let history = stage.calls("bob", "history", json!(["g1"])).await;
    assert_eq!(history.as_array().unwrap().last().unwrap()["payload"]["text"], long);
    assert!(stage.calls("bob", "compressed", json!([])).await.as_u64().unwrap() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_mentioned_sees_it_at_the_conversation() {
    let stage = three().await;
    let mentions = async |user: &str| {
        let list = stage.calls(user, "conversations", json!([])).await;
        let found = list.as_array().unwrap().iter().find(|one| one["conversationID"] == "GROUPg1").unwrap();
        let at = found["groupAtInfoList"].as_array().unwrap().iter();
        at.map(|at| json!([at["from"], at["atTypeArray"], at["messageSequence"]])).collect::<Vec<Value>>()
    };
    let to_bob = json!({"text": "@bob look", "atUserList": ["bob"]});
    let sent = stage.calls("alice", "send", json!(["TextAt", "g1", to_bob])).await;
    for user in ["bob", "carol"] {
        stage.messages(user, 1).await;
    }
    let to_all = json!({"text": "@all look", "atUserList": ["__kImSDK_MesssageAtALL__"]});
    let to_everybody = stage.calls("alice", "send", json!(["TextAt", "g1", to_all])).await;
    for user in ["bob", "carol"] {
        stage.messages(user, 1).await;
    }
    let all = json!(["alice", [2], to_everybody["sequence"]]);
    for (user, expected) in [("bob", json!([["alice", [1], sent["sequence"]], all])), ("carol", json!([all]))] {
        // the push of the mention follows that of the message
        let mut found = mentions(user).await;
        while found.len() < expected.as_array().unwrap().len() {
            stage.on(user).event("CONVERSATION_LIST_UPDATED").await;
            found = mentions(user).await;
        }
        assert_eq!(json!(found), expected, "{user}");
    }
    assert!(mentions("alice").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn recalls_edits_and_extensions_are_pushed() {
    let stage = three().await;
    let sent = stage.calls("alice", "sendText", json!(["g1", "first"])).await;
    stage.messages("bob", 1).await;
    let id = &sent["ID"];
    // twice, as each has a version that is higher than the one before
    for text in ["second", "third"] {
        let edited = stage.calls("alice", "edit", json!([id, text])).await;
        assert_eq!(edited["payload"]["text"], text);
        let modified = stage.on("bob").event("MESSAGE_MODIFIED").await;
        assert_eq!((&modified[0]["ID"], &modified[0]["payload"]["text"]), (id, &json!(text)));
    }
    let last = stage.calls("bob", "history", json!(["g1"])).await.as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["payload"]["text"], "third");

    let more = json!({"isSupportExtension": true});
    let vote = stage.calls("alice", "send", json!(["Text", "g1", {"text": "vote"}, more])).await;
    stage.messages("bob", 1).await;
    let pairs = json!([{"key": "yes", "value": "1"}, {"key": "no", "value": "0"}]);
    let written = stage.calls("bob", "extend", json!([vote["ID"], pairs])).await;
    assert!(written["extensions"].as_array().unwrap().iter().all(|one| one["code"] == 0), "{written}");
    let pushed = stage.on("alice").event("MESSAGE_EXTENSIONS_UPDATED").await;
    let mut keys: Vec<&str> =
        pushed["extensions"].as_array().unwrap().iter().filter_map(|one| one["key"].as_str()).collect();
    keys.sort_unstable();
    assert_eq!((&pushed["messageID"], keys), (&vote["ID"], vec!["no", "yes"]));
    stage.calls("bob", "shrink", json!([vote["ID"], ["no"]])).await;
    let pushed = stage.on("alice").event("MESSAGE_EXTENSIONS_DELETED").await;
    assert_eq!(pushed, json!({"messageID": vote["ID"], "keyList": ["no"]}));
    let kept = stage.calls("alice", "extensions", json!([vote["ID"]])).await;
    assert_eq!(kept["extensions"], json!([{"key": "yes", "value": "1"}]));

    let recalled = stage.calls("alice", "recall", json!([id])).await;
    assert_eq!(recalled["isRevoked"], true);
    let revoked = stage.on("bob").event("MESSAGE_REVOKED").await;
    assert_eq!((&revoked[0]["ID"], &revoked[0]["isRevoked"]), (id, &json!(true)));
    assert_eq!(stage.on("bob").call("recall", json!([vote["ID"]])).await["refused"]["code"], 10007);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_come_to_the_sender_alone() {
    let stage = three().await;
    let more = json!({"needReadReceipt": true});
    let sent = stage.calls("alice", "send", json!(["Text", "g1", {"text": "read this"}, more])).await;
    for (reader, (read, unread)) in [("bob", (1, 1)), ("carol", (2, 0))] {
        let received = stage.messages(reader, 1).await.remove(0);
        stage.calls(reader, "readReceipt", json!([[received["ID"]]])).await;
        let pushed = stage.on("alice").event("MESSAGE_READ_RECEIPT_RECEIVED").await;
        let expected = json!([{"groupID": "g1", "messageID": sent["ID"], "readCount": read, "unreadCount": unread}]);
        assert_eq!(pushed, expected);
    }
    let counted = stage.calls("alice", "receipts", json!([[sent["ID"]]])).await;
    assert_eq!((&counted[0]["readCount"], &counted[0]["unreadCount"]), (&json!(2), &json!(0)));
    let readers = stage.calls("alice", "readers", json!([sent["ID"], 0])).await;
    assert_eq!((&readers["readUserIDList"], &readers["isCompleted"]), (&json!(["bob", "carol"]), &json!(true)));
    let others = stage.calls("alice", "readers", json!([sent["ID"], 1])).await;
    assert_eq!(others["unreadUserIDList"], json!([]));
    assert!(stage.on("bob").take_all(|event| event == "MESSAGE_READ_RECEIPT_RECEIVED").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_paged_by_number_both_ways() {
    let stage = three().await;
    for number in 2..=12 {
        stage.calls("alice", "sendText", json!(["g1", format!("text {number}")])).await;
    }
    stage.messages("bob", 11).await;
    let numbers = |page: &Value| {
        let page = page.as_array().unwrap().iter();
        page.map(|message| message["sequence"].as_u64().unwrap()).collect::<Vec<u64>>()
    };
    let older = stage.calls("bob", "hop", json!(["g1", 8, 0, 4])).await;
    assert_eq!(numbers(&older), [5, 6, 7, 8]);
    let newer = stage.calls("bob", "hop", json!(["g1", 8, 1, 4])).await;
    assert_eq!(numbers(&newer), [8, 9, 10, 11]);
    let last = stage.calls("bob", "hop", json!(["g1", 11, 1, 4])).await;
    assert_eq!(numbers(&last), [11, 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unread_is_counted_and_read_on_all_devices() {
    let mut stage = three().await;
    stage.enter("bob.pad").await;
    let members = json!([{"userID": "bob"}]);
    stage.group("alice", json!({"name": "Second", "type": "Public", "groupID": "g2", "memberList": members})).await;
    stage.messages("bob.pad", 2).await;
    for group in ["g1", "g2"] {
        stage.calls("alice", "sendText", json!([group, "one"])).await;
        stage.calls("alice", "sendText", json!([group, "two"])).await;
    }
    for page in ["bob", "bob.pad"] {
        stage.messages(page, 4).await;
        // and the message by which the SDK of the creator begins a conversation
        assert_eq!(stage.calls(page, "total", json!([])).await, 6, "{page}");
    }
    stage.calls("bob", "setMessageRead", json!([{"conversationID": "GROUPg1"}])).await;
    let unread = async |page: &str, wanted: u64| {
        while stage.calls(page, "total", json!([])).await != wanted {
            stage.on(page).event("CONVERSATION_LIST_UPDATED").await;
        }
    };
    unread("bob", 3).await;
    unread("bob.pad", 3).await;
    stage.calls("bob.pad", "setAllMessageRead", json!([{"scope": "readAllGroupMessage"}])).await;
    unread("bob.pad", 0).await;
    unread("bob", 0).await;
    // a page that is opened later counts the same
    stage.calls("alice", "sendText", json!(["g1", "three"])).await;
    stage.enter("bob.phone").await;
    assert_eq!(stage.calls("bob.phone", "total", json!([])).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_codes_of_the_vendor() {
    let mut stage = three().await;
    let muting = json!([{"groupID": "g1", "userID": "bob", "muteTime": 600}]);
    stage.calls("alice", "setGroupMemberMuteTime", muting).await;
    stage.refused("bob", "sendText", json!(["g1", "hm"]), 10017).await;
    stage.calls("alice", "setGroupMemberMuteTime", json!([{"groupID": "g1", "userID": "bob", "muteTime": 0}])).await;
    stage.calls("bob", "sendText", json!(["g1", "ah"])).await;
    stage.calls("alice", "updateGroupProfile", json!([{"groupID": "g1", "muteAllMembers": true}])).await;
    stage.refused("carol", "sendText", json!(["g1", "hm"]), 10017).await;
    stage.calls("alice", "sendText", json!(["g1", "managers still speak"])).await;
    stage.group("alice", json!({"name": "Other", "type": "Public", "groupID": "g2"})).await;
    stage.refused("bob", "sendText", json!(["g2", "hm"]), 10007).await;
    stage.refused("bob", "sendText", json!(["nothing", "hm"]), 10015).await;
    stage.refused("bob", "dismissGroup", json!(["g1"]), 10007).await;
    stage.refused("alice", "quitGroup", json!(["g1"]), 10009).await;
    stage.refused("alice", "createGroup", json!([{"name": "Again", "type": "Public", "groupID": "g1"}]), 10025).await;
    stage.refused("bob", "createGroup", json!([{"name": "Again", "type": "Public", "groupID": "g1"}]), 10021).await;
    let long = "x".repeat(13_000);
    let answer = stage.on("alice").call("sendText", json!(["g1", long])).await;
    assert!(!answer["refused"]["code"].is_null(), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_discards_messages_is_pushed_tips_only() {
    let mut stage = three().await;
    let discard = json!([{"groupID": "g1", "messageRemindType": "Discard"}]);
    stage.calls("bob", "setMessageRemindType", discard).await;
    stage.calls("alice", "sendText", json!(["g1", "not for bob"])).await;
    stage.messages("carol", 1).await;
    stage.calls("alice", "updateGroupProfile", json!([{"groupID": "g1", "name": "Renamed"}])).await;
    assert_eq!(stage.messages("bob", 1).await[0]["payload"]["newGroupProfile"], json!({"groupName": "Renamed"}));
    // the setting still applies after signing in again
    stage.close("bob");
    stage.enter("bob").await;
    stage.calls("alice", "sendText", json!(["g1", "nor this"])).await;
    stage.messages("carol", 2).await;
    assert!(stage.on("bob").take_all(is_message).is_empty());
    let notify = json!([{"groupID": "g1", "messageRemindType": "AcceptAndNotify"}]);
    stage.calls("bob", "setMessageRemindType", notify).await;
    stage.calls("alice", "sendText", json!(["g1", "for bob"])).await;
    assert_eq!(stage.messages("bob", 1).await[0]["payload"]["text"], "for bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_pinned_for_all_members() {
    let mut stage = three().await;
    let sent = stage.calls("alice", "sendText", json!(["g1", "important"])).await;
    for user in ["bob", "carol"] {
        stage.messages(user, 1).await;
    }
    stage.calls("bob", "pin", json!(["g1", sent["ID"], true])).await;
    for user in ["alice", "bob", "carol"] {
        let pushed = stage.on(user).event("PINNED_GROUP_MESSAGE_UPDATED").await;
        assert_eq!((&pushed["groupID"], &pushed["isPinned"]), (&json!("g1"), &json!(true)), "{user}");
        assert_eq!(pushed["message"], json!({"ID": sent["ID"], "payload": {"text": "important"}}), "{user}");
        assert_eq!(pushed["operatorInfo"]["userID"], "bob", "{user}");
        let list = stage.calls(user, "pinned", json!(["g1"])).await;
        assert_eq!((&list[0]["ID"], &list[0]["payload"]["text"]), (&sent["ID"], &json!("important")), "{user} {list}");
        assert_eq!(list[0]["pinnerInfo"]["userID"], "bob", "{user} {list}");
        assert!(stage.on(user).take_all(is_message).is_empty(), "{user}: it is no message");
    }
    stage.refused("carol", "pin", json!(["g1", sent["ID"], true]), 10071).await;
    stage.calls("carol", "pin", json!(["g1", sent["ID"], false])).await;
    for user in ["alice", "bob", "carol"] {
        let pushed = stage.on(user).event("PINNED_GROUP_MESSAGE_UPDATED").await;
        assert_eq!((&pushed["isPinned"], &pushed["message"]["ID"]), (&json!(false), &sent["ID"]), "{user}");
    }
    assert_eq!(stage.calls("bob", "pinned", json!(["g1"])).await, json!([]));
    // ten at most; a message that is recalled is no longer in the list
    let mut last = sent;
    for number in 0..10 {
        last = stage.calls("alice", "sendText", json!(["g1", format!("text {number}")])).await;
        stage.calls("alice", "pin", json!(["g1", last["ID"], true])).await;
    }
    let more = stage.calls("alice", "sendText", json!(["g1", "one more"])).await;
    stage.refused("alice", "pin", json!(["g1", more["ID"], true]), 10070).await;
    stage.calls("alice", "recall", json!([last["ID"]])).await;
    assert_eq!(stage.calls("bob", "pinned", json!(["g1"])).await.as_array().unwrap().len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_what_was_edited_meanwhile_is_in_conflict() {
    let mut stage = three().await;
    let sent = stage.calls("alice", "sendText", json!(["g1", "one"])).await;
    // a second client of the sender edits it while the first receives nothing of that
    stage.enter("alice.pad").await;
    let history = stage.calls("alice.pad", "history", json!(["g1"])).await;
    assert_eq!(history.as_array().unwrap().last().unwrap()["ID"], sent["ID"]);
    stage.calls("alice", "deaf", json!([true])).await;
    stage.calls("alice.pad", "edit", json!([sent["ID"], "two"])).await;
    // what the code is to apps: the SDK takes the other text over and rejects with a code of its own
    let answer = stage.on("alice").call("edit", json!([sent["ID"], "three"])).await;
    assert_eq!(answer["refused"]["code"], 2480, "{answer}");
    let last = stage.calls("bob", "history", json!(["g1"])).await.as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["payload"]["text"], "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_messages_are_kept_whole() {
    let stage = three().await;
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        ids.push(stage.calls("alice", "sendText", json!(["g1", text])).await["ID"].clone());
    }
    let sent = stage.calls("alice", "merge", json!(["g1", ids])).await;
    let received = stage.messages("bob", 3).await.remove(2);
    assert_eq!((&received["ID"], &received["type"]), (&sent["ID"], &json!("TIMRelayElem")));
    for field in ["title", "abstractList", "compatibleText"] {
        assert_eq!(received["payload"][field], sent["payload"][field], "{field}");
    }
    let inside = stage.calls("bob", "merged", json!([received["ID"]])).await;
    let texts: Vec<&Value> =
        inside.as_array().unwrap().iter().map(|one| &one["messageBody"][0]["payload"]["text"]).collect();
    assert_eq!(texts, [&json!("one"), &json!("two")], "{inside}");
}

/// The payload of a message; of a picture's sizes the addresses, as each SDK numbers them and a forwarding one orders them
/// in its own way.
fn shown(message: &Value) -> Value {
    let mut payload = message["payload"].clone();
    if let Some(sizes) = payload["imageInfoArray"].as_array() {
        let addresses: std::collections::BTreeSet<&str> =
            sizes.iter().filter_map(|size| size["url"].as_str()).collect();
        payload = json!(addresses);
    }
    payload
}

#[tokio::test(flavor = "multi_thread")]
async fn media_are_kept_whole_and_forwarded_by_the_sdk() {
    let stage = three().await;
    let vendor_api = stage.served.vendor_apis().await.tencent;
    let url = |name: &str| format!("https://files.example.com/{name}");
    let elements = [
        json!({"MsgType": "TIMImageElem", "MsgContent": {"UUID": "i1", "ImageFormat": 1, "ImageInfoArray": [
            {"Type": 1, "Size": 100, "Width": 40, "Height": 30, "URL": url("a.jpg")},
            {"Type": 2, "Size": 50, "Width": 20, "Height": 15, "URL": url("b.jpg")},
            {"Type": 3, "Size": 10, "Width": 4, "Height": 3, "URL": url("c.jpg")},
        ]}}),
        json!({"MsgType": "TIMSoundElem", "MsgContent": {
            "Url": url("a.mp3"), "UUID": "s1", "Size": 100, "Second": 7, "Download_Flag": 2,
        }}),
        json!({"MsgType": "TIMVideoFileElem", "MsgContent": {
            "VideoUrl": url("a.mp4"), "VideoUUID": "v1", "VideoSize": 100, "VideoSecond": 7, "VideoFormat": "mp4",
            "VideoDownloadFlag": 2, "ThumbUrl": url("t.jpg"), "ThumbUUID": "t1", "ThumbSize": 10, "ThumbWidth": 4,
            "ThumbHeight": 3, "ThumbFormat": "JPG", "ThumbDownloadFlag": 2,
        }}),
        json!({"MsgType": "TIMFileElem", "MsgContent": {
            "Url": url("a.pdf"), "UUID": "f1", "FileSize": 100, "FileName": "a.pdf", "Download_Flag": 2,
        }}),
        json!({"MsgType": "TIMFaceElem", "MsgContent": {"Index": 3, "Data": "tt00"}}),
        json!({"MsgType": "TIMLocationElem", "MsgContent": {"Desc": "here", "Latitude": 31.5, "Longitude": 121.25}}),
    ];
    for (number, element) in elements.iter().enumerate() {
        let body = json!({"GroupId": "g1", "Random": number + 1, "MsgBody": [element], "From_Account": "carol"});
        assert!(vendor_api.call("group_open_http_svc/send_group_msg", &body).await.is_ok(), "{element}");
        let received = stage.messages("bob", 1).await.remove(0);
        assert_eq!(received["type"], element["MsgType"], "{received}");
        assert_eq!(shown(&stage.messages("alice", 1).await[0]), shown(&received));
        // the SDK sends it once more as it has received it, without an upload
        let forwarded = stage.calls("bob", "forward", json!(["g1", received["ID"]])).await;
        let again = stage.messages("alice", 1).await.remove(0);
        assert_eq!((&again["ID"], &again["type"]), (&forwarded["ID"], &received["type"]));
        assert_eq!(shown(&again), shown(&received), "{element}");
    }
    // an upload is refused with the code of the SDK, and nothing is sent
    let answer = stage.on("bob").call("upload", json!(["g1"])).await;
    assert!(!answer["refused"]["code"].is_null(), "{answer}");
    assert!(stage.on("alice").take_all(is_message).is_empty());
}
