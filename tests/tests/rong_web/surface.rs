//! Every method of the SDK for groups and every served topic, driven in one run, and recorded.

use std::time::Duration;

use conclave_tests::sdk::driven::Driver;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_surface() {
    let mut stage = Stage::with(&["alice", "alice.pad", "bob", "carol"]).await;
    let made = [("alice", 2), ("alice.pad", 2), ("bob", 1)];
    let three = [("alice", 1), ("alice.pad", 1), ("bob", 1)];
    let all = [("alice", 1), ("alice.pad", 1), ("bob", 1), ("carol", 1)];
    let both = [("alice", 1), ("alice.pad", 1), ("carol", 1)];
    let other = [("alice.pad", 1)];
    let info = json!({"groupId": "g1", "groupName": "First", "joinPermission": 0});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &made).await;
    stage.does("alice", "updateGroupInfo", json!([{"groupId": "g1", "notice": "read"}]), &three).await;
    stage.does("bob", "getGroupsInfo", json!([["g1"]]), &[]).await;
    stage.does("carol", "joinGroup", json!(["g1"]), &both).await;
    let none = json!({"$undefined": true});
    stage.does("alice", "refuseGroupApplication", json!(["g1", "carol", none, "later"]), &both).await;
    stage.does("carol", "joinGroup", json!(["g1"]), &both).await;
    stage.does("carol", "getGroupApplications", json!([{"count": 20}]), &[]).await;
    let accepted = [("alice", 2), ("alice.pad", 2), ("bob", 1), ("carol", 2)];
    stage.does("alice", "acceptGroupApplication", json!(["g1", "carol"]), &accepted).await;
    stage.does("alice", "kickGroupMembers", json!(["g1", ["carol"]]), &all).await;
    stage.does("alice", "updateGroupInfo", json!([{"groupId": "g1", "inviteHandlePermission": 1}]), &three).await;
    stage.does("alice", "inviteUsersToGroup", json!(["g1", ["carol"]]), &both).await;
    stage.does("carol", "refuseGroupInvite", json!(["g1", "alice", "busy"]), &both).await;
    stage.does("alice", "inviteUsersToGroup", json!(["g1", ["carol"]]), &both).await;
    stage.does("carol", "acceptGroupInvite", json!(["g1", "alice"]), &accepted).await;
    stage.does("carol", "quitGroup", json!(["g1"]), &all).await;
    stage.does("alice", "addGroupManagers", json!(["g1", ["bob"]]), &three).await;
    stage.does("alice", "removeGroupManagers", json!(["g1", ["bob"]]), &three).await;
    stage.does("alice", "setGroupMemberInfo", json!(["g1", "alice", "Al", ""]), &three).await;
    stage.does("alice", "getGroupMembers", json!(["g1", ["bob"]]), &[]).await;
    stage.does("alice", "getGroupMembersByRole", json!(["g1", 0, {"count": 10}]), &[]).await;
    stage.does("alice", "setGroupRemark", json!(["g1", "mine"]), &other).await;
    stage.does("alice", "addGroupFollows", json!(["g1", ["bob"]]), &other).await;
    stage.does("alice", "getGroupFollows", json!(["g1"]), &[]).await;
    stage.does("alice", "removeGroupFollows", json!(["g1", ["bob"]]), &other).await;
    stage.does("alice", "getJoinedGroups", json!([["g1"]]), &[]).await;
    stage.does("alice", "getJoinedGroupsByRole", json!([{"count": 10}, 0]), &[]).await;
    speak(&mut stage).await;
    stage.does("alice", "transferGroupOwner", json!(["g1", "bob"]), &three).await;
    stage.does("bob", "dismissGroup", json!(["g1"]), &three).await;
    stage.records().await;
    // requests of a page that is connecting may still be running
    tokio::time::sleep(Duration::from_millis(500)).await;
    let imlib = Driver::client(Vendor::Rong, "@rongcloud/imlib-next 5.38.0 (npm)", "imlib-next");
    imlib.check(&stage.served, "rong_web").await;
}

/// Messages, and methods beside them.
async fn speak(stage: &mut Stage) {
    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    let text = json!({"$text": {"content": "hi"}});
    let received = [("alice.pad", 1), ("bob", 1)];
    let sent: Value = stage.does("alice", "sendMessage", json!([to_group, text]), &received).await;
    assert_eq!(stage.on("alice").call("sendTypingStatusMessage", json!([to_group, "RC:TxtMsg"])).await["code"], 0);
    let options = json!([to_group, {"timestamp": 0, "count": 20, "order": 0}]);
    stage.does("bob", "getHistoryMessages", options, &[]).await;
    let named = json!([{"conversationIdentifier": to_group, "messageUIds": [sent["messageUId"]]}]);
    let found = stage.does("bob", "getMessagesByUIds", named, &[]).await;
    assert_eq!(found[0]["code"], 0, "{found}");
    let edit = json!({"conversation": to_group, "messageUId": sent["messageUId"], "messageContent": {"content": "ho"}});
    stage.does("alice", "modifyMessageWithParams", json!([edit]), &[]).await;
    for user in ["alice.pad", "bob"] {
        let edited = stage.on(user).event("MESSAGE_MODIFIED").await;
        assert_eq!(
            (&edited[0]["content"]["content"], &edited[0]["isModifyMessage"]),
            (&json!("ho"), &json!(true)),
            "{user}"
        );
    }
    assert!(stage.on("alice").take_all(|event| event == "MESSAGE_MODIFIED").is_empty());
    stage.does("bob", "getConversationList", json!([]), &[]).await;
    stage.does("bob", "getUserProfiles", json!([["alice"]]), &[]).await;
    let recall = json!([to_group, {"messageUId": sent["messageUId"], "sentTime": sent["sentTime"]}]);
    stage.does("alice", "recallMessage", recall, &received).await;
}
