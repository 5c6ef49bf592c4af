//! RongCloud's server API: the documented exchanges, and behaviour that they do not cover.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod access;
mod api;
mod hosted;
mod limits;
mod replay;
mod unhosted;
mod users;
