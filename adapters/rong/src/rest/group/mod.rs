//! `/group`: groups without hosting, which have only a name and members. These calls work on hosted groups too; the
//! owner stays a member unless the group is dismissed.
//!
//! The vendor's response for an unknown group is not documented; as it stores only the relation of users and ids,
//! leaving, dismissing and renaming an unknown group succeeds, and its member list is empty.

pub(super) mod ban;
pub(super) mod dismiss;
pub(super) mod enter;
pub(super) mod gag;
pub(super) mod members;
mod notify;
pub(super) mod quit;
pub(super) mod refresh;
pub(super) mod remarks;
pub(super) mod sync;
pub(super) mod whitelist;
