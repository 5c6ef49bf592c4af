//! Facts as tips, notices and other pushes, with their recipients.

use conclave_core::event::{Event, Joining, Leaving};
use conclave_core::model::{Group, Request, RequestKind, Stage, UserId};
use conclave_kit::Recipients;

use super::{Fact, What};
use crate::dialect::kind::Kind;

/// A tip in the group's message stream, by its `OpType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tip {
    Joined = 1,
    Quit = 2,
    Kicked = 3,
    AdminSet = 4,
    AdminUnset = 5,
    Profile = 6,
    Member = 7,
    Topic = 8,
    Pinned = 16,
    Unpinned = 17,
}

/// A notice to single users outside the group's message stream, by its `ReportType` in the web SDK. The numbers up to
/// 15 and 255 are documented; of the others, 16, 19 and 22 are derived from the SDK's order and the rest from its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// An application, for the owner and the admins to decide.
    Application = 1,
    Accepted = 2,
    Refused = 3,
    Kicked = 4,
    Dissolved = 5,
    Created = 6,
    /// Added without being asked.
    Added = 7,
    /// Left, for the user's other devices.
    Quit = 8,
    AdminSet = 9,
    AdminUnset = 10,
    /// An invitation, for the invited user to decide.
    Invited = 12,
    InvitationAccepted = 13,
    InvitationRefused = 14,
    /// The user's read position, for their other devices.
    ReadUpTo = 15,
    Muted = 16,
    TopicCreated = 17,
    TopicsDestroyed = 18,
    /// The readers of a message, for its sender.
    Receipts = 19,
    /// The user's notification setting, for their other devices.
    Receive = 20,
    Banned = 21,
    Unbanned = 22,
    /// An invitation, for the owner and the admins to decide.
    InvitationToApprove = 23,
    /// A notice of the app.
    Custom = 255,
}

/// What clients are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Push<'e> {
    /// A tip about these users: with a number it is part of the history (Event 4), without one it is not (Event 6).
    Tip { tip: Tip, about: Vec<&'e UserId>, number: Option<u64> },
    /// A notice about these users (Event 5).
    Notice { notice: Notice, about: Vec<&'e UserId> },
    /// A message (Event 3).
    Message,
    /// Messages were recalled (Event 5).
    Recall,
    /// Mute of everybody or options changed: sent where the app has switched it on (Event 6).
    Options,
    /// A message was edited.
    Edit,
    /// A message was pinned or unpinned (Event 6).
    Pin(Tip),
    /// Keys and values of a message changed.
    Extensions,
    /// Attributes of the group changed (Event 6).
    Attributes,
    /// Counters of the group changed (Event 6).
    Counters,
}

/// One push, with its recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery<'e> {
    pub(crate) push: Push<'e>,
    pub(crate) to: Recipients,
}

impl<'e> Fact<'e> {
    /// The pushes of the fact, in order. `group` is the fact's group.
    pub(crate) fn deliveries(&self, group: &Group) -> Vec<Delivery<'e>> {
        if self.event.audience.silent {
            return Vec::new();
        }
        self.of(&self.what, Kind::of(group))
    }

    fn of(&self, what: &What<'e>, kind: Kind) -> Vec<Delivery<'e>> {
        let everybody = || Recipients::audience(self.event);
        let others = |to: Recipients| to.without_acting_device();
        let these = |users: &[UserId]| Recipients::users(users.iter().cloned());
        let this = |user: &UserId| Recipients::users([user.clone()]);
        let one = |push, to| vec![Delivery { push, to }];
        let notice = |notice, about: Vec<&'e UserId>, to| one(Push::Notice { notice, about }, to);
        let tip = |tip, about: Vec<&'e UserId>| self.tip(kind, tip, about, self.event.number);
        match what {
            What::Created { owner, .. } => {
                notice(Notice::Created, owner.iter().copied().collect(), others(Recipients::users(owner.cloned())))
            }
            What::Destroyed { members, .. } => notice(Notice::Dissolved, Vec::new(), others(these(members))),
            // users who were added before the group was shown to them are notified now
            What::Activated => {
                notice(Notice::Added, Vec::new(), Recipients::members().without(self.event.actor.behind().cloned()))
            }
            What::Joined { users, how, .. } => self.joined(kind, users, how),
            What::Left { users, how, .. } => {
                let about: Vec<&UserId> = users.iter().collect();
                let (own, tipped) = match how {
                    Leaving::Left => {
                        let to = others(these(users));
                        (notice(Notice::Quit, about.clone(), to), tip(Tip::Quit, about))
                    }
                    Leaving::Removed => {
                        let to = these(users);
                        (notice(Notice::Kicked, about.clone(), to), tip(Tip::Kicked, about))
                    }
                    Leaving::AccountDeleted => (Vec::new(), tip(Tip::Quit, about)),
                    // banned users get a notice of that
                    Leaving::Blocked => (Vec::new(), Vec::new()),
                };
                [own, tipped].concat()
            }
            What::Info(info) if info.is_custom_only() => {
                one(Push::Tip { tip: Tip::Profile, about: Vec::new(), number: None }, everybody())
            }
            What::Info(info) => self.tip(kind, Tip::Profile, Vec::new(), info.number),
            What::Options { .. } => one(Push::Options, everybody()),
            What::OwnerChanged { to, .. } => tip(Tip::Profile, vec![*to]),
            What::Role { users, admin } => {
                let (to_user, to_group) =
                    if *admin { (Notice::AdminSet, Tip::AdminSet) } else { (Notice::AdminUnset, Tip::AdminUnset) };
                let about: Vec<&UserId> = users.iter().collect();
                [notice(to_user, about.clone(), these(users)), tip(to_group, about)].concat()
            }
            What::Muted { users, .. } => {
                let about: Vec<&UserId> = users.iter().collect();
                [notice(Notice::Muted, about.clone(), these(users)), tip(Tip::Member, about)].concat()
            }
            What::Requested(request) => requested(request, self.event).into_iter().collect(),
            What::Banned { users, .. } => notice(Notice::Banned, users.iter().collect(), these(users)),
            What::Unbanned { users } => notice(Notice::Unbanned, users.iter().collect(), these(users)),
            What::Attributes { .. } => one(Push::Attributes, everybody()),
            What::Counters { .. } => one(Push::Counters, everybody()),
            What::Receive { user, .. } => notice(Notice::Receive, vec![*user], others(this(user))),
            What::Sent { .. } | What::Passed(_) => one(Push::Message, others(everybody()).without_discarding()),
            What::Recalled(_) => one(Push::Recall, others(everybody())),
            What::Edited(_) => one(Push::Edit, others(everybody())),
            What::Pinned { pinned, .. } => {
                one(Push::Pin(if *pinned { Tip::Pinned } else { Tip::Unpinned }), everybody())
            }
            What::Extended { .. } => one(Push::Extensions, others(everybody())),
            What::Receipts { user, .. } => {
                let senders = self.event.audience.users.iter().filter(|other| other != user);
                notice(Notice::Receipts, vec![*user], Recipients::users(senders.cloned()))
            }
            What::ReadUpTo { user, .. } => notice(Notice::ReadUpTo, vec![*user], others(this(user))),
            What::Custom(_) => notice(Notice::Custom, Vec::new(), everybody()),
            What::TopicCreated { .. } => notice(Notice::TopicCreated, Vec::new(), others(everybody())),
            What::TopicsDestroyed(_) => notice(Notice::TopicsDestroyed, Vec::new(), others(everybody())),
            What::TopicChanged { .. } => {
                one(Push::Tip { tip: Tip::Topic, about: Vec::new(), number: None }, everybody())
            }
            // nobody but the app's server learns of a message that was not sent; a card is found with the members
            What::Dropped { .. } | What::Card { .. } => Vec::new(),
            What::InTopic(_, what) => self.of(what, kind),
        }
    }

    /// A tip, if the group's type has it: with a number it is stored; in a live room some are sent without.
    fn tip(&self, kind: Kind, tip: Tip, about: Vec<&'e UserId>, number: Option<u64>) -> Vec<Delivery<'e>> {
        let is_passing = kind == Kind::AvChatRoom && !matches!(tip, Tip::AdminSet | Tip::AdminUnset | Tip::Member);
        if number.is_none() && !is_passing {
            return Vec::new();
        }
        let members = self.event.audience.members_of.is_some();
        let to = if members { Recipients::members() } else { Recipients::default() };
        vec![Delivery { push: Push::Tip { tip, about, number }, to }]
    }

    fn joined(&self, kind: Kind, users: &'e [UserId], how: &Joining) -> Vec<Delivery<'e>> {
        let about: Vec<&UserId> = users.iter().collect();
        let added = match how {
            // the first members of a group that waits for its first message are notified with that message
            Joining::Created => !kind.waits_for_message(),
            Joining::Added | Joining::Invited { agreed: false, .. } => true,
            Joining::Asked { .. } | Joining::Invited { agreed: true, .. } | Joining::Imported => false,
        };
        let mut deliveries = self.tip(kind, Tip::Joined, about.clone(), self.event.number);
        if *how == Joining::Created {
            deliveries.clear();
        }
        if added {
            let push = Push::Notice { notice: Notice::Added, about };
            deliveries.insert(0, Delivery { push, to: Recipients::users(users.iter().cloned()) });
        }
        deliveries
    }
}

/// An application or invitation, or the decision about one.
fn requested<'e>(request: &'e Request, event: &Event) -> Option<Delivery<'e>> {
    let Request { user, inviter, kind, stage, .. } = request;
    let by = event.actor.behind();
    let (user_only, inviter_only) = (|| Recipients::users([user.clone()]), || Recipients::users(inviter.clone()));
    // the event names those who decide and the parties
    let deciders = || Recipients::audience(event).without([user.clone()]).without(inviter.clone());
    let (notice, to) = match (kind, stage) {
        (RequestKind::Application, Stage::AwaitsManagers) => (Notice::Application, deciders()),
        (RequestKind::Application, Stage::Joined) => (Notice::Accepted, user_only()),
        (RequestKind::Application, Stage::RefusedByManagers) => (Notice::Refused, user_only()),
        (RequestKind::Invitation, Stage::AwaitsManagers) => (Notice::InvitationToApprove, deciders()),
        (RequestKind::Invitation, Stage::AwaitsInvitee) => (Notice::Invited, user_only()),
        (RequestKind::Invitation, Stage::Joined) if by == Some(user) => (Notice::InvitationAccepted, inviter_only()),
        (RequestKind::Invitation, Stage::Declined) => (Notice::InvitationRefused, inviter_only()),
        // nobody is notified of an invitation that the managers refuse; an application has no invited user
        (RequestKind::Invitation, Stage::RefusedByManagers | Stage::Joined)
        | (RequestKind::Application, Stage::AwaitsInvitee | Stage::Declined) => return None,
    };
    Some(Delivery { push: Push::Notice { notice, about: vec![user] }, to })
}
