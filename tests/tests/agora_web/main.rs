//! Agora Chat's and Easemob's own Web SDKs, unmodified, in a process for each user: the results of their methods, the
//! events of their listeners, and no others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod away;
mod groups;
mod legacy;
mod messages;
mod sessions;
mod stage;
