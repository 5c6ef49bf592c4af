//! A group's header and what hangs on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FileId, GroupId, Millis, Policy, UserId};

/// Values that only one surface has, stored under names of its own; nothing a client stored is dropped.
pub type Labels = BTreeMap<String, String>;

/// The texts that describe a group to its readers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// Display name.
    pub name: String,
    /// Introduction, also called description.
    pub introduction: String,
    /// URL of the avatar.
    pub avatar: String,
    /// One uninterpreted string.
    pub custom: String,
    /// Custom fields, by key.
    pub fields: BTreeMap<String, String>,
}

/// The one announcement of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Its text, never empty.
    pub text: String,
    /// When it was set.
    pub at: Millis,
    /// Who set it; `None` is the app.
    pub by: Option<UserId>,
}

/// A group's header: all that rules need about the group itself, of constant size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of the group")]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Grows with every change of anything in the group; guards commits.
    pub revision: u64,
    /// Its name, introduction, picture and the like.
    pub profile: Profile,
    /// Its announcement, if any.
    pub announcement: Option<Announcement>,
    /// Its owner; a group can be without one.
    pub owner: Option<UserId>,
    /// The creator, if a user.
    pub creator: Option<UserId>,
    /// Whether it has roles at all. Without, all members are equal and only the app manages it.
    pub governed: bool,
    /// Its policy: who may do what.
    pub policy: Policy,
    /// Words only one surface has.
    pub labels: Labels,
    /// The time of creation.
    pub created: Millis,
    /// When anything in it last changed.
    pub changed: Millis,
    /// When its profile last changed.
    pub profile_changed: Millis,
    /// How often its profile has changed.
    pub profile_revision: u64,
    /// How many members, the owner included.
    pub members: u32,
    /// How many admins, the owner not counted.
    pub admins: u32,
    /// How many members were ever added; tells those apart who joined at one moment.
    pub next_seat: u64,
    /// The number that the next message gets, or the next event that is part of the group's history; starts at 1.
    pub next_message: u64,
    /// Where its own numbers begin: what is kept under smaller ones was said in a group that had the id before.
    #[serde(default = "one")]
    pub first_message: u64,
    /// When the last message was sent.
    pub last_message: Option<Millis>,
    /// Only managers and the allowlist may send messages.
    pub all_muted: bool,
    /// Banned by the app: nobody can send messages, join or manage it.
    pub disabled: bool,
    /// Shown to members other than the creator; some kinds are only shown from the first message on.
    pub active: bool,
    /// Whether there ever was a request or an invitation; if not, joining need not look for one.
    pub asked: bool,
    /// Who is an admin whenever they are in; few, and named by the app alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub appointed: Vec<UserId>,
    /// The marks that members have, and how many have each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<u32, u32>,
    /// How many topics it has.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub topics: u64,
    /// How many messages were sent in all its topics together.
    #[serde(rename = "spoken", default, skip_serializing_if = "is_zero")]
    pub topic_messages: u64,
    /// The pinned messages, in the order in which they were pinned; of those that were recalled meanwhile, nothing is
    /// left to show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
}

/// A message that is pinned in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The number of the pinned message.
    pub sequence: u64,
    /// Who pinned it; `None` is the app.
    pub by: Option<UserId>,
    /// When.
    pub at: Millis,
}

fn one() -> u64 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Group {
    /// Whether the group would exceed its capacity with one more member, or with so many more.
    pub fn is_full_for(&self, new_members: u32) -> bool {
        self.policy.capacity.is_some_and(|capacity| self.members.saturating_add(new_members) > capacity)
    }

    /// Whether this user owns the group.
    pub fn is_owned_by(&self, user: &UserId) -> bool {
        self.owner.as_ref() == Some(user)
    }
}

/// What is stored of a disbanded group: its id, and the values that a new group with this id continues from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The id of the disbanded group.
    pub group: GroupId,
    /// When it ended.
    pub at: Millis,
    /// Its last owner.
    pub owner: Option<UserId>,
    /// The next message number; a new group with the same id continues from here.
    pub next_message: u64,
    /// Whether the mute of everybody stayed with the id. Earlier versions set it; a new group takes nothing over.
    pub all_muted: bool,
}

/// Free key/value attributes of a group, guarded by their own version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attributes {
    /// Grows with every write.
    pub version: u64,
    /// The pairs, each with the version that wrote it.
    pub entries: BTreeMap<String, (String, u64)>,
}

/// Counters of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// The values, by key.
    pub values: BTreeMap<String, i64>,
}

/// A file shared with a group, or one that messages refer to; its bytes are in the blob store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFile {
    /// Its id.
    pub id: FileId,
    /// Its name as the uploader gave it.
    pub name: String,
    /// Its media type, as the uploader gave it.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Who uploaded it; `None` is the app.
    pub owner: Option<UserId>,
    /// When it was shared.
    pub at: Millis,
    /// When it is deleted; `None` is never.
    pub expires: Option<Millis>,
    /// The secret that opens a restricted file.
    pub secret: Option<String>,
    /// Where its bytes are in the blob store.
    pub blob: String,
}
