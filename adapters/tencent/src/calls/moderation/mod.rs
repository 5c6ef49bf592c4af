//! `group_open_http_svc`: who may not speak, and who may not be in.

pub(super) mod bans;
pub(super) mod mutes;
