//! Agora Chat.

use http::Method;
use serde_json::{Value, json};

use super::{Call, Means, client, first_members, now, with};
use crate::cast::Story;
use crate::steps::{
    ADDED, Action, EDITED, Media, REGISTERED, SILENT, Step, TEXT, UPLOADED, VENDORS, long_text, member,
};

pub(super) fn call(step: &Step, story: &Story) -> Means {
    let group = story.group.as_str();
    let of = |method: &'static str, more: Value| client(method, json!([with(json!({"groupId": group}), &more)]));
    let server = |method: Method, path: &str, body: Option<Value>| {
        Ok(Call::AgoraServer { method, path: format!("/chatgroups/{group}{path}"), body })
    };
    let message =
        |kind: &str, more: Value| json!([with(json!({"chatType": "groupChat", "type": kind, "to": group}), &more)]);
    let text = || story.last_text["serverMsgId"].clone();
    let about_text = || json!([{"conversationType": "groupChat", "conversationId": group, "messageId": text()}]);
    match step.action {
        Action::Create => {
            let data = json!({"groupname": "First", "desc": "about", "members": first_members(), "public": true,
                "approval": false, "allowinvites": false, "inviteNeedConfirm": false, "maxusers": 100});
            client("createGroup", json!([{"data": data}]))
        }
        Action::Rename => of("modifyGroup", json!({"groupName": "Second"})),
        Action::ChangeIntroduction => of("modifyGroup", json!({"description": "more about"})),
        Action::ChangeAvatar => of("modifyGroup", json!({"avatar": "https://files.example.com/face.png"})),
        Action::Announce => of("updateGroupAnnouncement", json!({"announcement": "read this"})),
        Action::RequireApproval => server(Method::PUT, "", Some(json!({"membersonly": true}))),
        Action::SetOwnCard => Err("its members have attributes, and no name of their own in a group"),
        Action::SetOwnAttributes => {
            let attributes = json!({"userId": member(story.acting), "memberAttributes": {"mood": "good"}});
            of("setGroupMemberAttributes", attributes)
        }
        Action::ChangeOwnProfile => client("updateUserInfo", json!([{"nickname": "Ava"}])),
        Action::SetGroupAttributes | Action::SetCounter | Action::DeleteCounter => {
            Err("its groups have neither attributes nor counters")
        }
        Action::ShareFile => of("uploadGroupSharedFile", json!({"name": "notes.txt", "text": UPLOADED})),
        Action::DeleteFile => of("deleteGroupSharedFile", json!({"fileId": story.last_file})),
        Action::SetRemark | Action::SetPushName | Action::Follow | Action::Unfollow => {
            Err("its users have no names of their own for groups, and follow nobody")
        }
        Action::Add => of("inviteUsersToGroup", json!({"users": [ADDED]})),
        Action::AddRegistered => of("inviteUsersToGroup", json!({"users": [REGISTERED]})),
        Action::Remove => of("removeGroupMember", json!({"username": ADDED})),
        Action::Block => of("blockGroupMember", json!({"username": SILENT})),
        Action::Unblock => of("unblockGroupMember", json!({"username": SILENT})),
        Action::RemoveMember(vendor) => of("removeGroupMember", json!({"username": member(vendor)})),
        Action::AddMember(vendor) => of("inviteUsersToGroup", json!({"users": [member(vendor)]})),
        Action::Promote(vendor) => of("setGroupAdmin", json!({"username": member(vendor)})),
        Action::Demote(vendor) => of("removeGroupAdmin", json!({"username": member(vendor)})),
        Action::Mute(vendor) => of("muteGroupMember", json!({"username": member(vendor), "muteDuration": 3_600_000})),
        Action::Unmute(vendor) => of("unmuteGroupMember", json!({"username": member(vendor)})),
        Action::MuteEverywhere(_) | Action::UnmuteEverywhere(_) => Err("it mutes in one group only"),
        Action::Allow(vendor) => of("addUsersToGroupAllowlist", json!({"users": [member(vendor)]})),
        Action::Disallow(vendor) => of("removeGroupAllowlistMember", json!({"userName": member(vendor)})),
        Action::MuteAll => of("disableSendGroupMsg", json!({})),
        Action::UnmuteAll => of("enableSendGroupMsg", json!({})),
        Action::Disable => server(Method::POST, "/disable", None),
        Action::Enable => server(Method::POST, "/enable", None),
        Action::SendText => client("say", message("txt", json!({"msg": TEXT}))),
        Action::SendLongText => client("say", message("txt", json!({"msg": long_text()}))),
        Action::Mention => {
            let ext = json!({"em_at_list": VENDORS.map(member)});
            client("say", message("txt", json!({"msg": "@you", "ext": ext})))
        }
        Action::MentionAll => client("say", message("txt", json!({"msg": "@all", "ext": {"em_at_list": "ALL"}}))),
        Action::SendCustom => {
            client("say", message("custom", json!({"customEvent": "dice", "customExts": {"n": "6"}})))
        }
        Action::SendCommand => client("say", message("cmd", json!({"action": "wave"}))),
        Action::SendLocation => {
            client("say", message("loc", json!({"addr": "Quai 1", "lat": 1.5, "lng": 2.5, "buildingName": "Dôme"})))
        }
        Action::Send(media) => {
            let file = json!({"url": media.url(), "filename": media.file(), "file_length": 1000});
            let size = json!({"width": 20, "height": 10});
            let (kind, more) = match media {
                Media::Image => ("img", size),
                Media::MovingImage => ("img", with(size, &json!({"isGif": true}))),
                Media::Audio => ("audio", json!({"body": with(file.clone(), &json!({"length": 3}))})),
                Media::Video => ("video", json!({"body": with(file.clone(), &json!({"length": 3}))})),
                Media::File => ("file", json!({"body": file})),
            };
            client("say", message(kind, with(file, &more)))
        }
        Action::Upload => client("say", message("file", json!({"upload": {"name": "paper.txt", "text": UPLOADED}}))),
        Action::Edit => client("edit", message("txt", json!({"msg": EDITED, "messageId": text()}))),
        Action::Pin => client("pinMessage", about_text()),
        Action::Unpin => client("unpinMessage", about_text()),
        Action::Recall => client("recallMessage", json!([{"mid": text(), "to": group, "chatType": "groupChat"}])),
        Action::SendExtensible | Action::Extend | Action::Shrink => Err("its messages have no extensions"),
        Action::ConfirmReading(_) => {
            let config = json!({"allowGroupAck": true});
            client(
                "say",
                message("read", json!({"id": story.last_received, "msgConfig": config, "ackContent": "seen"})),
            )
        }
        Action::MarkRead => client("say", message("channel", json!({}))),
        Action::SetUnread => Err("its clients count what is unread"),
        Action::Import => Ok(Call::AgoraServer {
            method: Method::POST,
            path: "/messages/chatgroups/import".to_owned(),
            body: Some(json!({
                "target": group, "type": "txt", "body": {"msg": "from before"}, "from": SILENT,
                "msg_timestamp": now(), "is_ack_read": true, "need_download": false,
            })),
        }),
        Action::DeleteMessages => Err("messages are recalled, not deleted"),
        Action::Notify => Err("it has no notices that are not messages"),
        Action::Apply | Action::Join => of("joinGroup", json!({"message": "please"})),
        Action::Decline(vendor) => {
            of("rejectGroupJoinRequest", json!({"applicant": member(vendor), "reason": "later"}))
        }
        Action::Accept(vendor) => of("acceptGroupJoinRequest", json!({"applicant": member(vendor)})),
        Action::DeclineInvitation(_) => of("rejectGroupInvite", json!({"invitee": member(story.acting)})),
        Action::AcceptInvitation(_) => of("acceptGroupInvite", json!({"invitee": member(story.acting)})),
        Action::Leave => of("leaveGroup", json!({})),
        Action::Transfer => of("changeGroupOwner", json!({"newOwner": member(story.acting)})),
        Action::Disband => of("destroyGroup", json!({})),
        Action::RegisterUser => Ok(Call::AgoraServer {
            method: Method::POST,
            path: "/users".to_owned(),
            body: Some(json!({"username": REGISTERED, "password": "secret"})),
        }),
        Action::DeleteUser => {
            Ok(Call::AgoraServer { method: Method::DELETE, path: format!("/users/{REGISTERED}"), body: None })
        }
    }
}
