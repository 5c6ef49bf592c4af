//! The sessions of all realms.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_kit::SignInRefused;
use parking_lot::RwLock;

use super::mailbox::Mailbox;
use super::realm::{NewLogin, Quota, RealmSessions, Registered};
use crate::backend::Backend;
use crate::config::Limits;
use crate::faults::Faults;
use crate::journal::Journals;
use crate::metrics::Metrics;

/// The online users of all realms.
pub(crate) struct Online {
    /// By the realm's name.
    realms: RwLock<HashMap<String, Arc<RealmSessions>>>,
    quota: Quota,
    metrics: Arc<Metrics>,
    /// The fault rules of all realms.
    pub(crate) faults: Arc<Faults>,
    /// The journals of all realms.
    pub(crate) journals: Arc<Journals>,
}

impl Online {
    /// Without users.
    pub(crate) fn new(realms: usize, limits: &Limits, metrics: &Arc<Metrics>) -> Self {
        let share = if realms > 1 { limits.connections - limits.connections / 4 } else { limits.connections };
        let quota = Quota { per_user: limits.sessions_per_user, per_realm: limits.sessions_per_realm.unwrap_or(share) };
        Self {
            realms: RwLock::default(),
            quota,
            metrics: Arc::clone(metrics),
            faults: Arc::default(),
            journals: Arc::default(),
        }
    }

    /// Adds a realm, without users.
    pub(crate) fn add(&self, name: &str, backend: &Backend) -> Arc<RealmSessions> {
        let metrics = self.metrics.of_sessions(name);
        let realm = Arc::new(RealmSessions::new(
            name.to_owned(),
            backend,
            self.quota,
            metrics,
            (Arc::clone(&self.faults), Arc::clone(&self.journals)),
        ));
        self.realms.write().insert(name.to_owned(), Arc::clone(&realm));
        realm
    }

    /// Removes a realm: no user can sign in to it any more.
    pub(crate) fn remove(&self, name: &str) {
        self.realms.write().remove(name);
    }

    /// Registers a user who signs in. After this returns, everything that is committed is delivered to the mailbox.
    pub(crate) async fn register(
        &self,
        login_request: &NewLogin,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Registered, SignInRefused> {
        let found = self.realms.read().get(&login_request.identity.realm).cloned();
        let Some(realm) = found else {
            tracing::error!(
                realm = login_request.identity.realm,
                "internal error: a user signs in to a realm that does not exist"
            );
            return Err(SignInRefused::Unavailable);
        };
        realm.register(login_request, mailbox).await
    }
}
