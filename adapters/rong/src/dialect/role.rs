//! Roles as numbers: 1 member, 2 manager, 3 owner; in a filter 0 is all.
//!
//! Server documentation and client SDKs agree on these; comments in the Java SDK number the filter of joined groups in
//! reverse order, for which there is a setting.

use conclave_core::model::Role;

/// The number of a role.
pub(crate) fn number(role: Role) -> u8 {
    match role {
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

/// Largest number of a filter.
pub(crate) const MOST: u64 = 3;

/// The role of a filter; `None` is all. Numbers above [`MOST`] are refused before.
pub(crate) fn filter(number: u64, owner_first: bool) -> Option<Role> {
    match number {
        1 if owner_first => Some(Role::Owner),
        3 if owner_first => Some(Role::Member),
        1 => Some(Role::Member),
        2 => Some(Role::Admin),
        3 => Some(Role::Owner),
        _ => None,
    }
}
