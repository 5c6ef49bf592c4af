//! How far members have read.

use serde::{Deserialize, Serialize};

use super::{GroupId, Member, Millis, UserId};

/// How far a member has read a group. A row of its own, so that it never conflicts with writes in the group; it
/// belongs to one membership and does not apply to a later one of the same user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// The group that was read.
    pub group: GroupId,
    /// Who has read.
    pub user: UserId,
    /// The seat of the membership.
    pub seat: u64,
    /// When that membership began.
    pub joined: Millis,
    /// The number of the last message that was read.
    pub sequence: u64,
    /// Guards commits; grows with every change.
    pub revision: u64,
}

impl ReadMark {
    /// Whether this is the mark of this membership.
    pub fn is_of(&self, member: &Member) -> bool {
        (&self.group, &self.user, self.seat, self.joined) == (&member.group, &member.user, member.seat, member.joined)
    }

    /// How far a member has read, with the mark that was found under their name, if any.
    pub fn of(member: &Member, found: Option<&Self>) -> u64 {
        found.filter(|mark| mark.is_of(member)).map_or(member.read, |mark| mark.sequence)
    }
}
