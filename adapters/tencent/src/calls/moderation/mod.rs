//! `group_open_http_svc`: mutes and bans.

pub(super) mod bans;
pub(super) mod mutes;
