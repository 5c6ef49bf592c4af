//! `data` that is kept with the rows it was rendered from: groups and members, as they are read most often.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use conclave_core::model::{Group, Member};
use conclave_kit::{Inputs, same_rows};

use super::members::AdminKey;

/// What `data` is rendered from, beside the settings of its app.
#[derive(Debug)]
pub(crate) struct RenderedFrom {
    pub(super) request: Request,
    pub(super) group: Arc<Group>,
    /// The caller's own membership, where it is shown.
    pub(super) own: Option<Arc<Member>>,
    pub(super) members: Vec<Arc<Member>>,
}

/// The parts of a request that its `data` depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Request {
    /// The detail of one group.
    Detail { joined_time: bool },
    /// A page of members.
    Members { admins: AdminKey, joined_time: bool },
}

impl Hash for RenderedFrom {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.request.hash(hasher);
        self.group.id.hash(hasher);
        // another page begins with another member
        self.members.first().map(|member| member.seat).hash(hasher);
        self.own.is_some().hash(hasher);
    }
}

impl Inputs for RenderedFrom {
    fn is_same(&self, other: &Self) -> bool {
        let same_own = match (&self.own, &other.own) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        self.request == other.request
            && Arc::ptr_eq(&self.group, &other.group)
            && same_own
            && same_rows(&self.members, &other.members)
    }

    fn rows(&self) -> usize {
        2 + self.members.len()
    }
}
