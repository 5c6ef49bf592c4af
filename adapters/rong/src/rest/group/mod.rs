//! `/group`: groups without hosting, which have a name and members and nothing else. These calls work on hosted
//! groups too; the owner stays in unless the group is dismissed.
//!
//! What the vendor answers for a group it does not know is not documented; as it keeps only the relation of users
//! and ids, leaving, dismissing and renaming what is not there is taken as done, and its member list as empty.

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
