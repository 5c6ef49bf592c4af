//! The keys of rows, and their order.
//!
//! A key is written as bytes that sort the way lists are read: a table's tag, then its parts. Texts end
//! in a zero byte (ids hold no control characters), numbers are big endian.

mod part;

use std::any::Any;

pub use part::KeyPart;
use part::{Part, Reader, Writer, unescaped};

use super::{FileId, GroupId, MessageId, Millis, Queue, TopicId, UserId};

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident ( $($part:ident : $kind:ty),* ) = $tag:literal;)*) => {
        impl Prefix {
            /// Every table, for iterating over all rows.
            pub fn every_table() -> Vec<Self> {
                vec![$(Self(vec![$tag])),*]
            }
        }

        /// The place of one row.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Key {
            $($(#[$doc])* $name($($kind),*),)*
        }

        impl Key {
            /// The bytes under which a store keeps the row.
            pub fn encode(&self) -> Vec<u8> {
                self.encode_behind(&[])
            }

            /// The same bytes behind a prefix.
            pub fn encode_behind(&self, prefix: &[u8]) -> Vec<u8> {
                let mut out = Writer::behind(prefix);
                self.write(&mut out);
                out.done()
            }

            /// Appends the same bytes to a buffer.
            pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
                let mut writer = Writer::over(std::mem::take(out));
                self.write(&mut writer);
                *out = writer.done();
            }

            /// The first byte, which is that of its table.
            pub(crate) fn tag(&self) -> u8 {
                match self {
                    $(Self::$name(..) => $tag,)*
                }
            }

            fn write(&self, out: &mut Writer) {
                out.tag(self.tag());
                match self {
                    $(Self::$name($($part),*) => {
                        $(out.part($part);)*
                    })*
                }
            }

            /// The key whose bytes these are; `None` when they are no key's.
            pub fn decode(bytes: &[u8]) -> Option<Self> {
                let (tag, rest) = bytes.split_first()?;
                let mut reader = Reader(rest);
                let key = match *tag {
                    $($tag => Self::$name($(<$kind as Part>::read(&mut reader)?),*),)*
                    _ => return None,
                };
                reader.0.is_empty().then_some(key)
            }

            /// Every table with the parts of its keys, and whether each part is a number.
            pub const TABLES: &'static [(&'static str, &'static [(&'static str, bool)])] =
                &[$((stringify!($name), &[$((stringify!($part), <$kind as Part>::IS_NUMBER)),*])),*];

            /// The name of its table.
            pub fn table(&self) -> &'static str {
                match self {
                    $(Self::$name(..) => stringify!($name),)*
                }
            }

            /// Its parts, with their names.
            pub fn parts(&self) -> Vec<(&'static str, KeyPart)> {
                match self {
                    $(Self::$name($($part),*) => vec![$((stringify!($part), $part.shown())),*],)*
                }
            }

            /// The key of a table with these parts; `None` when there is no such table, or a part is missing or invalid.
            pub fn of_parts(table: &str, mut part: impl FnMut(&'static str) -> Option<KeyPart>) -> Option<Self> {
                $(if table == stringify!($name) {
                    return Some(Self::$name($(<$kind as Part>::of(part(stringify!($part))?)?),*));
                })*
                let _ = &mut part;
                None
            }

            /// The group that it is about, if it is about one.
            pub fn group(&self) -> Option<&GroupId> {
                match self {
                    $(Self::$name($($part),*) => {
                        let parts: &[&dyn Any] = &[$($part),*];
                        parts.iter().find_map(|part| match part.downcast_ref() {
                            Some(Queue::Group(group)) => Some(group),
                            _ => part.downcast_ref(),
                        })
                    })*
                }
            }
        }
    };
}

tables! {
    /// A group's header.
    Group(group: GroupId) = 1;
    /// A disbanded group.
    Tombstone(group: GroupId) = 2;
    /// A membership, found by user.
    Member(group: GroupId, user: UserId) = 3;
    /// The same membership, found in the order of joining.
    Seat(group: GroupId, seat: u64) = 4;
    /// An admin of a group.
    Admin(group: GroupId, user: UserId) = 5;
    /// A group a user is in, in the order of joining.
    Joined(user: UserId, joined: Millis, group: GroupId) = 6;
    /// A group, in the order of creation.
    Created(at: Millis, group: GroupId) = 7;
    /// A group that strangers may ask to join, in the order of creation.
    Discoverable(at: Millis, group: GroupId) = 8;
    /// A mute of one member.
    Mute(group: GroupId, user: UserId) = 9;
    /// A mute of one user in every group.
    MuteEverywhere(user: UserId) = 10;
    /// An entry of the allowlist.
    Allowance(group: GroupId, user: UserId) = 11;
    /// An entry of the blocklist.
    Block(group: GroupId, user: UserId) = 12;
    /// A request by or for a user; the inviter's part is empty for an application.
    Request(group: GroupId, user: UserId, inviter: String) = 13;
    /// The same request, found by its user.
    RequestOf(user: UserId, group: GroupId, inviter: String) = 14;
    /// A group's attributes.
    Attributes(group: GroupId) = 15;
    /// A group's counters.
    Counters(group: GroupId) = 16;
    /// A shared file.
    File(group: GroupId, file: FileId) = 17;
    /// A message, in the order of sending.
    Message(group: GroupId, sequence: u64) = 18;
    /// Where a message is.
    MessageById(message: MessageId) = 19;
    /// A client's token for a message: group, sender ("" is the app), token.
    Sent(group: GroupId, sender: String, token: String) = 20;
    /// A user's own name for a group.
    Remark(user: UserId, group: GroupId) = 21;
    /// The name others see for a user's messages from a group.
    PushName(group: GroupId, user: UserId) = 22;
    /// The members a user follows in a group.
    Follows(group: GroupId, user: UserId) = 23;
    /// A user account.
    User(user: UserId) = 24;
    /// User accounts whose ids fold to the same text.
    Folded(folded: String) = 25;
    /// A user account, in the order of creation.
    UserCreated(at: Millis, user: UserId) = 26;
    /// A group in which everybody is muted.
    AllMuted(group: GroupId) = 27;
    /// An event, in the order of the realm.
    Event(sequence: u64) = 28;
    /// An event in the feed of a group's members.
    GroupFeed(group: GroupId, sequence: u64) = 29;
    /// An event in the feed of one user.
    UserFeed(user: UserId, sequence: u64) = 30;
    /// A group a user owns.
    Owned(user: UserId, group: GroupId) = 31;
    /// A receipt: a member has read a message.
    Receipt(group: GroupId, sequence: u64, user: UserId) = 40;
    /// What was added to a message.
    Extensions(group: GroupId, sequence: u64) = 41;
    /// A group that has appointed a user, in or not.
    Appointed(user: UserId, group: GroupId) = 60;
    /// A member with a mark, in the order of joining.
    Marked(group: GroupId, mark: u64, seat: u64) = 61;
    /// How far a member has read a group.
    ReadMark(user: UserId, group: GroupId) = 62;
    /// A device of a user: user, surface, id.
    Device(user: UserId, surface: String, device: String) = 63;
    /// How far a device has got in a queue: user, surface, id of the device, queue.
    Position(user: UserId, surface: String, device: String, queue: Queue) = 64;
    /// A topic of a group.
    Topic(group: GroupId, topic: TopicId) = 42;
    /// A message in a topic, in the order of sending.
    TopicMessage(group: GroupId, topic: TopicId, sequence: u64) = 43;
    /// A mute of one member in a topic.
    TopicMute(group: GroupId, topic: TopicId, user: UserId) = 44;
    /// An event that is part of a group's history, by its number there.
    HistoryEvent(group: GroupId, number: u64, event: u64) = 45;
    /// A file that messages refer to, in no group.
    Attachment(file: FileId) = 65;
    /// Something a surface keeps for itself in the realm, by name.
    Note(name: String) = 32;
}

/// The beginning shared by a run of keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Prefix(Vec<u8>);

macro_rules! prefixes {
    ($($(#[$doc:meta])* $name:ident ( $($part:ident : $kind:ty),* ) = $tag:literal;)*) => {
        impl Prefix {
            $($(#[$doc])* pub fn $name($($part: &$kind),*) -> Self {
                #[allow(unused_mut, reason = "a table without parts writes only its tag")]
                let mut out = Writer::new($tag);
                $(out.part($part);)*
                Self(out.done())
            })*
        }
    };
}

prefixes! {
    /// All members of all groups.
    all_members() = 3;
    /// All members of a group, in the order of joining.
    seats(group: GroupId) = 4;
    /// All admins of a group.
    admins(group: GroupId) = 5;
    /// All groups of a user.
    joined(user: UserId) = 6;
    /// All groups.
    created() = 7;
    /// All groups created at one time.
    created_at(at: Millis) = 7;
    /// All groups that strangers may ask to join.
    discoverable() = 8;
    /// All mutes of a group.
    mutes(group: GroupId) = 9;
    /// All users muted everywhere.
    mutes_everywhere() = 10;
    /// The allowlist of a group.
    allowances(group: GroupId) = 11;
    /// The blocklist of a group.
    blocks(group: GroupId) = 12;
    /// All requests to join a group.
    requests(group: GroupId) = 13;
    /// The requests by or for one user to join a group.
    requests_for(group: GroupId, user: UserId) = 13;
    /// All requests by or for a user.
    requests_of(user: UserId) = 14;
    /// All shared files of a group.
    files(group: GroupId) = 17;
    /// All shared files of all groups.
    all_files() = 17;
    /// All files that messages refer to.
    attachments() = 65;
    /// All messages of a group.
    messages(group: GroupId) = 18;
    /// All messages of all groups, without those in topics.
    all_messages() = 18;
    /// Who has read a message, by id.
    receipts(group: GroupId, sequence: u64) = 40;
    /// All topics of a group, those that have ended among them.
    topics(group: GroupId) = 42;
    /// All messages of a topic.
    topic_messages(group: GroupId, topic: TopicId) = 43;
    /// All messages of all topics.
    all_topic_messages() = 43;
    /// All mutes of a topic.
    topic_mutes(group: GroupId, topic: TopicId) = 44;
    /// All push names of a group.
    push_names(group: GroupId) = 22;
    /// All follow lists of a group.
    follows(group: GroupId) = 23;
    /// All users, oldest first.
    users_created() = 26;
    /// All groups in which everybody is muted.
    all_muted() = 27;
    /// All events.
    events() = 28;
    /// The feed of a group's members.
    group_feed(group: GroupId) = 29;
    /// The feed of a user.
    user_feed(user: UserId) = 30;
    /// All events that are part of a group's history, by number.
    history_events(group: GroupId) = 45;
    /// All groups a user owns.
    owned(user: UserId) = 31;
    /// All groups that have appointed a user.
    appointments(user: UserId) = 60;
    /// All members of a group with a mark, in the order of joining.
    marked(group: GroupId, mark: u64) = 61;
    /// How far a user has read each group.
    read_marks(user: UserId) = 62;
    /// All devices of a user.
    devices(user: UserId) = 63;
    /// All devices of a user at one surface.
    devices_at(user: UserId, surface: String) = 63;
    /// The positions of a device in its queues: user, surface, id of the device.
    positions(user: UserId, surface: String, device: String) = 64;
    /// All remarks of a user.
    remarks(user: UserId) = 21;
}

impl Prefix {
    /// The tables whose content is derived from other rows: indexes, and rows that are stored twice.
    pub(crate) fn derived() -> Vec<Self> {
        let tags = [3, 4, 5, 6, 7, 8, 13, 14, 19, 25, 26, 27, 31, 60, 61];
        tags.into_iter().map(|tag| Self(vec![tag])).collect()
    }

    /// The tables whose rows can be expired, in the order in which they are looked through.
    pub(crate) fn outdatable() -> impl Iterator<Item = Self> {
        let tags = [MUTES, BLOCKS, REQUESTS, FILES, SENT, NOTES, TOPIC_MUTES, DEVICES, ATTACHMENTS];
        tags.into_iter().map(|tag| Self(vec![tag]))
    }

    /// The tables whose rows follow from events: the feeds, and the events of groups' histories.
    pub(crate) fn feeds() -> [Self; 3] {
        [29, 30, 45].map(|tag| Self(vec![tag]))
    }

    /// The table of requests by their users.
    pub(crate) fn of_requests_by_user() -> Self {
        Self(vec![14])
    }

    /// Its bytes; every key of the run begins with them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first bytes after the whole run.
    pub fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                break;
            }
        }
        end
    }
}

/// The tables of rows that can be expired.
const MUTES: u8 = 9;
const BLOCKS: u8 = 12;
const REQUESTS: u8 = 13;
const FILES: u8 = 17;
const SENT: u8 = 20;
const NOTES: u8 = 32;
const TOPIC_MUTES: u8 = 44;
const DEVICES: u8 = 63;
const ATTACHMENTS: u8 = 65;

impl Key {
    /// The place of a row that can be expired, read back from its bytes; `None` for any other.
    pub(crate) fn outdatable(bytes: &[u8]) -> Option<Self> {
        let (tag, parts) = bytes.split_first()?;
        let mut parts = parts.strip_suffix(&[0])?.split(|byte| *byte == 0).map(unescaped);
        let first = parts.next()??;
        if *tag == NOTES {
            return Some(Self::Note(first));
        }
        if *tag == ATTACHMENTS {
            return Some(Self::Attachment(FileId::new(first).ok()?));
        }
        let mut part = || parts.next().flatten();
        if *tag == DEVICES {
            return Some(Self::Device(UserId::new(first).ok()?, part()?, part()?));
        }
        let group = GroupId::new(first).ok()?;
        Some(match *tag {
            MUTES => Self::Mute(group, UserId::new(part()?).ok()?),
            BLOCKS => Self::Block(group, UserId::new(part()?).ok()?),
            REQUESTS => Self::Request(group, UserId::new(part()?).ok()?, part()?),
            FILES => Self::File(group, FileId::new(part()?).ok()?),
            SENT => Self::Sent(group, part()?, part()?),
            TOPIC_MUTES => Self::TopicMute(group, TopicId::new(part()?).ok()?, UserId::new(part()?).ok()?),
            _ => return None,
        })
    }

    /// Whether [`Key::outdatable`] reads it.
    pub(crate) fn can_expire(&self) -> bool {
        matches!(self, Self::Sent(..) | Self::Note(_) | Self::Device(..) | Self::Attachment(_))
            || self.expiry_guard().is_some()
    }

    /// The group whose header's revision guards the deletion of an expired row at this key; `None` if such rows have
    /// revisions of their own, or cannot expire.
    pub fn expiry_guard(&self) -> Option<&GroupId> {
        match self {
            Self::Mute(group, _)
            | Self::Block(group, _)
            | Self::Request(group, ..)
            | Self::File(group, _)
            | Self::TopicMute(group, ..) => Some(group),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
