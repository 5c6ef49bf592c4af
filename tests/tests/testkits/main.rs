//! The test kits: their own tests, and the examples of their documents as they are written there, with real SDKs of vendors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod house;
mod node;
mod python;
