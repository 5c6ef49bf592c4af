//! Live rooms: messages and tips are pushed to the clients that are in the room, and not stored.

use serde_json::json;

use crate::stage::{Stage, is_message};

#[tokio::test(flavor = "multi_thread")]
async fn a_live_room_is_pushed_to_the_clients_in_it() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    stage.group("alice", json!({"name": "Live", "type": "AVChatRoom", "groupID": "r1"})).await;
    // to the SDK the creator is not in the room before joining
    stage.calls("alice", "joinGroup", json!([{"groupID": "r1"}])).await;
    // strangers find it and do not speak in it
    let found = stage.calls("bob", "searchGroupByID", json!(["r1"])).await;
    assert_eq!(found["data"]["group"]["type"], "AVChatRoom");
    stage.refused("bob", "sendText", json!(["r1", "hm"]), 2101).await;
    let joined = stage.calls("bob", "joinGroup", json!([{"groupID": "r1"}])).await;
    assert_eq!(joined["data"]["status"], "JoinedSuccess");
    for user in ["alice", "bob"] {
        let tip = stage.messages(user, 1).await.remove(0);
        assert_eq!((&tip["payload"]["operationType"], &tip["payload"]["userIDList"]), (&json!(1), &json!(["bob"])));
    }
    stage.calls("alice", "sendText", json!(["r1", "welcome"])).await;
    assert_eq!(stage.messages("bob", 1).await[0]["payload"]["text"], "welcome");
    stage.calls("bob", "sendText", json!(["r1", "thanks"])).await;
    assert_eq!(stage.messages("alice", 1).await[0]["payload"]["text"], "thanks");
    // it is in no list of a client that connects later, and has no history
    stage.enter("bob.pad").await;
    assert_eq!(stage.calls("bob.pad", "getGroupList", json!([])).await["data"]["groupList"], json!([]));
    stage.calls("bob.pad", "joinGroup", json!([{"groupID": "r1"}])).await;
    assert!(stage.calls("bob.pad", "history", json!(["r1"])).await.as_array().unwrap().is_empty());
    // who is there
    let members = stage.calls("alice", "getGroupMemberList", json!([{"groupID": "r1"}])).await;
    let mut members: Vec<&str> = members["data"]["memberList"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|member| member["userID"].as_str())
        .collect();
    members.sort_unstable();
    assert_eq!(members, ["alice", "bob"]);
    assert_eq!(stage.calls("alice", "getGroupOnlineMemberCount", json!(["r1"])).await["data"]["memberCount"], 2);
    let banned = json!([{"groupID": "r1", "userIDList": ["bob"], "reason": "enough", "duration": 60}]);
    stage.calls("alice", "deleteGroupMember", banned).await;
    let notice = stage.messages("bob", 1).await.remove(0);
    assert_eq!(notice["payload"]["operationType"], 21, "{notice}");
    stage.refused("bob", "joinGroup", json!([{"groupID": "r1"}]), 10007).await;
    stage.calls("alice", "dismissGroup", json!(["r1"])).await;
    stage.on("alice").take_all(is_message);
    stage.refused("bob", "searchGroupByID", json!(["r1"]), 10010).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_one_live_room_leaves_the_other_unless_an_option_says_otherwise() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    for room in ["r1", "r2"] {
        let vendor_api = stage.served.vendor_apis().await.tencent;
        let body = json!({"Type": "AVChatRoom", "Name": room, "GroupId": room});
        assert!(vendor_api.call("group_open_http_svc/create_group", &body).await.is_ok());
    }
    let unlimited = stage.page_with(json!({"unlimitedAVChatRoom": true})).await;
    assert_eq!(stage.login(&unlimited, "carol").await["code"], 0);
    unlimited.event("SDK_READY").await;
    for room in ["r1", "r2"] {
        stage.calls("bob", "joinGroup", json!([{"groupID": room}])).await;
        let joined = unlimited.call("joinGroup", json!([{"groupID": room}])).await;
        assert_eq!(joined["data"]["status"], "JoinedSuccess", "{joined}");
    }
    let vendor_api = stage.served.vendor_apis().await.tencent;
    for (room, there) in [("r1", vec!["carol"]), ("r2", vec!["bob", "carol"])] {
        let body = json!({"GroupId": room});
        let found = vendor_api.call("group_open_avchatroom_http_svc/get_members", &body).await.unwrap();
        let mut found: Vec<&str> = found["MemberList"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|member| member["Member_Account"].as_str())
            .collect();
        found.sort_unstable();
        assert_eq!(found, there, "{room}");
    }
    stage.refused("bob", "sendText", json!(["r1", "hm"]), 2101).await;
    stage.calls("bob", "sendText", json!(["r2", "here"])).await;
    let is_text = |data: &serde_json::Value| data[0]["payload"]["text"] == "here";
    while !is_text(&unlimited.event("MESSAGE_RECEIVED").await) {}
    assert!(unlimited.call("sendText", json!(["r1", "both"])).await["refused"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_watches_a_live_room_without_signing_in() {
    let stage = Stage::with(&["alice"]).await;
    stage.group("alice", json!({"name": "Live", "type": "AVChatRoom", "groupID": "r1"})).await;
    stage.group("alice", json!({"name": "Closed", "type": "Public", "groupID": "g1"})).await;
    stage.calls("alice", "joinGroup", json!([{"groupID": "r1"}])).await;
    stage.calls("alice", "sendText", json!(["r1", "before"])).await;
    let visitor = stage.page().await;
    let joined = visitor.call("joinGroup", json!([{"groupID": "r1", "type": "AVChatRoom"}])).await;
    assert_eq!(joined["data"], json!({"status": "JoinedSuccess"}), "{joined}");
    // more than one response carries
    for number in 0..12 {
        stage.calls("alice", "sendText", json!(["r1", format!("text {number}")])).await;
    }
    let mut texts = Vec::new();
    while texts.len() < 12 {
        let messages = visitor.event("MESSAGE_RECEIVED").await;
        for message in messages.as_array().unwrap() {
            assert_eq!((&message["from"], &message["to"]), (&json!("alice"), &json!("r1")), "{message}");
            texts.push(message["payload"]["text"].as_str().unwrap().to_owned());
        }
    }
    let expected: Vec<String> = (0..12).map(|number| format!("text {number}")).collect();
    assert_eq!(texts, expected, "each once, in order, and none from before");
    // visitors are no members, and neither speak nor see other groups
    assert_eq!(
        stage.calls("alice", "getGroupMemberList", json!([{"groupID": "r1"}])).await["data"]["memberList"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(!visitor.call("sendText", json!(["r1", "hm"])).await["refused"]["code"].is_null());
    for group in ["g1", "nothing"] {
        let refused = visitor.call("joinGroup", json!([{"groupID": group, "type": "AVChatRoom"}])).await;
        assert!(!refused["refused"]["code"].is_null(), "{group}: {refused}");
    }
    assert!(visitor.take_all(|event| event == "MESSAGE_RECEIVED").is_empty());
    // to a page that has not signed in, the SDK returns a rejected promise in place of a message, and its own `sendMessage`
    // does not wait for it
    let rejected = visitor.take_all(|event| event == "UNHANDLED_REJECTION");
    assert!(matches!(&rejected[..], [(_, error)] if error.to_string().contains("createTextMessage")), "{rejected:?}");
}
