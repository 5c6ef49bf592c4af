//! The vendor's projection: events as named facts, the operations (`MUCBody.operation`) that clients receive for them,
//! and which clients receive each. Webhooks and the client protocol encode these facts; nothing else in this adapter
//! matches on kinds of events.
//!
//! Every kind of event is listed here, so that a new one does not compile until this vendor has decided about it.

mod operation;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use conclave_core::event::{Event, Happening, Joining, Leaving, ProfileChange};
use conclave_core::model::{FileId, Group, Message, Policy, Profile, Receive, Request, Until, UserId};
use conclave_kit::Recipients;

use super::flags::Flags;
use crate::settings::Settings;

pub(crate) use operation::{Muc, Push};

/// One fact.
pub(crate) struct Fact<'e> {
    /// The event it belongs to; of several events in one call, the first.
    pub(crate) event: &'e Event,
    /// Its content.
    pub(crate) what: What<'e>,
}

/// The kinds of facts.
#[allow(dead_code, reason = "some of it is for clients only, and for whatever speaks to them")]
pub(crate) enum What<'e> {
    Created {
        profile: &'e Profile,
        owner: Option<&'e UserId>,
        members: &'e [UserId],
    },
    Destroyed {
        members: &'e [UserId],
    },
    Requested(&'e Request),
    Joined {
        users: &'e [UserId],
        how: &'e Joining,
        members: u32,
    },
    Left {
        users: &'e [UserId],
        how: Leaving,
        reason: &'e str,
        members: u32,
    },
    OwnerChanged {
        from: Option<&'e UserId>,
        to: Option<&'e UserId>,
    },
    Info(Info<'e>),
    /// "" means removed.
    Announcement(&'e str),
    Disabled(bool),
    AllMuted(bool),
    Admins {
        users: &'e [UserId],
        added: bool,
    },
    Muted {
        users: &'e [UserId],
        until: Until,
    },
    Unmuted(&'e [UserId]),
    Allowed(&'e [UserId]),
    Disallowed(&'e [UserId]),
    Blocked {
        users: &'e [UserId],
        until: Until,
        reason: &'e str,
    },
    Unblocked(&'e [UserId]),
    FileShared {
        file: &'e FileId,
        name: &'e str,
        size: u64,
    },
    FileDeleted {
        file: &'e FileId,
    },
    MemberAttributes {
        user: &'e UserId,
        attributes: &'e BTreeMap<String, String>,
    },
    /// A member stops receiving the group's messages, or receives them again.
    Shield {
        user: &'e UserId,
        on: bool,
    },
    /// A stored message was sent, by its number.
    Sent(u64),
    /// A message was sent that is not stored.
    Passed(&'e Message),
    /// Messages were recalled, by their numbers.
    Recalled(&'e [u64]),
    /// A message was edited, by its number.
    Edited(u64),
    /// A message was pinned or unpinned for all members, by its number.
    Pinned {
        sequence: u64,
        pinned: bool,
    },
    /// A member has read messages whose sender asked for receipts.
    Read {
        user: &'e UserId,
        sequences: &'e [u64],
        /// What the reader says to the sender.
        note: &'e str,
    },
}

/// The changes of a group's `info` by one call: texts, flags, or both.
#[derive(Clone, Copy)]
pub(crate) struct Info<'e> {
    /// The texts that changed.
    pub(crate) profile: Option<&'e ProfileChange>,
    /// The policy before and after, where flags changed.
    pub(crate) policy: Option<(&'e Policy, &'e Policy)>,
}

/// Whether an event may become a fact about a group rather than about messages; decided without reading the group.
pub(crate) fn is_of_group(event: &Event) -> bool {
    what(event).is_some_and(|what| !what.is_of_messages())
}

/// Whether an event is about messages.
pub(crate) fn is_of_messages(event: &Event) -> bool {
    what(event).is_some_and(|what| what.is_of_messages())
}

/// Whether an event deleted its group.
pub(crate) fn is_end(event: &Event) -> bool {
    matches!(what(event), Some(What::Destroyed { .. }))
}

/// The number of the stored message that was sent with an event, if any.
pub(crate) fn sent(event: &Event) -> Option<u64> {
    if let Some(What::Sent(sequence)) = what(event) { Some(sequence) } else { None }
}

/// The facts of one call's events, in order. `group` is the group of all of them.
pub(crate) fn facts<'e>(
    call: impl IntoIterator<Item = &'e Event>,
    group: &Group,
    settings: &Settings,
) -> Vec<Fact<'e>> {
    let mut facts: Vec<Fact<'e>> = Vec::new();
    for event in call.into_iter().filter(|event| event.group.as_ref() == Some(&group.id)) {
        let Some(what) = what(event) else { continue };
        let What::Info(more) = what else {
            facts.push(Fact { event, what });
            continue;
        };
        let flags = |policy| Flags::read(policy, &group.labels, settings);
        let policy = more.policy.filter(|(before, after)| flags(before) != flags(after));
        // both changes are in one `info`
        let earlier = facts
            .iter_mut()
            .filter(|fact| fact.event.call() == event.call())
            .find_map(|fact| if let What::Info(info) = &mut fact.what { Some(info) } else { None });
        match earlier {
            Some(info) => {
                info.profile = info.profile.or(more.profile);
                info.policy = info.policy.or(policy);
            }
            None if more.profile.is_some() || policy.is_some() => {
                facts.push(Fact { event, what: What::Info(Info { profile: more.profile, policy }) });
            }
            None => {}
        }
    }
    facts
}

#[allow(clippy::match_same_arms, reason = "each arm says why")]
fn what(event: &Event) -> Option<What<'_>> {
    let what = match &event.what {
        Happening::GroupCreated { profile, owner, members } => {
            What::Created { profile, owner: owner.as_ref(), members }
        }
        // a group without roles was given an owner
        Happening::GroupGoverned { owner } => What::OwnerChanged { from: None, to: Some(owner) },
        Happening::GroupDisbanded { members, .. } => What::Destroyed { members },
        Happening::RequestChanged(request) => What::Requested(request),
        // imports are not reported
        Happening::MembersJoined { how: Joining::Imported, .. } => return None,
        Happening::MembersJoined { users, how, members } => What::Joined { users, how, members: *members },
        Happening::MembersLeft { users, how, reason, members, .. } => {
            What::Left { users, how: *how, reason, members: *members }
        }
        Happening::OwnerChanged { from, to, .. } => What::OwnerChanged { from: from.as_ref(), to: to.as_ref() },
        Happening::AdminsAdded(users) => What::Admins { users, added: true },
        Happening::AdminsRemoved(users) => What::Admins { users, added: false },
        Happening::ProfileChanged(change) => {
            // custom fields are another vendor's
            if !change.shows() && change.custom.is_none() {
                return None;
            }
            What::Info(Info { profile: Some(change), policy: None })
        }
        Happening::PolicyChanged { before, after } => {
            What::Info(Info { profile: None, policy: Some((&**before, &**after)) })
        }
        Happening::AnnouncementChanged(text) => What::Announcement(text),
        Happening::DisabledChanged(disabled) => What::Disabled(*disabled),
        Happening::Muted { users, until } => What::Muted { users, until: *until },
        Happening::Unmuted(users) => What::Unmuted(users),
        Happening::AllMutedChanged(muted) => What::AllMuted(*muted),
        Happening::Allowed(users) => What::Allowed(users),
        Happening::Disallowed(users) => What::Disallowed(users),
        Happening::Blocked { users, until, reason } => What::Blocked { users, until: *until, reason },
        Happening::Unblocked(users) => What::Unblocked(users),
        Happening::FileAdded { file, name, size } => What::FileShared { file, name, size: *size },
        Happening::FileRemoved { file, .. } => What::FileDeleted { file },
        Happening::MemberAttributesChanged { user, attributes } => What::MemberAttributes { user, attributes },
        Happening::ReceiveChanged { user, receive, before } => {
            let on = *receive == Receive::Discard;
            if !on && *before != Some(Receive::Discard) {
                return None;
            }
            What::Shield { user, on }
        }
        Happening::MessageSent { sequence, .. } => What::Sent(*sequence),
        Happening::MessagePassed(message) => What::Passed(message),
        Happening::MessagesRecalled { sequences, .. } => What::Recalled(sequences),
        Happening::MessageChanged { sequence, .. } => What::Edited(*sequence),
        Happening::MessagesRead { sequences, user, note } => What::Read { user, sequences, note },
        Happening::PinChanged { sequence, pinned } => What::Pinned { sequence: *sequence, pinned: *pinned },
        // not reported by this vendor
        Happening::AppointedChanged { .. }
        | Happening::MarksChanged { .. }
        | Happening::MutedEverywhere { .. }
        | Happening::MemberChanged { .. }
        | Happening::AttributesChanged { .. }
        | Happening::CountersChanged { .. }
        | Happening::GroupActivated
        | Happening::MessagesDeleted { .. }
        | Happening::ReadMarkChanged { .. }
        | Happening::ExtensionsChanged { .. }
        | Happening::Noticed { .. }
        | Happening::MessageDropped { .. }
        | Happening::TopicMade { .. }
        | Happening::TopicChanged { .. }
        | Happening::TopicsEnded(_)
        | Happening::InTopic { .. }
        | Happening::RemarkChanged { .. }
        | Happening::FollowsChanged { .. }
        | Happening::UserRegistered(_)
        | Happening::UserChanged(_)
        | Happening::UserDeleted(_) => return None,
    };
    Some(what)
}

impl What<'_> {
    fn is_of_messages(&self) -> bool {
        matches!(
            self,
            Self::Sent(_)
                | Self::Passed(_)
                | Self::Recalled(_)
                | Self::Edited(_)
                | Self::Pinned { .. }
                | Self::Read { .. }
        )
    }
}

impl Fact<'_> {
    /// The clients that receive this fact about messages; none if it is not about messages.
    pub(crate) fn message_recipients(&self) -> Recipients {
        let is_theirs = self.what.is_of_messages();
        if is_theirs { Recipients::audience(self.event) } else { Recipients::default() }
    }
}
