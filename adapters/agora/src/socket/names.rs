//! Names of users, groups and queues in frames.

use conclave_core::model::{GroupId, Queue, UserId};

use super::wire::Jid;
use crate::dialect::ids::shown;

/// The domains that the SDKs write for users and for groups, under every brand.
const USERS: &str = "easemob.com";
const GROUPS: &str = "conference.easemob.com";

/// The names within one app.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// `org#app`.
    app_key: String,
}

impl Names {
    /// Names in frames of the app with this key.
    pub(crate) fn new(app_key: String) -> Self {
        Self { app_key }
    }

    fn full(&self, name: impl Into<String>, domain: &str) -> Jid {
        Jid {
            app_key: Some(self.app_key.clone()),
            name: Some(name.into()),
            domain: Some(domain.to_owned()),
            client_resource: None,
        }
    }

    /// A user.
    pub(super) fn user(&self, user: &UserId) -> Jid {
        self.full(shown(user), USERS)
    }

    /// A user by the displayed name.
    pub(super) fn named(&self, name: &str) -> Jid {
        self.full(name, USERS)
    }

    /// A user on a device.
    pub(super) fn device(&self, name: &str, resource: Option<&str>) -> Jid {
        Jid { client_resource: resource.map(str::to_owned), ..self.named(name) }
    }

    /// A group.
    pub(super) fn group(&self, group: &GroupId) -> Jid {
        self.full(group.as_str(), GROUPS)
    }

    /// A queue of this user. The SDKs distinguish queues by name only, so the user's own queue has a name that a group
    /// would have only if it was deliberately given that id.
    pub(super) fn queue(&self, user: &UserId, queue: &Queue) -> Option<Jid> {
        match queue {
            Queue::Own => Some(self.full(format!("{}@{USERS}", shown(user)), USERS)),
            Queue::Group(group) => Some(self.group(group)),
            Queue::All(_) => None,
        }
    }

    /// The queue that a client names; `None` when there is no such queue.
    pub(super) fn asked(&self, user: &UserId, jid: &Jid) -> Option<Queue> {
        let name = jid.name.as_deref()?;
        match jid.domain.as_deref() {
            Some(GROUPS) => GroupId::new(name).ok().map(Queue::Group),
            Some(USERS) if self.queue(user, &Queue::Own)?.name.as_deref() == Some(name) => Some(Queue::Own),
            _ => None,
        }
    }
}

/// A name without domain, app and resource.
pub(super) fn bare(name: impl Into<String>) -> Jid {
    Jid { name: Some(name.into()), ..Jid::default() }
}

/// The group that a message is for; `None` for any other target.
pub(super) fn group_of(jid: &Jid) -> Option<GroupId> {
    let is_group = jid.domain.as_deref() == Some(GROUPS);
    jid.name.as_deref().filter(|_| is_group).and_then(|name| GroupId::new(name).ok())
}
