//! The terms of the reference: users, groups, roles, and the steps of the test.

/// A user, by number.
pub type User = u8;
/// A group, by number.
pub type GroupNo = u8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Member,
    Admin,
    Owner,
}

/// The kinds of groups in the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Managers decide everything; four members at most.
    Strict,
    /// Anybody joins, members invite, the invited must agree, and the owner may go.
    Loose,
    /// Members invite, managers approve, then the invited must agree.
    Careful,
    /// Nobody may ask; members bring others in at once.
    Private,
}

impl Kind {
    pub(super) fn capacity(self) -> usize {
        if self == Self::Strict { 4 } else { usize::MAX }
    }

    pub(super) fn members_invite(self) -> bool {
        self != Self::Strict
    }

    pub(super) fn consent(self) -> bool {
        matches!(self, Self::Loose | Self::Careful)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    Managers,
    Invitee,
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    pub wait: Wait,
    pub filed: u64,
    pub judged: bool,
}

/// Who acts; `None` is the app.
pub type Who = Option<User>;

#[derive(Debug, Clone)]
pub enum Step {
    Register(User),
    DeleteUser(User, bool),
    Create(GroupNo, User, Vec<User>, Kind),
    Disband(GroupNo, Who),
    Disable(GroupNo, bool),
    Add(GroupNo, Who, User),
    Remove(GroupNo, Who, User),
    Leave(GroupNo, User),
    Transfer(GroupNo, Who, User, bool),
    Promote(GroupNo, Who, User),
    Demote(GroupNo, Who, User),
    Mute(GroupNo, Who, User),
    Unmute(GroupNo, Who, User),
    MuteAll(GroupNo, Who, bool),
    Allow(GroupNo, Who, User),
    Disallow(GroupNo, Who, User),
    Block(GroupNo, Who, User),
    Unblock(GroupNo, Who, User),
    Apply(GroupNo, User),
    Decide(GroupNo, Who, User, Option<User>, bool),
    Answer(GroupNo, User, Option<User>, bool),
    Send(GroupNo, User),
    Attributes(GroupNo, Option<u64>),
}

/// The reason why a step is refused.
pub type No = &'static str;
