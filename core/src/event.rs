//! Events, and their audience.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    FileId, Group, GroupId, KeptAs, Key, Member, Message, MessageId, Millis, Policy, Profile, Receive, Request, Role,
    Row, TopicId, Until, UserId,
};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Actor {
    /// A user, from one of their devices (`None` when unknown).
    User {
        /// The user.
        user: UserId,
        /// The device that called; it learns from the answer, not from the event.
        device: Option<String>,
    },
    /// The app, perhaps in the name of a user.
    App {
        /// In whose name.
        for_user: Option<UserId>,
    },
    /// The system itself.
    System,
}

impl Actor {
    /// A user whose device is not known.
    pub fn user(user: UserId) -> Self {
        Self::User { user, device: None }
    }

    /// The app, without a user.
    pub fn app() -> Self {
        Self::App { for_user: None }
    }

    /// The user behind it, if any.
    pub fn behind(&self) -> Option<&UserId> {
        match self {
            Self::User { user, .. } => Some(user),
            Self::App { for_user } => for_user.as_ref(),
            Self::System => None,
        }
    }
}

/// The recipients of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Audience {
    /// All members of this group, as they are after the change.
    pub members_of: Option<GroupId>,
    /// And these users, members or not.
    pub users: Vec<UserId>,
    /// Clients are not notified, only the app's server.
    pub silent: bool,
}

/// How a user joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joining {
    /// With the group's creation.
    Created,
    /// Added by the app or by a permitted member.
    Added,
    /// Came by asking.
    Asked {
        /// Who approved it; `None` when no approval was needed.
        approved_by: Option<UserId>,
    },
    /// Came by invitation.
    Invited {
        /// The inviter.
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
    /// By themself.
    Left,
    /// Removed by another.
    Removed,
    /// Removed by being blocked.
    Blocked,
    /// Their account was deleted.
    AccountDeleted,
}

/// What changed of a profile: only what did is there.
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
pub struct Former {
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: Role,
    /// When the user joined.
    pub joined: Millis,
    /// The name card.
    pub card: String,
    /// The string beside it.
    pub extra: String,
}

impl From<&Member> for Former {
    fn from(member: &Member) -> Self {
        let Member { user, role, joined, card, extra, .. } = member.clone();
        Self { user, role, joined, card, extra }
    }
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happening {
    /// A group came into being.
    GroupCreated {
        /// Its profile.
        profile: Profile,
        /// Its owner.
        owner: Option<UserId>,
        /// The others who were in from the start.
        members: Vec<UserId>,
    },
    /// A group without roles got them.
    GroupGoverned {
        /// Its owner now.
        owner: UserId,
    },
    /// A group ended.
    GroupDisbanded {
        /// Its last owner.
        owner: Option<UserId>,
        /// Its last profile.
        profile: Profile,
        /// Who was in it.
        members: Vec<UserId>,
        /// Its last header, for notifications about a deleted group.
        #[serde(default)]
        last: Option<Box<Group>>,
        /// The memberships of the owner and of the user who disbanded it.
        #[serde(default)]
        were: Vec<Former>,
    },
    /// People came in.
    MembersJoined {
        /// The users.
        users: Vec<UserId>,
        /// How they joined.
        how: Joining,
        /// How many members there are now.
        members: u32,
    },
    /// People went out.
    MembersLeft {
        /// The users.
        users: Vec<UserId>,
        /// How they left.
        how: Leaving,
        /// The given reason.
        reason: String,
        /// How many members there are now.
        members: u32,
        /// What they were.
        #[serde(default)]
        were: Vec<Former>,
    },
    /// The group has another owner.
    OwnerChanged {
        /// The old one.
        from: Option<UserId>,
        /// The new one; `None` when the owner left it without one.
        to: Option<UserId>,
        /// Whether the old owner left with it.
        left: bool,
        /// What the old owner was when they left.
        #[serde(default)]
        was: Option<Former>,
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
        /// As it was.
        before: Box<Policy>,
        /// As it is.
        after: Box<Policy>,
    },
    /// The announcement changed; "" is removed.
    AnnouncementChanged(String),
    /// The app banned the group or lifted the ban.
    DisabledChanged(bool),
    /// Users were muted.
    Muted {
        /// The users.
        users: Vec<UserId>,
        /// When it expires.
        until: Until,
    },
    /// Users were unmuted.
    Unmuted(Vec<UserId>),
    /// Users were muted in every group, or no longer.
    MutedEverywhere {
        /// The users.
        users: Vec<UserId>,
        /// Until when; `None` is no longer.
        until: Option<Until>,
    },
    /// Everybody was muted or unmuted.
    AllMutedChanged(bool),
    /// Users were put on the allowlist.
    Allowed(Vec<UserId>),
    /// Users were removed from the allowlist.
    Disallowed(Vec<UserId>),
    /// Users were blocked.
    Blocked {
        /// The users.
        users: Vec<UserId>,
        /// When it expires.
        until: Until,
        /// The reason.
        reason: String,
    },
    /// Users were unblocked.
    Unblocked(Vec<UserId>),
    /// A request or an invitation was filed, passed on or decided.
    RequestChanged(Box<Request>),
    /// A member's card or fields changed; only what did is there.
    MemberChanged {
        /// The user.
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
        /// The user.
        user: UserId,
        /// The new values.
        attributes: BTreeMap<String, String>,
    },
    /// A member changed their notification setting for messages.
    ReceiveChanged {
        /// The user.
        user: UserId,
        /// How now.
        receive: Receive,
        /// How until then.
        #[serde(default)]
        before: Option<Receive>,
    },
    /// The group's attributes changed.
    AttributesChanged {
        /// The version now.
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
        /// The file.
        file: FileId,
        /// Its name.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// A shared file was deleted.
    FileRemoved {
        /// The file.
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
        /// Their numbers.
        sequences: Vec<u64>,
        /// The reason.
        reason: String,
    },
    /// Messages were deleted without a notice.
    MessagesDeleted {
        /// Their numbers.
        sequences: Vec<u64>,
    },
    /// A message was edited. Its body is read from the group.
    MessageChanged {
        /// Its number in the group.
        sequence: u64,
        /// Its id.
        id: MessageId,
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
        /// The user.
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
        /// The topic.
        topic: TopicId,
        /// Its name, introduction, picture and the like.
        profile: Profile,
    },
    /// A topic changed; only what did is there.
    TopicChanged {
        /// The topic.
        topic: TopicId,
        /// What changed of its profile.
        profile: ProfileChange,
        /// The new announcement; "" is removed.
        announcement: Option<String>,
        /// Whether everybody is muted now.
        all_muted: Option<bool>,
    },
    /// Topics ended.
    TopicsEnded(Vec<TopicId>),
    /// An event in a topic.
    InTopic {
        /// The topic.
        topic: TopicId,
        /// What, with numbers that are the topic's.
        what: Box<Self>,
    },
    /// A user renamed a group for themself; "" is removed.
    RemarkChanged {
        /// The user.
        user: UserId,
        /// The name.
        text: String,
    },
    /// A user follows other members now, or fewer.
    FollowsChanged {
        /// The user.
        user: UserId,
        /// Newly followed.
        added: Vec<UserId>,
        /// No longer followed.
        removed: Vec<UserId>,
    },
    /// An account came into being.
    UserRegistered(UserId),
    /// An account changed.
    UserChanged(UserId),
    /// An account was deleted.
    UserDeleted(UserId),
}

impl Happening {
    /// The users it is about, whether or not they are (or still are) members. Empty for a change of the whole group.
    pub fn about(&self) -> Vec<&UserId> {
        match self {
            Self::GroupCreated { owner, .. } => owner.iter().collect(),
            Self::GroupDisbanded { members, .. } => members.iter().collect(),
            Self::MembersJoined { users, .. }
            | Self::MembersLeft { users, .. }
            | Self::AdminsAdded(users)
            | Self::AdminsRemoved(users)
            | Self::Muted { users, .. }
            | Self::Unmuted(users)
            | Self::MutedEverywhere { users, .. }
            | Self::Allowed(users)
            | Self::Disallowed(users)
            | Self::Blocked { users, .. }
            | Self::Unblocked(users) => users.iter().collect(),
            Self::OwnerChanged { from, to, .. } => from.iter().chain(to).collect(),
            Self::AppointedChanged { added, removed } => added.iter().chain(removed).collect(),
            Self::MarksChanged { added, removed } => added.iter().chain(removed).map(|(user, _)| user).collect(),
            Self::MemberChanged { user, .. }
            | Self::MemberAttributesChanged { user, .. }
            | Self::ReceiveChanged { user, .. }
            | Self::MessagesRead { user, .. }
            | Self::ReadMarkChanged { user, .. }
            | Self::RemarkChanged { user, .. }
            | Self::FollowsChanged { user, .. }
            | Self::GroupGoverned { owner: user }
            | Self::UserRegistered(user)
            | Self::UserChanged(user)
            | Self::UserDeleted(user) => vec![user],
            Self::InTopic { what, .. } => what.about(),
            // the parties of a request depend on its stage: an invitation that waits for the managers is not known to
            // the invited user
            Self::RequestChanged(_)
            | Self::ProfileChanged(_)
            | Self::PolicyChanged { .. }
            | Self::AnnouncementChanged(_)
            | Self::DisabledChanged(_)
            | Self::AllMutedChanged(_)
            | Self::AttributesChanged { .. }
            | Self::CountersChanged { .. }
            | Self::FileAdded { .. }
            | Self::FileRemoved { .. }
            | Self::MessageSent { .. }
            | Self::MessagePassed(_)
            | Self::GroupActivated
            | Self::MessagesRecalled { .. }
            | Self::MessagesDeleted { .. }
            | Self::MessageChanged { .. }
            | Self::ExtensionsChanged { .. }
            | Self::Noticed { .. }
            | Self::MessageDropped { .. }
            | Self::TopicMade { .. }
            | Self::TopicChanged { .. }
            | Self::TopicsEnded(_) => Vec::new(),
        }
    }

    /// Which part of a group's history it belongs to, if to any.
    pub fn kept_as(&self) -> Option<KeptAs> {
        match self {
            Self::MembersJoined { how, .. } => {
                (!matches!(how, Joining::Created | Joining::Imported)).then_some(KeptAs::Membership)
            }
            // a block ends a membership, but not as an event of the group
            Self::MembersLeft { how, .. } => (*how != Leaving::Blocked).then_some(KeptAs::Membership),
            Self::ProfileChanged(change) => change.shows().then_some(KeptAs::Profile),
            Self::OwnerChanged { to, .. } => to.is_some().then_some(KeptAs::Profile),
            Self::AnnouncementChanged(_) => Some(KeptAs::Profile),
            Self::AdminsAdded(_) | Self::AdminsRemoved(_) | Self::Muted { .. } | Self::Unmuted(_) => Some(KeptAs::Roles),
            Self::GroupCreated { .. }
            | Self::GroupGoverned { .. }
            | Self::GroupDisbanded { .. }
            | Self::AppointedChanged { .. }
            | Self::MarksChanged { .. }
            | Self::PolicyChanged { .. }
            | Self::DisabledChanged(_)
            | Self::MutedEverywhere { .. }
            | Self::AllMutedChanged(_)
            | Self::Allowed(_)
            | Self::Disallowed(_)
            | Self::Blocked { .. }
            | Self::Unblocked(_)
            | Self::RequestChanged(_)
            | Self::MemberChanged { .. }
            | Self::MemberAttributesChanged { .. }
            | Self::ReceiveChanged { .. }
            | Self::AttributesChanged { .. }
            | Self::CountersChanged { .. }
            | Self::FileAdded { .. }
            | Self::FileRemoved { .. }
            | Self::MessageSent { .. }
            | Self::MessagePassed(_)
            | Self::GroupActivated
            | Self::MessagesRecalled { .. }
            | Self::MessagesDeleted { .. }
            | Self::MessageChanged { .. }
            | Self::MessagesRead { .. }
            | Self::ReadMarkChanged { .. }
            | Self::ExtensionsChanged { .. }
            | Self::Noticed { .. }
            | Self::MessageDropped { .. }
            | Self::TopicMade { .. }
            | Self::TopicChanged { .. }
            | Self::TopicsEnded(_)
            // a topic numbers its messages only
            | Self::InTopic { .. }
            | Self::RemarkChanged { .. }
            | Self::FollowsChanged { .. }
            | Self::UserRegistered(_)
            | Self::UserChanged(_)
            | Self::UserDeleted(_) => None,
        }
    }
}

impl ProfileChange {
    /// Whether something changes that every vendor shows of a group: name, introduction or avatar.
    pub fn shows(&self) -> bool {
        [&self.name, &self.introduction, &self.avatar].into_iter().any(Option::is_some)
    }
}

/// The position of an event among the events of its call: those that were committed together.
///
/// A store numbers the events of one commit consecutively, so the position leads to the first of them, and so to the
/// call that an event belongs to. A backend that records changes made elsewhere commits the events of one call
/// together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallPart {
    /// How many events of the call are before this one.
    pub position: u32,
    /// How many events the call has.
    pub count: u32,
}

impl CallPart {
    /// The only event of a call.
    pub const WHOLE: Self = Self { position: 0, count: 1 };

    /// Whether it is the only event of its call.
    pub fn is_whole(&self) -> bool {
        *self == Self::WHOLE
    }
}

/// Events from versions without calls: each is a call of its own.
impl Default for CallPart {
    fn default() -> Self {
        Self::WHOLE
    }
}

/// One entry of the realm's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the realm; 0 until it is committed.
    pub sequence: u64,
    /// Its position among the events of its call.
    #[serde(default, skip_serializing_if = "CallPart::is_whole")]
    pub part: CallPart,
    /// The time.
    pub at: Millis,
    /// In which group, if in one.
    pub group: Option<GroupId>,
    /// Its number in the group's history, one sequence with the group's messages; `None` when it is not part of it.
    /// Changes of a profile by one operation share a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The actor.
    pub actor: Actor,
    /// Its audience.
    pub audience: Audience,
    /// What happened.
    pub what: Happening,
}

impl Event {
    /// The call it belongs to, shared by all events of one commit: the number of the first of them.
    pub fn call(&self) -> u64 {
        self.sequence.saturating_sub(u64::from(self.part.position))
    }

    /// Whether no later event belongs to the same call.
    pub fn is_last_of_call(&self) -> bool {
        self.part.position + 1 >= self.part.count
    }

    /// Marks these as all the events of one call, in their order.
    pub fn mark_call(events: &mut [Self]) {
        let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
        for (position, event) in (0..count).zip(events) {
            event.part = CallPart { position, count };
        }
    }

    /// Whether clients that are offline receive it later: it is not for the app's server alone, and not only for those
    /// who are online.
    pub fn is_queued(&self) -> bool {
        let what = match &self.what {
            Happening::InTopic { what, .. } => what,
            what => what,
        };
        !self.audience.silent && !matches!(what, Happening::MessagePassed(_))
    }

    /// Where a store keeps this event once it has its number: in the realm's log and in its readers' feeds.
    pub fn filed(self) -> Vec<(Key, Row)> {
        let mut rows = Vec::with_capacity(2 + self.audience.users.len());
        if self.is_queued() {
            if let Some(group) = &self.audience.members_of {
                rows.push((Key::GroupFeed(group.clone(), self.sequence), Row::Mark));
            }
            for user in &self.audience.users {
                rows.push((Key::UserFeed(user.clone(), self.sequence), Row::Mark));
            }
        }
        if let (Some(group), Some(number)) = (&self.group, self.number) {
            rows.push((Key::HistoryEvent(group.clone(), number, self.sequence), Row::Mark));
        }
        rows.push((Key::Event(self.sequence), Row::from(self)));
        rows
    }
}
