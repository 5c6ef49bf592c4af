//! `group_open_http_svc`: groups themselves.

pub(super) mod create;
pub(super) mod destroy;
pub(super) mod info;
pub(super) mod joined;
pub(super) mod list;
pub(super) mod modify;
pub(super) mod online;
pub(super) mod own;
pub(super) mod owner;
pub(super) mod public;
mod texts;
mod wire;

pub(super) use wire::BaseInfo;
