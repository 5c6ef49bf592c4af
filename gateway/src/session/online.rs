//! All realms' sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use conclave_core::refusal::Refusal;
use conclave_kit::{Passage, Presence};
use tokio::sync::{broadcast, watch};

use super::mailbox::Mailbox;
use super::realm::{Newcomer, Presented, Realm};
use crate::backend::{Backend, Backends};
use crate::listener::Phase;
use crate::metrics::Metrics;

/// Who is online, by the realm's name.
pub(crate) struct Online(HashMap<String, Arc<Realm>>);

impl Online {
    /// Nobody yet.
    pub(crate) fn new(backends: &Backends, metrics: &Metrics) -> Self {
        let realm = |(name, backend): (&String, &Backend)| {
            (name.clone(), Arc::new(Realm::new(name.clone(), backend, metrics.of_sessions(name))))
        };
        Self(backends.iter().map(realm).collect())
    }

    /// Follows every realm's log until the process drains.
    pub(crate) fn follow(&self, phase: &watch::Receiver<Phase>) {
        for realm in self.0.values() {
            tokio::spawn(Arc::clone(realm).follow(phase.clone()));
        }
    }

    /// Who is online in a realm, as adapters see it.
    pub(crate) fn presence(&self, realm: &str) -> Option<Arc<dyn Presence>> {
        self.0.get(realm).map(|realm| Arc::clone(realm) as Arc<dyn Presence>)
    }

    /// The same, of every realm.
    pub(crate) fn all(&self) -> BTreeMap<String, Arc<dyn Presence>> {
        let realm = |(name, realm): (&String, &Arc<Realm>)| (name.clone(), Arc::clone(realm) as Arc<dyn Presence>);
        self.0.iter().map(realm).collect()
    }

    /// Hears who comes and goes in a realm from now on.
    pub(crate) fn passages(&self, realm: &str) -> Option<broadcast::Receiver<Arc<Passage>>> {
        self.0.get(realm).map(|realm| realm.passages())
    }

    /// A session comes. When this returns it hears everything that is committed from now on.
    pub(crate) async fn enter(&self, who: Newcomer<'_>, mailbox: &Arc<Mailbox>) -> Result<Presented, Refusal> {
        match self.0.get(&who.connected.realm) {
            Some(realm) => realm.enter(who, mailbox).await,
            None => Err(Refusal::Unavailable(format!("there is no realm {}", who.connected.realm))),
        }
    }
}
