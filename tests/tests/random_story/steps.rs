//! The steps of a random story.

mod perform;

use crate::dice::Dice;

/// The users; two of their ids differ only in case.
pub const USERS: &[&str] = &["ann", "ben", "cy", "dan", "Eve", "eve"];
/// The groups, which are created, deleted and created again. The last is the only one with an id of a community, and can be
/// nothing else.
pub const GROUPS: &[&str] = &["g1", "g2", "g3", COMMUNITY];
/// The id of the community.
const COMMUNITY: &str = "@TGS#_c";

/// One step: what is done, and how many milliseconds after the step before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub millis: u64,
    group: &'static str,
    user: &'static str,
    other: &'static str,
    act: Act,
}

/// What is done, and through which vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    AgoraCreate { public: bool, membersonly: bool, allowinvites: bool },
    TencentCreate(&'static str),
    TencentImport(&'static str),
    RongCreate(u8),
    RongLegacyCreate,
    RongImport(u8),
    RongSync,
    Disband(Vendor),
    Rename(Vendor, u64),
    Announce(Vendor, u64),
    TencentRenameAndAnnounce(u64),
    Add(Vendor),
    TencentImportMember { seconds_ago: u64 },
    Remove(Vendor),
    Quit(Vendor),
    RongLegacyQuit,
    Promote(Vendor),
    Demote(Vendor),
    Transfer(Vendor),
    Mute(Vendor, u64),
    Unmute(Vendor),
    MuteAll(Vendor, bool),
    MuteEverywhere(bool),
    Allow(Vendor),
    Disallow(Vendor),
    Block(Vendor),
    Unblock(Vendor),
    AgoraFlags { public: Option<bool>, membersonly: Option<bool>, allowinvites: Option<bool> },
    TencentOptions { apply: Option<&'static str>, invite: Option<&'static str> },
    RongPermission(&'static str, u8),
    Capacity(Vendor, u32),
    Apply,
    Decide(bool),
    DeleteAccount(Vendor),
    Register,
    Say(Vendor, u64),
    SayAsMember,
    SayAsClient,
    TopicCreate(u64),
    TopicDestroy(u64),
    SayInTopic(u64),
    Appoint(bool),
    TencentImportMessage,
    Recall,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    Agora,
    Tencent,
    Rong,
}

use Vendor::{Agora, Rong, Tencent};

const KINDS: [&str; 4] = ["Private", "Public", "ChatRoom", LIVE];
/// Live rooms, which have no lists of members and no history at Tencent.
pub const LIVE: &str = "AVChatRoom";
const APPLY: [&str; 3] = ["FreeAccess", "NeedPermission", "DisableApply"];
const INVITE: [&str; 3] = ["FreeAccess", "NeedPermission", "DisableInvite"];
const PERMISSIONS: [(&str, u8); 6] = [
    ("joinPerm", 4),
    ("removePerm", 3),
    ("memInvitePerm", 3),
    ("invitePerm", 2),
    ("profilePerm", 3),
    ("memProfilePerm", 3),
];

impl Step {
    /// A random step.
    pub fn random(dice: &mut Dice) -> Self {
        // many steps are in the same millisecond, some much later
        let millis = dice.one_of(&[0, 0, 1, 7, 1000, 61_000]);
        let (mut group, user, other) = (dice.one_of(GROUPS), dice.one_of(USERS), dice.one_of(USERS));
        let mut act = Act::random(dice);
        if act.is_about_topics() {
            group = COMMUNITY;
        }
        if group == COMMUNITY {
            act = act.in_community();
        }
        Self { millis, group, user, other, act }
    }
}

impl Act {
    /// The same for a community, which only Tencent creates.
    fn in_community(self) -> Self {
        match self {
            Self::AgoraCreate { .. }
            | Self::TencentCreate(_)
            | Self::TencentImport(_)
            | Self::RongCreate(_)
            | Self::RongLegacyCreate
            | Self::RongSync => Self::TencentCreate("Community"),
            other => other,
        }
    }

    fn is_about_topics(self) -> bool {
        matches!(self, Self::TopicCreate(_) | Self::TopicDestroy(_) | Self::SayInTopic(_))
    }

    fn random(dice: &mut Dice) -> Self {
        let any = dice.one_of(&[Agora, Tencent, Rong]);
        let agora_or_rong = dice.one_of(&[Agora, Rong]);
        let agora_or_tencent = dice.one_of(&[Agora, Tencent]);
        let number = dice.below(1000);
        let perhaps = |dice: &mut Dice| dice.one_of(&[None, Some(false), Some(true)]);
        match dice.below(52) {
            0 => Self::AgoraCreate { public: dice.coin(), membersonly: dice.coin(), allowinvites: dice.coin() },
            1 => Self::TencentCreate(dice.one_of(&KINDS)),
            2 => Self::TencentImport(dice.one_of(&KINDS)),
            3 => Self::RongCreate(u8::try_from(dice.below(4)).unwrap()),
            4 => Self::RongLegacyCreate,
            5 => Self::RongImport(u8::try_from(dice.below(4)).unwrap()),
            6 => Self::RongSync,
            7 => Self::Disband(any),
            8 => Self::Rename(any, number),
            9 => Self::Announce(any, number),
            10 => Self::TencentRenameAndAnnounce(number),
            11..14 => Self::Add(any),
            14 => Self::TencentImportMember { seconds_ago: dice.below(100) },
            15..17 => Self::Remove(any),
            17 => Self::Quit(agora_or_rong),
            18 => Self::RongLegacyQuit,
            19 => Self::Promote(any),
            20 => Self::Demote(any),
            21 => Self::Transfer(any),
            22..24 => Self::Mute(any, dice.one_of(&[1, 60, 6_000, u64::MAX])),
            24..26 => Self::Unmute(any),
            26..28 => Self::MuteAll(any, dice.coin()),
            28 => Self::MuteEverywhere(dice.coin()),
            29 => Self::Allow(agora_or_rong),
            30 => Self::Disallow(agora_or_rong),
            31 => Self::Block(agora_or_tencent),
            32 => Self::Unblock(agora_or_tencent),
            33 => {
                let (public, membersonly, allowinvites) = (perhaps(dice), perhaps(dice), perhaps(dice));
                Self::AgoraFlags { public, membersonly, allowinvites }
            }
            34 => {
                let (apply, invite) = (dice.one_of(&APPLY), dice.one_of(&INVITE));
                let (apply, invite) = (Some(apply).filter(|_| dice.coin()), Some(invite).filter(|_| dice.coin()));
                Self::TencentOptions { apply, invite }
            }
            35 => {
                let (name, most) = dice.one_of(&PERMISSIONS);
                Self::RongPermission(name, u8::try_from(dice.below(u64::from(most))).unwrap())
            }
            36 => Self::Capacity(agora_or_tencent, u32::try_from(1 + dice.below(8)).unwrap()),
            37 => Self::Apply,
            38 => Self::Decide(dice.coin()),
            39 => Self::DeleteAccount(agora_or_tencent),
            40 => Self::Register,
            41 => Self::Say(any, number),
            42..44 => Self::SayAsMember,
            44 => Self::TencentImportMessage,
            45 => Self::Recall,
            46..48 => Self::SayAsClient,
            48 => Self::TopicCreate(dice.below(2)),
            49 => Self::TopicDestroy(dice.below(2)),
            50 => Self::SayInTopic(dice.below(2)),
            _ => Self::Appoint(dice.coin()),
        }
    }
}
