//! One user's membership in one group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{GroupId, Labels, Millis, UserId};

/// A member's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// No special rights.
    Member,
    /// Helps the owner.
    Admin,
    /// Owns the group; at most one.
    Owner,
}

/// A member's notification setting for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Receive {
    /// Delivered and announced.
    #[default]
    Notify,
    /// Delivered without an announcement.
    Silent,
    /// Delivered; announced only when the member is mentioned.
    SilentUnlessMentioned,
    /// Not delivered.
    Discard,
}

/// A membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The group that the user is a member of.
    pub group: GroupId,
    /// The member.
    pub user: UserId,
    /// The member's role in this group.
    pub role: Role,
    /// Orders members by joining; unique in the group.
    pub seat: u64,
    /// When they joined.
    pub joined: Millis,
    /// Name card in this group.
    pub card: String,
    /// One uninterpreted string beside the card.
    pub extra: String,
    /// Custom fields the app configured.
    pub fields: BTreeMap<String, String>,
    /// Free attributes.
    pub attributes: BTreeMap<String, String>,
    /// Their notification setting for messages.
    pub receive: Receive,
    /// The last message they had read, from versions that stored it here; a [`ReadMark`](super::ReadMark) overrides it.
    #[serde(default)]
    pub read: u64,
    /// When they last sent a message.
    pub last_sent: Option<Millis>,
    /// Words only one surface has.
    pub labels: Labels,
    /// Numbers the app marks them with, to list them by, and since when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<u32, Millis>,
    /// The number of the last event of the realm before they joined; 0 in memberships from versions that did not store
    /// it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub since: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Member {
    /// Somebody who has just joined.
    pub fn new(group: GroupId, user: UserId, role: Role, seat: u64, joined: Millis) -> Self {
        Self {
            group,
            user,
            role,
            seat,
            joined,
            card: String::new(),
            extra: String::new(),
            fields: BTreeMap::new(),
            attributes: BTreeMap::new(),
            receive: Receive::default(),
            read: 0,
            last_sent: None,
            labels: Labels::new(),
            marks: BTreeMap::new(),
            since: 0,
        }
    }
}
