//! `recentcontact`: the conversations of a user. Here they are the groups in which something was said.

pub(super) mod list;
pub(super) mod search;
