//! Applications, invitations, and approvals.

use serde_json::{Value, json};

use crate::stage::Stage;

/// A stage with one group of alice, with bob as a member.
async fn group(join: u8, invitee_consent: u8) -> Stage {
    let mut stage = Stage::with(&["alice", "bob", "carol"]).await;
    let info = json!({"groupId": "g1", "groupName": "First", "joinPermission": join, "invitePermission": 2});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    let info = json!({"groupId": "g1", "inviteHandlePermission": invitee_consent});
    if invitee_consent == 1 {
        stage.does("alice", "updateGroupInfo", json!([info]), &[("alice", 1), ("bob", 1)]).await;
    }
    stage
}

fn process(code: u64) -> Value {
    json!({ "processCode": code })
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_come_before_those_who_decide() {
    let mut stage = group(2, 0).await;
    let both = [("alice", 1), ("carol", 1)];
    let asked = stage.does("carol", "joinGroup", json!(["g1"]), &both).await;
    assert_eq!(asked, process(25424));
    let none = json!({"$undefined": true});
    stage.does("alice", "refuseGroupApplication", json!(["g1", "carol", none, "not now"]), &both).await;
    stage.does("carol", "joinGroup", json!(["g1"]), &both).await;
    // a later manager was not notified, and finds it in the list
    stage.does("alice", "addGroupManagers", json!(["g1", ["bob"]]), &[("alice", 1), ("bob", 1)]).await;
    stage.does("bob", "getGroupApplications", json!([{"count": 20}]), &[]).await;
    let all = [("alice", 2), ("bob", 2), ("carol", 2)];
    stage.does("bob", "acceptGroupApplication", json!(["g1", "carol"]), &all).await;
    stage.refused("alice", "acceptGroupApplication", json!(["g1", "carol"]), 25428).await;
    stage.does("carol", "getGroupApplications", json!([{"count": 20, "order": true}]), &[]).await;
    insta::assert_json_snapshot!("applications", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_by_a_member_waits_for_the_owner_and_then_for_the_invitee() {
    let mut stage = group(0, 1).await;
    let two = [("alice", 1), ("bob", 1)];
    let three = [("alice", 1), ("bob", 1), ("carol", 1)];
    assert_eq!(stage.does("bob", "inviteUsersToGroup", json!(["g1", ["carol"]]), &two).await, process(25424));
    stage.does("alice", "acceptGroupApplication", json!(["g1", "carol", "bob"]), &three).await;
    stage.does("carol", "refuseGroupInvite", json!(["g1", "bob", "busy"]), &three).await;
    stage.refused("carol", "acceptGroupInvite", json!(["g1", "bob"]), 25428).await;
    stage.does("bob", "inviteUsersToGroup", json!(["g1", ["carol"]]), &two).await;
    stage.does("alice", "acceptGroupApplication", json!(["g1", "carol", "bob"]), &three).await;
    let joined = [("alice", 2), ("bob", 2), ("carol", 2)];
    stage.does("carol", "acceptGroupInvite", json!(["g1", "bob"]), &joined).await;
    for user in ["alice", "bob", "carol"] {
        stage.does(user, "getGroupApplications", json!([{"count": 20}]), &[]).await;
    }
    insta::assert_json_snapshot!("invitation_with_both_consents", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_by_a_member_waits_for_the_owner_alone() {
    let mut stage = group(0, 0).await;
    let two = [("alice", 1), ("bob", 1)];
    assert_eq!(stage.does("bob", "inviteUsersToGroup", json!(["g1", ["carol"]]), &two).await, process(25424));
    stage.does("alice", "refuseGroupApplication", json!(["g1", "carol", "bob", "no"]), &two).await;
    stage.does("bob", "inviteUsersToGroup", json!(["g1", ["carol"]]), &two).await;
    let joined = [("alice", 2), ("bob", 2), ("carol", 1)];
    stage.does("alice", "acceptGroupApplication", json!(["g1", "carol", "bob"]), &joined).await;
    insta::assert_json_snapshot!("invitation_with_the_owners_consent", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_by_the_owner_waits_for_the_invitee_or_for_nobody() {
    let mut stage = group(0, 1).await;
    let sides = [("alice", 1), ("carol", 1)];
    assert_eq!(stage.does("alice", "inviteUsersToGroup", json!(["g1", ["carol"]]), &sides).await, process(25427));
    let joined = [("alice", 2), ("bob", 1), ("carol", 2)];
    stage.does("carol", "acceptGroupInvite", json!(["g1", "alice"]), &joined).await;
    let all = [("alice", 1), ("bob", 1), ("carol", 1)];
    stage.does("carol", "quitGroup", json!(["g1"]), &all).await;
    let change = json!({"groupId": "g1", "inviteHandlePermission": 0});
    stage.does("alice", "updateGroupInfo", json!([change]), &[("alice", 1), ("bob", 1)]).await;
    assert_eq!(stage.does("alice", "inviteUsersToGroup", json!(["g1", ["carol"]]), &all).await, process(0));
    insta::assert_json_snapshot!("invitation_by_the_owner", stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_be_in_from_the_start_may_have_to_agree() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    let info = json!({"groupId": "g1", "groupName": "First", "inviteHandlePermission": 1});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    stage.does("bob", "acceptGroupInvite", json!(["g1", "alice"]), &[("alice", 2), ("bob", 2)]).await;
    insta::assert_json_snapshot!("created_with_consent", stage.records().await);
}
