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
pub(crate) struct Apps {
    apps: Vec<Arc<App>>,
    /// The position of each app, by its key `org#app`; neither part contains a `#`.
    positions: HashMap<String, usize>,
}

impl Apps {
    pub(crate) fn new(apps: Vec<Arc<App>>) -> Self {
        let positions = apps.iter().enumerate().map(|(at, app)| (app.key(), at)).collect();
        Self { apps, positions }
    }

    /// The app with this name in this organisation.
    pub(crate) fn get(&self, org: &str, app: &str) -> Option<&Arc<App>> {
        /// Up to so many, comparing is faster than hashing.
        const FEW: usize = 8;
        if self.apps.len() <= FEW {
            return self.apps.iter().find(|known| known.org == org && known.name == app);
        }
        let at = self.positions.get(&[org, "#", app].concat())?;
        self.apps.get(*at).filter(|known| known.org == org && known.name == app)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<App>> {
        self.apps.iter()
    }
}

/// The names of the operations in metrics and listings; `send` has more.
const PROVISION: &str = "PROVISION";
const UNREAD: &str = "UNREAD";
const QUEUE: &str = "SYNC queue";
const LOGOUT: &str = "LOGOUT";
