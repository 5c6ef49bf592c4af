//! Tencent's own Web SDK, unmodified, in a process for each user, with nothing set but `proxyServer`: what its methods
//! answer and what its listeners are notified of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod connecting;
mod groups;
mod stage;
mod surface;
