//! The row stored under a key.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Allowance, Attributes, Block, Counters, Device, Extensions, Follows, Group, GroupId, Member, Message, Mute,
    Position, ReadMark, Receipt, Remark, Request, Sent, SharedFile, Tombstone, Topic, User, UserId,
};
use crate::event::Event;

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident($kind:ty) as $get:ident;)*) => {
        /// The value of one key. Cheap to clone: a reader shares it with the store.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum Row {
            $($(#[$doc])* $name(Arc<$kind>),)*
            /// No content: only the existence of the row matters.
            Mark,
        }

        impl Row {
            $(
                $(#[$doc])*
                ///
                /// `None` when the row is of another kind.
                pub fn $get(&self) -> Option<&Arc<$kind>> {
                    match self {
                        Self::$name(value) => Some(value),
                        _ => None,
                    }
                }
            )*
        }

        $(impl From<$kind> for Row {
            fn from(value: $kind) -> Self {
                Self::$name(Arc::new(value))
            }
        })*
    };
}

rows! {
    /// A group's header.
    Group(Group) as group;
    /// A disbanded group.
    Tombstone(Tombstone) as tombstone;
    /// A membership.
    Member(Member) as member;
    /// A mute.
    Mute(Mute) as mute;
    /// An entry of the allowlist.
    Allowance(Allowance) as allowance;
    /// An entry of the blocklist.
    Block(Block) as block;
    /// A request to join.
    Request(Request) as request;
    /// A group's attributes.
    Attributes(Attributes) as attributes;
    /// A group's counters.
    Counters(Counters) as counters;
    /// A shared file, or an attachment of messages.
    File(SharedFile) as file;
    /// A message.
    Message(Message) as message;
    /// A topic.
    Topic(Topic) as topic;
    /// How far a member has read.
    ReadMark(ReadMark) as read_mark;
    /// A device.
    Device(Device) as device;
    /// The position of a device in a queue.
    Position(Position) as position;
    /// A receipt.
    Receipt(Receipt) as receipt;
    /// What was added to a message.
    Extensions(Extensions) as extensions;
    /// A client's token for a message.
    Sent(Sent) as sent;
    /// A user's own name for a group.
    Remark(Remark) as remark;
    /// Whom a user follows.
    Follows(Follows) as follows;
    /// A user account.
    User(User) as user;
    /// An event.
    Event(Event) as event;
    /// A pointer to a group.
    ToGroup(GroupId) as to_group;
    /// A pointer to a user.
    ToUser(UserId) as to_user;
    /// A pointer to several users.
    ToUsers(Vec<UserId>) as to_users;
    /// A pointer to a message: its group and its number.
    ToMessage((GroupId, u64)) as to_message;
    /// A text.
    Text(String) as text;
}

impl Row {
    /// The revision that guards this row, for the kinds that have one.
    pub fn revision(&self) -> Option<u64> {
        match self {
            Self::Group(group) => Some(group.revision),
            Self::User(user) => Some(user.revision),
            Self::ReadMark(mark) => Some(mark.revision),
            Self::Device(device) => Some(device.revision),
            Self::Position(position) => Some(position.revision),
            // messages that are not stored leave their group's header unchanged
            Self::Sent(sent) => Some(sent.at.0),
            Self::ToUsers(users) => Some(fingerprint(users.iter().flat_map(|user| user.as_str().bytes().chain([0])))),
            Self::Text(text) => Some(fingerprint(text.bytes())),
            _ => None,
        }
    }
}

/// A hash (FNV-1a) of a list of ids or a text, used as its revision.
fn fingerprint(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}
