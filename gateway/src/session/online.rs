//! The sessions of all realms.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use conclave_kit::{ConnectionEvent, Presence, SignInRefused};
use tokio::sync::{broadcast, watch};

use super::mailbox::Mailbox;
use super::realm::{NewLogin, Quota, RealmSessions, Registered};
use crate::backend::{Backend, Backends};
use crate::config::Limits;
use crate::listener::Phase;
use crate::metrics::Metrics;

/// The online users, by the realm's name.
pub(crate) struct Online(HashMap<String, Arc<RealmSessions>>);

impl Online {
    /// Without users.
    pub(crate) fn new(backends: &Backends, limits: &Limits, metrics: &Metrics) -> Self {
        let share = if backends.len() > 1 { limits.connections - limits.connections / 4 } else { limits.connections };
        let quota = Quota { per_user: limits.sessions_per_user, per_realm: limits.sessions_per_realm.unwrap_or(share) };
        let realm = |(name, backend): (&String, &Backend)| {
            (name.clone(), Arc::new(RealmSessions::new(name.clone(), backend, quota, metrics.of_sessions(name))))
        };
        Self(backends.iter().map(realm).collect())
    }

    /// Follows every realm's log until the process drains.
    pub(crate) fn follow(&self, phase: &watch::Receiver<Phase>) {
        for realm in self.0.values() {
            tokio::spawn(Arc::clone(realm).follow(phase.clone()));
        }
    }

    /// Presence in a realm, for adapters.
    pub(crate) fn presence(&self, realm: &str) -> Option<Arc<dyn Presence>> {
        self.0.get(realm).map(|realm| Arc::clone(realm) as Arc<dyn Presence>)
    }

    /// The same, of every realm.
    pub(crate) fn all(&self) -> BTreeMap<String, Arc<dyn Presence>> {
        let realm =
            |(name, realm): (&String, &Arc<RealmSessions>)| (name.clone(), Arc::clone(realm) as Arc<dyn Presence>);
        self.0.iter().map(realm).collect()
    }

    /// Subscribes to the connection events of a realm, from now on.
    pub(crate) fn connection_events(&self, realm: &str) -> Option<broadcast::Receiver<Arc<ConnectionEvent>>> {
        self.0.get(realm).map(|realm| realm.connection_events())
    }

    /// Registers a user who signs in. After this returns, everything that is committed is delivered to the mailbox.
    pub(crate) async fn register(
        &self,
        login_request: &NewLogin,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Registered, SignInRefused> {
        let Some(realm) = self.0.get(&login_request.identity.realm) else {
            tracing::error!(
                realm = login_request.identity.realm,
                "internal error: a user signs in to a realm that does not exist"
            );
            return Err(SignInRefused::Unavailable);
        };
        realm.register(login_request, mailbox).await
    }
}
