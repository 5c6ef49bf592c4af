//! Roles as numbers: 1 member, 2 manager, 3 owner; as a filter 0 is all.
//!
//! Server documentation and client SDKs agree on these; comments in the Java SDK count the filter of joined
//! groups the other way round, which a setting allows for.

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

/// The role a filter lets through; `None` is all. Other numbers than 0 to [`MOST`] are refused before.
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
