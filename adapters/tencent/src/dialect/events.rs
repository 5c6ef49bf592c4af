//! The vendor's projection: events as named facts, the tips and notices that clients receive for them, and which
//! clients receive each. Webhooks and the client protocol encode these facts; nothing else in this adapter matches on
//! kinds of events.
//!
//! Every kind of event is listed here, so that a new one does not compile until this vendor has decided about it.

mod push;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use conclave_core::event::{Event, FormerMember, Happening, Joining, Leaving, ProfileChange};
use conclave_core::model::{Message, MessageId, Policy, Profile, Receive, Request, TopicId, Until, UserId};

pub(crate) use push::{Delivery, Notice, Push, Tip};

use super::options::JoinOption;

/// One fact.
pub(crate) struct Fact<'e> {
    /// The event it belongs to; of several events in one call, the first.
    pub(crate) event: &'e Event,
    /// Its content.
    pub(crate) what: What<'e>,
}

/// What has happened.
pub(crate) enum What<'e> {
    Created {
        profile: &'e Profile,
        owner: Option<&'e UserId>,
        members: &'e [UserId],
    },
    Destroyed {
        owner: Option<&'e UserId>,
        profile: &'e Profile,
        members: &'e [UserId],
        /// The last state of those who had one.
        were: &'e [FormerMember],
    },
    /// A group that waited for its first message is shown to its members from now on.
    Activated,
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
        /// Their last state.
        were: &'e [FormerMember],
    },
    Info(Info<'e>),
    /// Mute of everybody, or who gets in and how, as far as it changed.
    Options {
        all_muted: Option<bool>,
        join: Option<JoinOption>,
        invite: Option<JoinOption>,
    },
    OwnerChanged {
        from: Option<&'e UserId>,
        to: &'e UserId,
    },
    Role {
        users: &'e [UserId],
        admin: bool,
    },
    Card {
        user: &'e UserId,
        card: &'e str,
    },
    /// Muted, or unmuted when `until` is `None`.
    Muted {
        users: &'e [UserId],
        until: Option<Until>,
    },
    Requested(&'e Request),
    Banned {
        users: &'e [UserId],
        until: Until,
        reason: &'e str,
    },
    Unbanned {
        users: &'e [UserId],
    },
    Attributes {
        version: u64,
        set: &'e BTreeMap<String, String>,
        removed: &'e [String],
        replaced: bool,
    },
    Counters {
        set: &'e BTreeMap<String, i64>,
        removed: &'e [String],
    },
    /// A member's notification setting for messages.
    Receive {
        user: &'e UserId,
        receive: Receive,
    },
    /// A message was sent that is kept.
    Sent {
        sequence: u64,
        id: &'e MessageId,
    },
    /// A message was sent that is kept nowhere.
    Passed(&'e Message),
    /// A message was dropped because of the group's rate limit.
    Dropped {
        message: &'e Message,
        stored: bool,
    },
    /// Messages were recalled, by their numbers.
    Recalled(&'e [u64]),
    /// A message was edited, by its number.
    Edited(u64),
    /// A message was pinned, or is no longer, by its number.
    Pinned {
        sequence: u64,
        pinned: bool,
    },
    /// Keys and values were added to a message, or taken away, by its number.
    Extended {
        sequence: u64,
        version: u64,
        set: &'e BTreeMap<String, String>,
        removed: &'e [String],
        cleared: bool,
    },
    /// A member has read messages whose sender wants to know.
    Receipts {
        user: &'e UserId,
        sequences: &'e [u64],
    },
    /// A member has read up to a number.
    ReadUpTo {
        user: &'e UserId,
        sequence: u64,
    },
    /// A notice of the app.
    Custom(&'e str),
    TopicCreated {
        topic: &'e TopicId,
        profile: &'e Profile,
    },
    TopicChanged {
        topic: &'e TopicId,
        profile: &'e ProfileChange,
        announcement: Option<&'e String>,
        all_muted: Option<bool>,
    },
    TopicsDestroyed(&'e [TopicId]),
    /// One of the above in a topic, with the topic's numbers.
    InTopic(&'e TopicId, Box<What<'e>>),
}

/// The changes of a group's profile by one call.
#[derive(Clone, Copy, Default)]
pub(crate) struct Info<'e> {
    /// Name, introduction, face and custom fields.
    pub(crate) profile: Option<&'e ProfileChange>,
    /// `Notification`; "" is removed.
    pub(crate) announcement: Option<&'e String>,
    /// Its number in the group's sequence, where it has one.
    pub(crate) number: Option<u64>,
}

impl Info<'_> {
    /// Whether only custom fields change: that causes no callback, and is not part of the history.
    pub(crate) fn is_custom_only(&self) -> bool {
        self.announcement.is_none() && self.profile.is_none_or(|profile| !profile.shows())
    }
}

impl Fact<'_> {
    /// The last state of members whose memberships ended with it.
    pub(crate) fn former(&self) -> &[FormerMember] {
        if let What::Left { were, .. } | What::Destroyed { were, .. } = &self.what { were } else { &[] }
    }

    /// The given reason of a removal or ban; "" if none.
    pub(crate) fn reason(&self) -> &str {
        if let What::Left { reason, .. } | What::Banned { reason, .. } = &self.what { reason } else { "" }
    }
}

/// The facts of one call's events, in order.
pub(crate) fn facts<'e>(call: impl IntoIterator<Item = &'e Event>) -> Vec<Fact<'e>> {
    let mut facts: Vec<Fact<'e>> = Vec::new();
    for event in call {
        let Some(what) = what(&event.what, event.number) else { continue };
        // all profile changes of one call are one callback, and one tip
        let is_same = |fact: &&mut Fact<'e>| {
            fact.event.call() == event.call() && fact.event.group == event.group && matches!(fact.what, What::Info(_))
        };
        if let What::Info(more) = &what
            && let Some(Fact { what: What::Info(info), .. }) = facts.iter_mut().find(is_same)
        {
            info.profile = info.profile.or(more.profile);
            info.announcement = info.announcement.or(more.announcement);
            info.number = info.number.or(more.number);
            continue;
        }
        facts.push(Fact { event, what });
    }
    facts
}

#[allow(clippy::match_same_arms, reason = "each arm says why")]
fn what(happening: &Happening, number: Option<u64>) -> Option<What<'_>> {
    let what = match happening {
        Happening::GroupCreated { profile, owner, members } => {
            What::Created { profile, owner: owner.as_ref(), members }
        }
        Happening::GroupDisbanded { owner, profile, members, were, .. } => {
            What::Destroyed { owner: owner.as_ref(), profile, members, were }
        }
        Happening::GroupActivated => What::Activated,
        // imports are not reported
        Happening::MembersJoined { how: Joining::Imported, .. } => return None,
        Happening::MembersJoined { users, how, members } => What::Joined { users, how, members: *members },
        Happening::MembersLeft { users, how, reason, members, were } => {
            What::Left { users, how: *how, reason, members: *members, were }
        }
        Happening::ProfileChanged(change) => {
            if !change.shows() && change.fields.is_empty() {
                return None;
            }
            What::Info(Info { profile: Some(change), announcement: None, number })
        }
        Happening::AnnouncementChanged(text) => {
            What::Info(Info { profile: None, announcement: Some(text), number })
        }
        Happening::OwnerChanged { from, to: Some(to), .. } => What::OwnerChanged { from: from.as_ref(), to },
        // the owner has left the group without one: reported as a member's leaving
        Happening::OwnerChanged { to: None, .. } => return None,
        Happening::AdminsAdded(users) => What::Role { users, admin: true },
        Happening::AdminsRemoved(users) => What::Role { users, admin: false },
        Happening::MemberChanged { user, card: Some(card), .. } => What::Card { user, card },
        // custom fields of members are read with the members
        Happening::MemberChanged { card: None, .. } => return None,
        Happening::Muted { users, until } => What::Muted { users, until: Some(*until) },
        Happening::Unmuted(users) => What::Muted { users, until: None },
        Happening::RequestChanged(request) => What::Requested(request),
        Happening::Blocked { users, until, reason } => What::Banned { users, until: *until, reason },
        Happening::Unblocked(users) => What::Unbanned { users },
        Happening::AttributesChanged { version, set, removed, replaced } => {
            What::Attributes { version: *version, set, removed, replaced: *replaced }
        }
        Happening::CountersChanged { set, removed } => What::Counters { set, removed },
        Happening::ReceiveChanged { user, receive, .. } => What::Receive { user, receive: *receive },
        Happening::MessageSent { sequence, id } => What::Sent { sequence: *sequence, id },
        Happening::MessagePassed(message) => What::Passed(message),
        Happening::MessageDropped { message, stored } => What::Dropped { message, stored: *stored },
        Happening::MessagesRecalled { sequences, .. } => What::Recalled(sequences),
        Happening::MessageChanged { sequence, .. } => What::Edited(*sequence),
        Happening::PinChanged { sequence, pinned } => What::Pinned { sequence: *sequence, pinned: *pinned },
        Happening::ExtensionsChanged { sequence, version, set, removed, cleared } => {
            What::Extended { sequence: *sequence, version: *version, set, removed, cleared: *cleared }
        }
        Happening::MessagesRead { sequences, user, .. } => What::Receipts { user, sequences },
        Happening::ReadMarkChanged { user, sequence } => What::ReadUpTo { user, sequence: *sequence },
        Happening::Noticed { content } => What::Custom(content),
        Happening::TopicMade { topic, profile } => What::TopicCreated { topic, profile },
        Happening::TopicChanged { topic, profile, announcement, all_muted } => {
            What::TopicChanged { topic, profile, announcement: announcement.as_ref(), all_muted: *all_muted }
        }
        Happening::TopicsEnded(topics) => What::TopicsDestroyed(topics),
        Happening::InTopic { topic, what: inner } => What::InTopic(topic, Box::new(what(inner, None)?)),
        Happening::AllMutedChanged(on) => What::Options { all_muted: Some(*on), join: None, invite: None },
        Happening::PolicyChanged { before, after } => {
            let changed = |of: fn(&Policy) -> JoinOption| Some(of(after)).filter(|now| of(before) != *now);
            let (join, invite) = (changed(JoinOption::of_join), changed(JoinOption::of_invite));
            if join.is_none() && invite.is_none() {
                return None;
            }
            What::Options { all_muted: None, join, invite }
        }
        // deleted without a notice
        Happening::MessagesDeleted { .. }
        // an import into hosting is another vendor's, and so is the rest
        | Happening::GroupGoverned { .. }
        | Happening::AppointedChanged { .. }
        | Happening::MarksChanged { .. }
        | Happening::DisabledChanged(_)
        | Happening::MutedEverywhere { .. }
        | Happening::Allowed(_)
        | Happening::Disallowed(_)
        | Happening::MemberAttributesChanged { .. }
        | Happening::FileAdded { .. }
        | Happening::FileRemoved { .. }
        | Happening::RemarkChanged { .. }
        | Happening::FollowsChanged { .. }
        | Happening::UserRegistered(_)
        | Happening::UserChanged(_)
        | Happening::UserDeleted(_) => return None,
    };
    Some(what)
}
