//! Topics: strands of one group's conversation.

use serde::{Deserialize, Serialize};

use super::{GroupId, Millis, Profile, TopicId, UserId};

/// A strand of a group's conversation, with its own words, its own numbers of messages and its own mutes. Its members
/// are the group's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its id.
    pub id: TopicId,
    /// Of which group.
    pub group: GroupId,
    /// What it shows of itself.
    pub profile: Profile,
    /// Its announcement; "" is none.
    pub announcement: String,
    /// Who made it, if a user.
    pub creator: Option<UserId>,
    /// When it was made.
    pub created: Millis,
    /// The sequence number the next message gets; starts at 1.
    pub next_message: u64,
    /// When the last message was sent.
    pub last_message: Option<Millis>,
    /// Nobody but managers and the allowlist may speak.
    pub all_muted: bool,
    /// When it ended. It stays, so that its id is not taken again and its numbers are not given twice.
    pub ended: Option<Millis>,
}
