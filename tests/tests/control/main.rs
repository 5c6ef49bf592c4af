//! The control API: realms at run time, their data and clocks, through its listener and the vendors' own APIs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, reason = "tests")]

#[path = "../webhooks/app.rs"]
#[allow(dead_code, reason = "shared with the suite of webhooks")]
mod app;
mod clock;
mod console;
mod cut;
mod faults;
mod house;
mod journal;
mod listener;
mod process;
mod realms;
mod retention;
mod state;
mod transfer;
