//! What is said in a group.

use serde::{Deserialize, Serialize};

use super::{GroupId, Labels, MessageId, Millis, UserId};

/// Who said it. A server may send in the name of anybody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Sender {
    /// A user, member or not.
    User(UserId),
    /// The app.
    App,
}

/// What was said.
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
    /// Any other body of one surface, kept verbatim.
    Foreign {
        /// Which surface's words these are.
        label: String,
        /// The body exactly as it came.
        raw: String,
        /// What to show where it cannot be understood.
        fallback: String,
    },
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
    /// Taken back; a notice stands in its place.
    Recalled {
        /// By whom; `None` is the app.
        by: Option<UserId>,
        /// When.
        at: Millis,
        /// Why.
        reason: String,
    },
    /// Gone without a notice.
    Deleted,
}

/// A group message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of the message")]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The group.
    pub group: GroupId,
    /// Its number in the group.
    pub sequence: u64,
    /// Who said it.
    pub sender: Sender,
    /// When.
    pub at: Millis,
    /// What.
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
    /// Words only one surface has.
    pub labels: Labels,
}

/// Remembers a client's token so that a repeated send is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message it became.
    pub id: MessageId,
    /// Its number in the group.
    pub sequence: u64,
    /// When.
    pub at: Millis,
}
