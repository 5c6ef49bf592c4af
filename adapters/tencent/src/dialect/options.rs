//! `ApplyJoinOption` and `InviteJoinOption`: who comes in by asking, and by whose invitation.

use conclave_core::model::{Circle, Join, Policy};

/// What happens when somebody asks to join, or is invited by a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinOption {
    /// In at once.
    Free,
    /// The managers decide.
    Permission,
    /// Not at all.
    Disabled,
}

impl JoinOption {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Free, Self::Permission, Self::Disabled];

    /// The option that an `ApplyJoinOption` names.
    pub(crate) fn apply_named(word: &str) -> Option<Self> {
        Self::named(word, "DisableApply")
    }

    /// The option that an `InviteJoinOption` names.
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

    /// As a policy says who gets in by asking.
    pub(crate) fn join(self) -> Join {
        match self {
            Self::Free => Join::Open,
            Self::Permission => Join::Approval(Circle::Managers),
            Self::Disabled => Join::Closed,
        }
    }

    /// As a policy says who may invite, and whose approval that needs.
    pub(crate) fn invite(self) -> (Circle, Option<Circle>) {
        match self {
            Self::Free => (Circle::Members, None),
            Self::Permission => (Circle::Members, Some(Circle::Managers)),
            Self::Disabled => (Circle::Nobody, None),
        }
    }

    /// What a policy says of asking. Approval by nobody lets nobody in.
    pub(crate) fn of_join(policy: &Policy) -> Self {
        match policy.join {
            Join::Open => Self::Free,
            Join::Approval(Circle::Nobody) | Join::Closed => Self::Disabled,
            Join::Approval(_) => Self::Permission,
        }
    }

    /// What a policy says of inviting, as an ordinary member finds it.
    pub(crate) fn of_invite(policy: &Policy) -> Self {
        match (policy.invite, policy.invite_approval) {
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
