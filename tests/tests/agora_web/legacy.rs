//! SDKs from before the binary WebSocket, over `SockJS`, by the methods and events of the older guide.

use serde_json::{Value, json};

use crate::stage::Stage;

/// One action of a user: the events of each user, and those of the acting device if its SDK does not name it.
struct Step {
    user: &'static str,
    method: &'static str,
    args: Value,
    heard: Vec<(&'static str, &'static str)>,
    own: Vec<&'static str>,
}

macro_rules! steps {
    ($($user:literal $method:literal $args:tt $own:tt $(, $who:literal: $event:literal)*;)*) => {
        vec![$(Step { user: $user, method: $method, args: json!($args), heard: vec![$(($who, $event)),*], own: vec! $own }),*]
    };
}

async fn life(package: &'static str, names_device: bool) {
    let mut stage = Stage::with(package, &["ann", "ben", "cid"]).await;
    let data = json!({"groupname": "First", "desc": "about", "members": ["ben"], "public": true, "approval": true,
        "allowinvites": false, "inviteNeedConfirm": true, "maxusers": 50});
    let made = stage.on("ann").call("createGroupNew", json!([{"data": data}])).await;
    let id = made["data"]["groupid"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    stage.hear(&[("ben", &["direct_joined"])]).await;
    if !names_device {
        stage.hear(&[("ann", &["memberJoinPublicGroupSuccess"])]).await;
    }
    for step in steps! {
        "ann" "modifyGroup" {"groupName": "Second", "description": "more"} ["update"], "ben": "update";
        "ann" "updateGroupAnnouncement" {"announcement": "read"} ["updateAnnouncement"], "ben": "updateAnnouncement";
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
        "ben" "mute" {"username": "cid", "muteDuration": 3_600_000} [], "ann": "addMute", "cid": "addMute";
        "ben" "removeMute" {"username": "cid"} [], "ann": "removeMute", "cid": "removeMute";
        "ann" "removeAdmin" {"username": "ben"} [], "ben": "removeAdmin";
        "ann" "disableSendGroupMsg" {} [], "ben": "muteGroup", "cid": "muteGroup";
        "ann" "addUsersToGroupWhitelist" {"users": ["cid"]} [], "cid": "addUserToGroupWhiteList";
        "ann" "rmUsersFromGroupWhitelist" {"userName": "cid"} [], "cid": "rmUserFromGroupWhiteList";
        "ann" "enableSendGroupMsg" {} [], "ben": "rmGroupMute", "cid": "rmGroupMute";
        "ann" "groupBlockSingle" {"username": "cid"} [], "cid": "removedFromGroup";
        "ann" "removeGroupBlockSingle" {"username": "cid"} [], "cid": "allow";
        "ann" "removeSingleGroupMember" {"username": "ben"} ["leaveGroup"], "ben": "removedFromGroup";
        "ann" "dissolveGroup" {} ["deleteGroupChat"];
    } {
        let mut args = json!({"groupId": id});
        for (key, value) in step.args.as_object().unwrap() {
            args[key] = value.clone();
        }
        let mut heard: Vec<(&str, Vec<&str>)> = Vec::new();
        let own = step.own.iter().filter(|_| !names_device).map(|event| (step.user, *event));
        for (user, event) in step.heard.iter().copied().chain(own) {
            match heard.iter_mut().find(|(other, _)| *other == user) {
                Some((_, events)) => events.push(event),
                None => heard.push((user, vec![event])),
            }
        }
        let heard: Vec<(&str, &[&str])> = heard.iter().map(|(user, events)| (*user, &**events)).collect();
        stage.does(step.user, step.method, args, &heard).await;
    }
    insta::assert_json_snapshot!(format!("{package}-life"), stage.told().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_agora_chat_1_3() {
    life("agora-chat-1.3", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_agora_chat_1_0() {
    life("agora-chat-1.0.4", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_easemob_websdk_4_0() {
    life("easemob-websdk-4.0.1", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_in_easemob_websdk_3_6() {
    life("easemob-websdk-3.6", false).await;
}
