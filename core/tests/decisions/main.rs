//! Every operation, decided step by step: its reply or refusal, the rows it changes, and the events it emits with their
//! audience, pinned as a transcript per story. A rule that changes shows here first, with everything it affects.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod recorder;

mod groups;
mod members;
mod messages;
mod moderation;
mod reading;
mod requests;
mod shared;
mod topics;
mod users;
