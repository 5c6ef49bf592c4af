//! `recentcontact`: the conversations of a user. Here they are the groups that have a history.

pub(super) mod list;
pub(super) mod search;
