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

use std::sync::Arc;

use conclave_kit::SetupError;

pub(crate) use clients::Clients;
pub(crate) use names::Names;
pub(crate) use news::history_item;

use crate::realm::App;

/// The apps, by organisation and name.
pub(crate) struct Apps(conclave_kit::Apps<String, App>);

impl Apps {
    /// Without apps.
    pub(crate) fn new() -> Self {
        Self(conclave_kit::Apps::new(|_| "agora org and app".to_owned()))
    }

    /// Adds an app, or replaces that of its realm.
    pub(crate) fn add(&self, app: App) -> Result<(), SetupError> {
        let realm = Arc::clone(&app.realm);
        // neither part contains a `#`
        self.0.add(&realm, &app.key(), app)
    }

    /// Removes a realm's app.
    pub(crate) fn remove(&self, realm: &str) {
        self.0.remove(realm);
    }

    /// The app with this name in this organisation.
    pub(crate) fn get(&self, org: &str, app: &str) -> Option<Arc<App>> {
        /// Up to so many, comparing is faster than hashing.
        const FEW: usize = 8;
        let apps = self.0.load();
        if apps.len() <= FEW {
            return apps.iter().find(|known| known.org == org && known.name == app).cloned();
        }
        let named = apps.get(&[org, "#", app].concat());
        named.filter(|known| known.org == org && known.name == app).cloned()
    }

    /// Any app of which this is true.
    pub(crate) fn find(&self, is_it: impl Fn(&App) -> bool) -> Option<Arc<App>> {
        self.0.load().iter().find(|app| is_it(app)).cloned()
    }

    /// The app of a realm.
    pub(crate) fn of_realm(&self, realm: &str) -> Option<Arc<App>> {
        self.0.of_realm(realm)
    }
}

/// The names of the operations in metrics and listings; `send` has more.
const PROVISION: &str = "PROVISION";
const UNREAD: &str = "UNREAD";
const QUEUE: &str = "SYNC queue";
const LOGOUT: &str = "LOGOUT";
