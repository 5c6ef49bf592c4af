//! Queries, one file per family.

mod concerns;
mod deciding;
mod expired;
mod extras;
mod feed;
mod groups;
mod history;
mod members;
mod messages;
mod moderation;
mod moment;
mod personal;
mod queues;
mod read_marks;
mod receipts;
mod requests;
mod topics;
mod users;

pub use deciding::{RequestsDecided, RequestsToDecide};
pub use expired::ExpiredRows;
pub(crate) use expired::expired;
pub use extras::{
    Attachment, AttachmentFound, AttributesFound, CountersFound, File, FileFound, FilePage, Files, GroupAttributes,
    GroupCounters,
};
pub use feed::{Feed, FeedPage};
pub use groups::{
    CountGroups, FindGroups, Found, GroupById, GroupCount, GroupPage, JoinedGroups, JoinedPage, ListGroups,
};
pub use history::{History, HistoryPage, Numbered};
pub use members::{Admins, ListMembers, MarkedList, MarkedMembers, MemberPage, MembersNamed, Named};
pub use messages::{MessageById, MessageFound, MessagePage, Messages, Start};
pub use moderation::{
    AllMutedGroups, AllowPage, Allowlist, BlockPage, Blocklist, EverywherePage, MaySpeak, ModerationState,
    ModerationStates, MutePage, MutedGroups, MutedNow, Mutes, MutesEverywhere, MutesNow,
};
pub(crate) use moment::Source;
pub use personal::{Followed, Follows, PushName, PushNameText, Remark, RemarkText, RemarkTexts, RemarksOf};
pub use queues::{
    COUNTED, DevicePosition, DevicePositions, Positions, QueueItem, QueuePage, ReadQueue, Waiting, WaitingQueue,
    WaitingQueues,
};
pub use read_marks::{ReadMarks, ReadMarksFound};
pub use receipts::{
    ExtensionsFound, MessageExtensions, ReadCount, ReadCounts, ReaderPage, Readers, ReceiptLists, ReceiptListsFound,
    Receipts,
};
pub use requests::{RequestPage, Requests, RequestsOf};
pub use topics::{TopicMessages, TopicMutes, TopicMutesFound, TopicPage, Topics, TopicsFound};
pub use users::{FindUsers, FindUsersFor, ListUsers, UserPage, UsersFound, UsersFoundFor};

use crate::decision::ActorRole;
use crate::event::Actor;
use crate::model::{Circle, Group, GroupId, Key, Millis, Row, Settings};
use crate::ports::{Asked, Span};
use crate::refusal::{Needs, Refusal};
use std::sync::Arc;

/// What queries read from.
pub struct Reader<'a> {
    pub(crate) store: Source<'a>,
    pub(crate) actor: &'a Actor,
    /// The time by which expiry is judged.
    pub(crate) now: Millis,
    /// What the realm permits.
    pub(crate) settings: &'a Settings,
}

/// Where the next page begins. Opaque: valid only for the query that returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

impl Reader<'_> {
    /// The row at one place.
    pub(crate) async fn row(&self, key: Key) -> Result<Option<Row>, Refusal> {
        Ok(self.store.fetch(&[key]).await?.pop().flatten())
    }

    /// The group's header; refuses when there is no such group.
    pub(crate) async fn group(&self, id: &GroupId) -> Result<Arc<Group>, Refusal> {
        if let Some(Row::Group(group)) = self.row(Key::Group(id.clone())).await? {
            self.store.rests_on(&group);
            return Ok(group);
        }
        let disbanded = self.row(Key::Tombstone(id.clone())).await?.is_some();
        Err(Refusal::GroupNotFound { group: id.clone(), disbanded })
    }

    /// The actor's role in a group.
    pub(crate) async fn actor_role(&self, group: &GroupId) -> Result<ActorRole, Refusal> {
        let Actor::User { user, .. } = self.actor else { return Ok(ActorRole::App) };
        let row = self.row(Key::Member(group.clone(), user.clone())).await?;
        Ok(row.as_ref().and_then(Row::member).map_or(ActorRole::Outsider, |member| ActorRole::Member(member.role)))
    }

    /// The group's header, when the actor is in this circle of it.
    pub(crate) async fn group_seen_by(&self, id: &GroupId, circle: Circle) -> Result<Arc<Group>, Refusal> {
        let group = self.group(id).await?;
        self.check_circle(&group, circle).await?;
        Ok(group)
    }

    /// Refuses unless the app calls.
    pub(crate) fn check_app(&self) -> Result<(), Refusal> {
        match self.actor {
            Actor::User { .. } => Err(Refusal::AppOnly),
            _ => Ok(()),
        }
    }

    /// Refuses unless the actor is in this circle of the group.
    pub(crate) async fn check_circle(&self, group: &Group, circle: Circle) -> Result<(), Refusal> {
        let actor_role = self.actor_role(&group.id).await?;
        if actor_role.is_in(circle) {
            return Ok(());
        }
        let needs = match (actor_role, circle) {
            (ActorRole::Outsider, _) | (_, Circle::Members) => Needs::Membership,
            (_, Circle::Managers) => Needs::Management,
            (_, Circle::Owner) => Needs::Ownership,
            (_, Circle::Nobody) => Needs::App,
        };
        Err(Refusal::NotPermitted { group: group.id.clone(), needs })
    }

    /// A page of rows and where the next one begins, if there is one.
    pub(crate) async fn page(&self, span: &Span) -> Result<(Vec<Row>, Option<Cursor>), Refusal> {
        let wanted = Span { limit: span.limit.saturating_add(1), ..span.clone() };
        let mut rows = self.store.scan(&wanted).await?;
        let more = rows.len() > span.limit;
        rows.truncate(span.limit);
        let next = rows.last().filter(|_| more).map(|(key, _)| Cursor(key.clone()));
        Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
    }
}

/// A layer answered one query with another's answer: a bug in the layer, reported as an outage.
fn misfit(answer: &Answer) -> Refusal {
    Refusal::Unavailable(format!("a query was answered with another's answer: {answer:?}"))
}

macro_rules! queries {
    ($($name:ident => $answer:ident, $label:literal;)*) => {
        /// All queries.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each is documented at its own type")]
        pub enum Query {
            $($name($name),)*
        }

        impl Query {
            /// Its name, for logs and metrics.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $label,)*
                }
            }

            /// Answers it.
            pub(crate) async fn answer(self, reader: &Reader<'_>) -> Result<Answer, Refusal> {
                match self {
                    $(Self::$name(query) => query.answer(reader).await.map(Answer::$name),)*
                }
            }
        }

        /// What a query answers.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each is documented at its own type")]
        pub enum Answer {
            $($name($answer),)*
        }

        $(
            impl From<$name> for Query {
                fn from(query: $name) -> Self {
                    Self::$name(query)
                }
            }

            impl TryFrom<Answer> for $answer {
                type Error = Refusal;

                fn try_from(answer: Answer) -> Result<Self, Refusal> {
                    match answer {
                        Answer::$name(answer) => Ok(answer),
                        other => Err(misfit(&other)),
                    }
                }
            }

            impl Asked for $name {
                type Answer = $answer;
            }
        )*
    };
}

// every query has an answer type of its own
queries! {
    GroupById => Found, "group_by_id";
    FindGroups => FoundGroups, "find_groups";
    ListGroups => GroupPage, "list_groups";
    JoinedGroups => JoinedPage, "joined_groups";
    ListMembers => MemberPage, "list_members";
    MembersNamed => Named, "members_named";
    Admins => AdminList, "admins";
    MarkedMembers => MarkedList, "marked_members";
    FindUsers => UsersFound, "find_users";
    FindUsersFor => UsersFoundFor, "find_users_for";
    ListUsers => UserPage, "list_users";
    Remark => RemarkText, "remark";
    RemarksOf => RemarkTexts, "remarks_of";
    PushName => PushNameText, "push_name";
    Follows => Followed, "follows";
    Mutes => MutePage, "mutes";
    MutesNow => MutedNow, "mutes_now";
    Allowlist => AllowPage, "allowlist";
    Blocklist => BlockPage, "blocklist";
    MutesEverywhere => EverywherePage, "mutes_everywhere";
    MaySpeak => ModerationStates, "may_speak";
    Requests => RequestPage, "requests";
    RequestsToDecide => RequestsDecided, "requests_to_decide";
    GroupAttributes => AttributesFound, "group_attributes";
    GroupCounters => CountersFound, "group_counters";
    Files => FilePage, "files";
    File => FileFound, "file";
    Attachment => AttachmentFound, "attachment";
    History => HistoryPage, "history";
    Messages => MessagePage, "messages";
    MessageById => MessageFound, "message_by_id";
    CountGroups => GroupCount, "count_groups";
    Feed => FeedPage, "feed";
    ReadQueue => QueuePage, "read_queue";
    WaitingQueues => Waiting, "waiting_queues";
    DevicePositions => Positions, "device_positions";
    AllMutedGroups => MutedGroups, "all_muted_groups";
    ReadMarks => ReadMarksFound, "read_marks";
    Receipts => ReadCounts, "receipts";
    Readers => ReaderPage, "readers";
    ReceiptLists => ReceiptListsFound, "receipt_lists";
    MessageExtensions => ExtensionsFound, "message_extensions";
    Topics => TopicsFound, "topics";
    TopicMessages => TopicPage, "topic_messages";
    TopicMutes => TopicMutesFound, "topic_mutes";
}

pub use groups::FoundGroups;
pub use members::AdminList;
