//! Groups from their creation to their end, and everything that members do in them.

use conclave_tests::story::{Role, Truth};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives() {
    let mut stage = Stage::with(&["alice", "bob", "carol"]).await;
    let all = [("alice", 1), ("bob", 1), ("carol", 1)];
    let info = json!({"groupId": "g1", "groupName": "First", "introduction": "hi", "joinPermission": 1});
    // the owner is notified of the group, and then everybody of who joined
    stage
        .does("alice", "createGroup", json!([info, ["bob", "carol"]]), &[("alice", 2), ("bob", 1), ("carol", 1)])
        .await;
    stage.does("alice", "getGroupsInfo", json!([["g1", "unknown"]]), &[]).await;

    let change = json!({"groupId": "g1", "introduction": "about us"});
    stage.does("alice", "updateGroupInfo", json!([change]), &all).await;
    let change = json!({
        "groupId": "g1", "groupName": "Second", "portraitUri": "https://example.com/a.png", "notice": "read this",
        "invitePermission": 1, "inviteHandlePermission": 1, "groupInfoEditPermission": 1, "removeMemberPermission": 1,
        "memberInfoEditPermission": 1,
    });
    stage.does("alice", "updateGroupInfo", json!([change]), &all).await;
    stage.does("bob", "setGroupMemberInfo", json!(["g1", "bob", "Bobby", "extra!"]), &all).await;
    stage.does("alice", "addGroupManagers", json!(["g1", ["bob"]]), &all).await;
    stage.does("bob", "updateGroupInfo", json!([{"groupId": "g1", "groupName": "Third"}]), &all).await;
    stage.does("alice", "getGroupMembers", json!(["g1", ["carol", "bob", "nobody"]]), &[]).await;
    stage.does("carol", "getGroupMembersByRole", json!(["g1", 0, {"count": 2}]), &[]).await;
    stage.does("carol", "getGroupMembersByRole", json!(["g1", 0, {"count": 10, "order": true}]), &[]).await;
    stage.does("carol", "getGroupMembersByRole", json!(["g1", 2, {"count": 10}]), &[]).await;

    let third = Truth {
        name: "Third".to_owned(),
        introduction: "about us".to_owned(),
        owner: Some("alice".to_owned()),
        members: [("alice", Role::Owner), ("bob", Role::Admin), ("carol", Role::Member)]
            .map(|(user, role)| (user.to_owned(), role))
            .into(),
        count: 3,
    };
    for vendor_api in stage.served.vendor_apis().await.all() {
        assert_eq!(vendor_api.truth("g1").await.as_ref(), Some(&third));
    }

    stage.does("alice", "removeGroupManagers", json!(["g1", ["bob"]]), &all).await;
    stage.does("alice", "transferGroupOwner", json!(["g1", "bob"]), &all).await;
    // the owner is notified of the transfer, and then that the old owner has left with it
    let both = [("alice", 2), ("bob", 2), ("carol", 2)];
    stage.does("bob", "transferGroupOwner", json!(["g1", "carol", true]), &both).await;
    stage.does("carol", "kickGroupMembers", json!(["g1", ["alice"]]), &[("alice", 1), ("carol", 1)]).await;
    stage.does("alice", "joinGroup", json!(["g1"]), &[("alice", 1), ("carol", 1)]).await;
    stage.does("alice", "quitGroup", json!(["g1"]), &[("alice", 1), ("carol", 1)]).await;
    stage.does("alice", "joinGroup", json!(["g1"]), &[("alice", 1), ("carol", 1)]).await;
    stage.does("carol", "dismissGroup", json!(["g1"]), &[("alice", 1), ("carol", 1)]).await;
    for vendor_api in stage.served.vendor_apis().await.all() {
        assert_eq!(vendor_api.truth("g1").await, None);
    }
    insta::assert_json_snapshot!("a_group_lives", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_members_are_shown_as_they_were() {
    let mut stage = Stage::with(&["alice", "bob", "carol"]).await;
    let all = [("alice", 1), ("bob", 1), ("carol", 1)];
    let info = json!({"groupId": "g1", "groupName": "First", "joinPermission": 1});
    let received = [("alice", 2), ("bob", 1), ("carol", 1)];
    stage.does("alice", "createGroup", json!([info, ["bob", "carol"]]), &received).await;
    for user in ["alice", "bob", "carol"] {
        stage.does(user, "setGroupMemberInfo", json!(["g1", user, format!("{user}'s card"), "x"]), &all).await;
    }
    stage.does("alice", "addGroupManagers", json!(["g1", ["bob", "carol"]]), &all).await;
    stage.does("alice", "kickGroupMembers", json!(["g1", ["bob"]]), &all).await;
    let both = [("alice", 1), ("carol", 1)];
    stage.does("carol", "quitGroup", json!(["g1"]), &both).await;
    stage.does("carol", "joinGroup", json!(["g1"]), &both).await;
    stage.does("carol", "setGroupMemberInfo", json!(["g1", "carol", "new card", ""]), &both).await;
    stage.does("alice", "transferGroupOwner", json!(["g1", "carol", true]), &[("alice", 2), ("carol", 2)]).await;
    stage.does("carol", "dismissGroup", json!(["g1"]), &[("carol", 1)]).await;
    insta::assert_json_snapshot!("members_leave", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_settings_are_sent_to_ones_other_devices() {
    let mut stage = Stage::with(&["alice", "alice.pad", "bob"]).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    let created = [("alice", 2), ("alice.pad", 2), ("bob", 1)];
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &created).await;
    let other = [("alice.pad", 1)];
    stage.does("alice", "setGroupRemark", json!(["g1", "mine"]), &other).await;
    stage.does("alice", "getGroupsInfo", json!([["g1"]]), &[]).await;
    stage.does("alice.pad", "setGroupRemark", json!(["g1", ""]), &[("alice", 1)]).await;
    stage.does("alice", "addGroupFollows", json!(["g1", ["bob"]]), &other).await;
    stage.does("alice", "getGroupFollows", json!(["g1"]), &[]).await;
    stage.does("alice", "removeGroupFollows", json!(["g1", ["bob"]]), &other).await;
    stage.does("alice", "getGroupFollows", json!(["g1"]), &[]).await;
    insta::assert_json_snapshot!("ones_own", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_groups_are_listed_in_pages() {
    let mut stage = Stage::with(&["alice"]).await;
    for id in ["g1", "g2", "g3"] {
        let info = json!({"groupId": id, "groupName": id});
        stage.does("alice", "createGroup", json!([info]), &[("alice", 1)]).await;
    }
    stage.api("entrust/group/create", "groupId=g4&name=g4&owner=bob&userIds=alice").await;
    stage.on("alice").event("GROUP_OPERATION").await;
    let first = stage.does("alice", "getJoinedGroupsByRole", json!([{"count": 3}, 0]), &[]).await;
    let ids = |page: &serde_json::Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|group| group["groupId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&first), ["g4", "g3", "g2"]);
    let next = json!([{"count": 3, "pageToken": first["pageToken"]}, 0]);
    let second = stage.does("alice", "getJoinedGroupsByRole", next, &[]).await;
    assert_eq!((ids(&second), second["pageToken"].as_str().unwrap()), (vec!["g1".to_owned()], ""));
    let oldest = stage.does("alice", "getJoinedGroupsByRole", json!([{"count": 3, "order": true}, 0]), &[]).await;
    assert_eq!(ids(&oldest), ["g1", "g2", "g3"]);
    let owned = stage.does("alice", "getJoinedGroupsByRole", json!([{"count": 100}, 3]), &[]).await;
    assert_eq!(ids(&owned), ["g3", "g2", "g1"]);
    let named = stage.does("alice", "getJoinedGroups", json!([["g4", "g1", "unknown"]]), &[]).await;
    assert_eq!(named[0]["groupId"], "g4");
    assert_eq!((&named[0]["role"], &named[1]["role"], named.as_array().unwrap().len()), (&json!(1), &json!(3), 2));
}
