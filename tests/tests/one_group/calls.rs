//! How each vendor's client does a step; where only the server API can, that.

use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::cast::Story;
use crate::steps::{ADDED, Action, By, EDITED, IMAGE_URL, SILENT, Step, TEXT, VENDORS, creator, long_text, member};

/// A call.
pub(crate) enum Call {
    /// Of a method of the acting user's SDK.
    Client { method: &'static str, args: Value },
    /// Of `RongCloud`'s server API, with a form.
    RongServer { path: &'static str, fields: Vec<(&'static str, String)> },
}

#[allow(clippy::unnecessary_wraps, reason = "the answer of most steps")]
fn client(method: &'static str, args: Value) -> Option<Call> {
    Some(Call::Client { method, args })
}

/// How this is done with the acting vendor's means; `None` where it has no such operation.
pub(crate) fn call(step: &Step, story: &Story) -> Option<Call> {
    match story.acting {
        Vendor::Agora => agora(step, story),
        Vendor::Tencent => tencent(step, story),
        Vendor::Rong => rong(step, story),
    }
}

/// The members from the creation on: one of each vendor's clients, and one without a client.
fn first_members() -> Vec<&'static str> {
    VENDORS.into_iter().map(member).chain([SILENT]).collect()
}

fn agora(step: &Step, story: &Story) -> Option<Call> {
    let group = story.group.as_str();
    let of = |method: &'static str, more: Value| {
        let mut args = json!({"groupId": group});
        for (key, value) in more.as_object().expect("fields") {
            args[key] = value.clone();
        }
        client(method, json!([args]))
    };
    let message = |kind: &str, more: Value| {
        let mut args = json!({"chatType": "groupChat", "type": kind, "to": group});
        for (key, value) in more.as_object().expect("fields") {
            args[key] = value.clone();
        }
        json!([args])
    };
    let text = || story.last_text["serverMsgId"].clone();
    match step.action {
        Action::Create => {
            let data = json!({"groupname": "First", "desc": "about", "members": first_members(), "public": true,
                "approval": false, "allowinvites": false, "inviteNeedConfirm": false, "maxusers": 100});
            client("createGroup", json!([{"data": data}]))
        }
        Action::Rename => of("modifyGroup", json!({"groupName": "Second"})),
        Action::ChangeIntroduction => of("modifyGroup", json!({"description": "more about"})),
        Action::Announce => of("updateGroupAnnouncement", json!({"announcement": "read this"})),
        // its members have attributes, and no name of their own in a group
        Action::SetOwnCard => None,
        Action::Add => of("inviteUsersToGroup", json!({"users": [ADDED]})),
        Action::Remove => of("removeGroupMember", json!({"username": ADDED})),
        Action::RemoveMember(vendor) => of("removeGroupMember", json!({"username": member(vendor)})),
        Action::AddMember(vendor) => of("inviteUsersToGroup", json!({"users": [member(vendor)]})),
        Action::Promote(vendor) => of("setGroupAdmin", json!({"username": member(vendor)})),
        Action::Demote(vendor) => of("removeGroupAdmin", json!({"username": member(vendor)})),
        Action::Mute(vendor) => of("muteGroupMember", json!({"username": member(vendor), "muteDuration": 3_600_000})),
        Action::Unmute(vendor) => of("unmuteGroupMember", json!({"username": member(vendor)})),
        Action::MuteAll => of("disableSendGroupMsg", json!({})),
        Action::UnmuteAll => of("enableSendGroupMsg", json!({})),
        Action::SendText => client("say", message("txt", json!({"msg": TEXT}))),
        Action::SendLongText => client("say", message("txt", json!({"msg": long_text()}))),
        Action::Mention => {
            let ext = json!({"em_at_list": VENDORS.map(member)});
            client("say", message("txt", json!({"msg": "@all of you", "ext": ext})))
        }
        Action::SendCustom => {
            client("say", message("custom", json!({"customEvent": "dice", "customExts": {"n": "6"}})))
        }
        Action::SendImage => {
            let body = json!({"url": IMAGE_URL, "width": 20, "height": 10, "filename": "a.png", "file_length": 1000});
            client("say", message("img", body))
        }
        Action::Edit => client("edit", message("txt", json!({"msg": EDITED, "messageId": text()}))),
        Action::Recall => client("recallMessage", json!([{"mid": text(), "to": group, "chatType": "groupChat"}])),
        Action::Leave => of("leaveGroup", json!({})),
        Action::Join => of("joinGroup", json!({"message": ""})),
        Action::Transfer => of("changeGroupOwner", json!({"newOwner": member(story.acting)})),
        Action::Disband => of("destroyGroup", json!({})),
    }
}

fn tencent(step: &Step, story: &Story) -> Option<Call> {
    let group = story.group.as_str();
    let of = |method: &'static str, more: Value| {
        let mut args = json!({"groupID": group});
        for (key, value) in more.as_object().expect("fields") {
            args[key] = value.clone();
        }
        client(method, json!([args]))
    };
    let send = |kind: &str, payload: Value| client("send", json!([kind, group, payload]));
    match step.action {
        Action::Create => {
            let members: Vec<Value> = first_members().into_iter().map(|user| json!({ "userID": user })).collect();
            let options = json!({"name": "First", "introduction": "about", "type": "Public", "groupID": group,
                "joinOption": "FreeAccess", "inviteOption": "FreeAccess", "memberList": members});
            client("createGroup", json!([options]))
        }
        Action::Rename => of("updateGroupProfile", json!({"name": "Second"})),
        Action::ChangeIntroduction => of("updateGroupProfile", json!({"introduction": "more about"})),
        Action::Announce => of("updateGroupProfile", json!({"notification": "read this"})),
        Action::SetOwnCard => of("setGroupMemberNameCard", json!({"nameCard": "Member"})),
        Action::Add => of("addGroupMember", json!({"userIDList": [ADDED]})),
        Action::Remove => of("deleteGroupMember", json!({"userIDList": [ADDED]})),
        Action::RemoveMember(vendor) => of("deleteGroupMember", json!({"userIDList": [member(vendor)]})),
        Action::AddMember(vendor) => of("addGroupMember", json!({"userIDList": [member(vendor)]})),
        Action::Promote(vendor) => of("setGroupMemberRole", json!({"userID": member(vendor), "role": "Admin"})),
        Action::Demote(vendor) => of("setGroupMemberRole", json!({"userID": member(vendor), "role": "Member"})),
        Action::Mute(vendor) => of("setGroupMemberMuteTime", json!({"userID": member(vendor), "muteTime": 3600})),
        Action::Unmute(vendor) => of("setGroupMemberMuteTime", json!({"userID": member(vendor), "muteTime": 0})),
        Action::MuteAll => of("updateGroupProfile", json!({"muteAllMembers": true})),
        Action::UnmuteAll => of("updateGroupProfile", json!({"muteAllMembers": false})),
        Action::SendText => send("Text", json!({"text": TEXT})),
        Action::SendLongText => send("Text", json!({"text": long_text()})),
        Action::Mention => send("TextAt", json!({"text": "@all of you", "atUserList": VENDORS.map(member)})),
        Action::SendCustom => send("Custom", json!({"data": "dice", "description": "", "extension": "6"})),
        // it is sent from a file only, which the vendor's storage takes
        Action::SendImage => None,
        Action::Edit => client("edit", json!([story.last_text["ID"], EDITED])),
        Action::Recall => client("recall", json!([story.last_text["ID"]])),
        Action::Leave => client("quitGroup", json!([group])),
        Action::Join => of("joinGroup", json!({})),
        Action::Transfer => of("changeGroupOwner", json!({"newOwnerID": member(story.acting)})),
        Action::Disband => client("dismissGroup", json!([group])),
    }
}

fn rong(step: &Step, story: &Story) -> Option<Call> {
    let group = story.group.as_str();
    let server = |path: &'static str, more: &[(&'static str, &str)]| {
        let mut fields = vec![("groupId", group.to_owned())];
        fields.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        Some(Call::RongServer { path, fields })
    };
    let send = |content: Value| client("sendMessage", json!([{"conversationType": 3, "targetId": group}, content]));
    let info = |key: &str, value: &str| {
        let mut change = json!({"groupId": group});
        change[key] = value.into();
        client("updateGroupInfo", json!([change]))
    };
    match step.action {
        Action::Create => {
            let info = json!({"groupId": group, "groupName": "First", "introduction": "about", "joinPermission": 1});
            client("createGroup", json!([info, first_members()]))
        }
        Action::Rename => info("groupName", "Second"),
        Action::ChangeIntroduction => info("introduction", "more about"),
        Action::Announce => info("notice", "read this"),
        Action::SetOwnCard => client("setGroupMemberInfo", json!([group, member(story.acting), "Member", ""])),
        Action::Add => client("inviteUsersToGroup", json!([group, [ADDED]])),
        Action::Remove => client("kickGroupMembers", json!([group, [ADDED]])),
        Action::RemoveMember(vendor) => client("kickGroupMembers", json!([group, [member(vendor)]])),
        Action::AddMember(vendor) => client("inviteUsersToGroup", json!([group, [member(vendor)]])),
        Action::Promote(vendor) => client("addGroupManagers", json!([group, [member(vendor)]])),
        Action::Demote(vendor) => client("removeGroupManagers", json!([group, [member(vendor)]])),
        Action::Mute(vendor) => server("/group/user/gag/add.json", &[("userId", member(vendor)), ("minute", "60")]),
        Action::Unmute(vendor) => server("/group/user/gag/rollback.json", &[("userId", member(vendor))]),
        Action::MuteAll => server("/group/ban/add.json", &[]),
        Action::UnmuteAll => server("/group/ban/rollback.json", &[]),
        Action::SendText => send(json!({"$text": {"content": TEXT}})),
        Action::SendLongText => send(json!({"$text": {"content": long_text()}})),
        Action::Mention => {
            let mentioned = json!({"type": 2, "userIdList": VENDORS.map(member)});
            let content = json!({"$text": {"content": "@all of you", "mentionedInfo": mentioned}});
            let to = json!({"conversationType": 3, "targetId": group});
            client("sendMessage", json!([to, content, {"isMentioned": true}]))
        }
        Action::SendCustom => send(json!({"$message": ["App:Dice", {"n": 6}]})),
        Action::SendImage => send(json!({"$message": ["RC:ImgMsg", {"content": "", "imageUri": IMAGE_URL}]})),
        // its clients have no call for it in these releases
        Action::Edit => None,
        Action::Recall => {
            let message = json!({"messageUId": story.last_text["data"]["messageUId"], "sentTime": story.last_text["data"]["sentTime"]});
            client("recallMessage", json!([{"conversationType": 3, "targetId": group}, message]))
        }
        Action::Leave => client("quitGroup", json!([group])),
        Action::Join => client("joinGroup", json!([group])),
        Action::Transfer => client("transferGroupOwner", json!([group, member(story.acting)])),
        Action::Disband => client("dismissGroup", json!([group])),
    }
}

/// How a client sends a text, for members of whom it is known that they may not.
pub(crate) fn attempt(vendor: Vendor, group: &str) -> (&'static str, Value) {
    match vendor {
        Vendor::Agora => ("say", json!([{"chatType": "groupChat", "type": "txt", "to": group, "msg": "muted"}])),
        Vendor::Tencent => ("send", json!(["Text", group, {"text": "muted"}])),
        Vendor::Rong => {
            let text = json!({"$text": {"content": "muted"}});
            ("sendMessage", json!([{"conversationType": 3, "targetId": group}, text]))
        }
    }
}

/// What the SDK refuses a call with: its code, if it does.
pub(crate) fn refusal(vendor: Vendor, answer: &Value) -> Option<i64> {
    match vendor {
        Vendor::Agora => answer["refused"]["type"].as_i64(),
        Vendor::Tencent => answer["refused"]["code"].as_i64(),
        Vendor::Rong => answer["code"].as_i64().filter(|code| *code != 0),
    }
}

/// What users are called in the matrix, so that the same step by different vendors' users reads the same.
pub(crate) fn names(step: &Step, acting: Vendor, observer: &'static str) -> Vec<(&'static str, &'static str)> {
    let receiver = (observer, "receiver");
    match (step.action, step.by) {
        (Action::Transfer, _) => vec![(creator(acting), "actor"), (member(acting), "new owner"), receiver],
        (_, By::Member) => vec![receiver, (member(acting), "actor"), (creator(acting), "creator")],
        (_, By::Creator) => vec![receiver, (creator(acting), "actor")],
    }
}
