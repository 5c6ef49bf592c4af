//! `RongCloud`'s own Web SDK, unmodified, in a process for each user: the results of its methods, the events of its
//! listeners, and the same groups through the other vendors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod away;
mod browser;
mod connecting;
mod groups;
mod joining;
mod limits;
mod messages;
mod neighbours;
mod online;
mod others;
mod receipts;
mod refused;
mod stage;
mod surface;
mod versions;
