//! Whether a courier makes progress.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;

/// A courier is active at least every few seconds.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// The time of a courier's last activity.
#[derive(Debug, Clone)]
pub(super) struct LastActivity(Arc<Mutex<Instant>>);

impl Default for LastActivity {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl LastActivity {
    /// Records activity now.
    pub(super) fn record(&self) {
        *self.0.lock() = Instant::now();
    }
}

/// A monitored courier.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(super) name: String,
    pub(super) last_activity: LastActivity,
    /// The age of the oldest event with unaccepted notifications, in seconds.
    pub(super) lag: Gauge<f64, AtomicU64>,
}

impl Watched {
    /// Why it makes no progress, if so.
    pub(crate) fn stuck(&self, longest_lag: Duration) -> Option<String> {
        let silence = self.last_activity.0.lock().elapsed();
        if silence >= LONGEST_SILENCE {
            return Some(format!(
                "webhook {} is stuck: its worker has not responded for {} s",
                self.name,
                silence.as_secs()
            ));
        }
        let lag = self.lag.get();
        (lag >= longest_lag.as_secs_f64())
            .then(|| format!("webhook {} is stuck: an event from {lag:.0} s ago is not accepted yet", self.name))
    }
}
