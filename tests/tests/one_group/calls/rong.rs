//! `RongCloud`.

use serde_json::{Value, json};

use super::{Call, Means, client, first_members};
use crate::cast::Story;
use crate::steps::{
    ADDED, Action, EDITED, Media, REGISTERED, SILENT, Step, TEXT, VENDORS, creator, inviter, long_text, member,
};

pub(super) fn call(step: &Step, story: &Story) -> Means {
    let group = story.group.as_str();
    let anywhere = |path: &'static str, fields: &[(&'static str, &str)]| {
        let fields = fields.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Ok(Call::RongServer { path, fields })
    };
    let server =
        |path: &'static str, more: &[(&'static str, &str)]| anywhere(path, &[&[("groupId", group)], more].concat());
    let conversation = json!({"conversationType": 3, "targetId": group});
    let send = |content: Value| client("sendMessage", json!([conversation, content]));
    let info = |key: &str, value: Value| client("updateGroupInfo", json!([{"groupId": group, key: value}]));
    let mentioning = |text: &str, mentioned: Value| {
        let content = json!({"$text": {"content": text, "mentionedInfo": mentioned}});
        client("sendMessage", json!([conversation, content, {"isMentioned": true}]))
    };
    let text = || &story.last_text["data"];
    match step.action {
        Action::Create => {
            let info = json!({"groupId": group, "groupName": "First", "introduction": "about", "joinPermission": 1});
            client("createGroup", json!([info, first_members()]))
        }
        Action::Rename => info("groupName", json!("Second")),
        Action::ChangeIntroduction => info("introduction", json!("more about")),
        Action::ChangeAvatar => info("portraitUri", json!("https://files.example.com/face.png")),
        Action::Announce => info("notice", json!("read this")),
        Action::RequireApproval => info("joinPermission", json!(2)),
        Action::SetOwnCard => client("setGroupMemberInfo", json!([group, member(story.acting), "Member", ""])),
        Action::SetOwnAttributes => Err("its members have a name and an extra text"),
        Action::ChangeOwnProfile => {
            anywhere("/user/refresh.json", &[("userId", member(story.acting)), ("name", "Rob")])
        }
        Action::SetGroupAttributes | Action::SetCounter | Action::DeleteCounter => {
            Err("its groups have neither attributes nor counters")
        }
        Action::ShareFile | Action::DeleteFile => Err("its groups have no shared files"),
        Action::SetRemark => client("setGroupRemark", json!([group, "mine"])),
        Action::SetPushName => {
            server("/group/remarks/set.json", &[("userId", creator(story.acting)), ("remark", "mine")])
        }
        Action::Follow => client("addGroupFollows", json!([group, [SILENT]])),
        Action::Unfollow => client("removeGroupFollows", json!([group, [SILENT]])),
        Action::Add => client("inviteUsersToGroup", json!([group, [ADDED]])),
        Action::AddRegistered => client("inviteUsersToGroup", json!([group, [REGISTERED]])),
        Action::Remove => client("kickGroupMembers", json!([group, [ADDED]])),
        Action::Block | Action::Unblock => Err("it keeps no list of users who may not join"),
        Action::RemoveMember(vendor) => client("kickGroupMembers", json!([group, [member(vendor)]])),
        Action::AddMember(vendor) => client("inviteUsersToGroup", json!([group, [member(vendor)]])),
        Action::Promote(vendor) => client("addGroupManagers", json!([group, [member(vendor)]])),
        Action::Demote(vendor) => client("removeGroupManagers", json!([group, [member(vendor)]])),
        Action::Mute(vendor) => server("/group/user/gag/add.json", &[("userId", member(vendor)), ("minute", "60")]),
        Action::Unmute(vendor) => server("/group/user/gag/rollback.json", &[("userId", member(vendor))]),
        Action::MuteEverywhere(vendor) => {
            anywhere("/group/user/gag/add.json", &[("userId", member(vendor)), ("minute", "60")])
        }
        Action::UnmuteEverywhere(vendor) => anywhere("/group/user/gag/rollback.json", &[("userId", member(vendor))]),
        Action::Allow(vendor) => server("/group/user/ban/whitelist/add.json", &[("userId", member(vendor))]),
        Action::Disallow(vendor) => server("/group/user/ban/whitelist/rollback.json", &[("userId", member(vendor))]),
        Action::MuteAll => server("/group/ban/add.json", &[]),
        Action::UnmuteAll => server("/group/ban/rollback.json", &[]),
        Action::Disable | Action::Enable => Err("it disables no groups"),
        Action::SendText => send(json!({"$text": {"content": TEXT}})),
        Action::SendLongText => send(json!({"$text": {"content": long_text()}})),
        Action::Mention => mentioning("@you", json!({"type": 2, "userIdList": VENDORS.map(member)})),
        Action::MentionAll => mentioning("@all", json!({"type": 1, "userIdList": []})),
        Action::SendCustom => send(json!({"$message": ["App:Dice", {"n": "6"}]})),
        Action::SendCommand => send(json!({"$message": ["RC:CmdMsg", {"name": "wave", "data": ""}, false, false]})),
        Action::SendLocation => {
            let place = json!({"latitude": 1.5, "longitude": 2.5, "poi": "Dôme, Quai 1", "content": ""});
            send(json!({"$message": ["RC:LBSMsg", place]}))
        }
        Action::Send(media) => {
            let (url, name) = (media.url(), media.file());
            let (kind, content) = match media {
                Media::Image => ("RC:ImgMsg", json!({"content": "", "imageUri": url, "name": name})),
                Media::MovingImage => {
                    ("RC:GIFMsg", json!({"remoteUrl": url, "gifDataSize": 1000, "width": 20, "height": 10}))
                }
                Media::Audio => ("RC:HQVCMsg", json!({"remoteUrl": url, "duration": 3, "name": name, "type": "aac"})),
                Media::Video => {
                    ("RC:SightMsg", json!({"sightUrl": url, "content": "", "duration": 3, "size": 1000, "name": name}))
                }
                Media::File => ("RC:FileMsg", json!({"name": name, "size": 1000, "type": "pdf", "fileUrl": url})),
            };
            send(json!({"$message": [kind, content]}))
        }
        Action::Upload => Err("its clients upload to a storage of the app's own"),
        Action::Edit => {
            let content = json!({"content": EDITED});
            let edit =
                json!({"conversation": conversation, "messageUId": text()["messageUId"], "messageContent": content});
            client("modifyMessageWithParams", json!([edit]))
        }
        Action::Pin | Action::Unpin => Err("its clients pin no messages for others"),
        Action::Recall => {
            let message = json!({"messageUId": text()["messageUId"], "sentTime": text()["sentTime"]});
            client("recallMessage", json!([conversation, message]))
        }
        Action::SendExtensible => {
            let content = json!({"$text": {"content": "extend me"}});
            client("sendMessage", json!([conversation, content, {"canIncludeExpansion": true}]))
        }
        Action::Extend => client("updateMessageExpansion", json!([{"k": "v"}, text()])),
        Action::Shrink => client("removeMessageExpansionForKey", json!([["k"], text()])),
        Action::ConfirmReading(_) => client("sendReadReceiptResponseV5", json!([conversation, [story.last_received]])),
        Action::MarkRead => Err("its clients count what is unread"),
        Action::SetUnread => Err("its clients count what is unread"),
        Action::Import => Err("it imports no messages"),
        Action::DeleteMessages => Err("messages are recalled, not deleted"),
        Action::Notify => Err("it has no notices that are not messages"),
        Action::Apply | Action::Join => client("joinGroup", json!([group])),
        Action::Decline(vendor) => {
            let none = json!({"$undefined": true});
            client("refuseGroupApplication", json!([group, member(vendor), none, "later"]))
        }
        Action::Accept(vendor) => client("acceptGroupApplication", json!([group, member(vendor)])),
        Action::DeclineInvitation(vendor) => {
            client("refuseGroupInvite", json!([group, inviter(vendor, story.acting), "busy"]))
        }
        Action::AcceptInvitation(vendor) => client("acceptGroupInvite", json!([group, inviter(vendor, story.acting)])),
        Action::Leave => client("quitGroup", json!([group])),
        Action::Transfer => client("transferGroupOwner", json!([group, member(story.acting)])),
        Action::Disband => client("dismissGroup", json!([group])),
        Action::RegisterUser => anywhere("/user/getToken.json", &[("userId", REGISTERED), ("name", REGISTERED)]),
        Action::DeleteUser => Err("its server API deletes no accounts"),
    }
}
