//! The protocol of the client SDK: the navigator, connecting, queries and notifications.
//!
//! - `navigator`: returns the connection's address.
//! - `connect`: the endpoints and authentication; `session`: one connection.
//! - `facts`: what clients are sent for an event at once.
//! - `frame`, `text`, `wire`: bytes and protobuf messages.
//! - `call`, `group`, `message`, `sync`: the topics of clients' queries, one file per family.
//! - `feed`: the events that a client has not fetched yet, by its timestamp.
//! - `show`: groups, members and messages in the SDK's format.
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
