//! Which group an operation is about.

use super::Operation;
use crate::model::{GroupId, Queue};

impl Operation {
    /// Whether it is about a group, also as one of its steps.
    pub fn concerns(&self, group: &GroupId) -> bool {
        match self {
            Self::UpdateGroup(it) => it.group == *group,
            Self::Disband(it) => it.group == *group,
            Self::Transfer(it) => it.group == *group,
            Self::SetDisabled(it) => it.group == *group,
            Self::Govern(it) => it.group == *group,
            Self::AddMembers(it) => it.group == *group,
            Self::RemoveMembers(it) => it.group == *group,
            Self::Leave(it) => it.group == *group,
            Self::Promote(it) => it.group == *group,
            Self::Demote(it) => it.group == *group,
            Self::SetRemark(it) => it.group == *group,
            Self::SetPushName(it) => it.group == *group,
            Self::Follow(it) => it.group == *group,
            Self::Unfollow(it) => it.group == *group,
            Self::Mute(it) => it.group == *group,
            Self::Unmute(it) => it.group == *group,
            Self::Allow(it) => it.group == *group,
            Self::Disallow(it) => it.group == *group,
            Self::Block(it) => it.group == *group,
            Self::Unblock(it) => it.group == *group,
            Self::Apply(it) => it.group == *group,
            Self::AnswerInvitation(it) => it.group == *group,
            Self::DecideRequest(it) => it.group == *group,
            Self::UpdateMember(it) => it.group == *group,
            Self::WriteMemberAttributes(it) => it.group == *group,
            Self::WriteAttributes(it) => it.group == *group,
            Self::UpdateCounters(it) => it.group == *group,
            Self::DeleteCounters(it) => it.group == *group,
            Self::AddFile(it) => it.group == *group,
            Self::RemoveFile(it) => it.group == *group,
            Self::SendMessage(it) => it.group == *group,
            Self::ImportMessages(it) => it.group == *group,
            Self::RecallMessages(it) => it.group == *group,
            Self::DeleteMessagesBySender(it) => it.group == *group,
            Self::ChangeMessage(it) => it.group == *group,
            Self::PinMessage(it) => it.group == *group,
            Self::ReadMessages(it) => it.group == *group,
            Self::MarkRead(it) => it.group == *group,
            Self::SetUnread(it) => it.group == *group,
            Self::WriteExtensions(it) => it.group == *group,
            Self::GiveNotice(it) => it.group == *group,
            Self::MakeTopic(it) => it.group == *group,
            Self::UpdateTopic(it) => it.group == *group,
            Self::EndTopics(it) => it.group == *group,
            Self::Appoint(it) => it.group == *group,
            Self::Dismiss(it) => it.group == *group,
            Self::MarkMembers(it) => it.group == *group,
            Self::CreateGroup(it) => it.id.as_ref() == Some(group),
            Self::DropMessage(it) => it.message.group == *group,
            Self::Acknowledge(it) => it.queue == Queue::Group(group.clone()),
            Self::Broadcast(it) => it.groups.contains(group),
            Self::SyncGroups(it) => it.groups.iter().any(|(synced, _)| synced == group),
            Self::Together(it) => it.steps.iter().any(|step| step.concerns(group)),
            Self::InTopic(it) => it.what.concerns(group),
            Self::RegisterUsers(_)
            | Self::UpdateUser(_)
            | Self::DeleteUser(_)
            | Self::MuteEverywhere(_)
            | Self::AddAttachment(_)
            | Self::OpenDevice(_) => false,
        }
    }
}
