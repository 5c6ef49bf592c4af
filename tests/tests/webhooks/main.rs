//! Notifications to apps' servers, received by a listening server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod app;
mod asking;
mod before;
mod bodies;
mod calls;
mod connections;
mod delivery;
mod guard;
mod house;
mod pre_delivery;
mod projection;
mod replay;
mod restart;
mod samples;
