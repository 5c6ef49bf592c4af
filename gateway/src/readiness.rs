//! Whether the process can work: for `/readyz`, metrics and the log.

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

/// The state of what the process needs to work.
pub(crate) struct Readiness {
    draining: AtomicBool,
    store: Option<Health>,
    longest_sync: Duration,
    longest_lag: Duration,
    couriers: Mutex<Vec<Watched>>,
}

impl Readiness {
    /// Watches everything except webhooks.
    pub(crate) fn new(limits: &Limits, store: Option<Health>) -> Self {
        Self {
            draining: AtomicBool::new(false),
            store,
            longest_sync: Duration::from_millis(limits.sync_ms),
            longest_lag: Duration::from_millis(limits.webhook_lag_ms),
            couriers: Mutex::default(),
        }
    }

    /// Adds webhooks whose delivery is watched.
    pub(crate) fn watch(&self, couriers: Vec<Watched>) {
        *self.couriers.lock() = couriers;
    }

    /// Makes the gateway not ready, as the process is stopping.
    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Why `/readyz` returns 503: the process is stopping, the store refuses writes, or a sync takes too long. `None` if
    /// the gateway is ready. Webhooks do not matter here: see [`Self::stuck`].
    pub(crate) fn trouble(&self) -> Option<String> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("draining".to_owned());
        }
        self.store.as_ref()?.trouble(self.longest_sync)
    }

    /// Webhooks without progress. Requests can be answered nevertheless.
    pub(crate) fn stuck(&self) -> Vec<String> {
        self.couriers.lock().iter().filter_map(|watched| watched.stuck(self.longest_lag)).collect()
    }

    /// Updates the metrics.
    pub(crate) fn measure(&self, metrics: &Metrics) {
        metrics.ready.set(i64::from(self.trouble().is_none()));
        let refuses = self.store.as_ref().is_some_and(|store| store.refuses().is_some());
        metrics.store_refuses.set(i64::from(refuses));
        metrics.webhooks_stuck.set(i64::try_from(self.stuck().len()).unwrap_or(i64::MAX));
    }

    /// Logs each problem once when it begins and once when it ends, until the process drains.
    pub(crate) async fn log(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let mut logged = BTreeSet::new();
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                _ = phase.changed() => return,
            }
            // compared without the duration, which changes all the time
            let kind = |line: &String| line.split([':', ',']).next().unwrap_or_default().to_owned();
            let lines: Vec<String> = self.trouble().into_iter().chain(self.stuck()).collect();
            for line in lines.iter().filter(|line| !logged.contains(&kind(line))) {
                tracing::error!("{line}");
            }
            let kinds: BTreeSet<String> = lines.iter().map(kind).collect();
            for over in logged.difference(&kinds) {
                tracing::info!("resolved: {over}");
            }
            logged = kinds;
        }
    }
}
