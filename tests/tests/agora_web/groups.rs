//! Groups from their creation to their end: the events that each user receives.

use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, Stage};

/// A group of ann with ben as a member, once all devices have been notified.
async fn group(stage: &mut Stage, options: Value) -> String {
    let mut data = json!({"groupname": "First", "desc": "about", "members": ["ben"], "public": true, "approval": true,
        "allowinvites": false, "inviteNeedConfirm": true, "maxusers": 50});
    for (key, value) in options.as_object().unwrap() {
        data[key] = value.clone();
    }
    let heard: [(&str, &[&str]); 2] = [("ann.pad", &["create", "memberPresence"]), ("ben", &["directJoined"])];
    let made = stage.does("ann", "createGroup", json!({"data": data}), &heard).await;
    made["data"]["groupid"].as_str().unwrap().to_owned()
}

async fn life(package: &'static str, label: &str) {
    let mut stage = Stage::with(package, &["ann", "ann.pad", "ben", "cid"]).await;
    let id = group(&mut stage, json!({})).await;
    let of = |more: Value| {
        let mut args = json!({"groupId": id});
        for (key, value) in more.as_object().unwrap() {
            args[key] = value.clone();
        }
        args
    };
    macro_rules! does {
        ($user:literal $method:literal $args:tt $(, $who:literal: $($event:literal)+)*) => {
            let heard: &[(&str, &[&str])] = &[$(($who, &[$($event),+])),*];
            stage.does($user, $method, of(json!($args)), heard).await;
        };
    }

    does!("ann" "modifyGroup" {"groupName": "Second", "description": "more"}, "ann.pad": "updateInfo", "ben": "updateInfo");
    does!("ann" "updateGroupAnnouncement" {"announcement": "read"}, "ann.pad": "updateAnnouncement", "ben": "updateAnnouncement");
    does!("ann" "updateGroupAnnouncement" {"announcement": ""}, "ann.pad": "deleteAnnouncement", "ben": "deleteAnnouncement");

    // asking to join
    does!("cid" "joinGroup" {"message": "please"}, "ann": "requestToJoin", "ann.pad": "requestToJoin");
    does!("ann" "rejectGroupJoinRequest" {"applicant": "cid", "reason": "later"}, "cid": "joinPublicGroupDeclined");
    does!("cid" "joinGroup" {"message": ""}, "ann": "requestToJoin", "ann.pad": "requestToJoin");
    does!("ann" "acceptGroupJoinRequest" {"applicant": "cid"},
        "cid": "acceptRequest", "ann.pad": "memberPresence", "ben": "memberPresence");

    // leaving, inviting
    does!("cid" "leaveGroup" {}, "ann": "memberAbsence", "ann.pad": "memberAbsence", "ben": "memberAbsence");
    does!("ann" "inviteUsersToGroup" {"users": ["cid"]}, "cid": "inviteToJoin");
    does!("cid" "rejectGroupInvite" {"invitee": "cid"}, "ann": "rejectInvite", "ann.pad": "rejectInvite");
    does!("ann" "inviteUsersToGroup" {"users": ["cid"]}, "cid": "inviteToJoin");
    does!("cid" "acceptGroupInvite" {"invitee": "cid"},
        "ann": "acceptInvite" "memberPresence", "ann.pad": "acceptInvite" "memberPresence", "ben": "memberPresence");

    // roles
    does!("ann" "setGroupAdmin" {"username": "ben"}, "ben": "setAdmin");
    does!("ben" "muteGroupMember" {"username": "cid", "muteDuration": 3_600_000},
        "cid": "muteMember", "ann": "muteMember", "ann.pad": "muteMember");
    does!("ben" "unmuteGroupMember" {"username": "cid"},
        "cid": "unmuteMember", "ann": "unmuteMember", "ann.pad": "unmuteMember");
    does!("ann" "removeGroupAdmin" {"username": "ben"}, "ben": "removeAdmin");

    // moderation
    does!("ann" "disableSendGroupMsg" {}, "ben": "muteAllMembers", "cid": "muteAllMembers");
    does!("ann" "addUsersToGroupAllowlist" {"users": ["cid"]}, "cid": "addUserToAllowlist");
    does!("ann" "removeGroupAllowlistMember" {"userName": "cid"}, "cid": "removeAllowlistMember");
    does!("ann" "enableSendGroupMsg" {}, "ben": "unmuteAllMembers", "cid": "unmuteAllMembers");

    // attributes
    does!("ben" "setGroupMemberAttributes" {"userId": "ben", "memberAttributes": {"mood": "good"}},
        "ann": "memberAttributesUpdate", "ann.pad": "memberAttributesUpdate", "cid": "memberAttributesUpdate");

    // leaving
    does!("ann" "removeGroupMember" {"username": "cid"},
        "cid": "removeMember", "ann.pad": "memberAbsence", "ben": "memberAbsence");
    does!("cid" "joinGroup" {"message": ""}, "ann": "requestToJoin", "ann.pad": "requestToJoin");
    does!("ann" "acceptGroupJoinRequest" {"applicant": "cid"},
        "cid": "acceptRequest", "ann.pad": "memberPresence", "ben": "memberPresence");
    does!("ann" "blockGroupMember" {"username": "cid"}, "cid": "removeMember");
    does!("ann" "unblockGroupMember" {"username": "cid"}, "cid": "unblockMember");
    does!("ann" "changeGroupOwner" {"newOwner": "ben"}, "ann.pad": "changeOwner", "ben": "changeOwner");
    does!("ben" "destroyGroup" {}, "ann": "destroy", "ann.pad": "destroy");

    insta::assert_json_snapshot!(format!("{label}-life"), stage.told().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_agora_chat() {
    life(AGORA_CHAT, "agora-chat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_easemob_websdk() {
    life(EASEMOB, "easemob-websdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_are_one_event_and_shielding_keeps_messages_out() {
    let mut stage = Stage::with(AGORA_CHAT, &["ann", "ann.pad", "ben", "cid"]).await;
    let data = json!({"groupname": "Many", "desc": "", "members": ["ben", "cid"], "public": true, "approval": false,
        "allowinvites": true, "inviteNeedConfirm": false, "maxusers": 50});
    let heard: [(&str, &[&str]); 3] =
        [("ann.pad", &["create", "membersPresence"]), ("ben", &["directJoined"]), ("cid", &["directJoined"])];
    let made = stage.does("ann", "createGroup", json!({"data": data}), &heard).await;
    let id = made["data"]["groupid"].as_str().unwrap().to_owned();

    let say = |said: &str| json!({"chatType": "groupChat", "type": "txt", "to": id, "msg": said});
    stage.does("ben", "blockGroupMessage", json!({"groupId": id}), &[]).await;
    let heard: [(&str, &[&str]); 2] = [("ann.pad", &["onTextMessage"]), ("cid", &["onTextMessage"])];
    stage.does("ann", "say", say("not for ben"), &heard).await;
    stage.does("ben", "unblockGroupMessage", json!({"groupId": id}), &[]).await;
    let heard: [(&str, &[&str]); 3] =
        [("ann.pad", &["onTextMessage"]), ("ben", &["onTextMessage"]), ("cid", &["onTextMessage"])];
    stage.does("ann", "say", say("for all"), &heard).await;
    let mut some = say("for cid");
    some["receiverList"] = json!(["cid"]);
    stage.does("ann", "say", some, &[("ann.pad", &["onTextMessage"]), ("cid", &["onTextMessage"])]).await;

    let heard: [(&str, &[&str]); 3] =
        [("ann.pad", &["membersAbsence"]), ("ben", &["removeMember"]), ("cid", &["removeMember"])];
    stage.does("ann", "removeGroupMembers", json!({"groupId": id, "users": ["ben", "cid"]}), &heard).await;
    let heard: [(&str, &[&str]); 2] = [("ann", &["memberPresence"]), ("ann.pad", &["memberPresence"])];
    stage.does("ben", "joinGroup", json!({"groupId": id, "message": ""}), &heard).await;
    insta::assert_json_snapshot!(stage.told().await);
}
