//! The kinds of events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    FileId, Group, Member, Message, MessageId, Millis, Policy, Profile, Receive, Request, Role, TopicId, Until, UserId,
};

/// How a user joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joining {
    /// As one of the group's first members.
    Created,
    /// Added by the app or by a permitted member.
    Added,
    /// They asked to join.
    Asked {
        /// Who approved it; `None` when no approval was needed.
        approved_by: Option<UserId>,
    },
    /// They were invited.
    Invited {
        /// Who invited them, if known.
        by: Option<UserId>,
        /// Whether the invited person agreed to it.
        agreed: bool,
    },
    /// Imported; nobody is notified.
    Imported,
}

/// How a membership ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Leaving {
    /// By their own decision.
    Left,
    /// Removed by another.
    Removed,
    /// Removed by being blocked.
    Blocked,
    /// Their account was deleted.
    AccountDeleted,
}

/// The changed values of a profile; those that did not change are `None` or missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProfileChange {
    /// The new name.
    pub name: Option<String>,
    /// The new introduction.
    pub introduction: Option<String>,
    /// The new avatar.
    pub avatar: Option<String>,
    /// The new custom string.
    pub custom: Option<String>,
    /// The new values of custom fields; "" is removed.
    pub fields: BTreeMap<String, String>,
    /// The new values of labels, by the surface that owns them.
    pub labels: BTreeMap<String, Option<String>>,
}

/// The last state of a membership that has ended: for notifications about a former member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerMember {
    /// Who was a member.
    pub user: UserId,
    /// Their last role.
    pub role: Role,
    /// When they had joined.
    pub joined: Millis,
    /// Their last name card.
    pub card: String,
    /// Their last extra string.
    pub extra: String,
}

impl From<&Member> for FormerMember {
    fn from(member: &Member) -> Self {
        let Member { user, role, joined, card, extra, .. } = member.clone();
        Self { user, role, joined, card, extra }
    }
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happening {
    /// A group was created.
    GroupCreated {
        /// Its profile.
        profile: Profile,
        /// Its owner.
        owner: Option<UserId>,
        /// Its first members, without the owner.
        members: Vec<UserId>,
    },
    /// A group without roles got an owner and roles.
    GroupGoverned {
        /// Its owner now.
        owner: UserId,
    },
    /// A group was disbanded.
    GroupDisbanded {
        /// Its last owner.
        owner: Option<UserId>,
        /// Its last profile.
        profile: Profile,
        /// Its members.
        members: Vec<UserId>,
        /// Its last header, for notifications about a deleted group.
        #[serde(default)]
        last: Option<Box<Group>>,
        /// The memberships of the owner and of the user who disbanded it.
        #[serde(default)]
        were: Vec<FormerMember>,
    },
    /// Users became members.
    MembersJoined {
        /// The new members.
        users: Vec<UserId>,
        /// How they joined.
        how: Joining,
        /// How many members there are now.
        members: u32,
    },
    /// Users are members no longer.
    MembersLeft {
        /// Who left.
        users: Vec<UserId>,
        /// How they left.
        how: Leaving,
        /// The reason given by the person who removed them; "" when there is none.
        reason: String,
        /// How many members there are now.
        members: u32,
        /// The memberships as they were when they ended.
        #[serde(default)]
        were: Vec<FormerMember>,
    },
    /// The group has another owner.
    OwnerChanged {
        /// The owner before, if there was one.
        from: Option<UserId>,
        /// The new one; `None` when the owner left it without one.
        to: Option<UserId>,
        /// Whether the old owner left with it.
        left: bool,
        /// What the old owner was when they left.
        #[serde(default)]
        was: Option<FormerMember>,
    },
    /// Members became admins.
    AdminsAdded(Vec<UserId>),
    /// Admins became members.
    AdminsRemoved(Vec<UserId>),
    /// Users were appointed, or no longer are: admins whenever they are members. Members who become admins by it, or
    /// cease to be, are named in events of their own.
    AppointedChanged {
        /// Newly appointed.
        added: Vec<UserId>,
        /// No longer.
        removed: Vec<UserId>,
    },
    /// The app marked members, or took marks away.
    MarksChanged {
        /// Each member, with the marks that are newly there.
        added: Vec<(UserId, Vec<u32>)>,
        /// The removed marks.
        removed: Vec<(UserId, Vec<u32>)>,
    },
    /// The profile changed.
    ProfileChanged(ProfileChange),
    /// The policy changed.
    PolicyChanged {
        /// The policy before the change.
        before: Box<Policy>,
        /// The policy after the change.
        after: Box<Policy>,
    },
    /// The announcement changed; "" is removed.
    AnnouncementChanged(String),
    /// The app disabled the group, or enabled it again.
    DisabledChanged(bool),
    /// Users were muted.
    Muted {
        /// The muted users.
        users: Vec<UserId>,
        /// When the mute expires.
        until: Until,
    },
    /// Users were unmuted.
    Unmuted(Vec<UserId>),
    /// Users were muted in every group, or no longer.
    MutedEverywhere {
        /// The users who were muted, or are no longer.
        users: Vec<UserId>,
        /// When the mute expires; `None` when it was ended.
        until: Option<Until>,
    },
    /// All members were muted or unmuted.
    AllMutedChanged(bool),
    /// Users were put on the allowlist.
    Allowed(Vec<UserId>),
    /// Users were removed from the allowlist.
    Disallowed(Vec<UserId>),
    /// Users were blocked.
    Blocked {
        /// The blocked users.
        users: Vec<UserId>,
        /// When the block expires.
        until: Until,
        /// The reason given by the person who blocked them; "" when there is none.
        reason: String,
    },
    /// Users were unblocked.
    Unblocked(Vec<UserId>),
    /// A request or an invitation was filed, passed on or decided.
    RequestChanged(Box<Request>),
    /// A member's card or fields changed; values that did not change are `None` or missing.
    MemberChanged {
        /// The member.
        user: UserId,
        /// The new card.
        card: Option<String>,
        /// The new extra string.
        extra: Option<String>,
        /// The new values of custom fields; "" is removed.
        fields: BTreeMap<String, String>,
    },
    /// A member's free attributes changed; "" is removed.
    MemberAttributesChanged {
        /// The member.
        user: UserId,
        /// The new values of the changed attributes.
        attributes: BTreeMap<String, String>,
    },
    /// A member changed their notification setting for messages.
    ReceiveChanged {
        /// The member.
        user: UserId,
        /// The new setting.
        receive: Receive,
        /// The setting before.
        #[serde(default)]
        before: Option<Receive>,
    },
    /// The group's attributes changed.
    AttributesChanged {
        /// The version of all attributes after the change.
        version: u64,
        /// What was written.
        set: BTreeMap<String, String>,
        /// What was removed.
        removed: Vec<String>,
        /// Whether all other values were deleted.
        replaced: bool,
    },
    /// The group's counters changed.
    CountersChanged {
        /// New values.
        set: BTreeMap<String, i64>,
        /// What was removed.
        removed: Vec<String>,
    },
    /// A file was shared.
    FileAdded {
        /// The id of the file.
        file: FileId,
        /// Its name.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// A shared file was deleted.
    FileRemoved {
        /// The id of the file.
        file: FileId,
        /// Its name.
        name: String,
    },
    /// A message was sent. Its body is read from the group, so that it is missing once recalled.
    MessageSent {
        /// Its number in the group.
        sequence: u64,
        /// Its id.
        id: MessageId,
    },
    /// A message that is not stored elsewhere: only online members receive it.
    MessagePassed(Box<Message>),
    /// The group is shown to its members from now on: its first message was sent.
    GroupActivated,
    /// Messages were recalled.
    MessagesRecalled {
        /// The messages' numbers in the group.
        sequences: Vec<u64>,
        /// The reason given by the person who recalled them; "" when there is none.
        reason: String,
    },
    /// The app deleted messages; no client is notified of it.
    MessagesDeleted {
        /// The messages' numbers in the group.
        sequences: Vec<u64>,
    },
    /// A message was edited. Its body is read from the group.
    MessageChanged {
        /// Its number in the group.
        sequence: u64,
        /// Its id.
        id: MessageId,
    },
    /// A message was pinned, or its pin was taken away. Its body is read from the group.
    PinChanged {
        /// Its number in the group.
        sequence: u64,
        /// Whether it is pinned now.
        pinned: bool,
    },
    /// A member has read messages whose sender wants to know.
    MessagesRead {
        /// Their numbers in the group.
        sequences: Vec<u64>,
        /// Who has read them.
        user: UserId,
        /// What the reader says about it to the sender.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// A user has read a group further than before, on one of their devices; the others are notified.
    ReadMarkChanged {
        /// Who has read.
        user: UserId,
        /// The number of the last message that was read.
        sequence: u64,
    },
    /// Keys and values of a message were added or removed.
    ExtensionsChanged {
        /// The message's number in the group.
        sequence: u64,
        /// The version of the pairs now.
        version: u64,
        /// What was written.
        set: BTreeMap<String, String>,
        /// The removed keys.
        removed: Vec<String>,
        /// Whether all were removed.
        cleared: bool,
    },
    /// A notice of the app to members, which is not a message and not stored elsewhere.
    Noticed {
        /// What, uninterpreted.
        content: String,
    },
    /// A message was dropped because of its surface's limit per second. Only the app's server is notified.
    MessageDropped {
        /// The message, without a number.
        message: Box<Message>,
        /// Whether it would have been stored.
        stored: bool,
    },
    /// A group has another topic.
    TopicMade {
        /// The new topic.
        topic: TopicId,
        /// Its name, introduction, picture and the like.
        profile: Profile,
    },
    /// A topic changed; values that did not change are `None` or missing.
    TopicChanged {
        /// The changed topic.
        topic: TopicId,
        /// What changed of its profile.
        profile: ProfileChange,
        /// The new announcement; "" is removed.
        announcement: Option<String>,
        /// Whether everybody is muted now.
        all_muted: Option<bool>,
    },
    /// Topics were deleted.
    TopicsEnded(Vec<TopicId>),
    /// An event in a topic.
    InTopic {
        /// The topic of the event.
        topic: TopicId,
        /// What, with numbers that are the topic's.
        what: Box<Self>,
    },
    /// A user renamed a group for themself; "" is removed.
    RemarkChanged {
        /// Who named the group, and alone sees the name.
        user: UserId,
        /// The new name; "" when it was removed.
        text: String,
    },
    /// A user follows other members now, or fewer.
    FollowsChanged {
        /// Who follows.
        user: UserId,
        /// Newly followed.
        added: Vec<UserId>,
        /// No longer followed.
        removed: Vec<UserId>,
    },
    /// An account was created.
    UserRegistered(UserId),
    /// An account changed.
    UserChanged(UserId),
    /// An account was deleted.
    UserDeleted(UserId),
}

impl ProfileChange {
    /// Whether something changes that every vendor shows of a group: name, introduction or avatar.
    pub fn shows(&self) -> bool {
        [&self.name, &self.introduction, &self.avatar].into_iter().any(Option::is_some)
    }
}
