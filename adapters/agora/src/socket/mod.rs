//! The protocol of the client SDKs, MSYNC: binary protobuf frames over a WebSocket.
//!
//! - `clients`: the endpoints, and the projection of events to clients.
//! - `session`: one connection, without I/O; `login` signs it in.
//! - `queues`: a connection's state in each queue; `store`: its reads and acknowledgements in the store.
//! - `news`: events as items that clients receive, and who receives each.
//! - `send`: what clients send, one file for each kind; `content`: messages in frames.
//! - `wire`, `frame`, `names`: frames and their contents.
//!
//! A device's positions and undelivered events are in the core; see "Queues and positions" in `docs/design.md`.

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

/// The names of the operations in metrics and listings; `send` has more.
const PROVISION: &str = "PROVISION";
const UNREAD: &str = "UNREAD";
const QUEUE: &str = "SYNC queue";
const LOGOUT: &str = "LOGOUT";
