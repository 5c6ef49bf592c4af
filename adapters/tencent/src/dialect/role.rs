//! Roles. A group without roles has ordinary members only.

use conclave_core::model::{Group, Member, Role};

pub(crate) const OWNER: &str = "Owner";
pub(crate) const ADMIN: &str = "Admin";
pub(crate) const MEMBER: &str = "Member";
pub(crate) const NOT_MEMBER: &str = "NotMember";

/// The vendor's name of a member's role.
pub(crate) fn word(group: &Group, member: &Member) -> &'static str {
    if !group.governed {
        return MEMBER;
    }
    match member.role {
        Role::Owner => OWNER,
        Role::Admin => ADMIN,
        Role::Member => MEMBER,
    }
}

/// The role with this name.
pub(crate) fn named(word: &str) -> Option<Role> {
    match word {
        OWNER => Some(Role::Owner),
        ADMIN => Some(Role::Admin),
        MEMBER => Some(Role::Member),
        _ => None,
    }
}
