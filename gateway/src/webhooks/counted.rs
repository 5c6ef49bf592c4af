//! The metrics of webhooks.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::watched::{LastActivity, Watched};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    realm: String,
    vendor: &'static str,
    destination: &'static str,
}

/// The counters of all destinations.
pub(crate) struct WebhookMetrics {
    sent: Family<Labels, Counter>,
    retried: Family<Labels, Counter>,
    dropped: Family<Labels, Counter>,
    pending: Family<Labels, Gauge>,
    lag: Family<Labels, Gauge<f64, AtomicU64>>,
}

impl WebhookMetrics {
    /// All at zero.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let (sent, retried, dropped) = (Family::default(), Family::default(), Family::default());
        let (pending, lag) = (Family::default(), Family::default());
        registry.register("webhooks_sent", "Webhooks that were accepted", Family::clone(&sent));
        let about = "Webhooks that were not accepted and are retried";
        registry.register("webhooks_retried", about, Family::clone(&retried));
        registry.register("webhooks_dropped", "Webhooks that were dropped after all retries", Family::clone(&dropped));
        let about = "Events read from the log whose webhooks are not all accepted yet";
        registry.register("webhooks_pending", about, Family::clone(&pending));
        let about = "Age of the oldest event whose webhooks are not all accepted yet";
        registry.register_with_unit("webhooks_lag", about, Unit::Seconds, Family::clone(&lag));
        Self { sent, retried, dropped, pending, lag }
    }

    /// The counters of one destination.
    pub(super) fn of(&self, realm: &str, vendor: &'static str, destination: &'static str) -> Counted {
        let labels = Labels { realm: realm.to_owned(), vendor, destination };
        Counted {
            sent: self.sent.get_or_create_owned(&labels),
            retried: self.retried.get_or_create_owned(&labels),
            dropped: self.dropped.get_or_create_owned(&labels),
            pending: self.pending.get_or_create_owned(&labels),
            lag: self.lag.get_or_create_owned(&labels),
            last_activity: LastActivity::default(),
        }
    }
}

/// The counters of one destination.
pub(super) struct Counted {
    /// Accepted.
    pub(super) sent: Counter,
    /// Not accepted, and retried.
    pub(super) retried: Counter,
    /// Given up.
    pub(super) dropped: Counter,
    /// Events whose notifications are not all accepted yet.
    pub(super) pending: Gauge,
    /// The age of the oldest of them, in seconds.
    pub(super) lag: Gauge<f64, AtomicU64>,
    /// The time of its courier's last activity.
    pub(super) last_activity: LastActivity,
}

impl Counted {
    /// The destination, for monitoring under this name.
    pub(super) fn watched(&self, name: String) -> Watched {
        Watched { name, last_activity: self.last_activity.clone(), lag: self.lag.clone() }
    }
}
