//! What is done in a group, in neutral terms.

use conclave_tests::vendor::Vendor;

pub(crate) const VENDORS: [Vendor; 3] = [Vendor::Agora, Vendor::Tencent, Vendor::Rong];

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The user who created the group.
    Creator,
    /// An ordinary member, on the same vendor's SDK.
    Member,
}

/// A file that is sent by its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Image,
    MovingImage,
    Audio,
    Video,
    File,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Rename,
    ChangeIntroduction,
    ChangeAvatar,
    Announce,
    RequireApproval,
    SetOwnCard,
    SetOwnAttributes,
    ChangeOwnProfile,
    SetGroupAttributes,
    SetCounter,
    DeleteCounter,
    ShareFile,
    /// The shared file.
    DeleteFile,
    /// Of one's own name for the group.
    SetRemark,
    SetPushName,
    /// Of the member without a client.
    Follow,
    Unfollow,
    /// Of a user without a client.
    Add,
    /// Of the same.
    Remove,
    /// Of the member without a client.
    Block,
    Unblock,
    /// Of the member who uses this vendor's client, as in the following ones.
    RemoveMember(Vendor),
    AddMember(Vendor),
    Promote(Vendor),
    Demote(Vendor),
    Mute(Vendor),
    Unmute(Vendor),
    /// In all groups.
    MuteEverywhere(Vendor),
    UnmuteEverywhere(Vendor),
    Allow(Vendor),
    Disallow(Vendor),
    MuteAll,
    UnmuteAll,
    Disable,
    Enable,
    SendText,
    SendLongText,
    Mention,
    MentionAll,
    SendCustom,
    SendCommand,
    SendLocation,
    Send(Media),
    /// A file that the client uploads first.
    Upload,
    /// Of the last text.
    Edit,
    /// Of the last text, for all members.
    Pin,
    Unpin,
    /// Of the last text.
    Recall,
    /// A text whose extensions can be written.
    SendExtensible,
    Extend,
    Shrink,
    /// Of a message whose sender, the member with this vendor's client, asks for receipts.
    ConfirmReading(Vendor),
    MarkRead,
    SetUnread,
    Import,
    /// Of all messages of the member without a client.
    DeleteMessages,
    Notify,
    Apply,
    /// Of this vendor's member, who applies with their own client.
    Decline(Vendor),
    Accept(Vendor),
    /// Of an invitation by a user of this vendor's client, in a group that asks those it invites.
    DeclineInvitation(Vendor),
    AcceptInvitation(Vendor),
    Leave,
    Join,
    /// To the member.
    Transfer,
    Disband,
    RegisterUser,
    AddRegistered,
    DeleteUser,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) by: By,
    pub(crate) action: Action,
    /// The neutral operation that it becomes.
    pub(crate) operation: &'static str,
}

const fn step(name: &'static str, by: By, action: Action, operation: &'static str) -> Step {
    Step { name, by, action, operation }
}

/// All steps, from a group's creation to its end.
pub(crate) const STEPS: &[Step] = {
    use Action::*;
    use By::{Creator, Member};
    use Vendor::{Agora, Rong, Tencent};
    &[
        step("create the group", Creator, Create, "create_group"),
        step("rename the group", Creator, Rename, "update_group"),
        step("change the introduction", Creator, ChangeIntroduction, "update_group"),
        step("change the avatar", Creator, ChangeAvatar, "update_group"),
        step("publish an announcement", Creator, Announce, "update_group"),
        step("set one's own name in the group", Member, SetOwnCard, "update_member"),
        step("set one's own attributes", Member, SetOwnAttributes, "write_member_attributes"),
        step("change one's own name", Member, ChangeOwnProfile, "update_user"),
        step("set an attribute of the group", Creator, SetGroupAttributes, "write_attributes"),
        step("set a counter", Creator, SetCounter, "update_counters"),
        step("delete the counter", Creator, DeleteCounter, "delete_counters"),
        step("share a file", Member, ShareFile, "add_file"),
        step("delete the file", Member, DeleteFile, "remove_file"),
        step("set one's own remark for the group", Creator, SetRemark, "set_remark"),
        step("set one's own name for push notifications", Creator, SetPushName, "set_push_name"),
        step("follow a member", Creator, Follow, "follow"),
        step("follow the member no longer", Creator, Unfollow, "unfollow"),
        step("add a user", Creator, Add, "add_members"),
        step("remove a user", Creator, Remove, "remove_members"),
        step("make the Agora member an admin", Creator, Promote(Agora), "promote"),
        step("make the Tencent member an admin", Creator, Promote(Tencent), "promote"),
        step("make the RongCloud member an admin", Creator, Promote(Rong), "promote"),
        step("make the Agora admin a member", Creator, Demote(Agora), "demote"),
        step("make the Tencent admin a member", Creator, Demote(Tencent), "demote"),
        step("make the RongCloud admin a member", Creator, Demote(Rong), "demote"),
        step("mute the Agora member", Creator, Mute(Agora), "mute"),
        step("mute the Tencent member", Creator, Mute(Tencent), "mute"),
        step("mute the RongCloud member", Creator, Mute(Rong), "mute"),
        step("unmute the Agora member", Creator, Unmute(Agora), "unmute"),
        step("unmute the Tencent member", Creator, Unmute(Tencent), "unmute"),
        step("unmute the RongCloud member", Creator, Unmute(Rong), "unmute"),
        step("mute the Agora member in all groups", Creator, MuteEverywhere(Agora), "mute_everywhere"),
        step("unmute the Agora member in all groups", Creator, UnmuteEverywhere(Agora), "mute_everywhere"),
        step("mute the Tencent member in all groups", Creator, MuteEverywhere(Tencent), "mute_everywhere"),
        step("unmute the Tencent member in all groups", Creator, UnmuteEverywhere(Tencent), "mute_everywhere"),
        step("mute the RongCloud member in all groups", Creator, MuteEverywhere(Rong), "mute_everywhere"),
        step("unmute the RongCloud member in all groups", Creator, UnmuteEverywhere(Rong), "mute_everywhere"),
        step("mute all members", Creator, MuteAll, "update_group"),
        step("allow the Agora member to speak", Creator, Allow(Agora), "allow"),
        step("allow the Tencent member to speak", Creator, Allow(Tencent), "allow"),
        step("allow the RongCloud member to speak", Creator, Allow(Rong), "allow"),
        step("allow the Agora member no longer", Creator, Disallow(Agora), "disallow"),
        step("allow the Tencent member no longer", Creator, Disallow(Tencent), "disallow"),
        step("allow the RongCloud member no longer", Creator, Disallow(Rong), "disallow"),
        step("unmute all members", Creator, UnmuteAll, "update_group"),
        step("disable the group", Creator, Disable, "set_disabled"),
        step("enable the group", Creator, Enable, "set_disabled"),
        step("import messages", Creator, Import, "import_messages"),
        step("send a text", Creator, SendText, "send_message"),
        step("edit the text", Creator, Edit, "change_message"),
        step("pin the text", Creator, Pin, "pin_message"),
        step("unpin the text", Creator, Unpin, "pin_message"),
        step("recall the text", Creator, Recall, "recall_messages"),
        step("send a text as a member", Member, SendText, "send_message"),
        step("send 4 KB of Chinese", Creator, SendLongText, "send_message"),
        step("mention members", Creator, Mention, "send_message"),
        step("mention everybody", Creator, MentionAll, "send_message"),
        step("send a custom message", Creator, SendCustom, "send_message"),
        step("send a command", Creator, SendCommand, "send_message"),
        step("send a place", Creator, SendLocation, "send_message"),
        step("send a picture", Creator, Send(Media::Image), "send_message"),
        step("send a moving picture", Creator, Send(Media::MovingImage), "send_message"),
        step("send a recording", Creator, Send(Media::Audio), "send_message"),
        step("send a video", Creator, Send(Media::Video), "send_message"),
        step("send a file", Creator, Send(Media::File), "send_message"),
        step("upload and send a file", Creator, Upload, "add_attachment"),
        step("send a text that can be extended", Creator, SendExtensible, "send_message"),
        step("extend the text", Creator, Extend, "write_extensions"),
        step("remove the extension", Creator, Shrink, "write_extensions"),
        step("confirm reading the Agora member's message", Creator, ConfirmReading(Agora), "read_messages"),
        step("confirm reading the Tencent member's message", Creator, ConfirmReading(Tencent), "read_messages"),
        step("confirm reading the RongCloud member's message", Creator, ConfirmReading(Rong), "read_messages"),
        step("mark the conversation as read", Creator, MarkRead, "mark_read"),
        step("set the number of unread messages", Creator, SetUnread, "set_unread"),
        step("delete the messages of a member", Creator, DeleteMessages, "delete_messages_by_sender"),
        step("send a notice", Creator, Notify, "give_notice"),
        step("block a member", Creator, Block, "block"),
        step("unblock the user", Creator, Unblock, "unblock"),
        step("register a user", Creator, RegisterUser, "register_users"),
        step("add the registered user", Creator, AddRegistered, "add_members"),
        step("delete the user's account", Creator, DeleteUser, "delete_user"),
        step("remove the Agora member", Creator, RemoveMember(Agora), "remove_members"),
        step("add the Agora member", Creator, AddMember(Agora), "add_members"),
        step("remove the Tencent member", Creator, RemoveMember(Tencent), "remove_members"),
        step("add the Tencent member", Creator, AddMember(Tencent), "add_members"),
        step("remove the RongCloud member", Creator, RemoveMember(Rong), "remove_members"),
        step("add the RongCloud member", Creator, AddMember(Rong), "add_members"),
        step("decline the Agora user's invitation", Member, DeclineInvitation(Agora), "answer_invitation"),
        step("accept the Agora user's invitation", Member, AcceptInvitation(Agora), "answer_invitation"),
        step("decline the Tencent user's invitation", Member, DeclineInvitation(Tencent), "answer_invitation"),
        step("accept the Tencent user's invitation", Member, AcceptInvitation(Tencent), "answer_invitation"),
        step("decline the RongCloud user's invitation", Member, DeclineInvitation(Rong), "answer_invitation"),
        step("accept the RongCloud user's invitation", Member, AcceptInvitation(Rong), "answer_invitation"),
        step("leave the group", Member, Leave, "leave"),
        step("join the group", Member, Join, "apply"),
        step("require approval", Creator, RequireApproval, "update_group"),
        step("leave the group again", Member, Leave, "leave"),
        step("apply", Member, Apply, "apply"),
        step("decline the Agora user's application", Creator, Decline(Agora), "decide_request"),
        step("accept the Agora user's application", Creator, Accept(Agora), "decide_request"),
        step("decline the Tencent user's application", Creator, Decline(Tencent), "decide_request"),
        step("accept the Tencent user's application", Creator, Accept(Tencent), "decide_request"),
        step("decline the RongCloud user's application", Creator, Decline(Rong), "decide_request"),
        step("accept the RongCloud user's application", Creator, Accept(Rong), "decide_request"),
        step("transfer the group", Creator, Transfer, "transfer"),
        step("disband the group", Member, Disband, "disband"),
    ]
};

/// Operations without a step, and why.
pub(crate) const WITHOUT_STEP: &[(&str, &str)] = &[
    (
        "govern",
        "gives an unhosted group of RongCloud an owner, which the other vendors' groups have from the start; tested in `rong`",
    ),
    ("sync_groups", "replaces a user's groups by those that RongCloud's app has; tested in `rong`"),
    ("drop_message", "reports to Tencent's app server that a message was not sent; no client is notified"),
    ("open_device", "a client signs in; every client of this run does"),
    ("acknowledge", "a client confirms what it received; every client of this run does"),
    ("broadcast", "Tencent's live rooms alone; tested in `tencent_live`"),
    ("make_topic", "Tencent's communities alone; tested in `tencent_topics`"),
    ("update_topic", "Tencent's communities alone; tested in `tencent_topics`"),
    ("end_topics", "Tencent's communities alone; tested in `tencent_topics`"),
    ("in_topic", "Tencent's communities alone; tested in `tencent_topics`"),
    ("appoint", "Tencent's live rooms alone; tested in `tencent_live`"),
    ("dismiss", "Tencent's live rooms alone; tested in `tencent_live`"),
    ("mark_members", "Tencent's live rooms alone; tested in `tencent_live`"),
    ("together", "several operations of one call; each of them has its step"),
];

/// The user of this vendor's client who creates groups.
pub(crate) const fn creator(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Agora => "ann",
        Vendor::Tencent => "tim",
        Vendor::Rong => "ron",
    }
}

/// The user of this vendor's client who is an ordinary member.
pub(crate) const fn member(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Agora => "ava",
        Vendor::Tencent => "tom",
        Vendor::Rong => "rob",
    }
}

/// The user of this vendor's client who invites the acting vendor's member: its member, who is an admin, or the creator.
pub(crate) fn inviter(vendor: Vendor, acting: Vendor) -> &'static str {
    if vendor == acting { creator(vendor) } else { member(vendor) }
}

/// Users without a client: one in the group from its creation, one who is added later, and one who is registered.
pub(crate) const SILENT: &str = "zoe";
pub(crate) const ADDED: &str = "yan";
pub(crate) const REGISTERED: &str = "xia";

impl By {
    pub(crate) const fn user(self, vendor: Vendor) -> &'static str {
        match self {
            Self::Creator => creator(vendor),
            Self::Member => member(vendor),
        }
    }
}

/// The texts that are sent.
pub(crate) const TEXT: &str = "Grüße, 你好 \u{1F600}";
pub(crate) const EDITED: &str = "Grüße, edited";
/// The content of the file that is uploaded.
pub(crate) const UPLOADED: &str = "what is in it";

impl Media {
    /// Its name.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Image => "a.png",
            Self::MovingImage => "a.gif",
            Self::Audio => "a.aac",
            Self::Video => "a.mp4",
            Self::File => "a.pdf",
        }
    }

    /// Its URL.
    pub(crate) fn url(self) -> String {
        format!("https://files.example.com/{}", self.file())
    }
}

/// About 4 KB.
pub(crate) fn long_text() -> String {
    "漢字かな".repeat(340)
}
