//! A user of the realm.

use serde::{Deserialize, Serialize};

use super::{Labels, Millis, UserId};

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id, as first spelled.
    pub id: UserId,
    /// Grows with every change; guards commits.
    pub revision: u64,
    /// Display name.
    pub nick: String,
    /// URL of the avatar.
    pub avatar: String,
    /// A hash of the password, computed outside the core; `None` when the user has none.
    pub secret: Option<String>,
    /// Whether the account may be used.
    pub active: bool,
    /// When it was created.
    pub created: Millis,
    /// When it last changed.
    pub changed: Millis,
    /// Tokens issued before this time are revoked.
    pub tokens_from: Millis,
    /// Words only one surface has.
    pub labels: Labels,
}

impl User {
    /// A new account without anything.
    pub fn new(id: UserId, now: Millis) -> Self {
        Self {
            id,
            revision: 0,
            nick: String::new(),
            avatar: String::new(),
            secret: None,
            active: true,
            created: now,
            changed: now,
            tokens_from: Millis(0),
            labels: Labels::new(),
        }
    }

    /// The time before which tokens are revoked. A time that was stored in the future counts as that of the account's
    /// last change, so that it does not lock the user out.
    pub fn tokens_revoked(&self) -> Millis {
        self.tokens_from.min(self.changed)
    }

    /// The earliest time of issue of a valid token for this account: tokens of an earlier account with the same id, and
    /// revoked ones, are older.
    pub fn tokens_valid_from(&self) -> Millis {
        self.created.max(self.tokens_revoked())
    }
}
