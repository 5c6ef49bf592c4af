//! Groups from their creation to their end, by every method there is: the events that each user receives.

use std::collections::BTreeSet;
use std::fs;

use conclave_tests::sdk::node;
use serde_json::{Value, json};

use crate::legacy;
use crate::stage::{AGORA_CHAT, EASEMOB, PRESENCE_TYPES, Stage};

/// The methods of the SDKs' group module, without their former names.
const METHODS: [&str; 51] = [
    "acceptGroupInvite",
    "acceptGroupJoinRequest",
    "addUsersToGroupAllowlist",
    "blockGroupMember",
    "blockGroupMembers",
    "blockGroupMessage",
    "blockGroupMessages",
    "changeGroupOwner",
    "createGroup",
    "createGroupVNext",
    "deleteGroupSharedFile",
    "destroyGroup",
    "disableSendGroupMsg",
    "downloadGroupSharedFile",
    "enableSendGroupMsg",
    "fetchGroupAnnouncement",
    "getGroupAdmin",
    "getGroupAllowlist",
    "getGroupBlocklist",
    "getGroupInfo",
    "getGroupMemberAttributes",
    "getGroupMembers",
    "getGroupMembersAttributes",
    "getGroupMsgReadUser",
    "getGroupMutelist",
    "getGroupSharedFilelist",
    "getJoinedGroups",
    "getJoinedGroupsCount",
    "getPublicGroups",
    "inviteUsersToGroup",
    "isInGroupAllowlist",
    "isInGroupMutelist",
    "joinGroup",
    "leaveGroup",
    "listGroupMembers",
    "modifyGroup",
    "muteGroupMember",
    "rejectGroupInvite",
    "rejectGroupJoinRequest",
    "removeGroupAdmin",
    "removeGroupAllowlistMember",
    "removeGroupMember",
    "removeGroupMembers",
    "setGroupAdmin",
    "setGroupMemberAttributes",
    "unblockGroupMember",
    "unblockGroupMembers",
    "unblockGroupMessage",
    "unmuteGroupMember",
    "updateGroupAnnouncement",
    "uploadGroupSharedFile",
];

/// A group of ann with ben as a member, once all devices have been notified.
async fn group(stage: &mut Stage, options: Value) -> String {
    let mut data = json!({"groupname": "First", "desc": "about", "members": ["ben"], "public": true, "approval": true,
        "allowinvites": false, "inviteNeedConfirm": true, "maxusers": 50});
    for (key, value) in options.as_object().unwrap() {
        data[key] = value.clone();
    }
    let received: [(&str, &[&str]); 2] = [("ann.pad", &["create", "memberPresence"]), ("ben", &["directJoined"])];
    let made = stage.does("ann", "createGroup", json!({"data": data}), &received).await;
    made["data"]["groupid"].as_str().unwrap().to_owned()
}

/// The users of [`life`].
pub(crate) const USERS: [&str; 4] = ["ann", "ann.pad", "ben", "cid"];

/// The life of a group, by every method. The events are the same in Node.js and in a browser.
pub(crate) async fn life(stage: &mut Stage, label: &str) {
    let id = group(stage, json!({})).await;
    let of = |more: Value| {
        let mut args = json!({"groupId": id});
        for (key, value) in more.as_object().unwrap() {
            args[key] = value.clone();
        }
        args
    };
    macro_rules! does {
        ($user:literal $method:literal $args:tt $(, $who:literal: $($event:literal)+)*) => {
            let received: &[(&str, &[&str])] = &[$(($who, &[$($event),+])),*];
            stage.does($user, $method, of(json!($args)), received).await;
        };
    }

    // what there is
    does!("cid" "getPublicGroups" {"limit": 10});
    does!("ben" "getJoinedGroups" {"pageNum": 1, "pageSize": 10});
    does!("ben" "getJoinedGroups" {"pageNum": 0, "pageSize": 10, "needAffiliations": true, "needRole": true});
    does!("ben" "getJoinedGroupsCount" {});
    does!("ben" "getGroupInfo" {});
    does!("ben" "listGroupMembers" {"pageNum": 1, "pageSize": 10});
    does!("ben" "getGroupMembers" {"cursor": "", "limit": 10});

    does!("ann" "modifyGroup" {"groupName": "Second", "description": "more"}, "ann.pad": "updateInfo", "ben": "updateInfo");
    does!("ann" "updateGroupAnnouncement" {"announcement": "read"}, "ann.pad": "updateAnnouncement", "ben": "updateAnnouncement");
    does!("ben" "fetchGroupAnnouncement" {});
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
    does!("ben" "getGroupAdmin" {});
    does!("ben" "muteGroupMember" {"username": "cid", "muteDuration": 3_600_000},
        "cid": "muteMember", "ann": "muteMember", "ann.pad": "muteMember");
    does!("ben" "getGroupMutelist" {});
    does!("cid" "isInGroupMutelist" {});
    does!("ben" "unmuteGroupMember" {"username": "cid"},
        "cid": "unmuteMember", "ann": "unmuteMember", "ann.pad": "unmuteMember");
    does!("ann" "removeGroupAdmin" {"username": "ben"}, "ben": "removeAdmin");

    // moderation
    does!("ann" "disableSendGroupMsg" {}, "ben": "muteAllMembers", "cid": "muteAllMembers");
    does!("ann" "addUsersToGroupAllowlist" {"users": ["cid"]}, "cid": "addUserToAllowlist");
    does!("ann" "getGroupAllowlist" {});
    does!("cid" "isInGroupAllowlist" {"userName": "cid"});
    does!("ann" "removeGroupAllowlistMember" {"userName": "cid"}, "cid": "removeAllowlistMember");
    does!("ann" "enableSendGroupMsg" {}, "ben": "unmuteAllMembers", "cid": "unmuteAllMembers");

    // attributes
    does!("ben" "setGroupMemberAttributes" {"userId": "ben", "memberAttributes": {"mood": "good"}},
        "ann": "memberAttributesUpdate", "ann.pad": "memberAttributesUpdate", "cid": "memberAttributesUpdate");

    does!("ann" "getGroupMemberAttributes" {"userId": "ben"});
    does!("ann" "getGroupMembersAttributes" {"userIds": ["ben", "ann"], "keys": ["mood"]});

    // files
    let three = ["ann", "ann.pad", "cid"];
    let received = |event: &'static [&'static str]| three.map(|user| (user, event));
    let shared = json!({"groupId": id, "name": "notes.txt", "text": "what was said"});
    let shared = stage.does("ben", "uploadGroupSharedFile", shared, &received(&["uploadFile"])).await;
    let file = shared["answer"]["data"]["file_id"].as_str().unwrap_or_else(|| panic!("{shared}")).to_owned();
    does!("cid" "getGroupSharedFilelist" {"pageNum": 1, "pageSize": 10});
    let named = json!({"groupId": id, "fileId": file});
    assert_eq!(stage.does("cid", "downloadGroupSharedFile", named.clone(), &[]).await, "what was said");
    let refused = stage.refused("cid", "deleteGroupSharedFile", named.clone()).await;
    assert_eq!(refused["type"], 17, "a member deletes own files only");
    stage.does("ben", "deleteGroupSharedFile", named, &received(&["deleteFile"])).await;

    // messages, as far as groups have methods for them
    let say = |said: &str| json!({"chatType": "groupChat", "type": "txt", "to": id, "msg": said, "msgConfig": {"allowGroupAck": true}});
    does!("cid" "blockGroupMessage" {});
    let received: [(&str, &[&str]); 2] = [("ann.pad", &["onTextMessage"]), ("ben", &["onTextMessage"])];
    let said = stage.does("ann", "say", say("not for cid"), &received).await;
    does!("cid" "unblockGroupMessage" {});
    does!("cid" "blockGroupMessages" {});
    let mid = said["serverMsgId"].as_str().unwrap().to_owned();
    let read = json!({"chatType": "groupChat", "type": "read", "to": id, "id": mid, "msgConfig": {"allowGroupAck": true}, "ackContent": "seen"});
    let received: [(&str, &[&str]); 2] = [("ann", &["onReadMessage"]), ("ann.pad", &["onReadMessage"])];
    stage.does("ben", "say", read, &received).await;
    does!("ann" "getGroupMsgReadUser" {"msgId": mid});

    // leaving
    does!("ann" "removeGroupMember" {"username": "cid"},
        "cid": "removeMember", "ann.pad": "memberAbsence", "ben": "memberAbsence");
    does!("cid" "joinGroup" {"message": ""}, "ann": "requestToJoin", "ann.pad": "requestToJoin");
    does!("ann" "acceptGroupJoinRequest" {"applicant": "cid"},
        "cid": "acceptRequest", "ann.pad": "memberPresence", "ben": "memberPresence");
    does!("ann" "blockGroupMember" {"username": "cid"}, "cid": "removeMember");
    does!("ann" "getGroupBlocklist" {});
    does!("ann" "unblockGroupMember" {"username": "cid"}, "cid": "unblockMember");
    does!("ann" "changeGroupOwner" {"newOwner": "ben"}, "ann.pad": "changeOwner", "ben": "changeOwner");
    does!("ben" "destroyGroup" {}, "ann": "destroy", "ann.pad": "destroy");

    // several at once, in a group of another kind
    let options = json!({"groupName": "Small", "members": ["ben", "cid"], "isPublic": false, "needApprovalToJoin": false,
        "allowMemberToInvite": true, "inviteNeedConfirm": false, "maxMemberCount": 10});
    let received: [(&str, &[&str]); 3] =
        [("ann.pad", &["create", "membersPresence"]), ("ben", &["directJoined"]), ("cid", &["directJoined"])];
    let made = stage.does("ann", "createGroupVNext", options, &received).await;
    let id = made["data"]["groupId"].as_str().unwrap().to_owned();
    let both = json!({"groupId": id, "usernames": ["ben", "cid"]});
    let received: [(&str, &[&str]); 2] = [("ben", &["removeMember"]), ("cid", &["removeMember"])];
    stage.does("ann", "blockGroupMembers", both.clone(), &received).await;
    let received: [(&str, &[&str]); 2] = [("ben", &["unblockMember"]), ("cid", &["unblockMember"])];
    stage.does("ann", "unblockGroupMembers", both, &received).await;
    let received: [(&str, &[&str]); 2] = [("ben", &["directJoined"]), ("ann.pad", &["acceptInvite", "memberPresence"])];
    stage.does("ann", "inviteUsersToGroup", json!({"groupId": id, "users": ["ben"]}), &received).await;
    let received: [(&str, &[&str]); 2] = [("ben", &["removeMember"]), ("ann.pad", &["memberAbsence"])];
    stage.does("ann", "removeGroupMembers", json!({"groupId": id, "users": ["ben"]}), &received).await;

    let called = stage.methods();
    let left: Vec<&str> = METHODS.into_iter().filter(|method| !called.contains(*method)).collect();
    assert!(left.is_empty(), "not called: {left:?}");
    insta::assert_json_snapshot!(format!("{label}-life"), stage.records().await);
    assert_eq!(stage.presence_types(), PRESENCE_TYPES.map(str::to_owned).into());
}

/// The suites call every method of groups, under every name: those in the types of all releases that have any, from which
/// the vendor generates the reference of its group module. Each list of names is checked where its methods are called.
#[test]
fn every_method_of_the_types_is_called() {
    let called: BTreeSet<&str> = METHODS.into_iter().chain(legacy::METHODS).chain(legacy::FORMER_NAMES).collect();
    for (types, count) in [
        ("agora-chat/Agora-chat.d.ts", 84),
        ("easemob-websdk/Easemob-chat.d.ts", 84),
        ("agora-chat-1.3/Agora-chat.d.ts", 79),
        ("agora-chat-1.0.4/Agora-chat.d.ts", 66),
        ("easemob-websdk-4.0.1/Easemob-chat.d.ts", 64),
    ] {
        let text = fs::read_to_string(node::packages("").join("node_modules").join(types)).unwrap();
        let (_, section) = text.split_once("// Group API").unwrap();
        let (section, _) = section.split_once("// Contact API").unwrap();
        // declarations are indented by two steps, in comments and parameters by more
        let lines = section.lines().filter_map(|line| {
            line.strip_prefix("\t\t")
                .or(line.strip_prefix("        "))
                .filter(|line| line.starts_with(|letter: char| letter.is_ascii_alphabetic()))
        });
        let methods: BTreeSet<&str> =
            lines.map(|line| line.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap()).collect();
        assert_eq!(methods.len(), count, "{types}: {methods:?}");
        assert_eq!(&methods - &called, BTreeSet::new(), "{types}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_agora_chat() {
    life(&mut Stage::with(AGORA_CHAT, &USERS).await, "agora-chat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_easemob_websdk() {
    life(&mut Stage::with(EASEMOB, &USERS).await, "easemob-websdk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_are_one_event_and_shielding_keeps_messages_out() {
    let mut stage = Stage::with(AGORA_CHAT, &["ann", "ann.pad", "ben", "cid"]).await;
    let data = json!({"groupname": "Many", "desc": "", "members": ["ben", "cid"], "public": true, "approval": false,
        "allowinvites": true, "inviteNeedConfirm": false, "maxusers": 50});
    let received: [(&str, &[&str]); 3] =
        [("ann.pad", &["create", "membersPresence"]), ("ben", &["directJoined"]), ("cid", &["directJoined"])];
    let made = stage.does("ann", "createGroup", json!({"data": data}), &received).await;
    let id = made["data"]["groupid"].as_str().unwrap().to_owned();

    let say = |said: &str| json!({"chatType": "groupChat", "type": "txt", "to": id, "msg": said});
    stage.does("ben", "blockGroupMessage", json!({"groupId": id}), &[]).await;
    let received: [(&str, &[&str]); 2] = [("ann.pad", &["onTextMessage"]), ("cid", &["onTextMessage"])];
    stage.does("ann", "say", say("not for ben"), &received).await;
    stage.does("ben", "unblockGroupMessage", json!({"groupId": id}), &[]).await;
    let received: [(&str, &[&str]); 3] =
        [("ann.pad", &["onTextMessage"]), ("ben", &["onTextMessage"]), ("cid", &["onTextMessage"])];
    stage.does("ann", "say", say("for all"), &received).await;
    let mut some = say("for cid");
    some["receiverList"] = json!(["cid"]);
    stage.does("ann", "say", some, &[("ann.pad", &["onTextMessage"]), ("cid", &["onTextMessage"])]).await;

    let received: [(&str, &[&str]); 3] =
        [("ann.pad", &["membersAbsence"]), ("ben", &["removeMember"]), ("cid", &["removeMember"])];
    stage.does("ann", "removeGroupMembers", json!({"groupId": id, "users": ["ben", "cid"]}), &received).await;
    let received: [(&str, &[&str]); 2] = [("ann", &["memberPresence"]), ("ann.pad", &["memberPresence"])];
    stage.does("ben", "joinGroup", json!({"groupId": id, "message": ""}), &received).await;
    insta::assert_json_snapshot!(stage.records().await);
}
