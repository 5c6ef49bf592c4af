//! The operations, one small file per family.

pub(crate) mod admins;
pub(crate) mod allowlist;
pub(crate) mod announcement;
pub(crate) mod attributes;
pub(crate) mod blocks;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod create;
pub(crate) mod detail;
pub(crate) mod disable;
pub(crate) mod envelope;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod joined;
pub(crate) mod lists;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod modify;
pub(crate) mod mute;
pub(crate) mod online;
pub(crate) mod registration;
pub(crate) mod requests;
pub(crate) mod routes;
mod rows;
pub(crate) mod shield;
pub(crate) mod token;
pub(crate) mod users;
