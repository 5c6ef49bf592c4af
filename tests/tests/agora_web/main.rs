//! Agora Chat's and Easemob's own Web SDKs, unmodified, in Node.js: the results of their methods and the events of their
//! listeners, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod attachments;
mod away;
mod besides;
mod browser;
mod conversations;
mod groups;
mod legacy;
mod messages;
mod pins;
mod sessions;
mod settle;
mod stage;
