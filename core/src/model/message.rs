//! Messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Content, GroupId, Labels, MessageId, Millis, UserId};

/// The sender. A server may send in any user's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sender {
    /// A user, member or not.
    User(UserId),
    /// The app.
    App,
}

/// The content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// Plain text.
    Text(String),
    /// The app's own kind of message.
    Custom {
        /// The kind, as the app names it.
        kind: String,
        /// Its payload, uninterpreted.
        data: String,
    },
    /// Any other body of one surface, stored verbatim.
    Foreign {
        /// The surface and type of the body.
        label: String,
        /// The body exactly as it came.
        raw: String,
        /// What to show where it cannot be understood.
        fallback: String,
        /// The same in neutral terms, if other surfaces have a body for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<Box<Content>>,
    },
}

impl Body {
    /// The approximate length of its texts in bytes.
    pub fn bytes(&self) -> usize {
        self.texts().into_iter().map(str::len).sum()
    }

    /// All texts in it.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Custom { kind, data } => vec![kind, data],
            Self::Foreign { label, raw, fallback, content } => {
                let neutral = content.as_ref().map(|content| content.texts()).unwrap_or_default();
                [label, raw, fallback].into_iter().map(String::as_str).chain(neutral).collect()
            }
        }
    }
}

/// Who is mentioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mention {
    /// Everybody.
    All,
    /// These.
    Users(Vec<UserId>),
}

/// Whether a message can still be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageState {
    /// As it was sent.
    Kept,
    /// Recalled; readers get a recall notice under its number.
    Recalled {
        /// Who recalled it; `None` is the app.
        by: Option<UserId>,
        /// The time.
        at: Millis,
        /// The reason.
        reason: String,
    },
    /// Deleted by the app, without notifying clients.
    Deleted,
}

/// Options of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traits {
    /// Its sender wants to know who has read it.
    pub receipts: bool,
    /// Keys and values can be added to it.
    pub extensible: bool,
    /// It was edited.
    pub changed: bool,
    /// How often it was edited; edits by versions that did not count them are not included.
    #[serde(default)]
    pub edits: u32,
}

impl Traits {
    /// Whether every option has its default. Most messages are like that, and store nothing for their options.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// A group message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of the message")]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The group it was sent to.
    pub group: GroupId,
    /// Its number in the group.
    pub sequence: u64,
    /// In whose name it was sent.
    pub sender: Sender,
    /// When it was sent.
    pub at: Millis,
    /// The content.
    pub body: Body,
    /// Only these members get it; empty is everybody.
    pub targets: Vec<UserId>,
    /// Who is mentioned.
    pub mention: Option<Mention>,
    /// Counts as unread.
    pub counted: bool,
    /// Becomes the conversation's last message.
    pub shown_last: bool,
    /// The client's own token for this message, if it gave one.
    pub token: Option<String>,
    /// Whether it can still be read.
    pub state: MessageState,
    /// Its options.
    #[serde(default, skip_serializing_if = "Traits::is_plain")]
    pub traits: Traits,
    /// Words only one surface has.
    pub labels: Labels,
}

impl Message {
    /// Whether it is addressed to this user, provided they were a member when it was sent; always true for its sender.
    pub fn is_for(&self, user: &UserId) -> bool {
        self.targets.is_empty() || self.targets.contains(user) || self.is_by(user)
    }

    /// Whether this user sent it.
    pub fn is_by(&self, user: &UserId) -> bool {
        matches!(&self.sender, Sender::User(sender) if sender == user)
    }

    /// Whether a label identifies the message to a surface's clients: such labels are kept when the message is recalled.
    pub fn identifies(label: &str) -> bool {
        matches!(label.split_once('.'), Some((_, "random" | "client-seq" | "client-time")))
    }

    /// Whether a label repeats the body in its surface's own format: such a label is deleted with that body.
    pub fn repeats_body(label: &str) -> bool {
        matches!(label.split_once('.'), Some((_, "body" | "content")))
    }
}

/// Keys and values that were added to a message after it was sent, or with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extensions {
    /// Grows by one with every write.
    pub version: u64,
    /// The last version that took everything away; 0 when none did.
    pub cleared: u64,
    /// The pairs, each with the version that wrote it.
    pub entries: BTreeMap<String, (String, u64)>,
}

/// A member has read a message whose sender wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Who has read the message.
    pub user: UserId,
    /// When the member read it.
    pub at: Millis,
}

/// Remembers a client's token so that a repeated send is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message it became.
    pub id: MessageId,
    /// Its number in the group.
    pub sequence: u64,
    /// When the message was sent.
    pub at: Millis,
    /// For an operation in several parts: the start of the next one, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Vec<u8>>,
}
