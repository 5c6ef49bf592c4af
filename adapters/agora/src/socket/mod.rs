//! The client SDKs' own protocol, MSYNC: binary protobuf frames over a WebSocket.
//!
//! - `clients`: where clients connect, and what an event means to them.
//! - `session`: one connection, without I/O; `login` lets it in.
//! - `queues`: how far a connection has got in each queue; `store`: what is asked of the store for it.
//! - `news`: events as items that clients receive, and who receives each.
//! - `send`: what clients send, one file for each kind; `content`: messages in frames.
//! - `wire`, `frame`, `names`: frames and what is in them.
//!
//! What is kept for a device (how far it has got) and what it has not received is the core's; see "Queues and positions"
//! in `docs/design.md`.

mod clients;
mod content;
mod frame;
mod login;
mod names;
mod news;
mod queues;
mod send;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use clients::Clients;
pub(crate) use names::Names;
pub(crate) use news::history_item;

use crate::realm::App;

/// The apps, by organisation and name.
pub(crate) type Apps = HashMap<(String, String), Arc<App>>;

/// The operations, as metrics and listings name them; `send` has more.
const PROVISION: &str = "PROVISION";
const UNREAD: &str = "UNREAD";
const QUEUE: &str = "SYNC queue";
const LOGOUT: &str = "LOGOUT";
