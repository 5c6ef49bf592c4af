//! `recentcontact`: the conversations of a user, which are the groups with messages.

pub(super) mod list;
pub(super) mod search;
