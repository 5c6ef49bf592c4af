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
    /// A hash of the password, made outside the core; `None` when the user has none.
    pub secret: Option<String>,
    /// Whether the account may be used.
    pub active: bool,
    /// When it came into being.
    pub created: Millis,
    /// When it last changed.
    pub changed: Millis,
    /// Tokens issued before this moment no longer count.
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

    /// The moment from which tokens are revoked, as far as it has come: one that was stored in the future counts as
    /// the moment of the account's last change, so that it locks nobody out.
    pub fn tokens_revoked(&self) -> Millis {
        self.tokens_from.min(self.changed)
    }

    /// The earliest moment of issue at which a token counts for this account: tokens of an earlier account of the same
    /// id, and revoked ones, are older.
    pub fn tokens_valid_from(&self) -> Millis {
        self.created.max(self.tokens_revoked())
    }
}
