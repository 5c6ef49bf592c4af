//! The metrics, in the `OpenMetrics` format.

mod backups;
mod realms;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use conclave_core::retention::LogTrimmed;
use conclave_kit::{ErrorClass, VendorCode, VendorError};
use foldhash::{HashMap as Map, HashSet as Set};
use parking_lot::{Mutex, RwLock};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub(crate) use self::backups::Backups;
pub(crate) use self::realms::RealmMetrics;
use crate::measured::{Measured, Process};
use crate::unread::UnreadFields;

use crate::webhooks::WebhookMetrics;

/// The operation of a request for an unknown one.
pub(crate) const UNKNOWN: &str = "unknown";

/// Seconds, from responses served from memory to clients' timeouts.
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
    outcome: OperationOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RealmRequestLabels {
    realm: String,
    vendor: &'static str,
    class: Class,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    vendor: &'static str,
    operation: &'static str,
    class: &'static str,
    code: String,
}

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    Answered,
    Redirected,
    Refused,
    Failed,
    Abandoned,
}

impl Class {
    const ALL: [Self; 5] = [Self::Answered, Self::Redirected, Self::Refused, Self::Failed, Self::Abandoned];

    /// From the status, or from the vendor's own error if there is one; without a status the client has disconnected.
    fn of(status: Option<u16>, error: Option<VendorError>) -> Self {
        match (error.map(|error| error.class), status) {
            (_, None) => Self::Abandoned,
            (Some(ErrorClass::Failed), _) | (None, Some(500..)) => Self::Failed,
            (Some(_), _) | (None, Some(400..=499)) => Self::Refused,
            (None, Some(300..=399)) => Self::Redirected,
            (None, Some(_)) => Self::Answered,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Redirected => "redirected",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

impl EncodeLabelValue for Class {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&self.name(), encoder)
    }
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

/// The direction of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Direction {
    In,
    Out,
}

impl EncodeLabelValue for Direction {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let name = match self {
            Self::In => "in",
            Self::Out => "out",
        };
        EncodeLabelValue::encode(&name, encoder)
    }
}

/// The outcome of an operation on groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OperationOutcome {
    /// Done.
    Done,
    /// Refused: it changed nothing.
    Refused,
    /// The store failed.
    Failed,
}

impl EncodeLabelValue for OperationOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let name = match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        };
        EncodeLabelValue::encode(&name, encoder)
    }
}

/// Most codes of one vendor that are counted separately.
const CODES: usize = 128;
/// The label of all other codes.
const OTHER_CODES: &str = "other";

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    realm_requests: Family<RealmRequestLabels, Counter>,
    latency: Family<LatencyLabels, Histogram>,
    errors: Family<ErrorLabels, Counter>,
    failed_authentications: Family<VendorLabels, Counter>,
    operations: Family<OperationLabels, Counter>,
    sessions: Family<VendorLabels, Gauge>,
    frames: Family<FrameLabels, Counter>,
    delivered: Family<RealmLabels, Counter>,
    missed: Family<RealmLabels, Counter>,
    /// Webhooks of all destinations.
    pub(crate) webhooks: WebhookMetrics,
    /// Request fields that no handler read; separate from the rest, as clients choose their names.
    pub(crate) unread: UnreadFields,
    /// Connections that are open now.
    pub(crate) connections: Gauge,
    /// Connections that were refused because there were too many.
    pub(crate) turned_away: Counter,
    /// Requests that ended in a panic.
    pub(crate) panics: Counter,
    /// Whether the process accepts requests: 1 or 0.
    pub(crate) ready: Gauge,
    /// Whether the store refuses writes: 1 or 0.
    pub(crate) store_refuses: Gauge,
    /// Webhooks without progress.
    pub(crate) webhooks_stuck: Gauge,
    swept_rows: Family<RealmLabels, Counter>,
    sweeps_failed: Family<RealmLabels, Counter>,
    trimmed_events: Family<RealmLabels, Counter>,
    trimmed_messages: Family<RealmLabels, Counter>,
    log_undelivered: Family<RealmLabels, Gauge>,
    /// Bytes of unused shared files that were deleted.
    pub(crate) trash_deleted: Counter,
    /// Requested backups, by outcome.
    pub(crate) backups: Backups,
    /// Values that are measured when the metrics are requested.
    pub(crate) measured: Arc<Measured>,
}

impl Metrics {
    /// All at zero.
    pub(crate) fn new() -> Self {
        let mut root = Registry::default();
        root.register_collector(Box::new(Process::new()));
        let measured = Arc::<Measured>::default();
        let registry = root.sub_registry_with_prefix("conclave");
        registry.register_collector(Box::new(Arc::clone(&measured)));
        registry.register("build", "The version", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        let requests = Family::default();
        let realm_requests = Family::default();
        registry.register("realm_requests", "Requests by realm, vendor and class of answer", realm_requests.clone());
        let (errors, failed_authentications) = (Family::default(), Family::default());
        let about = "Errors returned to clients, by vendor, operation, class and the vendor's own code";
        registry.register("vendor_errors", about, errors.clone());
        let about = "Requests and sign-ins that were refused because of their credentials";
        registry.register("failed_authentications", about, failed_authentications.clone());
        let (swept_rows, sweeps_failed, trash_deleted) = (Family::default(), Family::default(), Counter::default());
        registry.register("housekeeping_swept_rows", "Expired rows that were deleted", swept_rows.clone());
        registry.register(
            "housekeeping_failures",
            "How often expired rows could not be deleted",
            sweeps_failed.clone(),
        );
        let (trimmed_events, trimmed_messages, log_undelivered) =
            (Family::default(), Family::default(), Family::default());
        let about = "Events that were deleted from the log because they were too old or too many";
        registry.register("housekeeping_trimmed_events", about, trimmed_events.clone());
        let about = "Messages that were deleted because they were too old";
        registry.register("housekeeping_trimmed_messages", about, trimmed_messages.clone());
        let about = "Whether old events are kept only because a webhook has not delivered them";
        registry.register("log_waits_for_webhooks", about, log_undelivered.clone());
        let about = "Files of shared files' bytes without a row that were deleted from the trash";
        registry.register("housekeeping_trash_deleted_files", about, trash_deleted.clone());
        let unread = UnreadFields::default();
        let about = "Request fields that were ignored, by vendor and operation; their names are at /unread-fields";
        registry.register("unread_fields", about, unread.counted());
        let latency: Family<LatencyLabels, Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let operations = Family::default();
        let (sessions, frames, delivered, missed) =
            (Family::default(), Family::default(), Family::default(), Family::default());
        let (connections, turned_away, panics) = (Gauge::default(), Counter::default(), Counter::default());
        registry.register(
            "requests",
            "Requests, and calls over clients' connections, by vendor, operation and class of the result",
            requests.clone(),
        );
        let about = "Time from a request's headers to its response's";
        registry.register_with_unit("request_duration", about, Unit::Seconds, latency.clone());
        registry.register("operations", "Operations and queries on groups by realm and outcome", operations.clone());
        registry.register("connections", "Connections that are open now", connections.clone());
        let about = "Connections that were refused because there were too many";
        registry.register("connections_turned_away", about, turned_away.clone());
        registry.register("panics", "Requests that ended in a panic", panics.clone());
        let (ready, store_refuses, webhooks_stuck) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("ready", "Whether /readyz returns ready", ready.clone());
        registry.register("store_refuses_writes", "Whether the store refuses writes", store_refuses.clone());
        let about = "Webhook destinations without progress for limits.webhook_lag_ms";
        registry.register("webhooks_stuck", about, webhooks_stuck.clone());
        registry.register("sessions", "Clients that are connected now, by vendor", sessions.clone());
        registry.register("frames", "Frames of clients' connections, by vendor and direction", frames.clone());
        registry.register(
            "events_delivered",
            "Events delivered to sessions, counted once per session",
            delivered.clone(),
        );
        let about = "How often events for a slow session were dropped and it was notified to fetch them";
        registry.register("events_missed", about, missed.clone());
        let webhooks = WebhookMetrics::new(registry);
        let backups = Backups::new(registry);
        Self {
            backups,
            registry: root,
            realm_requests,
            errors,
            failed_authentications,
            swept_rows,
            sweeps_failed,
            trimmed_events,
            trimmed_messages,
            log_undelivered,
            trash_deleted,
            measured,
            requests,
            latency,
            operations,
            unread,
            sessions,
            frames,
            delivered,
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

    /// Counts expired rows that were deleted.
    pub(crate) fn swept(&self, realm: &str, rows: usize) {
        self.swept_rows.get_or_create(&RealmLabels { realm: realm.to_owned() }).inc_by(rows as u64);
    }

    /// Counts events that were deleted, and notes whether others are kept only for webhooks.
    pub(crate) fn log_trimmed(&self, realm: &str, trimmed: LogTrimmed) {
        let labels = RealmLabels { realm: realm.to_owned() };
        if trimmed.deleted > 0 {
            self.trimmed_events.get_or_create(&labels).inc_by(trimmed.deleted as u64);
        }
        self.log_undelivered.get_or_create(&labels).set(trimmed.undelivered.into());
    }

    /// Counts messages that were deleted.
    pub(crate) fn messages_trimmed(&self, realm: &str, messages: usize) {
        self.trimmed_messages.get_or_create(&RealmLabels { realm: realm.to_owned() }).inc_by(messages as u64);
    }

    /// Counts expired rows that could not be deleted.
    pub(crate) fn sweep_failed(&self, realm: &str) {
        self.sweeps_failed.get_or_create(&RealmLabels { realm: realm.to_owned() }).inc();
    }

    /// The counters of one vendor's operations, cached.
    pub(crate) fn of_vendor(
        &self,
        vendor: &'static str,
        operations: impl Iterator<Item = &'static str>,
    ) -> VendorMetrics {
        let codes = Arc::<Codes>::default();
        let of = |operation| OperationMetrics {
            vendor,
            operation,
            requests: self.requests.clone(),
            by_class: Default::default(),
            latency: self.latency.clone(),
            observed: OnceLock::new(),
            errors: self.errors.clone(),
            failed_authentications: self.failed_authentications.clone(),
            codes: Arc::clone(&codes),
        };
        let operations = operations.map(|operation| (operation, Arc::new(of(operation)))).collect();
        let frames = |direction| self.frames.get_or_create_owned(&FrameLabels { vendor, direction });
        VendorMetrics {
            vendor,
            realm_requests: self.realm_requests.clone(),
            by_realm: RwLock::default(),
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
            delivered: self.delivered.get_or_create_owned(&labels),
            missed: self.missed.get_or_create_owned(&labels),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The counters of one vendor's operations.
pub(crate) struct VendorMetrics {
    vendor: &'static str,
    realm_requests: Family<RealmRequestLabels, Counter>,
    /// Counters of realms that were used before.
    by_realm: RwLock<Map<String, ByClass>>,
    operations: Map<&'static str, Arc<OperationMetrics>>,
    unknown: Arc<OperationMetrics>,
    /// Clients that are connected now.
    pub(crate) sessions: Gauge,
    /// Frames received from clients.
    pub(crate) frames_in: Counter,
    /// Frames sent to clients.
    pub(crate) frames_out: Counter,
}

/// The counters of one realm's sessions.
pub(crate) struct SessionMetrics {
    /// Events delivered to sessions.
    pub(crate) delivered: Counter,
    /// How often events were dropped.
    pub(crate) missed: Counter,
}

/// A counter for each class of results; each is created by its first result.
type ByClass = [OnceLock<Counter>; 5];

impl VendorMetrics {
    /// Counts a request by its realm.
    pub(crate) fn count_in_realm(&self, realm: &str, status: Option<u16>, error: Option<VendorError>) {
        let class = Class::of(status, error);
        let labels = || RealmRequestLabels { realm: realm.to_owned(), vendor: self.vendor, class };
        let count = |counters: &ByClass| {
            counters[class as usize].get_or_init(|| self.realm_requests.get_or_create_owned(&labels())).inc();
        };
        if let Some(counters) = self.by_realm.read().get(realm) {
            return count(counters);
        }
        count(self.by_realm.write().entry(realm.to_owned()).or_default());
    }

    /// Stops reporting a realm that was deleted.
    fn forget_realm(&self, realm: &str) {
        self.by_realm.write().remove(realm);
        for class in Class::ALL {
            let labels = RealmRequestLabels { realm: realm.to_owned(), vendor: self.vendor, class };
            self.realm_requests.remove(&labels);
        }
    }

    /// The counters of an operation; those of the unknown one for `None`.
    pub(crate) fn of(&self, operation: Option<&'static str>) -> Arc<OperationMetrics> {
        let known = operation.and_then(|operation| self.operations.get(operation));
        Arc::clone(known.unwrap_or(&self.unknown))
    }
}

/// The counters of one operation. Each series is created by its first request, so that an idle process reports little.
pub(crate) struct OperationMetrics {
    vendor: &'static str,
    operation: &'static str,
    requests: Family<RequestLabels, Counter>,
    by_class: ByClass,
    latency: Family<LatencyLabels, Histogram>,
    observed: OnceLock<Histogram>,
    errors: Family<ErrorLabels, Counter>,
    failed_authentications: Family<VendorLabels, Counter>,
    codes: Arc<Codes>,
}

/// The codes of one vendor that are counted separately.
#[derive(Default)]
struct Codes(Mutex<Set<VendorCode>>);

impl Codes {
    fn label(&self, code: VendorCode) -> String {
        let mut known = self.0.lock();
        if known.contains(&code) || known.len() < CODES {
            known.insert(code);
            code.to_string()
        } else {
            OTHER_CODES.to_owned()
        }
    }
}

impl OperationMetrics {
    /// Counts a request; `None` as status means that its client disconnected before the response.
    ///
    /// Returns how often this error occurred before, if it is one.
    pub(crate) fn count(&self, status: Option<u16>, error: Option<VendorError>, took: Duration) -> Option<u64> {
        let class = Class::of(status, error);
        let Self { vendor, operation, .. } = *self;
        let labels = RequestLabels { vendor, operation, class };
        self.by_class[class as usize].get_or_init(|| self.requests.get_or_create_owned(&labels)).inc();
        let labels = LatencyLabels { vendor, operation };
        self.observed.get_or_init(|| self.latency.get_or_create_owned(&labels)).observe(took.as_secs_f64());
        let VendorError { code, class } = error?;
        if class == ErrorClass::Unauthenticated {
            self.failed_authentications.get_or_create(&VendorLabels { vendor }).inc();
        }
        let labels = ErrorLabels { vendor, operation, class: class.name(), code: self.codes.label(code) };
        Some(self.errors.get_or_create(&labels).inc())
    }
}
