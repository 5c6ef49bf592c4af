//! Which group a query is about.

use super::{Query, RequestsOf};
use crate::model::{GroupId, Queue};

impl Query {
    /// Whether it is about a group.
    pub fn concerns(&self, group: &GroupId) -> bool {
        match self {
            Self::GroupById(it) => it.group == *group,
            Self::ListMembers(it) => it.group == *group,
            Self::MembersNamed(it) => it.group == *group,
            Self::Admins(it) => it.group == *group,
            Self::MarkedMembers(it) => it.group == *group,
            Self::FindUsersFor(it) => it.group == *group,
            Self::Remark(it) => it.group == *group,
            Self::PushName(it) => it.group == *group,
            Self::Follows(it) => it.group == *group,
            Self::MutesNow(it) => it.group == *group,
            Self::MaySpeak(it) => it.group == *group,
            Self::GroupAttributes(it) => it.group == *group,
            Self::GroupCounters(it) => it.group == *group,
            Self::Files(it) => it.group == *group,
            Self::File(it) => it.group == *group,
            Self::History(it) => it.group == *group,
            Self::Messages(it) => it.group == *group,
            Self::Receipts(it) => it.group == *group,
            Self::Readers(it) => it.group == *group,
            Self::MessageExtensions(it) => it.group == *group,
            Self::Topics(it) => it.group == *group,
            Self::TopicMessages(it) => it.group == *group,
            Self::TopicMutes(it) => it.group == *group,
            Self::Mutes(it) => it.group == *group,
            Self::Allowlist(it) => it.group == *group,
            Self::Blocklist(it) => it.group == *group,
            Self::FindGroups(it) => it.groups.contains(group),
            Self::ReceiptLists(it) => it.group == *group,
            Self::RemarksOf(it) => it.groups.contains(group),
            Self::Requests(it) => matches!(&it.of, RequestsOf::Group(of) | RequestsOf::Both(of, _) if of == group),
            Self::ReadQueue(it) => it.queue == Queue::Group(group.clone()),
            Self::DevicePositions(it) => it.queues.contains(&Queue::Group(group.clone())),
            Self::ReadMarks(it) => it.of.iter().any(|(of, _)| of == group),
            Self::ListGroups(_)
            | Self::JoinedGroups(_)
            | Self::FindUsers(_)
            | Self::ListUsers(_)
            | Self::MutesEverywhere(_)
            | Self::RequestsToDecide(_)
            | Self::Attachment(_)
            | Self::MessageById(_)
            | Self::CountGroups(_)
            | Self::Feed(_)
            | Self::WaitingQueues(_)
            | Self::AllMutedGroups(_) => false,
        }
    }
}
