//! The five types of groups: what each permits, as a policy and as a table.
//!
//! The table is the vendor's capability matrix. What a policy can express is set in the policy when the group is
//! created, and read from it afterwards; the rest (whether the server may add members to an `AVChatRoom`) is in the
//! table.

use conclave_core::model::{Circle, Group, KeptEvents, Labels, Policy, Receive, Role};

use super::options::JoinOption;
use crate::settings::Settings;

/// The label with the type of a group created here.
const LABEL: &str = "tencent.type";

/// A group's type, as the server API and webhooks name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Friends among themselves; clients call it Work.
    Private,
    /// Open to strangers, with approval.
    Public,
    /// A meeting that anyone may join.
    ChatRoom,
    /// A live room without a member limit and without history.
    AvChatRoom,
    /// A community with very many members.
    Community,
}

/// What groups of a type support, for all callers. Other calls get 10007 (or the command's own code).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a row of the vendor's matrix")]
pub(crate) struct Capabilities {
    /// Has admins.
    pub(crate) admins: bool,
    /// Single members, or all, can be muted.
    pub(crate) mute: bool,
    /// Can be transferred.
    pub(crate) transfer: bool,
    /// The server adds, removes, lists and changes members.
    pub(crate) members: bool,
    /// The option for joining can be changed.
    pub(crate) apply_option: bool,
    /// The option for inviting can be changed.
    pub(crate) invite_option: bool,
    /// Whether new members see earlier messages can be changed.
    pub(crate) history_option: bool,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Private, Self::Public, Self::ChatRoom, Self::AvChatRoom, Self::Community];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Private => "Private",
            Self::Public => "Public",
            Self::ChatRoom => "ChatRoom",
            Self::AvChatRoom => "AVChatRoom",
            Self::Community => "Community",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The type of a group: as it was made here. Groups made elsewhere are `Public`.
    pub(crate) fn of(group: &Group) -> Self {
        Self::read(&group.labels, &group.policy)
    }

    /// The type of a group with these labels and this policy.
    pub(crate) fn read(labels: &Labels, policy: &Policy) -> Self {
        if let Some(kind) = labels.get(LABEL).and_then(|word| Self::named(word)) {
            return kind;
        }
        // a type is fixed when a group is made, so what others change of the group must not change it; of all types
        // this one has what groups made elsewhere have: admins, mutes, options
        if !policy.history && policy.capacity.is_none() { Self::AvChatRoom } else { Self::Public }
    }

    /// The labels with the type.
    pub(crate) fn labels(self) -> Labels {
        Labels::from([(LABEL.to_owned(), self.word().to_owned())])
    }

    fn capabilities(self) -> Capabilities {
        let all = Capabilities {
            admins: true,
            mute: true,
            transfer: true,
            members: true,
            apply_option: true,
            invite_option: true,
            history_option: true,
        };
        match self {
            Self::Private => Capabilities { admins: false, mute: false, ..all },
            Self::Public | Self::ChatRoom => all,
            Self::AvChatRoom => Capabilities {
                admins: false,
                mute: true,
                transfer: false,
                members: false,
                apply_option: false,
                invite_option: false,
                history_option: false,
            },
            Self::Community => Capabilities { history_option: false, ..all },
        }
    }

    /// Most members by default; `None` is unlimited.
    pub(crate) fn capacity(self, settings: &Settings) -> Option<u32> {
        match self {
            Self::Private | Self::Public | Self::ChatRoom => Some(settings.member_limit),
            Self::Community => Some(settings.community_member_limit),
            Self::AvChatRoom => None,
        }
    }

    /// The highest role of a new member.
    pub(crate) fn highest_of_new_members(self) -> Role {
        if self.capabilities().admins { Role::Admin } else { Role::Member }
    }

    /// `MaxMemberNum`: 0 for a live room, which has no limit; the plan's limit for any other group without one.
    pub(crate) fn shown_capacity(self, group: &Group, settings: &Settings) -> u32 {
        match (self, group.policy.capacity) {
            (Self::AvChatRoom, None) => 0,
            (_, Some(capacity)) => capacity,
            (_, None) => self.capacity(settings).unwrap_or_default().max(group.members),
        }
    }

    /// Whether members see the group only from its first message on.
    pub(crate) fn waits_for_message(self) -> bool {
        self == Self::Private
    }

    /// The policy of a new group of this type. Options that the type does not have are ignored, as at the vendor.
    pub(crate) fn policy(
        self,
        settings: &Settings,
        capacity: Option<u32>,
        apply: Option<JoinOption>,
        invite: Option<JoinOption>,
    ) -> Policy {
        let can = self.capabilities();
        let apply = apply.filter(|_| can.apply_option).unwrap_or(match self {
            Self::Private => JoinOption::Disabled,
            Self::Public => JoinOption::Permission,
            Self::ChatRoom | Self::AvChatRoom | Self::Community => JoinOption::Free,
        });
        let invite = invite.filter(|_| can.invite_option).unwrap_or(match self {
            Self::Private | Self::Community => JoinOption::Free,
            Self::Public | Self::ChatRoom | Self::AvChatRoom => JoinOption::Disabled,
        });
        let (invite, invite_approval) = invite.invite();
        let most = self.capacity(settings);
        Policy {
            join: apply.join(),
            invite,
            invite_approval,
            capacity: most.map(|most| capacity.map_or(most, |capacity| capacity.min(most))),
            ..self.rights()
        }
    }

    /// The permissions. In a type without admins they are the owner's alone; the maximum number of members is set by
    /// the app.
    fn rights(self) -> Policy {
        let usual = Policy { edit_capacity: Some(Circle::Nobody), ..Policy::standard() };
        match self {
            Self::Private => Policy {
                remove: Circle::Owner,
                edit_profile: Circle::Members,
                edit_policy: Circle::Owner,
                edit_member: Circle::Owner,
                promote: Circle::Nobody,
                moderate: Circle::Nobody,
                owner_may_leave: true,
                owner_may_disband: false,
                found_while_closed: false,
                ..usual
            },
            Self::Public => usual,
            Self::ChatRoom => {
                // a meeting stores no tips about members joining, leaving, promoted or muted
                let kept_events = Some(KeptEvents { membership: false, profile: true, roles: false });
                Policy {
                    edit_join: Some(Circle::Nobody),
                    history_before_join: true,
                    receive: Receive::Silent,
                    kept_events,
                    ..usual
                }
            }
            Self::Community => Policy {
                edit_policy: Circle::Nobody,
                edit_join: Some(Circle::Managers),
                history_before_join: true,
                ..usual
            },
            Self::AvChatRoom => Policy {
                remove: Circle::Nobody,
                edit_profile: Circle::Owner,
                edit_policy: Circle::Nobody,
                edit_member: Circle::Nobody,
                promote: Circle::Nobody,
                moderate: Circle::Owner,
                transferable: false,
                history: false,
                receive: Receive::Silent,
                ..usual
            },
        }
    }
}

impl Capabilities {
    /// What this group supports. Groups created elsewhere support what their own policy permits.
    pub(crate) fn of(group: &Group) -> Self {
        let kind = Kind::of(group);
        let can = kind.capabilities();
        if group.labels.contains_key(LABEL) {
            return can;
        }
        Self {
            admins: group.governed && group.policy.promote > Circle::Nobody,
            mute: true,
            transfer: group.governed && group.policy.transferable,
            ..can
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
