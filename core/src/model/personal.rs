//! What one user keeps about a group for themself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{GroupId, Millis, UserId};

/// A name that one user has set for a group: their own name for it, or the sender's name in others' notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Whose name it is: the only user who sees it, or the sender whom others see by it.
    pub user: UserId,
    /// The named group.
    pub group: GroupId,
    /// The name that was set.
    pub text: String,
}

/// The members one user follows in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follows {
    /// Who follows.
    pub user: UserId,
    /// The group in which messages of these members are followed.
    pub group: GroupId,
    /// The followed members, with the time since when.
    pub users: BTreeMap<UserId, Millis>,
}
