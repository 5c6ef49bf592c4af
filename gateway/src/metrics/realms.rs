//! The metrics of single realms, which are no longer reported once a realm is deleted.

use foldhash::HashMap as Map;
use parking_lot::RwLock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::{Metrics, OperationLabels, OperationOutcome, RealmLabels, VendorMetrics};

impl Metrics {
    /// The counters of one realm's operations on groups.
    pub(crate) fn of_realm(&self, realm: &str) -> RealmMetrics {
        RealmMetrics { realm: realm.to_owned(), operations: self.operations.clone(), at_hand: RwLock::default() }
    }

    /// Stops reporting a realm that was deleted.
    pub(crate) fn forget_realm<'v>(&self, realm: &str, vendors: impl Iterator<Item = &'v VendorMetrics>) {
        let labels = RealmLabels { realm: realm.to_owned() };
        let counters = [&self.swept_rows, &self.sweeps_failed, &self.trimmed_events, &self.trimmed_messages];
        for family in counters.into_iter().chain([&self.delivered, &self.missed]) {
            family.remove(&labels);
        }
        self.log_undelivered.remove(&labels);
        self.measured.forget_realm(realm);
        for vendor in vendors {
            vendor.forget_realm(realm);
        }
    }
}

/// The counters of one realm's operations on groups.
pub(crate) struct RealmMetrics {
    realm: String,
    operations: Family<OperationLabels, Counter>,
    /// Counters by their labels, cached.
    at_hand: RwLock<Map<(&'static str, OperationOutcome), Counter>>,
}

impl RealmMetrics {
    /// Counts an operation on groups.
    pub(crate) fn count(&self, operation: &'static str, outcome: OperationOutcome) {
        if let Some(counter) = self.at_hand.read().get(&(operation, outcome)) {
            counter.inc();
            return;
        }
        let labels = OperationLabels { realm: self.realm.clone(), operation, outcome };
        let counter = self.operations.get_or_create_owned(&labels);
        counter.inc();
        self.at_hand.write().insert((operation, outcome), counter);
    }
}

impl Drop for RealmMetrics {
    fn drop(&mut self) {
        for (operation, outcome) in self.at_hand.get_mut().keys() {
            let labels = OperationLabels { realm: self.realm.clone(), operation, outcome: *outcome };
            self.operations.remove(&labels);
        }
    }
}
