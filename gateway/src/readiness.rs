//! Whether the process can do its work: for `/readyz`, metrics and the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::config::Limits;
use crate::listener::Phase;
use crate::metrics::Metrics;
use crate::store::Health;
use crate::webhooks::Watched;

/// How often changes are logged and the metrics updated.
const LOOK: Duration = Duration::from_secs(1);

/// What the process needs to do its work, and how that is.
pub(crate) struct Readiness {
    draining: AtomicBool,
    store: Option<Health>,
    longest_sync: Duration,
    longest_lag: Duration,
    couriers: Mutex<Vec<Watched>>,
}

impl Readiness {
    /// Everything is looked at but webhooks.
    pub(crate) fn new(limits: &Limits, store: Option<Health>) -> Self {
        Self {
            draining: AtomicBool::new(false),
            store,
            longest_sync: Duration::from_millis(limits.sync_ms),
            longest_lag: Duration::from_millis(limits.webhook_lag_ms),
            couriers: Mutex::default(),
        }
    }

    /// Looks at these, too.
    pub(crate) fn watch(&self, couriers: Vec<Watched>) {
        *self.couriers.lock() = couriers;
    }

    /// The process is about to end.
    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why no requests should be sent here, if that is so.
    pub(crate) fn trouble(&self) -> Option<String> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("draining".to_owned());
        }
        self.store.as_ref()?.trouble(self.longest_sync)
    }

    /// Webhooks that do not get on. Requests can be answered all the same.
    pub(crate) fn stuck(&self) -> Vec<String> {
        self.couriers.lock().iter().filter_map(|watched| watched.stuck(self.longest_lag)).collect()
    }

    /// Puts what is wrong into the metrics.
    pub(crate) fn measure(&self, metrics: &Metrics) {
        metrics.ready.set(i64::from(self.trouble().is_none()));
        let refuses = self.store.as_ref().is_some_and(|store| store.refuses().is_some());
        metrics.store_refuses.set(i64::from(refuses));
        metrics.webhooks_stuck.set(i64::try_from(self.stuck().len()).unwrap_or(i64::MAX));
    }

    /// Logs each trouble once when it begins and once when it ends, until the process drains.
    pub(crate) async fn log(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let mut logged = BTreeSet::new();
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                _ = phase.changed() => return,
            }
            // how long it has lasted changes all the time
            let kind = |line: &String| line.split([':', ',']).next().unwrap_or_default().to_owned();
            let lines: Vec<String> = self.trouble().into_iter().chain(self.stuck()).collect();
            for line in lines.iter().filter(|line| !logged.contains(&kind(line))) {
                tracing::error!("{line}");
            }
            let kinds: BTreeSet<String> = lines.iter().map(kind).collect();
            for over in logged.difference(&kinds) {
                tracing::info!("no longer: {over}");
            }
            logged = kinds;
        }
    }
}
