//! The client SDK's own protocol: the navigator, connecting, queries and notifications.
//!
//! - `navigator`: the answer that names the connection's address.
//! - `connect`: where clients connect and who may; `session`: one connection.
//! - `facts`: what clients learn of an event at once.
//! - `frame`, `text`, `wire`: bytes and protobuf messages.
//! - `call`, `group`, `message`, `sync`: the topics clients ask about, one small file per family.
//! - `feed`: what a client has not heard yet, by the moment it heard last.
//! - `show`: groups, members and messages as the SDK sees them.
//!
//! Nothing here does I/O: frames in, frames and calls of the core out.

mod call;
mod connect;
mod facts;
mod feed;
mod frame;
mod group;
mod message;
pub(crate) mod navigator;
mod session;
mod show;
mod sync;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;
mod text;
mod topics;
mod wire;

pub(crate) use connect::Clients;
