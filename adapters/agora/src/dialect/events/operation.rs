//! Facts as operations of the multi-user chat: `MUCBody` to clients, `muc` in older webhooks.

use conclave_core::event::{Event, Joining, Leaving};
use conclave_core::model::{Group, Request, RequestKind, Stage, UserId};
use conclave_kit::Recipients;

use super::{Fact, What};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $word:literal;)*) => {
        /// An operation, with its number in the client protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Muc {
            $($(#[$doc])* $name = $number,)*
        }

        impl Muc {
            /// Its name in webhooks.
            pub(crate) fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

operations! {
    Create = 0, "create";
    Destroy = 1, "destroy";
    Apply = 4, "apply";
    ApplyAccept = 5, "apply_accept";
    ApplyDecline = 6, "apply_decline";
    Invite = 7, "invite";
    InviteAccept = 8, "invite_accept";
    InviteDecline = 9, "invite_decline";
    Kick = 10, "kick";
    /// Clients receive [`Muc::Kick`] instead.
    Ban = 12, "ban";
    Allow = 13, "allow";
    Update = 14, "update";
    Block = 15, "block";
    Unblock = 16, "unblock";
    Presence = 17, "presence";
    Absence = 18, "absence";
    DirectJoined = 19, "direct_joined";
    /// Misspelt by the vendor.
    AssignOwner = 20, "assing_owner";
    AddAdmin = 21, "add_admin";
    RemoveAdmin = 22, "remove_admin";
    AddMute = 23, "add_mute";
    RemoveMute = 24, "remove_mute";
    UpdateAnnouncement = 25, "update_announcement";
    DeleteAnnouncement = 26, "delete_announcement";
    UploadFile = 27, "upload_file";
    DeleteFile = 28, "delete_file";
    AddUserWhiteList = 29, "add_user_white_list";
    RemoveUserWhiteList = 30, "remove_user_white_list";
    BanGroup = 31, "ban_group";
    RemoveBanGroup = 32, "remove_ban_group";
    DisableGroup = 41, "disable_group";
    AbleGroup = 42, "able_group";
    GroupMemberMetadataUpdate = 45, "group_member_metadata_update";
}

/// One operation of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Push<'e> {
    pub(crate) operation: Muc,
    /// The acting user; `None` is the app.
    pub(crate) from: Option<&'e UserId>,
    /// The affected users: clients read the first only, so each gets an operation of their own; empty when the group is
    /// affected.
    pub(crate) about: Vec<&'e UserId>,
    /// The clients that receive it.
    pub(crate) to: Recipients,
    /// Whether older webhooks report it too.
    pub(crate) has_callback: bool,
}

impl<'e> Fact<'e> {
    /// The operations for clients and older webhooks, in order. Facts about messages have none.
    #[allow(clippy::match_same_arms, reason = "each arm says why")]
    pub(crate) fn operations(&self, group: &'e Group) -> Vec<Push<'e>> {
        let by = self.event.actor.behind();
        let push = |operation, from, to| Push { operation, from, about: Vec::new(), to, has_callback: true };
        let members = || Recipients::members().without_acting_device();
        // to the affected users, and to the owner and admins except the acting user
        let managed = |operation, users: &'e [UserId]| {
            let to = |user: &UserId| Recipients::managers().and([user.clone()]).without(by.cloned());
            let each = users.iter().map(|user| Push { about: vec![user], ..push(operation, by, to(user)) });
            each.collect::<Vec<_>>()
        };
        match &self.what {
            What::Created { owner, .. } => {
                let to = Recipients::users(owner.cloned()).without_acting_device();
                let about = owner.iter().copied().collect();
                vec![Push { about, ..push(Muc::Create, by.or(*owner), to) }]
            }
            What::Destroyed { members } => {
                let to = Recipients::users(members.iter().cloned()).without_acting_device();
                vec![push(Muc::Destroy, by, to)]
            }
            What::Requested(request) => requested(request, self.event, group).into_iter().collect(),
            What::Joined { users, how, .. } => joined(users, how, by),
            What::Left { users, how, .. } => left(users, *how, by),
            What::OwnerChanged { from, to: Some(to) } => {
                vec![Push { about: vec![*to], ..push(Muc::AssignOwner, from.or(by), members()) }]
            }
            // an owner's leaving is reported instead
            What::OwnerChanged { to: None, .. } => Vec::new(),
            What::Info(_) => vec![push(Muc::Update, by, members())],
            What::Announcement("") => vec![push(Muc::DeleteAnnouncement, by, members())],
            What::Announcement(_) => vec![push(Muc::UpdateAnnouncement, by, members())],
            What::Disabled(disabled) => {
                let operation = if *disabled { Muc::DisableGroup } else { Muc::AbleGroup };
                vec![Push { has_callback: false, ..push(operation, by, Recipients::members()) }]
            }
            What::AllMuted(muted) => {
                let operation = if *muted { Muc::BanGroup } else { Muc::RemoveBanGroup };
                vec![push(operation, by, Recipients::members().without(by.cloned()))]
            }
            What::Admins { users, added } => managed(if *added { Muc::AddAdmin } else { Muc::RemoveAdmin }, users),
            What::Muted { users, .. } => managed(Muc::AddMute, users),
            What::Unmuted(users) => managed(Muc::RemoveMute, users),
            What::Allowed(users) => managed(Muc::AddUserWhiteList, users),
            What::Disallowed(users) => managed(Muc::RemoveUserWhiteList, users),
            What::Blocked { users, .. } => {
                let each =
                    users.iter().map(|user| Push { about: vec![user], ..push(Muc::Ban, by, Recipients::default()) });
                each.collect()
            }
            What::Unblocked(users) => {
                let to = |user: &UserId| Recipients::users([user.clone()]).without_acting_device();
                users.iter().map(|user| Push { about: vec![user], ..push(Muc::Allow, by, to(user)) }).collect()
            }
            What::FileShared { .. } => vec![push(Muc::UploadFile, by, members())],
            What::FileDeleted { .. } => vec![push(Muc::DeleteFile, by, members())],
            What::MemberAttributes { .. } => vec![push(Muc::GroupMemberMetadataUpdate, by, members())],
            What::Shield { user, on } => {
                let to = Recipients::users([(*user).clone()]).without_acting_device();
                vec![push(if *on { Muc::Block } else { Muc::Unblock }, Some(*user), to)]
            }
            What::Sent(_)
            | What::Passed(_)
            | What::Recalled(_)
            | What::Edited(_)
            | What::Pinned { .. }
            | What::Read { .. } => Vec::new(),
        }
    }
}

/// A request to join or an invitation, or the decision about one.
fn requested<'e>(request: &'e Request, event: &'e Event, group: &'e Group) -> Option<Push<'e>> {
    let by = event.actor.behind();
    let Request { user, inviter, kind, stage, .. } = request;
    let push = |operation, from, about: Option<&'e UserId>, to: Recipients| {
        let to = to.without_acting_device();
        Some(Push { operation, from, about: about.into_iter().collect(), to, has_callback: true })
    };
    let (applicant, inviter) = (|| Recipients::users([user.clone()]), inviter.as_ref());
    match (kind, stage) {
        (RequestKind::Application, Stage::AwaitsManagers) => {
            push(Muc::Apply, Some(user), group.owner.as_ref(), Recipients::audience(event).without([user.clone()]))
        }
        (RequestKind::Application, Stage::Joined) => push(Muc::ApplyAccept, by, Some(user), applicant()),
        (RequestKind::Application, Stage::RefusedByManagers) => push(Muc::ApplyDecline, by, Some(user), applicant()),
        (RequestKind::Invitation, Stage::AwaitsInvitee) => push(Muc::Invite, inviter, Some(user), applicant()),
        // a user who was added without being asked has not accepted anything
        (RequestKind::Invitation, Stage::Joined) if by == Some(user) => {
            push(Muc::InviteAccept, Some(user), inviter, Recipients::users(inviter.cloned()))
        }
        (RequestKind::Invitation, Stage::Declined) => {
            push(Muc::InviteDecline, Some(user), inviter, Recipients::users(inviter.cloned()))
        }
        // an invitation that waits for the managers or was refused by them is not shown to the invited user, and an
        // application has no invited user
        (RequestKind::Invitation, Stage::AwaitsManagers | Stage::RefusedByManagers | Stage::Joined)
        | (RequestKind::Application, Stage::AwaitsInvitee | Stage::Declined) => None,
    }
}

/// Added users receive their addition; the others receive that they are present.
fn joined<'e>(users: &'e [UserId], how: &'e Joining, by: Option<&'e UserId>) -> Vec<Push<'e>> {
    let added = match how {
        Joining::Created | Joining::Added => Some(by),
        Joining::Invited { by: inviter, agreed: false } => Some(inviter.as_ref().or(by)),
        Joining::Invited { agreed: true, .. } | Joining::Asked { .. } | Joining::Imported => None,
    };
    let mut pushes = Vec::new();
    if let Some(by) = added {
        let about = users.iter().collect();
        let to = Recipients::users(users.iter().cloned());
        pushes.push(Push { operation: Muc::DirectJoined, from: by, about, to, has_callback: true });
    }
    let to = Recipients::members().without(users.iter().cloned()).without_acting_device();
    let about = users.iter().collect();
    pushes.push(Push { operation: Muc::Presence, from: None, about, to, has_callback: true });
    // an invitation that needs no consent counts as accepted
    if let Joining::Invited { by: Some(inviter), agreed: false } = how {
        let to = Recipients::users([inviter.clone()]).without_acting_device();
        let accepted = users.iter().map(|user| Push {
            operation: Muc::InviteAccept,
            from: Some(user),
            about: vec![inviter],
            to: to.clone(),
            has_callback: false,
        });
        pushes.extend(accepted);
    }
    pushes
}

/// Removed users receive their removal; the others receive that they are absent, except for blocked users.
fn left<'e>(users: &'e [UserId], how: Leaving, by: Option<&'e UserId>) -> Vec<Push<'e>> {
    let mut pushes = Vec::new();
    if matches!(how, Leaving::Removed | Leaving::Blocked) {
        let (about, to) = (users.iter().collect(), Recipients::users(users.iter().cloned()));
        pushes.push(Push { operation: Muc::Kick, from: by, about, to, has_callback: true });
    }
    let to = match how {
        Leaving::Blocked => Recipients::default(),
        Leaving::Left | Leaving::Removed | Leaving::AccountDeleted => Recipients::members().without_acting_device(),
    };
    let about = users.iter().collect();
    pushes.push(Push { operation: Muc::Absence, from: None, about, to, has_callback: true });
    pushes
}
