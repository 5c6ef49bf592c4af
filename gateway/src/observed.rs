//! A layer around a realm's groups that counts and tells what is done to them.

use std::cell::OnceCell;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::Actor;
use conclave_core::model::Millis;
use conclave_core::operation::{Operation, Reply};
use conclave_core::ports::Groups;
use conclave_core::query::{Answer, Query};
use conclave_core::refusal::Refusal;

use crate::bell::Bell;
use crate::metrics::{Metrics, Outcome, RealmMetrics};

tokio::task_local! {
    /// The realm whose groups the request at hand has come to, if it has.
    pub(crate) static REALM: OnceCell<Arc<str>>;
}

/// A realm's groups, observed.
pub(crate) struct Observed {
    realm: Arc<str>,
    groups: Arc<dyn Groups>,
    metrics: RealmMetrics,
    bell: Bell,
}

impl Observed {
    /// Observes a realm's groups, and rings after what may have changed them.
    pub(crate) fn new(realm: &str, groups: Arc<dyn Groups>, metrics: &Metrics, bell: Bell) -> Self {
        Self { realm: Arc::from(realm), groups, metrics: metrics.of_realm(realm), bell }
    }

    fn enter(&self) {
        // outside of a request there is nobody to tell
        let _ = REALM.try_with(|realm| realm.set(Arc::clone(&self.realm)));
    }

    fn count(&self, name: &'static str, refusal: Option<&Refusal>) {
        let outcome = match refusal {
            None => Outcome::Done,
            Some(Refusal::Unavailable(why)) => {
                tracing::error!(realm = &*self.realm, operation = name, why, "the store failed");
                Outcome::Failed
            }
            Some(_) => Outcome::Refused,
        };
        self.metrics.count(name, outcome);
    }
}

#[async_trait]
impl Groups for Observed {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        self.enter();
        let name = operation.name();
        let _rings = self.bell.ring_after();
        let result = self.groups.perform(actor, operation).await;
        self.count(name, result.as_ref().err());
        result
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        self.enter();
        let name = query.name();
        let result = self.groups.read(actor, query).await;
        self.count(name, result.as_ref().err());
        result
    }

    fn now(&self) -> Millis {
        self.groups.now()
    }
}
