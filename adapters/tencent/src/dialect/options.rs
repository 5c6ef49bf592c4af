//! `ApplyJoinOption` and `InviteJoinOption`: how applications and members' invitations are handled.

use conclave_core::model::{Circle, Join, Policy};

/// What happens to an application, or to a member's invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinOption {
    /// The user joins at once.
    Free,
    /// The managers decide.
    Permission,
    /// Refused.
    Disabled,
}

impl JoinOption {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Free, Self::Permission, Self::Disabled];

    /// The option of an `ApplyJoinOption`.
    pub(crate) fn apply_named(word: &str) -> Option<Self> {
        Self::named(word, "DisableApply")
    }

    /// The option of an `InviteJoinOption`.
    pub(crate) fn invite_named(word: &str) -> Option<Self> {
        Self::named(word, "DisableInvite")
    }

    fn named(word: &str, disabled: &str) -> Option<Self> {
        match word {
            "FreeAccess" => Some(Self::Free),
            "NeedPermission" => Some(Self::Permission),
            word if word == disabled => Some(Self::Disabled),
            _ => None,
        }
    }

    pub(crate) fn apply_word(self) -> &'static str {
        self.word("DisableApply")
    }

    pub(crate) fn invite_word(self) -> &'static str {
        self.word("DisableInvite")
    }

    fn word(self, disabled: &'static str) -> &'static str {
        match self {
            Self::Free => "FreeAccess",
            Self::Permission => "NeedPermission",
            Self::Disabled => disabled,
        }
    }

    /// The policy value for applications.
    pub(crate) fn join(self) -> Join {
        match self {
            Self::Free => Join::Open,
            Self::Permission => Join::Approval(Circle::Managers),
            Self::Disabled => Join::Closed,
        }
    }

    /// The policy values for invitations: who may invite, and whose approval is needed.
    pub(crate) fn invite(self) -> (Circle, Option<Circle>) {
        match self {
            Self::Free => (Circle::Members, None),
            Self::Permission => (Circle::Members, Some(Circle::Managers)),
            Self::Disabled => (Circle::Nobody, None),
        }
    }

    /// The option for a policy. If nobody may approve, joining is disabled.
    pub(crate) fn of_join(policy: &Policy) -> Self {
        match policy.join {
            Join::Open => Self::Free,
            Join::Approval(Circle::Nobody) | Join::Closed => Self::Disabled,
            Join::Approval(_) => Self::Permission,
        }
    }

    /// The option for a policy, as it applies to an ordinary member.
    pub(crate) fn of_invite(policy: &Policy) -> Self {
        match (policy.invite, policy.invitation_approval()) {
            (Circle::Members, None) => Self::Free,
            (Circle::Members, Some(_)) => Self::Permission,
            _ => Self::Disabled,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn options_survive_the_policy() {
        for option in JoinOption::ALL {
            let (invite, invite_approval) = option.invite();
            let policy = Policy { join: option.join(), invite, invite_approval, ..Policy::standard() };
            assert_eq!(JoinOption::of_join(&policy), option);
            assert_eq!(JoinOption::of_invite(&policy), option);
            assert_eq!(JoinOption::apply_named(option.apply_word()), Some(option));
            assert_eq!(JoinOption::invite_named(option.invite_word()), Some(option));
        }
        assert_eq!(JoinOption::apply_named("DisableInvite"), None);
        assert_eq!(JoinOption::invite_named("DisableApply"), None);
    }

    #[test]
    fn what_others_set_reads_as_a_member_finds_it() {
        let managers_invite = Policy { invite: Circle::Managers, ..Policy::standard() };
        assert_eq!(JoinOption::of_invite(&managers_invite), JoinOption::Disabled);
        let nobody_decides = Policy { join: Join::Approval(Circle::Nobody), ..Policy::standard() };
        assert_eq!(JoinOption::of_join(&nobody_decides), JoinOption::Disabled);
    }
}
