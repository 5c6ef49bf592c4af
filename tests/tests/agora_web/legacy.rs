//! SDKs from before the binary WebSocket, over `SockJS`, by the methods and events of the older guide.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, PRESENCE_TYPES, Stage};

/// Names that no guide uses any more: releases after the older guide renamed some methods again, and kept these names.
pub(crate) const FORMER_NAMES: [&str; 5] =
    ["getGroupBlacklist", "getGroupMuteList", "getGroupWhitelist", "isInGroupWhiteList", "removeGroupWhitelistMember"];

/// The methods of the older guide.
pub(crate) const METHODS: [&str; 40] = [
    "addUsersToGroupWhitelist",
    "agreeInviteIntoGroup",
    "agreeJoinGroup",
    "blockGroup",
    "changeOwner",
    "createGroupNew",
    "deleteGroupSharedFile",
    "disableSendGroupMsg",
    "dissolveGroup",
    "enableSendGroupMsg",
    "fetchGroupAnnouncement",
    "fetchGroupSharedFileList",
    "getGroup",
    "getGroupAdmin",
    "getGroupBlacklistNew",
    "getGroupInfo",
    "getGroupWhitelist",
    "getMuted",
    "groupBlockMulti",
    "groupBlockSingle",
    "inviteToGroup",
    "isGroupWhiteUser",
    "joinGroup",
    "listGroupMember",
    "listGroups",
    "modifyGroup",
    "mute",
    "quitGroup",
    "rejectInviteIntoGroup",
    "rejectJoinGroup",
    "removeAdmin",
    "removeGroupBlockMulti",
    "removeGroupBlockSingle",
    "removeMultiGroupMember",
    "removeMute",
    "removeSingleGroupMember",
    "rmUsersFromGroupWhitelist",
    "setAdmin",
    "updateGroupAnnouncement",
    "uploadGroupSharedFile",
];

/// One action of a user: the events of each user, and those of the acting device if its SDK does not name it.
struct Step {
    user: &'static str,
    method: &'static str,
    args: Value,
    received: Vec<(&'static str, &'static str)>,
    own: Vec<&'static str>,
}

macro_rules! steps {
    ($($user:literal $method:literal $args:tt $own:tt $(, $who:literal: $event:literal)*;)*) => {
        vec![$(Step { user: $user, method: $method, args: json!($args), received: vec![$(($who, $event)),*], own: vec! $own }),*]
    };
}

/// The users of [`life`].
pub(crate) const USERS: [&str; 3] = ["ann", "ben", "cid"];

/// The life of a group, by the methods of the older guide. The events are the same in Node.js and in a browser.
pub(crate) async fn life(stage: &mut Stage, package: &str, names_device: bool) {
    let data = json!({"groupname": "First", "desc": "about", "members": ["ben"], "public": true, "approval": true,
        "allowinvites": false, "inviteNeedConfirm": true, "maxusers": 50});
    let received: [(&str, &[&str]); 2] = [("ben", &["direct_joined"]), ("ann", &["memberJoinPublicGroupSuccess"])];
    let received = if names_device { &received[..1] } else { &received };
    let made = stage.does("ann", "createGroupNew", json!({"data": data}), received).await;
    let id = made["data"]["groupid"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    for step in guide() {
        step.take(stage, &id, names_device).await;
    }
    files(stage, &id, names_device).await;
    for step in steps! {
        "ann" "removeSingleGroupMember" {"username": "ben"} ["leaveGroup"], "ben": "removedFromGroup";
        "ann" "inviteToGroup" {"users": ["ben"]} [], "ben": "invite";
        "ben" "agreeInviteIntoGroup" {"invitee": "ben"} [], "ann": "invite_accept", "ann": "memberJoinPublicGroupSuccess";
        "ann" "dissolveGroup" {} ["deleteGroupChat"], "ben": "deleteGroupChat";
    } {
        step.take(stage, &id, names_device).await;
    }
    let called = stage.methods();
    let left: Vec<&str> = METHODS.into_iter().filter(|method| !called.contains(*method)).collect();
    assert!(left.is_empty(), "not called: {left:?}");
    let records = stage.records().await;
    assert_eq!(stage.presence_types(), PRESENCE_TYPES.map(str::to_owned).into());
    insta::assert_json_snapshot!(format!("{package}-life"), records);
}

impl Step {
    /// The user calls it, and each user receives the expected events.
    async fn take(self, stage: &mut Stage, id: &str, names_device: bool) {
        let mut args = json!({"groupId": id});
        for (key, value) in self.args.as_object().unwrap() {
            args[key] = value.clone();
        }
        let mut received: Vec<(&str, Vec<&str>)> = Vec::new();
        let own = self.own.iter().filter(|_| !names_device).map(|event| (self.user, *event));
        for (user, event) in self.received.iter().copied().chain(own) {
            match received.iter_mut().find(|(other, _)| *other == user) {
                Some((_, events)) => events.push(event),
                None => received.push((user, vec![event])),
            }
        }
        let received: Vec<(&str, &[&str])> = received.iter().map(|(user, events)| (*user, &**events)).collect();
        stage.does(self.user, self.method, args, &received).await;
    }
}

/// The methods of the older guide, in an order in which they succeed.
fn guide() -> Vec<Step> {
    steps! {
        "ben" "getGroup" {} [];
        "cid" "listGroups" {"limit": 10} [];
        "ben" "getGroupInfo" {} [];
        "ben" "listGroupMember" {"pageNum": 1, "pageSize": 10} [];
        "ann" "modifyGroup" {"groupName": "Second", "description": "more"} ["update"], "ben": "update";
        "ann" "updateGroupAnnouncement" {"announcement": "read"} ["updateAnnouncement"], "ben": "updateAnnouncement";
        "ben" "fetchGroupAnnouncement" {} [];
        "ann" "updateGroupAnnouncement" {"announcement": ""} ["deleteAnnouncement"], "ben": "deleteAnnouncement";
        "cid" "joinGroup" {"message": "please"} [], "ann": "joinGroupNotifications";
        "ann" "rejectJoinGroup" {"applicant": "cid", "reason": "later"} [], "cid": "joinPublicGroupDeclined";
        "cid" "joinGroup" {"message": ""} [], "ann": "joinGroupNotifications";
        "ann" "agreeJoinGroup" {"applicant": "cid"} ["memberJoinPublicGroupSuccess"],
            "cid": "joinPublicGroupSuccess", "ben": "memberJoinPublicGroupSuccess";
        "cid" "quitGroup" {} [], "ann": "leaveGroup", "ben": "leaveGroup";
        "ann" "inviteToGroup" {"users": ["cid"]} [], "cid": "invite";
        "cid" "rejectInviteIntoGroup" {"invitee": "cid"} [], "ann": "invite_decline";
        "ann" "inviteToGroup" {"users": ["cid"]} [], "cid": "invite";
        "cid" "agreeInviteIntoGroup" {"invitee": "cid"} [],
            "ann": "invite_accept", "ann": "memberJoinPublicGroupSuccess", "ben": "memberJoinPublicGroupSuccess";
        "ann" "setAdmin" {"username": "ben"} [], "ben": "addAdmin";
        "ben" "getGroupAdmin" {} [];
        "ben" "mute" {"username": "cid", "muteDuration": 3_600_000} [], "ann": "addMute", "cid": "addMute";
        "ben" "getMuted" {} [];
        "ben" "removeMute" {"username": "cid"} [], "ann": "removeMute", "cid": "removeMute";
        "ann" "removeAdmin" {"username": "ben"} [], "ben": "removeAdmin";
        "ann" "disableSendGroupMsg" {} [], "ben": "muteGroup", "cid": "muteGroup";
        "ann" "addUsersToGroupWhitelist" {"users": ["cid"]} [], "cid": "addUserToGroupWhiteList";
        "ann" "getGroupWhitelist" {} [];
        "ann" "isGroupWhiteUser" {"userName": "cid"} [];
        "ann" "rmUsersFromGroupWhitelist" {"userName": "cid"} [], "cid": "rmUserFromGroupWhiteList";
        "ann" "enableSendGroupMsg" {} [], "ben": "rmGroupMute", "cid": "rmGroupMute";
        "cid" "blockGroup" {} [];
        "ann" "groupBlockSingle" {"username": "cid"} [], "cid": "removedFromGroup";
        "ann" "getGroupBlacklistNew" {} [];
        "ann" "removeGroupBlockSingle" {"username": "cid"} [], "cid": "allow";
        "ann" "groupBlockMulti" {"usernames": ["ben"]} [], "ben": "removedFromGroup";
        "ann" "removeGroupBlockMulti" {"usernames": ["ben"]} [], "ben": "allow";
        "ann" "inviteToGroup" {"users": ["ben", "cid"]} [], "ben": "invite", "cid": "invite";
        "cid" "agreeInviteIntoGroup" {"invitee": "cid"} [], "ann": "invite_accept", "ann": "memberJoinPublicGroupSuccess";
        "ben" "agreeInviteIntoGroup" {"invitee": "ben"} [],
            "ann": "invite_accept", "ann": "memberJoinPublicGroupSuccess", "cid": "memberJoinPublicGroupSuccess";
        "ann" "changeOwner" {"newOwner": "ben"} ["changeOwner"], "ben": "changeOwner", "cid": "changeOwner";
        "ben" "changeOwner" {"newOwner": "ann"} ["changeOwner"], "ann": "changeOwner", "cid": "changeOwner";
        "ann" "removeMultiGroupMember" {"users": ["cid"]} ["leaveGroup"], "cid": "removedFromGroup", "ben": "leaveGroup";
    }
}

/// Shared files: ann shares, ben reads, ann deletes.
async fn files(stage: &mut Stage, id: &str, names_device: bool) {
    let received = |event: &'static [&'static str]| {
        [("ben", event), ("ann", event)].into_iter().take(if names_device { 1 } else { 2 }).collect::<Vec<_>>()
    };
    let shared = json!({"groupId": id, "name": "notes.txt", "text": "what was said"});
    let shared = stage.does("ann", "uploadGroupSharedFile", shared, &received(&["uploadFile"])).await;
    let file = shared["answer"]["data"]["file_id"].as_str().unwrap_or_else(|| panic!("{shared}")).to_owned();
    stage.does("ben", "fetchGroupSharedFileList", json!({"groupId": id}), &[]).await;
    stage
        .does("ann", "deleteGroupSharedFile", json!({"groupId": id, "fileId": file}), &received(&["deleteFile"]))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_agora_chat_1_3() {
    life(&mut Stage::with("agora-chat-1.3", &USERS).await, "agora-chat-1.3", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_agora_chat_1_0() {
    life(&mut Stage::with("agora-chat-1.0.4", &USERS).await, "agora-chat-1.0.4", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_easemob_websdk_4_0() {
    life(&mut Stage::with("easemob-websdk-4.0.1", &USERS).await, "easemob-websdk-4.0.1", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_easemob_websdk_3_6() {
    life(&mut Stage::with("easemob-websdk-3.6", &USERS).await, "easemob-websdk-3.6", false).await;
}

/// The older names work in today's releases as well.
#[tokio::test(flavor = "multi_thread")]
async fn the_methods_of_the_older_guide_work_in_todays_sdks() {
    for package in [AGORA_CHAT, EASEMOB] {
        let mut stage = Stage::with(package, &USERS).await;
        let data = json!({"groupname": "First", "desc": "about", "members": ["ben"], "public": true, "approval": true,
            "allowinvites": false, "inviteNeedConfirm": true, "maxusers": 50});
        let made = stage.does("ann", "createGroupNew", json!({"data": data}), &[]).await;
        let id = made["data"]["groupid"].as_str().unwrap().to_owned();
        let shared = json!({"groupId": id, "name": "notes.txt", "text": "what was said"});
        let shared = stage.does("ann", "uploadGroupSharedFile", shared, &[]).await;
        let file = shared["answer"]["data"]["file_id"].clone();
        stage.does("ann", "fetchGroupSharedFileList", json!({"groupId": id}), &[]).await;
        stage.does("ann", "deleteGroupSharedFile", json!({"groupId": id, "fileId": file}), &[]).await;
        for step in guide() {
            let mut args = step.args;
            args["groupId"] = id.clone().into();
            stage.does(step.user, step.method, args, &[]).await;
        }
        stage.does("ann", "removeSingleGroupMember", json!({"groupId": id, "username": "ben"}), &[]).await;
        stage.does("ann", "dissolveGroup", json!({"groupId": id}), &[]).await;
        let called = stage.methods();
        let left: Vec<&str> = METHODS.into_iter().filter(|method| !called.contains(*method)).collect();
        assert!(left.is_empty(), "{package} not called: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_no_guide_uses_any_more_work() {
    for package in [AGORA_CHAT, EASEMOB, "agora-chat-1.0.4", "easemob-websdk-4.0.1"] {
        let stage = Stage::with(package, &["ann", "ben"]).await;
        let called = RefCell::new(BTreeSet::new());
        let call = async |method: &'static str, args: Value| {
            called.borrow_mut().insert(method);
            let answer = stage.on("ann").call(method, json!([args])).await;
            assert!(answer["refused"].is_null(), "{package} {method}: {answer}");
            answer["data"].clone()
        };
        let data = json!({"groupname": "First", "desc": "", "members": ["ben"], "public": true, "approval": false,
            "allowinvites": false, "inviteNeedConfirm": false, "maxusers": 50});
        let id = call("createGroup", json!({ "data": data })).await["groupid"].clone();
        call("mute", json!({"groupId": id, "username": "ben", "muteDuration": 3_600_000})).await;
        assert_eq!(call("getGroupMuteList", json!({ "groupId": id })).await[0]["user"], "ben", "{package}");
        call("addUsersToGroupWhitelist", json!({"groupId": id, "users": ["ben"]})).await;
        let listed = call("isInGroupWhiteList", json!({"groupId": id, "userName": "ben"})).await;
        assert_eq!(listed["white"], true, "{package}: {listed}");
        call("removeGroupWhitelistMember", json!({"groupId": id, "userName": "ben"})).await;
        // the owner is always on it
        assert_eq!(call("getGroupWhitelist", json!({ "groupId": id })).await, json!(["ann"]), "{package}");
        call("groupBlockSingle", json!({"groupId": id, "username": "ben"})).await;
        assert_eq!(call("getGroupBlacklist", json!({ "groupId": id })).await, json!(["ben"]), "{package}");
        let called = called.into_inner();
        assert_eq!(FORMER_NAMES.into_iter().filter(|name| !called.contains(name)).collect::<Vec<_>>(), [""; 0]);
    }
}
