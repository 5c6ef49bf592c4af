//! The process: listeners, encryption, configuration, realms, and their metrics and logs.
//!
//! [`Gateway::start`] runs a [`Config`]; the binary is a command line around it.

mod activity;
mod admin;
mod answer;
pub mod backend;
mod backup;
pub mod blob;
pub mod cli;
mod client_address;
pub mod clients;
pub mod clock;
mod clock_file;
pub mod config;
mod control;
mod cors;
mod descriptors;
mod faults;
mod housekeeping;
mod journal;
mod listener;
mod logging;
mod measured;
mod metrics;
mod operators;
mod origin;
mod payload;
mod quotas;
mod readiness;
pub mod realms;
mod registry;
pub mod routes;
mod serve;
#[cfg_attr(not(unix), allow(dead_code))]
mod service;
mod session;
pub mod store;
mod surface_table;
mod tls;
mod traces;
mod unread;
pub mod vendors;
mod webhooks;

pub use backend::Backend;
pub use config::Config;
pub use serve::{Addresses, Builder, Gateway, OpenRealm, Running, StartError, TlsError};
pub use webhooks::WebhookError;
