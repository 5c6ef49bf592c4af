//! Topics: strands of one group's conversation.

use serde::{Deserialize, Serialize};

use super::{GroupId, Millis, Profile, TopicId, UserId};

/// A separate conversation in a group, with its own texts, message numbers and mutes. Its members are the group's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Its id.
    pub id: TopicId,
    /// The group that the topic is in.
    pub group: GroupId,
    /// Its name, introduction, picture and the like.
    pub profile: Profile,
    /// Its announcement; "" is none.
    pub announcement: String,
    /// The creator, if a user.
    pub creator: Option<UserId>,
    /// The time of creation.
    pub created: Millis,
    /// The sequence number the next message gets; starts at 1.
    pub next_message: u64,
    /// When the last message was sent.
    pub last_message: Option<Millis>,
    /// Only managers and the allowlist may send messages.
    pub all_muted: bool,
    /// When it was deleted. The row stays, so that neither its id nor its numbers are used again.
    pub ended: Option<Millis>,
}
