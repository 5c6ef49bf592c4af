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

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Rename,
    ChangeIntroduction,
    Announce,
    SetOwnCard,
    /// Of a user without a client.
    Add,
    /// Of the same.
    Remove,
    /// Of the member who uses this vendor's client, as in the following ones.
    RemoveMember(Vendor),
    AddMember(Vendor),
    Promote(Vendor),
    Demote(Vendor),
    Mute(Vendor),
    Unmute(Vendor),
    MuteAll,
    UnmuteAll,
    SendText,
    SendLongText,
    Mention,
    SendCustom,
    SendImage,
    /// Of the last text.
    Edit,
    /// Of the last text.
    Recall,
    Leave,
    Join,
    /// To the member.
    Transfer,
    Disband,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) by: By,
    pub(crate) action: Action,
}

const fn step(name: &'static str, by: By, action: Action) -> Step {
    Step { name, by, action }
}

/// All steps, from a group's creation to its end.
pub(crate) const STEPS: &[Step] = {
    use Action::*;
    use By::{Creator, Member};
    use Vendor::{Agora, Rong, Tencent};
    &[
        step("create the group", Creator, Create),
        step("rename the group", Creator, Rename),
        step("change the introduction", Creator, ChangeIntroduction),
        step("publish an announcement", Creator, Announce),
        step("set one's own name in the group", Member, SetOwnCard),
        step("add a user", Creator, Add),
        step("remove a user", Creator, Remove),
        step("make the Agora member an admin", Creator, Promote(Agora)),
        step("make the Tencent member an admin", Creator, Promote(Tencent)),
        step("make the RongCloud member an admin", Creator, Promote(Rong)),
        step("make the Agora admin a member", Creator, Demote(Agora)),
        step("make the Tencent admin a member", Creator, Demote(Tencent)),
        step("make the RongCloud admin a member", Creator, Demote(Rong)),
        step("mute the Agora member", Creator, Mute(Agora)),
        step("mute the Tencent member", Creator, Mute(Tencent)),
        step("mute the RongCloud member", Creator, Mute(Rong)),
        step("unmute the Agora member", Creator, Unmute(Agora)),
        step("unmute the Tencent member", Creator, Unmute(Tencent)),
        step("unmute the RongCloud member", Creator, Unmute(Rong)),
        step("mute all members", Creator, MuteAll),
        step("unmute all members", Creator, UnmuteAll),
        step("send a text", Creator, SendText),
        step("edit the text", Creator, Edit),
        step("recall the text", Creator, Recall),
        step("send a text as a member", Member, SendText),
        step("send 4 KB of Chinese", Creator, SendLongText),
        step("mention a member", Creator, Mention),
        step("send a custom message", Creator, SendCustom),
        step("send an image", Creator, SendImage),
        step("remove the Agora member", Creator, RemoveMember(Agora)),
        step("add the Agora member", Creator, AddMember(Agora)),
        step("remove the Tencent member", Creator, RemoveMember(Tencent)),
        step("add the Tencent member", Creator, AddMember(Tencent)),
        step("remove the RongCloud member", Creator, RemoveMember(Rong)),
        step("add the RongCloud member", Creator, AddMember(Rong)),
        step("leave the group", Member, Leave),
        step("join the group", Member, Join),
        step("transfer the group", Creator, Transfer),
        step("disband the group", Member, Disband),
    ]
};

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

/// Users without a client: one in the group from its creation, one who is added later.
pub(crate) const SILENT: &str = "zoe";
pub(crate) const ADDED: &str = "yan";

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
pub(crate) const IMAGE_URL: &str = "https://files.example.com/a.png";

/// About 4 KB.
pub(crate) fn long_text() -> String {
    "漢字かな".repeat(340)
}
