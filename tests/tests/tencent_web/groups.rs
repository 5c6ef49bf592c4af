//! The document "Group Management", and messages between two users.

use serde_json::{Value, json};

use crate::stage::{Stage, settled};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|group| group["groupID"].as_str().expect("an id")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_from_its_creation_to_its_end() {
    let mut stage = Stage::with(&["alice", "bob", "carol"]).await;
    let options = json!([{
        "name": "First", "type": "Public", "groupID": "g1", "introduction": "intro", "notification": "note",
        "joinOption": "FreeAccess", "memberList": [{"userID": "bob"}],
    }]);
    // only other clients get the notice of the creation; the SDK itself reports the new group
    stage.does("alice", "createGroup", options, &[("bob", 2)]).await;
    stage.does("alice", "getGroupProfile", json!([{"groupID": "g1"}]), &[]).await;
    stage.does("carol", "joinGroup", json!([{"groupID": "g1"}]), &[("alice", 1), ("bob", 1), ("carol", 1)]).await;
    let again = stage.does("carol", "joinGroup", json!([{"groupID": "g1"}]), &[]).await;
    assert_eq!(again["data"]["status"], "AlreadyInGroup");
    for user in ["alice", "bob", "carol"] {
        let list = stage.on(user).call("getGroupList", json!([])).await;
        assert_eq!(ids(&list["data"]["groupList"]), ["g1"], "{user}");
    }
    stage.does("bob", "getGroupMemberList", json!([{"groupID": "g1"}]), &[]).await;
    let both = [("alice", 1), ("bob", 1)];
    stage.does("carol", "sendText", json!(["g1", "hello"]), &both).await;
    stage.does("bob", "sendText", json!(["g1", "welcome"]), &[("alice", 1), ("carol", 1)]).await;
    let all = [("alice", 1), ("bob", 1), ("carol", 1)];
    stage
        .does("alice", "updateGroupProfile", json!([{"groupID": "g1", "name": "Second", "notification": "n2"}]), &all)
        .await;
    let with_notice = [("alice", 1), ("bob", 2), ("carol", 1)];
    stage
        .does("alice", "setGroupMemberRole", json!([{"groupID": "g1", "userID": "bob", "role": "Admin"}]), &with_notice)
        .await;
    stage.refused("carol", "updateGroupProfile", json!([{"groupID": "g1", "name": "Mine"}]), 10007).await;
    stage.does("carol", "quitGroup", json!(["g1"]), &both).await;
    stage.does("carol", "joinGroup", json!([{"groupID": "g1"}]), &all).await;
    let removal = json!([{"groupID": "g1", "userIDList": ["carol"], "reason": "enough"}]);
    stage.does("alice", "deleteGroupMember", removal, &all).await;
    stage.does("alice", "changeGroupOwner", json!([{"groupID": "g1", "newOwnerID": "bob"}]), &both).await;
    stage.does("bob", "dismissGroup", json!(["g1"]), &[("alice", 1)]).await;
    for user in ["alice", "bob", "carol"] {
        let list = stage.on(user).call("getGroupList", json!([])).await;
        assert!(ids(&list["data"]["groupList"]).is_empty(), "{user}: {list}");
    }
    insta::assert_json_snapshot!("life_of_a_group", stage.seen().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_to_join_waits_for_an_admin() {
    let mut stage = Stage::with(&["alice", "carol"]).await;
    let options = json!([{"name": "First", "type": "Public", "groupID": "g1", "joinOption": "NeedPermission"}]);
    stage.does("alice", "createGroup", options, &[]).await;
    let asked =
        stage.does("carol", "joinGroup", json!([{"groupID": "g1", "applyMessage": "let me in"}]), &[("alice", 1)]);
    assert_eq!(asked.await["data"]["status"], "WaitAdminApproval");
    let list = stage.on("alice").call("getGroupApplicationList", json!([])).await;
    let application = list["data"]["applicationList"][0].clone();
    assert_eq!(application["note"], "let me in", "{list}");
    let decision = json!([{"handleAction": "Agree", "handleMessage": "welcome", "application": application}]);
    stage.does("alice", "handleGroupApplication", decision.clone(), &[("alice", 1), ("carol", 2)]).await;
    stage.refused("alice", "handleGroupApplication", decision, 10024).await;
    stage.refused("alice", "searchGroupByID", json!(["nothing"]), 10015).await;
    insta::assert_json_snapshot!("application", settled(stage.seen().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_added_is_notified_before_the_group_is() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    stage.does("alice", "createGroup", json!([{"name": "First", "type": "Private", "groupID": "g1"}]), &[]).await;
    let added = json!([{"groupID": "g1", "userIDList": ["bob"]}]);
    stage.does("alice", "addGroupMember", added, &[("alice", 1), ("bob", 2)]).await;
    let list = stage.on("bob").call("getGroupList", json!([])).await;
    assert_eq!(list["data"]["groupList"][0]["name"], "First", "{list}");
    let muting = json!([{"groupID": "g1", "userIDList": ["bob"]}]);
    stage.refused("bob", "deleteGroupMember", muting, 10007).await;
    insta::assert_json_snapshot!("added", stage.seen().await);
}
