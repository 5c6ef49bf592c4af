//! What the whole-system suites share: a world to tell stories in, clients that speak each vendor's server API,
//! and the documented exchanges as data.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a broken expectation in a suite is a panic"
)]

pub mod client;
pub mod fixture;
pub mod house;
pub mod sign;
pub mod store_suite;
pub mod story;
pub mod world;
