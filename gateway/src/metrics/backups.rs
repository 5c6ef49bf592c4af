//! Backups that a running gateway hands out.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Backups of this gateway, since it was started.
#[derive(Default)]
pub(crate) struct Backups {
    completed: Counter,
    failed: Counter,
    last: Gauge,
}

impl Backups {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let Self { completed, failed, last } = Self::default();
        registry.register("backups_completed", "Backups that were sent completely", completed.clone());
        registry.register("backups_failed", "Backups that were not finished", failed.clone());
        let about = "When the last complete backup was sent, in seconds since 1970; 0 is never";
        registry.register("backup_last_timestamp_seconds", about, last.clone());
        Self { completed, failed, last }
    }

    /// Counts a backup that was sent completely.
    pub(crate) fn completed(&self) {
        self.completed.inc();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    }

    /// Counts a backup that was not finished.
    pub(crate) fn failed(&self) {
        self.failed.inc();
    }
}
