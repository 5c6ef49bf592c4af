//! Which users, and which part of a group's history, each kind of event concerns.

use super::{Happening, Joining, Leaving};
use crate::model::{KeptAs, UserId};

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
            | Self::PinChanged { .. }
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
            | Self::PinChanged { .. }
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
