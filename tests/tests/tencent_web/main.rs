//! Tencent's own Web SDK, unmodified, in a process for each user, with nothing set except `proxyServer`: the results of
//! its methods and the events of its listeners.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod away;
mod browser;
mod connecting;
mod groups;
mod members;
mod messages;
mod network;
mod polling;
mod rooms;
mod stage;
mod surface;
mod topics;
mod versions;
