//! Events, and their audience.

mod concerns;
mod happening;

use serde::{Deserialize, Serialize};

pub use happening::{FormerMember, Happening, Joining, Leaving, ProfileChange};

use crate::model::{GroupId, Key, Millis, Row, UserId};

/// The one who caused an event or calls an operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Actor {
    /// A user, from one of their devices (`None` when unknown).
    User {
        /// The acting user.
        user: UserId,
        /// The device that called; it learns from the answer, not from the event.
        device: Option<String>,
    },
    /// The app, perhaps in the name of a user.
    App {
        /// The user in whose name the app acts.
        for_user: Option<UserId>,
    },
    /// The system itself.
    System,
}

impl Actor {
    /// A user whose device is not known.
    pub fn user(user: UserId) -> Self {
        Self::User { user, device: None }
    }

    /// The app, without a user.
    pub fn app() -> Self {
        Self::App { for_user: None }
    }

    /// The user behind it, if any.
    pub fn behind(&self) -> Option<&UserId> {
        match self {
            Self::User { user, .. } => Some(user),
            Self::App { for_user } => for_user.as_ref(),
            Self::System => None,
        }
    }
}

/// The recipients of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Audience {
    /// All members of this group, as they are after the change.
    pub members_of: Option<GroupId>,
    /// In addition, these users, members or not.
    pub users: Vec<UserId>,
    /// Clients are not notified, only the app's server.
    pub silent: bool,
}

/// The position of an event among the events of its call: those that were committed together.
///
/// A store numbers the events of one commit consecutively, so the position leads to the first of them, and so to the
/// call that an event belongs to. A backend that records changes made elsewhere commits the events of one call
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallPart {
    /// How many events of the call are before this one.
    pub position: u32,
    /// How many events the call has.
    pub count: u32,
}

impl CallPart {
    /// The only event of a call.
    pub const WHOLE: Self = Self { position: 0, count: 1 };

    /// Whether it is the only event of its call.
    pub fn is_whole(&self) -> bool {
        *self == Self::WHOLE
    }
}

/// Events from versions without calls: each is a call of its own.
impl Default for CallPart {
    fn default() -> Self {
        Self::WHOLE
    }
}

/// One entry of the realm's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the realm; 0 until it is committed.
    pub sequence: u64,
    /// Its position among the events of its call.
    #[serde(default, skip_serializing_if = "CallPart::is_whole")]
    pub part: CallPart,
    /// When it was committed.
    pub at: Millis,
    /// In which group, if in one.
    pub group: Option<GroupId>,
    /// Its number in the group's history, one sequence with the group's messages; `None` when it is not part of it.
    /// Changes of a profile by one operation share a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Who caused it.
    pub actor: Actor,
    /// Who receives it.
    pub audience: Audience,
    /// What happened.
    pub what: Happening,
}

impl Event {
    /// The call it belongs to, shared by all events of one commit: the number of the first of them.
    pub fn call(&self) -> u64 {
        self.sequence.saturating_sub(u64::from(self.part.position))
    }

    /// Whether no later event belongs to the same call.
    pub fn is_last_of_call(&self) -> bool {
        self.part.position + 1 >= self.part.count
    }

    /// Marks these as all the events of one call, in their order.
    pub fn mark_call(events: &mut [Self]) {
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        for (position, event) in (0..count).zip(events) {
            event.part = CallPart { position, count };
        }
    }

    /// Whether clients that are offline receive it later: it is not for the app's server alone, and not only for those
    /// who are online.
    pub fn is_queued(&self) -> bool {
        let what = match &self.what {
            Happening::InTopic { what, .. } => what,
            what => what,
        };
        !self.audience.silent && !matches!(what, Happening::MessagePassed(_))
    }

    /// The keys of everything that [`Self::filed`] returns, and of what earlier versions filed besides.
    pub(crate) fn places(&self) -> Vec<Key> {
        let group_feed = self.audience.members_of.iter().map(|group| Key::GroupFeed(group.clone(), self.sequence));
        let user_feeds = self.audience.users.iter().map(|user| Key::UserFeed(user.clone(), self.sequence));
        let history = self.group.iter().zip(self.number);
        let history = history.map(|(group, number)| Key::HistoryEvent(group.clone(), number, self.sequence));
        group_feed.chain(user_feeds).chain(history).chain([Key::Event(self.sequence)]).collect()
    }

    /// Where a store keeps this event once it has its number: in the realm's log and in its readers' feeds.
    pub fn filed(self) -> Vec<(Key, Row)> {
        let mut rows = Vec::with_capacity(2 + self.audience.users.len());
        if self.is_queued() {
            if let Some(group) = &self.audience.members_of {
                rows.push((Key::GroupFeed(group.clone(), self.sequence), Row::Mark));
            }
            for user in &self.audience.users {
                rows.push((Key::UserFeed(user.clone(), self.sequence), Row::Mark));
            }
        }
        if let (Some(group), Some(number)) = (&self.group, self.number) {
            rows.push((Key::HistoryEvent(group.clone(), number, self.sequence), Row::Mark));
        }
        rows.push((Key::Event(self.sequence), Row::from(self)));
        rows
    }
}
