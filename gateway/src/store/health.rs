//! The health of the store: whether it accepts writes, and how long its syncs take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus_client::metrics::histogram::Histogram;

/// Seconds, from a fast SSD to a disk that hangs.
const BUCKETS: [f64; 12] = [0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

#[derive(Debug)]
struct SyncTimes(Histogram);

impl Default for SyncTimes {
    fn default() -> Self {
        Self(Histogram::new(BUCKETS))
    }
}

/// The state of a durable store; shared with its reporters.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    refuses: Mutex<Option<String>>,
    syncing: Mutex<Option<Instant>>,
    rounds: AtomicU64,
    failures: AtomicU64,
    recoveries: AtomicU64,
    queued: AtomicU64,
    /// The total time of all syncs, in microseconds.
    synced_for: AtomicU64,
    /// The time of each sync, in seconds.
    sync_times: SyncTimes,
}

impl Health {
    /// Why no writes are accepted, if so.
    pub fn refuses(&self) -> Option<String> {
        self.0.refuses.lock().clone()
    }

    /// How long the current sync has taken so far.
    pub fn syncing_for(&self) -> Option<Duration> {
        self.0.syncing.lock().map(|begun| begun.elapsed())
    }

    /// A description of the problem for an operator; a sync that takes longer than this is one.
    pub fn trouble(&self, longest_sync: Duration) -> Option<String> {
        if let Some(why) = self.refuses() {
            return Some(format!("writes are refused: {why}"));
        }
        let hangs = self.syncing_for().filter(|took| *took >= longest_sync)?;
        Some(format!("a disk sync of the data folder has been running for {} s", hangs.as_secs()))
    }

    /// Rounds that were synced.
    pub fn rounds(&self) -> u64 {
        self.0.rounds.load(Ordering::Relaxed)
    }

    /// Rounds that could not be synced.
    pub fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    /// How often the store recovered from a failure.
    pub fn recoveries(&self) -> u64 {
        self.0.recoveries.load(Ordering::Relaxed)
    }

    /// Commits that wait for the next sync.
    pub fn queued(&self) -> u64 {
        self.0.queued.load(Ordering::Relaxed)
    }

    pub(super) fn queues(&self, commits: usize) {
        self.0.queued.store(commits as u64, Ordering::Relaxed);
    }

    /// The total time of all syncs.
    pub fn synced_for(&self) -> Duration {
        Duration::from_micros(self.0.synced_for.load(Ordering::Relaxed))
    }

    /// The times of syncs, in seconds.
    pub(crate) fn sync_times(&self) -> &Histogram {
        &self.0.sync_times.0
    }

    pub(super) fn begins(&self) {
        *self.0.syncing.lock() = Some(Instant::now());
    }

    pub(super) fn ends(&self) {
        let Some(begun) = self.0.syncing.lock().take() else { return };
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.0.synced_for.fetch_add(took, Ordering::Relaxed);
        self.0.sync_times.0.observe(begun.elapsed().as_secs_f64());
        self.0.rounds.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn fails(&self, why: &str) {
        *self.0.syncing.lock() = None;
        *self.0.refuses.lock() = Some(why.to_owned());
        self.0.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Records a better description of why no writes are accepted; returns whether it is a new one.
    pub(super) fn refuses_for(&self, why: &str) -> bool {
        let mut refuses = self.0.refuses.lock();
        let is_new = refuses.as_deref() != Some(why);
        if is_new {
            *refuses = Some(why.to_owned());
        }
        is_new
    }

    pub(super) fn recovers(&self) {
        *self.0.refuses.lock() = None;
        self.0.recoveries.fetch_add(1, Ordering::Relaxed);
    }
}
