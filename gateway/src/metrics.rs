//! What is counted, in the `OpenMetrics` format.

use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap as Map;
use parking_lot::RwLock;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::unread::UnreadFields;

use crate::webhooks::WebhookMetrics;

/// The operation of a request that asks for none that is served.
pub(crate) const UNKNOWN: &str = "unknown";

/// Seconds, from where an answer from memory lies to where clients give up.
const BUCKETS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    vendor: &'static str,
    operation: &'static str,
    class: Class,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LatencyLabels {
    vendor: &'static str,
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    realm: String,
    operation: &'static str,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Class {
    Answered,
    Redirected,
    Refused,
    Failed,
    Abandoned,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VendorLabels {
    vendor: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FrameLabels {
    vendor: &'static str,
    direction: Direction,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RealmLabels {
    realm: String,
}

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Direction {
    In,
    Out,
}

/// What became of an operation on groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Outcome {
    /// Done.
    Done,
    /// Refused: it changed nothing.
    Refused,
    /// The store could not do its work.
    Failed,
}

const CLASSES: [Class; 5] = [Class::Answered, Class::Redirected, Class::Refused, Class::Failed, Class::Abandoned];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<LatencyLabels, Histogram>,
    operations: Family<OperationLabels, Counter>,
    sessions: Family<VendorLabels, Gauge>,
    frames: Family<FrameLabels, Counter>,
    told: Family<RealmLabels, Counter>,
    missed: Family<RealmLabels, Counter>,
    /// Webhooks of all destinations.
    pub(crate) webhooks: WebhookMetrics,
    /// Request fields that no handler read; kept apart from the rest, as clients choose their names.
    pub(crate) unread: UnreadFields,
    /// Connections that are open now.
    pub(crate) connections: Gauge,
    /// Connections that were turned away because there were too many.
    pub(crate) turned_away: Counter,
    /// Requests that ended in a panic.
    pub(crate) panics: Counter,
    /// Whether requests should be sent here: 1 or 0.
    pub(crate) ready: Gauge,
    /// Whether the store refuses writes: 1 or 0.
    pub(crate) store_refuses: Gauge,
    /// Webhooks that do not get on.
    pub(crate) webhooks_stuck: Gauge,
}

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("conclave");
        let requests = Family::default();
        let latency: Family<LatencyLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let operations = Family::default();
        let (sessions, frames, told, missed) =
            (Family::default(), Family::default(), Family::default(), Family::default());
        let (connections, turned_away, panics) = (Gauge::default(), Counter::default(), Counter::default());
        registry.register(
            "requests",
            "Requests, and what clients ask over their connections, by vendor, operation and class of answer",
            requests.clone(),
        );
        let about = "Time from a request's headers to its answer's";
        registry.register_with_unit("request_duration", about, Unit::Seconds, latency.clone());
        registry.register("operations", "Operations and queries on groups by realm and outcome", operations.clone());
        registry.register("connections", "Connections that are open now", connections.clone());
        let about = "Connections that were turned away because there were too many";
        registry.register("connections_turned_away", about, turned_away.clone());
        registry.register("panics", "Requests that ended in a panic", panics.clone());
        let (ready, store_refuses, webhooks_stuck) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("ready", "Whether /readyz says ready", ready.clone());
        registry.register("store_refuses_writes", "Whether the store refuses writes", store_refuses.clone());
        let about = "Webhooks' destinations that have not got on for limits.webhook_lag_ms";
        registry.register("webhooks_stuck", about, webhooks_stuck.clone());
        registry.register("sessions", "Clients that are connected now, by vendor", sessions.clone());
        registry.register("frames", "Frames of clients' connections, by vendor and direction", frames.clone());
        registry.register("events_told", "Events put before sessions, each counted once a session", told.clone());
        let about = "How often a session was so slow that events were left out and it was told to fetch them";
        registry.register("events_missed", about, missed.clone());
        let webhooks = WebhookMetrics::new(&mut registry);
        Self {
            registry,
            requests,
            latency,
            operations,
            unread: UnreadFields::default(),
            sessions,
            frames,
            told,
            missed,
            webhooks,
            connections,
            turned_away,
            panics,
            ready,
            store_refuses,
            webhooks_stuck,
        }
    }

    /// As text.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The counters of one realm's operations on groups.
    pub(crate) fn of_realm(&self, realm: &str) -> RealmMetrics {
        RealmMetrics { realm: realm.to_owned(), operations: self.operations.clone(), at_hand: RwLock::default() }
    }

    /// The counters of one vendor's operations, ready at hand.
    pub(crate) fn of_vendor(
        &self,
        vendor: &'static str,
        operations: impl Iterator<Item = &'static str>,
    ) -> VendorMetrics {
        let of = |operation| {
            let requests =
                CLASSES.map(|class| self.requests.get_or_create_owned(&RequestLabels { vendor, operation, class }));
            let latency = self.latency.get_or_create_owned(&LatencyLabels { vendor, operation });
            OperationMetrics { requests, latency }
        };
        let operations = operations.map(|operation| (operation, Arc::new(of(operation)))).collect();
        let frames = |direction| self.frames.get_or_create_owned(&FrameLabels { vendor, direction });
        VendorMetrics {
            operations,
            unknown: Arc::new(of(UNKNOWN)),
            sessions: self.sessions.get_or_create_owned(&VendorLabels { vendor }),
            frames_in: frames(Direction::In),
            frames_out: frames(Direction::Out),
        }
    }

    /// The counters of one realm's sessions.
    pub(crate) fn of_sessions(&self, realm: &str) -> SessionMetrics {
        let labels = RealmLabels { realm: realm.to_owned() };
        SessionMetrics {
            told: self.told.get_or_create_owned(&labels),
            missed: self.missed.get_or_create_owned(&labels),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The counters of one realm's operations on groups.
pub(crate) struct RealmMetrics {
    realm: String,
    operations: Family<OperationLabels, Counter>,
    /// Those that were needed before.
    at_hand: RwLock<Map<(&'static str, Outcome), Counter>>,
}

impl RealmMetrics {
    /// Counts an operation on groups.
    pub(crate) fn count(&self, operation: &'static str, outcome: Outcome) {
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

/// The counters of one vendor's operations.
pub(crate) struct VendorMetrics {
    operations: Map<&'static str, Arc<OperationMetrics>>,
    unknown: Arc<OperationMetrics>,
    /// Clients that are connected now.
    pub(crate) sessions: Gauge,
    /// Frames from them.
    pub(crate) frames_in: Counter,
    /// Frames to them.
    pub(crate) frames_out: Counter,
}

/// The counters of one realm's sessions.
pub(crate) struct SessionMetrics {
    /// Events put before sessions.
    pub(crate) told: Counter,
    /// How often some were left out.
    pub(crate) missed: Counter,
}

impl VendorMetrics {
    /// The counters of an operation; of the unknown one, when there is none.
    pub(crate) fn of(&self, operation: Option<&'static str>) -> Arc<OperationMetrics> {
        let known = operation.and_then(|operation| self.operations.get(operation));
        Arc::clone(known.unwrap_or(&self.unknown))
    }
}

/// The counters of one operation.
pub(crate) struct OperationMetrics {
    requests: [Counter; 5],
    latency: Histogram,
}

impl OperationMetrics {
    /// Counts a request; `None` is one whose client went away before the answer.
    pub(crate) fn count(&self, status: Option<u16>, took: Duration) {
        let class = match status {
            None => 4,
            Some(..=299) => 0,
            Some(300..=399) => 1,
            Some(400..=499) => 2,
            Some(_) => 3,
        };
        self.requests[class].inc();
        self.latency.observe(took.as_secs_f64());
    }
}
