//! What one user keeps about a group for themself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{GroupId, Millis, UserId};

/// A name one user has in connection with a group: their own name for it, or theirs in what others are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Whose.
    pub user: UserId,
    /// For which group.
    pub group: GroupId,
    /// The name.
    pub text: String,
}

/// The members one user follows in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follows {
    /// Who follows.
    pub user: UserId,
    /// In which group.
    pub group: GroupId,
    /// Whom, since when.
    pub users: BTreeMap<UserId, Millis>,
}
