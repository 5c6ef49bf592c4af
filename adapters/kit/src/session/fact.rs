//! What an event means to one vendor's clients, and who of them learns of it.

use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{Role, UserId};

/// One thing an event means to a vendor's clients.
#[derive(Debug)]
pub struct Fact<F> {
    /// Who learns of it.
    pub to: Recipients,
    /// What they receive; data that is encoded once for all of them is kept in it.
    pub content: Arc<F>,
    /// About how many bytes it keeps while it waits for sessions that are slow to read.
    pub bytes: usize,
}

/// The recipients of a fact: data that presence resolves without reading the store. Recipients outside the event's
/// audience are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipients {
    /// Members of the group whose members are the event's audience, as they are after the event.
    pub members: Option<MemberFilter>,
    /// In addition, these users.
    pub users: Vec<UserId>,
    /// These users never receive it.
    pub except_users: Vec<UserId>,
    /// And not the device that acted, which learns from the reply to its call.
    pub except_acting_device: bool,
    /// And no member who does not receive the group's messages (`Receive::Discard`).
    pub except_discarding: bool,
}

/// Which members of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberFilter {
    /// All of them.
    All,
    /// The owner and the admins.
    Managers,
}

/// About what a small fact keeps.
const SMALL: usize = 512;

impl<F> Fact<F> {
    /// A fact with its recipients.
    pub fn new(to: Recipients, content: F) -> Self {
        Self { to, content: Arc::new(content), bytes: SMALL }
    }

    /// The same fact, with about how many bytes it keeps in memory.
    #[must_use]
    pub fn of_bytes(self, bytes: usize) -> Self {
        Self { bytes: bytes.max(SMALL), ..self }
    }
}

impl Recipients {
    /// The whole audience of an event.
    pub fn audience(event: &Event) -> Self {
        Self {
            members: event.audience.members_of.as_ref().map(|_| MemberFilter::All),
            users: event.audience.users.clone(),
            ..Self::default()
        }
    }

    /// All members.
    pub fn members() -> Self {
        Self { members: Some(MemberFilter::All), ..Self::default() }
    }

    /// The owner and the admins.
    pub fn managers() -> Self {
        Self { members: Some(MemberFilter::Managers), ..Self::default() }
    }

    /// These users.
    pub fn users(users: impl IntoIterator<Item = UserId>) -> Self {
        Self { users: users.into_iter().collect(), ..Self::default() }
    }

    /// The user who acted, if one did.
    pub fn actor(actor: &Actor) -> Self {
        Self::users(actor.behind().cloned())
    }

    /// In addition, these users.
    #[must_use]
    pub fn and(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.users.extend(users);
        self
    }

    /// Whether it is empty: then only the app's server is notified.
    pub fn is_empty(&self) -> bool {
        self.members.is_none() && self.users.is_empty()
    }

    /// Excludes these users.
    #[must_use]
    pub fn without(mut self, users: impl IntoIterator<Item = UserId>) -> Self {
        self.except_users.extend(users);
        self
    }

    /// The same without the device that acted.
    #[must_use]
    pub fn without_acting_device(self) -> Self {
        Self { except_acting_device: true, ..self }
    }

    /// The same without members who do not receive the group's messages.
    #[must_use]
    pub fn without_discarding(self) -> Self {
        Self { except_discarding: true, ..self }
    }
}

impl MemberFilter {
    /// Whether members with this role are meant.
    pub fn includes(self, role: Role) -> bool {
        match self {
            Self::All => true,
            Self::Managers => role >= Role::Admin,
        }
    }
}
