//! Mutes, blocks and exemptions.

use serde::{Deserialize, Serialize};

use super::{Millis, UserId};

/// When something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Until {
    /// Until this time.
    At(Millis),
    /// Never.
    Forever,
}

impl Until {
    /// Whether it has not expired: mutes and blocks that have count no more, whether or not they are deleted yet.
    pub fn holds_at(self, now: Millis) -> bool {
        match self {
            Self::At(end) => end > now,
            Self::Forever => true,
        }
    }

    /// Whether it ends after another, or never.
    pub fn outlasts(self, other: Self) -> bool {
        match (self, other) {
            (Self::Forever, _) => true,
            (Self::At(_), Self::Forever) => false,
            (Self::At(end), Self::At(other)) => end > other,
        }
    }
}

/// One user may not send messages. Kept when the membership ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// The muted user; need not be a member.
    pub user: UserId,
    /// When it began.
    pub since: Millis,
    /// When it expires.
    pub until: Until,
}

/// One user may not be in the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The blocked user.
    pub user: UserId,
    /// When it began.
    pub since: Millis,
    /// When it expires.
    pub until: Until,
    /// The reason, as given by the person who did it.
    pub reason: String,
}

/// One user may send messages while all are muted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// The user who may send messages.
    pub user: UserId,
    /// When it began.
    pub since: Millis,
}
