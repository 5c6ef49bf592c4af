//! Mutes and bans.

pub(super) mod bans;
pub(super) mod everywhere;
pub(super) mod mutes;
