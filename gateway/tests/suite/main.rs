//! The process from outside: real sockets, and the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod client;
mod cors;
#[cfg(target_os = "linux")]
mod descriptors;
mod docs;
mod limits;
mod observed;
mod operate;
mod places;
mod probe;
mod process;
mod protocols;
#[cfg(unix)]
mod service;
mod sessions;
mod shape;
mod shutdown;
mod tls;
#[cfg(feature = "traces")]
mod traces;
mod vendors;
mod words;
