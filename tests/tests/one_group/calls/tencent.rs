//! Tencent Chat.

use serde_json::{Value, json};

use super::{Call, Means, client, first_members, now, with};
use crate::cast::Story;
use crate::steps::{ADDED, Action, EDITED, Media, REGISTERED, SILENT, Step, TEXT, VENDORS, creator, long_text, member};

pub(super) fn call(step: &Step, story: &Story) -> Means {
    let group = story.group.as_str();
    let of = |method: &'static str, more: Value| client(method, json!([with(json!({"groupID": group}), &more)]));
    let server = |command: &'static str, more: Value| {
        Ok(Call::TencentServer { command, body: with(json!({"GroupId": group}), &more) })
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
        Action::ChangeAvatar => of("updateGroupProfile", json!({"avatar": "https://files.example.com/face.png"})),
        Action::Announce => of("updateGroupProfile", json!({"notification": "read this"})),
        Action::RequireApproval => of("updateGroupProfile", json!({"joinOption": "NeedPermission"})),
        Action::SetOwnCard => of("setGroupMemberNameCard", json!({"nameCard": "Member"})),
        Action::SetOwnAttributes => Err("its members' own fields are configured by the app"),
        Action::ChangeOwnProfile => Ok(Call::TencentServer {
            command: "im_open_login_svc/account_import",
            body: json!({"UserID": member(story.acting), "Nick": "Tom"}),
        }),
        Action::SetGroupAttributes => of("setGroupAttributes", json!({"groupAttributes": {"k": "v"}})),
        Action::SetCounter => of("setGroupCounters", json!({"counters": {"likes": 3}})),
        Action::DeleteCounter => {
            server("group_open_http_svc/delete_group_counter", json!({"GroupCounterKeys": ["likes"]}))
        }
        Action::ShareFile | Action::DeleteFile => Err("its groups have no shared files"),
        Action::SetRemark | Action::SetPushName | Action::Follow | Action::Unfollow => {
            Err("its users have no names of their own for groups, and follow nobody")
        }
        Action::Add => of("addGroupMember", json!({"userIDList": [ADDED]})),
        Action::AddRegistered => of("addGroupMember", json!({"userIDList": [REGISTERED]})),
        Action::Remove => of("deleteGroupMember", json!({"userIDList": [ADDED]})),
        Action::Block => server(
            "group_open_http_svc/ban_group_member",
            json!({"Members_Account": [SILENT], "Duration": 3600, "Description": "spam"}),
        ),
        Action::Unblock => server("group_open_http_svc/unban_group_member", json!({"Members_Account": [SILENT]})),
        Action::RemoveMember(vendor) => of("deleteGroupMember", json!({"userIDList": [member(vendor)]})),
        Action::AddMember(vendor) => of("addGroupMember", json!({"userIDList": [member(vendor)]})),
        Action::Promote(vendor) => of("setGroupMemberRole", json!({"userID": member(vendor), "role": "Admin"})),
        Action::Demote(vendor) => of("setGroupMemberRole", json!({"userID": member(vendor), "role": "Member"})),
        Action::Mute(vendor) => of("setGroupMemberMuteTime", json!({"userID": member(vendor), "muteTime": 3600})),
        Action::Unmute(vendor) => of("setGroupMemberMuteTime", json!({"userID": member(vendor), "muteTime": 0})),
        Action::MuteEverywhere(_) | Action::UnmuteEverywhere(_) => Err("it mutes in one group only"),
        Action::Allow(_) | Action::Disallow(_) => Err("it has no list of members who may always speak"),
        Action::MuteAll => of("updateGroupProfile", json!({"muteAllMembers": true})),
        Action::UnmuteAll => of("updateGroupProfile", json!({"muteAllMembers": false})),
        Action::Disable | Action::Enable => Err("it disables no groups"),
        Action::SendText => send("Text", json!({"text": TEXT})),
        Action::SendLongText => send("Text", json!({"text": long_text()})),
        Action::Mention => send("TextAt", json!({"text": "@you", "atUserList": VENDORS.map(member)})),
        Action::MentionAll => send("TextAt", json!({"text": "@all", "atUserList": ["__kImSDK_MesssageAtALL__"]})),
        Action::SendCustom => {
            send("Custom", json!({"data": "{\"n\":\"6\"}", "description": "dice", "extension": "more"}))
        }
        Action::SendCommand => Err("it has no commands to apps"),
        Action::SendLocation => {
            send("Location", json!({"description": "Dôme, Quai 1", "latitude": 1.5, "longitude": 2.5}))
        }
        // a client sends only files that it has uploaded
        Action::Send(media) => server(
            "group_open_http_svc/send_group_msg",
            json!({"From_Account": creator(story.acting), "Random": 7 + media as u32, "MsgBody": [element(media)]}),
        ),
        Action::Upload => Err("its clients upload with a plugin for browsers; tested in `tencent_web`"),
        Action::Edit => client("edit", json!([story.last_text["ID"], EDITED])),
        Action::Pin => client("pin", json!([group, story.last_text["ID"], true])),
        Action::Unpin => client("pin", json!([group, story.last_text["ID"], false])),
        Action::Recall => client("recall", json!([story.last_text["ID"]])),
        Action::SendExtensible => {
            client("send", json!(["Text", group, {"text": "extend me"}, {"isSupportExtension": true}]))
        }
        Action::Extend => client("extend", json!([story.last_text["ID"], [{"key": "k", "value": "v"}]])),
        Action::Shrink => client("shrink", json!([story.last_text["ID"], ["k"]])),
        Action::ConfirmReading(_) => client("readReceipt", json!([[story.last_received]])),
        Action::MarkRead => client("setMessageRead", json!([{"conversationID": format!("GROUP{group}")}])),
        Action::SetUnread => server(
            "group_open_http_svc/set_unread_msg_num",
            json!({"Member_Account": creator(story.acting), "UnreadMsgNum": 1}),
        ),
        Action::Import => server(
            "group_open_http_svc/import_group_msg",
            json!({"MsgList": [{
                "From_Account": SILENT, "SendTime": now() / 1000, "Random": 1,
                "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "from before"}}],
            }]}),
        ),
        Action::DeleteMessages => {
            server("group_open_http_svc/delete_group_msg_by_sender", json!({"Sender_Account": SILENT}))
        }
        Action::Notify => {
            server("group_open_http_svc/send_group_system_notification", json!({"Content": "closing soon"}))
        }
        Action::Apply | Action::Join => of("joinGroup", json!({"applyMessage": "please"})),
        Action::Decline(vendor) => client("decideApplication", json!([group, member(vendor), "Reject"])),
        Action::Accept(vendor) => client("decideApplication", json!([group, member(vendor), "Agree"])),
        Action::DeclineInvitation(_) => client("decideInvitation", json!([group, "Reject"])),
        Action::AcceptInvitation(_) => client("decideInvitation", json!([group, "Agree"])),
        Action::Leave => client("quitGroup", json!([group])),
        Action::Transfer => of("changeGroupOwner", json!({"newOwnerID": member(story.acting)})),
        Action::Disband => client("dismissGroup", json!([group])),
        Action::RegisterUser => {
            Ok(Call::TencentServer { command: "im_open_login_svc/account_import", body: json!({"UserID": REGISTERED}) })
        }
        Action::DeleteUser => Ok(Call::TencentServer {
            command: "im_open_login_svc/account_delete",
            body: json!({"DeleteItem": [{"UserID": REGISTERED}]}),
        }),
    }
}

/// The element of a file.
fn element(media: Media) -> Value {
    let url = media.url();
    let (kind, content) = match media {
        Media::Image | Media::MovingImage => {
            let variants =
                [1, 2, 3].map(|kind| json!({"Type": kind, "Size": 1000, "Width": 20, "Height": 10, "URL": url}));
            let format = if media == Media::Image { 3 } else { 2 };
            ("TIMImageElem", json!({"UUID": "1", "ImageFormat": format, "ImageInfoArray": variants}))
        }
        Media::Audio => {
            ("TIMSoundElem", json!({"UUID": "1", "Url": url, "Size": 1000, "Second": 3, "Download_Flag": 2}))
        }
        Media::Video => (
            "TIMVideoFileElem",
            json!({
                "VideoUUID": "1", "VideoUrl": url, "VideoSize": 1000, "VideoSecond": 3, "VideoFormat": "mp4",
                "VideoDownloadFlag": 2, "ThumbUUID": "1", "ThumbUrl": "", "ThumbSize": 0, "ThumbWidth": 20,
                "ThumbHeight": 10, "ThumbFormat": "JPG", "ThumbDownloadFlag": 2,
            }),
        ),
        Media::File => (
            "TIMFileElem",
            json!({"UUID": "1", "Url": url, "FileSize": 1000, "FileName": media.file(), "Download_Flag": 2}),
        ),
    };
    json!({"MsgType": kind, "MsgContent": content})
}
