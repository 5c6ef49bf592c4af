//! The vendor's projection: events as named facts, and which clients receive each. Socket and webhooks both encode
//! these facts; nothing else in this adapter matches on kinds of events.
//!
//! Every kind of event is listed here, so that a new one does not compile until this vendor has decided about it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use conclave_core::event::{Actor, Event, FormerMember, Happening, Joining, Leaving, ProfileChange};
use conclave_core::model::{Message, Policy, Profile, Request, UserId};
use conclave_kit::Recipients;

use super::limits;
use super::permissions::Permissions;

/// One fact.
pub(crate) struct Fact<'e> {
    /// The event it belongs to; of several events in one call, the last.
    pub(crate) event: &'e Event,
    /// Its content.
    pub(crate) what: What<'e>,
    /// The clients that receive it.
    pub(crate) to: Recipients,
}

/// The kinds of facts.
pub(crate) enum What<'e> {
    /// A group was created: operation 0, callback 1.
    Created { profile: &'e Profile, owner: Option<&'e UserId> },
    /// A group was deleted: operation 4, callback 5.
    Dismissed { owner: Option<&'e UserId>, were: &'e [FormerMember] },
    /// Another operation on a group's members.
    Operation(Operation<'e>),
    /// The profile or the permissions changed: the changed parts.
    Profile(Vec<Part<'e>>),
    /// A member's name or extra string changed. It has no callback.
    Member(&'e UserId),
    /// A request or an invitation was created, forwarded or decided. It has no callback.
    Application(&'e Request),
    /// A user changed their own name for a group; "" means removed. It has no callback.
    Remark(&'e str),
    /// A user changed the members they follow. It has no callback.
    Follows { added: &'e [UserId], removed: &'e [UserId] },
    /// A stored message was sent: its number.
    Sent(u64),
    /// A message was sent that is not stored.
    Passed(&'e Message),
    /// Messages were recalled: their numbers.
    Recalled(&'e [u64]),
    /// A message was edited: its number. It has no callback.
    Edited(u64),
    /// The extensions of a message changed. It has no callback.
    Extended(Extended<'e>),
    /// A member has read messages whose sender wants to know: their numbers. It has no callback.
    Read { user: &'e UserId, sequences: &'e [u64] },
}

/// What was written and removed of a message's extensions.
#[derive(Clone, Copy)]
pub(crate) struct Extended<'e> {
    /// The message's number.
    pub(crate) sequence: u64,
    /// The version of the extensions.
    pub(crate) version: u64,
    /// What was written.
    pub(crate) set: &'e BTreeMap<String, String>,
    /// The removed keys.
    pub(crate) removed: &'e [String],
}

impl<'e> Extended<'e> {
    /// How many notices clients receive: one for what was written, and one for what was removed.
    pub(crate) fn notices(&self) -> u64 {
        u64::from(!self.set.is_empty()) + u64::from(!self.removed.is_empty())
    }

    /// With its recipients. The acting device, and the devices of the user in whose name the app's server writes, are not
    /// notified.
    fn fact(self, event: &Event) -> Option<(What<'e>, Recipients)> {
        let user = event.actor.behind().filter(|_| matches!(event.actor, Actor::App { .. })).cloned();
        let to = Recipients::audience(event).without_acting_device().without(user);
        (self.notices() > 0).then_some((What::Extended(self), to))
    }
}

/// An operation on members.
pub(crate) struct Operation<'e> {
    pub(crate) kind: Kind,
    /// The operator, as clients see it; `None` is the app's server.
    pub(crate) by: Option<&'e UserId>,
    /// Whether the operator has left the group since.
    pub(crate) by_former: bool,
    /// The affected users.
    pub(crate) users: Vec<&'e UserId>,
    /// The last state of the memberships that ended with it.
    pub(crate) were: Vec<&'e FormerMember>,
}

impl<'e> Operation<'e> {
    fn new(kind: Kind, by: Option<&'e UserId>, users: &'e [UserId]) -> Self {
        Self { kind, by, by_former: false, users: users.iter().collect(), were: Vec::new() }
    }
}

/// The operations on members, with the clients' numbers; callbacks count one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Joined = 1,
    Kicked = 2,
    Quit = 3,
    ManagersAdded = 5,
    ManagersRemoved = 6,
    Transferred = 7,
}

/// A part of a profile.
pub(crate) enum Part<'e> {
    /// Name, introduction, portrait, and the fields that begin with `ext_`.
    Texts(&'e ProfileChange),
    /// The announcement; "" means removed.
    Announcement(&'e str),
    /// What members and strangers may do.
    Permissions { before: Permissions, after: Permissions },
}

/// The facts of one call's events, in order. `call` may be a part of the call's events, as a client receives only those
/// addressed to it.
pub(crate) fn facts<'e>(call: impl IntoIterator<Item = &'e Event>) -> Vec<Fact<'e>> {
    let mut facts: Vec<Fact<'e>> = Vec::new();
    for event in call {
        let Some((what, to)) = fact(event) else { continue };
        // all profile changes of one call are one fact
        if let (What::Profile(more), Some(last)) = (&what, facts.last_mut())
            && last.event.call() == event.call()
            && last.event.group == event.group
            && let What::Profile(parts) = &mut last.what
        {
            parts.extend(more.iter().map(Part::again));
            last.event = event;
            continue;
        }
        facts.push(Fact { event, what, to });
    }
    facts
}

impl Part<'_> {
    fn again(&self) -> Self {
        match self {
            Self::Texts(change) => Self::Texts(change),
            Self::Announcement(text) => Self::Announcement(text),
            Self::Permissions { before, after } => Self::Permissions { before: *before, after: *after },
        }
    }
}

#[allow(clippy::match_same_arms, reason = "each arm says why")]
fn fact(event: &Event) -> Option<(What<'_>, Recipients)> {
    let everybody = || Recipients::audience(event);
    let other_devices = || everybody().without_acting_device();
    let actor = event.actor.behind();
    let what = match &event.what {
        Happening::GroupCreated { profile, owner, .. } => {
            let what = What::Created { profile, owner: owner.as_ref() };
            return Some((what, Recipients::users(owner.clone())));
        }
        Happening::GroupDisbanded { owner, members, were, .. } => {
            // clients are not notified of groups without an owner
            let to = if owner.is_some() { Recipients::users(members.iter().cloned()) } else { Recipients::default() };
            return Some((What::Dismissed { owner: owner.as_ref(), were }, to));
        }
        // imports are not reported
        Happening::MembersJoined { how: Joining::Imported, .. } => return None,
        Happening::MembersJoined { users, how, .. } => {
            let by = match how {
                Joining::Asked { approved_by: Some(by) } | Joining::Invited { by: Some(by), .. } => Some(by),
                Joining::Asked { approved_by: None } => users.first(),
                Joining::Invited { by: None, .. } | Joining::Created | Joining::Added | Joining::Imported => actor,
            };
            What::Operation(Operation::new(Kind::Joined, by, users))
        }
        Happening::MembersLeft { users, how, were, .. } => {
            let kind = match how {
                Leaving::Removed | Leaving::Blocked => Kind::Kicked,
                Leaving::Left | Leaving::AccountDeleted => Kind::Quit,
            };
            let by_former = actor.is_some_and(|actor| users.contains(actor));
            let were = were.iter().collect();
            What::Operation(Operation { by_former, were, ..Operation::new(kind, actor, users) })
        }
        Happening::AdminsAdded(users) => What::Operation(Operation::new(Kind::ManagersAdded, actor, users)),
        Happening::AdminsRemoved(users) => What::Operation(Operation::new(Kind::ManagersRemoved, actor, users)),
        Happening::OwnerChanged { from, to: Some(to), left, was } => {
            let by = actor.and(from.as_ref());
            let own = Operation::new(Kind::Transferred, by, std::slice::from_ref(to));
            What::Operation(Operation { by_former: *left, were: was.iter().collect(), ..own })
        }
        // the owner has left the group without one: reported as a member's leaving
        Happening::OwnerChanged { to: None, .. } => return None,
        Happening::ProfileChanged(change) => {
            let shows = change.shows() || change.fields.keys().any(|key| limits::is_ext_key(key));
            What::Profile(vec![Part::Texts(change)].into_iter().filter(|_| shows).collect())
        }
        Happening::AnnouncementChanged(text) => What::Profile(vec![Part::Announcement(text)]),
        Happening::PolicyChanged { before, after } => What::Profile(permissions(before, after).into_iter().collect()),
        Happening::MemberChanged { user, card, extra, .. } => {
            if card.is_none() && extra.is_none() {
                return None;
            }
            What::Member(user)
        }
        Happening::RequestChanged(request) => What::Application(request),
        // the acting device already knows
        Happening::RemarkChanged { text, .. } => return Some((What::Remark(text), other_devices())),
        Happening::FollowsChanged { added, removed, .. } => {
            return Some((What::Follows { added, removed }, other_devices()));
        }
        Happening::MessageSent { sequence, .. } => What::Sent(*sequence),
        Happening::MessagePassed(message) => What::Passed(message),
        Happening::MessagesRecalled { sequences, .. } => What::Recalled(sequences),
        Happening::MessageChanged { sequence, .. } => return Some((What::Edited(*sequence), other_devices())),
        Happening::ExtensionsChanged { sequence, version, set, removed, .. } => {
            return Extended { sequence: *sequence, version: *version, set, removed }.fact(event);
        }
        // the senders alone are named
        Happening::MessagesRead { user, sequences, .. } => What::Read { user, sequences },
        // mutes, the allowlist and blocks are managed by the app, and clients are not notified of them
        Happening::Muted { .. }
        | Happening::Unmuted(_)
        | Happening::MutedEverywhere { .. }
        | Happening::AllMutedChanged(_)
        | Happening::Allowed(_)
        | Happening::Disallowed(_)
        | Happening::Blocked { .. }
        | Happening::Unblocked(_)
        | Happening::DisabledChanged(_)
        // hosting an existing group is not reported
        | Happening::GroupGoverned { .. }
        // not reported by this vendor
        | Happening::AppointedChanged { .. }
        | Happening::PinChanged { .. }
        | Happening::MarksChanged { .. }
        | Happening::MemberAttributesChanged { .. }
        | Happening::ReceiveChanged { .. }
        | Happening::AttributesChanged { .. }
        | Happening::CountersChanged { .. }
        | Happening::FileAdded { .. }
        | Happening::FileRemoved { .. }
        | Happening::GroupActivated
        | Happening::MessagesDeleted { .. }
        | Happening::ReadMarkChanged { .. }
        | Happening::Noticed { .. }
        | Happening::MessageDropped { .. }
        | Happening::TopicMade { .. }
        | Happening::TopicChanged { .. }
        | Happening::TopicsEnded(_)
        | Happening::InTopic { .. }
        | Happening::UserRegistered(_)
        | Happening::UserChanged(_)
        | Happening::UserDeleted(_) => return None,
    };
    if matches!(&what, What::Profile(parts) if parts.is_empty()) {
        return None;
    }
    Some((what, everybody()))
}

/// The permissions, if their numbers changed.
fn permissions(before: &Policy, after: &Policy) -> Option<Part<'static>> {
    let (before, after) = (Permissions::of(before), Permissions::of(after));
    (before != after).then_some(Part::Permissions { before, after })
}
