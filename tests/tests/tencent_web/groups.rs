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
async fn applicants_wait_for_an_admin() {
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
async fn added_users_are_notified_before_the_group() {
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

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_group_is_created_with_its_options() {
    let mut stage = Stage::with(&["alice", "alice.pad", "bob"]).await;
    let texts = json!({"introduction": "intro", "notification": "note", "avatar": "http://x/y.png"});
    for (kind, options, expected) in [
        ("Private", json!({}), json!(["DisableApply", "FreeAccess"])),
        ("Public", json!({}), json!(["NeedPermission", "DisableInvite"])),
        (
            "Public",
            json!({"joinOption": "FreeAccess", "inviteOption": "FreeAccess"}),
            json!(["FreeAccess", "FreeAccess"]),
        ),
        (
            "Public",
            json!({"joinOption": "DisableApply", "inviteOption": "NeedPermission"}),
            json!(["DisableApply", "NeedPermission"]),
        ),
        ("ChatRoom", json!({}), json!(["FreeAccess", "DisableInvite"])),
        ("AVChatRoom", json!({}), json!(["FreeAccess", "DisableInvite"])),
        ("Community", json!({}), json!(["FreeAccess", "FreeAccess"])),
    ] {
        let mut all = json!({"name": kind, "type": kind, "maxMemberNum": 10});
        for more in [&texts, &options] {
            all.as_object_mut().expect("options").extend(more.as_object().expect("options").clone());
        }
        if kind != "AVChatRoom" {
            all["memberList"] = json!([{"userID": "bob"}]);
        }
        let group = stage.group("alice", all.clone()).await;
        // the SDK asks for eight profiles a second at most, of which it uses some itself
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let id = group["groupID"].as_str().expect("an id");
        let found = stage.calls("alice.pad", "getGroupProfile", json!([{"groupID": id}])).await;
        let found = &found["data"]["group"];
        for field in ["name", "type", "introduction", "notification", "avatar"] {
            assert_eq!(found[field], all[field], "{kind} {field}: {found}");
        }
        assert_eq!(json!([found["joinOption"], found["inviteOption"]]), expected, "{kind} {options}");
        assert_eq!(found["ownerID"], "alice", "{kind}");
        assert_eq!(found["memberCount"], if kind == "AVChatRoom" { 1 } else { 2 }, "{kind}");
        assert_eq!(id.starts_with("@TGS#_"), kind == "Community", "{kind} {id}");
        // the SDK keeps none of a live room that it has not joined
        let role = &found["selfInfo"]["role"];
        assert_eq!(role, if kind == "AVChatRoom" { "" } else { "Owner" }, "{kind}");
    }
    stage.refused("alice", "createGroup", json!([{"name": "No type"}]), 2600).await;
    stage
        .refused("alice", "createGroup", json!([{"name": "Bad id", "type": "Public", "groupID": "@TGS#mine"}]), 10004)
        .await;
    // what strangers find, and what they do not
    let groups = stage.calls("bob", "getGroupList", json!([])).await;
    let groups = groups["data"]["groupList"].as_array().expect("groups").clone();
    let mut kinds: Vec<&str> = groups.iter().filter_map(|group| group["type"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["ChatRoom", "Community", "Private", "Public", "Public", "Public"]);
    stage.enter("carol").await;
    for group in groups {
        let answer = stage.on("carol").call("searchGroupByID", json!([group["groupID"]])).await;
        let is_found = answer["refused"].is_null();
        assert_eq!(is_found, group["type"] != "Private", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_decided_from_its_notice_and_an_invitation_from_the_list() {
    let mut stage = Stage::with(&["alice", "bob", "carol"]).await;
    let members = json!([{"userID": "bob"}]);
    let options = json!({"name": "First", "type": "Public", "groupID": "g1", "joinOption": "NeedPermission",
        "inviteOption": "NeedPermission", "memberList": members});
    stage.does("alice", "createGroup", json!([options]), &[("bob", 2)]).await;
    stage.calls("carol", "joinGroup", json!([{"groupID": "g1", "applyMessage": "please"}])).await;
    let notice = stage.messages("alice", 1).await.remove(0);
    assert_eq!(notice["payload"]["operationType"], 1);
    let decision = json!([notice["ID"], {"handleAction": "Reject", "handleMessage": "not now"}]);
    stage.calls("alice", "handleNotice", decision.clone()).await;
    stage.receives(&[("carol", 1)]).await;
    stage.refused("alice", "handleNotice", decision, 10024).await;
    // a member invites, and who approves it decides
    let invited =
        stage.does("bob", "addGroupMember", json!([{"groupID": "g1", "userIDList": ["carol"]}]), &[("alice", 1)]).await;
    assert_eq!(invited["data"]["successUserIDList"], json!([]), "{invited}");
    let list = stage.calls("alice", "getGroupApplicationList", json!([])).await;
    let application = &list["data"]["applicationList"][0];
    assert_eq!((&application["applicationType"], &application["userID"]), (&json!(2), &json!("carol")), "{list}");
    let decision = json!([{"handleAction": "Agree", "application": application}]);
    stage.does("alice", "handleGroupApplication", decision, &[("alice", 1), ("bob", 1), ("carol", 2)]).await;
    stage.refused("bob", "updateGroupProfile", json!([{"groupID": "g1", "joinOption": "FreeAccess"}]), 10007).await;
    insta::assert_json_snapshot!("decided", stage.seen().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_and_tips_reach_exactly_those_they_are_for() {
    let mut stage = Stage::with(&["alice", "alice.pad", "bob"]).await;
    let pad = ("alice.pad", 1);
    // the user's other clients are notified of what one client does
    let created = json!([{"name": "First", "type": "Public", "groupID": "g1", "memberList": [{"userID": "bob"}]}]);
    stage.does("alice", "createGroup", created, &[("alice.pad", 2), ("bob", 2)]).await;
    stage
        .does("bob", "setMessageRemindType", json!([{"groupID": "g1", "messageRemindType": "AcceptNotNotify"}]), &[])
        .await;
    stage
        .does(
            "alice",
            "setMessageRemindType",
            json!([{"groupID": "g1", "messageRemindType": "AcceptNotNotify"}]),
            &[pad],
        )
        .await;
    let muted = json!([{"groupID": "g1", "userID": "bob", "muteTime": 60}]);
    stage.does("alice", "setGroupMemberMuteTime", muted, &[("alice", 1), pad, ("bob", 2)]).await;
    let admin = json!([{"groupID": "g1", "userID": "bob", "role": "Admin"}]);
    stage.does("alice", "setGroupMemberRole", admin, &[("alice", 1), pad, ("bob", 2)]).await;
    let member = json!([{"groupID": "g1", "userID": "bob", "role": "Member"}]);
    stage.does("alice", "setGroupMemberRole", member, &[("alice", 1), pad, ("bob", 2)]).await;
    // the app's own notice, a ban and its end
    let vendor_api = stage.served.vendor_apis().await.tencent;
    let notice = json!({"GroupId": "g1", "Content": "closing soon", "ToMembers_Account": ["bob"]});
    assert!(vendor_api.call("group_open_http_svc/send_group_system_notification", &notice).await.is_ok());
    stage.receives(&[("bob", 1)]).await;
    let ban = json!({"GroupId": "g1", "Members_Account": ["bob"], "Duration": 60, "Description": "spam"});
    assert!(vendor_api.call("group_open_http_svc/ban_group_member", &ban).await.is_ok());
    stage.receives(&[("bob", 1)]).await;
    let unban = json!({"GroupId": "g1", "Members_Account": ["bob"]});
    assert!(vendor_api.call("group_open_http_svc/unban_group_member", &unban).await.is_ok());
    stage.receives(&[("bob", 1)]).await;
    stage.refused("alice", "changeGroupOwner", json!([{"groupID": "g1", "newOwnerID": "bob"}]), 10004).await;
    insta::assert_json_snapshot!("receivers", stage.seen().await);
}
