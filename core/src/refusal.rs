//! The one error type: why something was not done.

use std::fmt;

use crate::model::{FileId, GroupId, InvalidId, MessageId, TopicId, UserId};
use crate::ports::StoreError;

/// A thing that is limited in number or size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Groups in the realm.
    Groups,
    /// Users in the realm.
    Users,
    /// Admins of a group.
    Admins,
    /// Members one user follows.
    Follows,
    /// Attributes of a group or a member.
    Attributes,
    /// Counters of a group.
    Counters,
    /// Users muted in every group.
    MutedEverywhere,
    /// Shared files of a group.
    Files,
    /// Custom fields.
    Fields,
    /// Bytes of all attributes together.
    AttributeBytes,
    /// People a message is for.
    Targets,
    /// The largest group, in members, with read receipts.
    Readers,
    /// Keys added to a message.
    Extensions,
    /// Different marks in a group.
    Marks,
    /// Pinned messages of a group.
    Pins,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Admins => "admins",
            Self::Follows => "follows",
            Self::Attributes => "attributes",
            Self::Counters => "counters",
            Self::MutedEverywhere => "users muted everywhere",
            Self::Files => "files",
            Self::Fields => "fields",
            Self::AttributeBytes => "attribute bytes",
            Self::Targets => "targets",
            Self::Readers => "readers",
            Self::Extensions => "extensions",
            Self::Pins => "pinned messages",
            Self::Marks => "marks",
        })
    }
}

/// What the actor would have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needs {
    /// A member.
    Membership,
    /// The owner or an admin.
    Management,
    /// The owner.
    Ownership,
    /// The app.
    App,
    /// Being in the circle that may invite.
    Inviting,
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Membership => "a member",
            Self::Management => "the owner or an admin",
            Self::Ownership => "the owner",
            Self::App => "the app",
            Self::Inviting => "somebody who may invite",
        })
    }
}

/// The ids of users, joined by commas.
struct UserList<'a>(&'a [UserId]);

impl fmt::Display for UserList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, user) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{user}")?;
        }
        Ok(())
    }
}

/// Why an operation was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such group.
    #[error("group {group} does not exist{}", if *.disbanded { " any more" } else { "" })]
    GroupNotFound {
        /// The requested id.
        group: GroupId,
        /// Whether there once was one.
        disbanded: bool,
    },
    /// The id is in use.
    #[error("group {group} already exists")]
    GroupExists {
        /// The id that is in use.
        group: GroupId,
        /// Whether the one who would have owned the new group owns the old one.
        yours: bool,
    },
    /// No such user.
    #[error("user {0} does not exist")]
    UserNotFound(UserId),
    /// The user id is in use.
    #[error("user {0} already exists")]
    UserExists(UserId),
    /// The account may not be used.
    #[error("user {0} is deactivated")]
    UserDeactivated(UserId),
    /// The actor lacks the right.
    #[error("not permitted: needs to be {needs} of group {group}")]
    NotPermitted {
        /// The group in which the right is needed.
        group: GroupId,
        /// What the actor would have to be.
        needs: Needs,
    },
    /// Only the app may do this.
    #[error("only the app may do this")]
    AppOnly,
    /// The named users are not members.
    #[error("not members of group {group}: {}", UserList(.users))]
    NotMembers {
        /// The group that they are not in.
        group: GroupId,
        /// The users who are not members.
        users: Vec<UserId>,
    },
    /// The named users are members already.
    #[error("already members of group {group}: {}", UserList(.users))]
    AlreadyMembers {
        /// The group that they are in.
        group: GroupId,
        /// The users who are members.
        users: Vec<UserId>,
    },
    /// The owner cannot be removed, blocked, muted or made an admin.
    #[error("the owner of group {group} cannot be removed, blocked, muted or made an admin")]
    OwnerProtected {
        /// The owner's group.
        group: GroupId,
        /// The user who owns it.
        owner: UserId,
    },
    /// The owner must hand the group over or disband it first.
    #[error("the owner cannot leave group {0}")]
    OwnerCannotLeave(GroupId),
    /// The new owner is the old one.
    #[error("{owner} already owns group {group}")]
    SameOwner {
        /// The group to transfer.
        group: GroupId,
        /// The user who owns it already.
        owner: UserId,
    },
    /// The named user is not an admin.
    #[error("not an admin of group {group}: {user}")]
    NotAdmin {
        /// The group in which the user has another role.
        group: GroupId,
        /// The user who is not an admin.
        user: UserId,
    },
    /// No room for more members.
    #[error("group {group} is full: at most {capacity}")]
    GroupFull {
        /// The full group.
        group: GroupId,
        /// Its capacity.
        capacity: u32,
    },
    /// The capacity cannot be lowered below the number of members.
    #[error("group {group} has {members} members, more than the requested capacity")]
    CapacityTooLow {
        /// The group with too many members for the requested capacity.
        group: GroupId,
        /// How many there are.
        members: u32,
    },
    /// The user is in as many groups as allowed.
    #[error("user {0} is in too many groups")]
    TooManyGroupsOfUser(UserId),
    /// There are as many as allowed.
    #[error("limit of {limit} reached: at most {most}, now {now}")]
    LimitReached {
        /// What is limited.
        limit: Limit,
        /// How many at most.
        most: u64,
        /// How many there are.
        now: u64,
    },
    /// The app has disabled the group.
    #[error("group {0} is disabled")]
    GroupDisabled(GroupId),
    /// The named users are blocked.
    #[error("blocked from group {group}: {}", UserList(.users))]
    Blocked {
        /// The group whose blocklist they are on.
        group: GroupId,
        /// The blocked users.
        users: Vec<UserId>,
    },
    /// The sender may not send messages.
    #[error("muted in group {group}")]
    Muted {
        /// The group in which the sender is muted.
        group: GroupId,
        /// Whether everybody is.
        everybody: bool,
    },
    /// Nobody may ask to join.
    #[error("nobody may ask to join group {0}")]
    JoinClosed(GroupId),
    /// No such request or invitation.
    #[error("there is no such request or invitation for group {0}")]
    RequestNotFound(GroupId),
    /// Somebody has decided already.
    #[error("this request for group {0} was already decided")]
    RequestDecided(GroupId),
    /// The group has no roles; import it first.
    #[error("group {0} has no roles")]
    NotGoverned(GroupId),
    /// The group has roles already.
    #[error("group {0} already has roles")]
    AlreadyGoverned(GroupId),
    /// This group's kind does not do that.
    #[error("group {group} does not support {what}")]
    Unsupported {
        /// The group that does not support it.
        group: GroupId,
        /// What was requested.
        what: &'static str,
    },
    /// Somebody else has written meanwhile; read again.
    #[error("the version of group {group} is {current} now: read it again")]
    VersionConflict {
        /// The group of the attributes or of the message.
        group: GroupId,
        /// The version of what is stored now.
        current: u64,
    },
    /// No such key.
    #[error("key {0} does not exist")]
    KeyNotFound(String),
    /// No such message.
    #[error("message {sequence} of group {group} does not exist")]
    MessageNotFound {
        /// The group that was searched.
        group: GroupId,
        /// The requested number.
        sequence: u64,
    },
    /// No message of that id.
    #[error("message {0} does not exist")]
    MessageIdNotFound(MessageId),
    /// The message was already recalled.
    #[error("message {sequence} of group {group} was already recalled")]
    MessageRecalled {
        /// The group of the message.
        group: GroupId,
        /// The message's number.
        sequence: u64,
    },
    /// The time to recall is over.
    #[error("too late to recall message {sequence} of group {group}")]
    RecallTooLate {
        /// The group of the message.
        group: GroupId,
        /// The message's number.
        sequence: u64,
    },
    /// Nobody wanted to know who reads the message.
    #[error("message {sequence} of group {group} has no receipts")]
    NoReceipts {
        /// The group of the message.
        group: GroupId,
        /// The message's number.
        sequence: u64,
    },
    /// Nothing can be added to the message.
    #[error("message {sequence} of group {group} does not accept extensions")]
    NotExtensible {
        /// The group of the message.
        group: GroupId,
        /// The message's number.
        sequence: u64,
    },
    /// No such topic.
    #[error("topic {topic} of group {group} does not exist{}", if *.ended { " any more" } else { "" })]
    TopicNotFound {
        /// The group that was searched.
        group: GroupId,
        /// The requested id.
        topic: TopicId,
        /// Whether there once was one.
        ended: bool,
    },
    /// The topic's id is or was in use.
    #[error("topic {topic} of group {group} already exists")]
    TopicExists {
        /// The group of the existing topic.
        group: GroupId,
        /// The id.
        topic: TopicId,
    },
    /// No such file.
    #[error("file {file} of group {group} does not exist")]
    FileNotFound {
        /// The group that was searched.
        group: GroupId,
        /// The requested id.
        file: FileId,
    },
    /// A text that must be an id is not one.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// A row would be larger than the core permits for its kind; see [`bounds`](crate::bounds).
    #[error("{what} is too large: at most {most} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit, in bytes.
        most: u64,
    },
    /// A value outside of the operation's range, e.g. a time in the future.
    #[error("{0}")]
    InvalidValue(&'static str),
    /// The app's own server, which was asked before, refuses it.
    #[error("the app's server refused it{}", if .words.is_empty() { String::new() } else { format!(": {}", .words) })]
    Vetoed {
        /// The error code that the app's server gave, if it gave one.
        code: Option<u32>,
        /// The text that the app's server gave; "" when there is none.
        words: String,
    },
    /// The backend of this realm does not support this operation, for any caller.
    #[error("{what} is not available from this backend")]
    NotOffered {
        /// The operation or query, by the name it has in metrics.
        what: &'static str,
    },
    /// One of several operations that were to be performed as one was refused, so none was performed.
    #[error("step {step}: {refusal}")]
    InStep {
        /// Which, counted from 0.
        step: usize,
        /// Why that step was refused.
        refusal: Box<Refusal>,
    },
    /// The store could not do its work; nothing was acknowledged.
    #[error("the store failed: {0}")]
    Unavailable(String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.0)
    }
}
