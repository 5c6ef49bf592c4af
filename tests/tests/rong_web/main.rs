//! `RongCloud`'s own Web SDK, unmodified, in a process for each user: what its methods answer, what its listeners
//! hear, and what the other vendors tell of the same groups.

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
mod refused;
mod stage;
mod surface;
mod versions;
