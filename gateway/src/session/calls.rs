//! The calls of one session: concurrent within its limits, in order within a lane.

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use conclave_kit::{AnyCall, BoxFuture, EndedCall, Fault, FinishedCall, SessionLimits, VendorError};
use futures_util::FutureExt as _;
use http::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{Instrument as _, Span};

use super::repeats::{Repeats, Turn};
use crate::answer::{log_error, logged_code, new_id, text};
use crate::backend::{CURRENT, Current};
use crate::faults::apply::Dropped;
use crate::faults::{self, Armed, Faults};
use crate::journal::{Entry, Journals, Kind};
use crate::listener::Phase;
use crate::logging;
use crate::metrics::{Metrics, OperationMetrics};
use crate::surface_table::Mounted;
use crate::traces::Trace;

tokio::task_local! {
    /// Set when the current call has begun to change something: later events may be caused by it.
    pub(crate) static PERFORMING: Arc<AtomicBool>;
}

/// The dependencies of calls.
#[derive(Clone)]
pub(super) struct CallContext {
    pub(super) mounted: Arc<Mounted>,
    pub(super) metrics: Arc<Metrics>,
    /// Timeout of one call.
    pub(super) time: Duration,
    /// Calls of all sessions that are performed once.
    pub(super) repeats: Arc<Repeats>,
    /// The fault rules of all realms.
    pub(super) faults: Arc<Faults>,
    /// The journals of all realms.
    pub(super) journals: Arc<Journals>,
    /// Timeout for a client to read what is sent to it.
    pub(super) write_time: Duration,
    /// Held by every call, so that a stopping process waits for it.
    pub(super) phase: watch::Receiver<Phase>,
}

/// The calls of one session that have not ended. Created for the first one, and dropped after the last one.
#[derive(Default)]
pub(super) struct Calls {
    /// Without a result, its connection is cut.
    pub(super) running: JoinSet<(u64, Option<EndedCall>)>,
    pub(super) in_flight: InFlight,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
}

/// The calls that have begun and are not answered.
#[derive(Default)]
pub(super) struct InFlight {
    calls: Vec<Running>,
    /// The number of the latest call.
    last: u64,
}

struct Running {
    number: u64,
    lane: Option<u64>,
    performing: Arc<AtomicBool>,
}

struct Waiting {
    number: u64,
    call: Box<AnyCall>,
    /// The fault rules that may apply to it.
    faults: Option<Armed>,
}

/// Most bytes that waiting calls of one session keep; beyond that, its connection is not read.
const WAITING_BYTES: usize = 1024 * 1024;

impl Calls {
    /// Whether no calls are left.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.calls.is_empty() && self.waiting.is_empty()
    }

    /// Whether no more calls are accepted for now.
    pub(super) fn is_full(&self, limits: &SessionLimits) -> bool {
        self.waiting.len() >= limits.waiting_calls.max(1) || self.waiting_bytes > WAITING_BYTES
    }

    /// Accepts a call: it runs as soon as the limits and its lane permit.
    pub(super) fn add(
        &mut self,
        (call, faults): (Box<AnyCall>, Option<Armed>),
        context: &CallContext,
        limits: &SessionLimits,
    ) {
        self.in_flight.last += 1;
        self.waiting_bytes += call.bytes;
        self.waiting.push_back(Waiting { number: self.in_flight.last, call, faults });
        self.start(context, limits);
    }

    /// Waits for the next call to end; for ever when none is running.
    pub(super) async fn ended(running: &mut JoinSet<(u64, Option<EndedCall>)>) -> (u64, Option<EndedCall>) {
        match running.join_next().await {
            Some(Ok(ended)) => ended,
            // a call catches its panics, and is never aborted
            Some(Err(_)) | None => std::future::pending().await,
        }
    }

    /// Removes a call that has ended and was answered; others may run.
    pub(super) fn finish(&mut self, number: u64, context: &CallContext, limits: &SessionLimits) {
        self.in_flight.calls.retain(|call| call.number != number);
        self.start(context, limits);
    }

    /// Lets running calls finish, and drops waiting ones.
    pub(super) fn leave(mut self) {
        self.running.detach_all();
    }

    fn start(&mut self, context: &CallContext, limits: &SessionLimits) {
        let mut busy: HashSet<u64> = self.in_flight.calls.iter().filter_map(|call| call.lane).collect();
        let mut at = 0;
        while at < self.waiting.len() && self.in_flight.calls.len() < limits.running_calls.max(1) {
            // a lane is also blocked by the first call that waits for it
            let is_free = self.waiting[at].call.lane.is_none_or(|lane| busy.insert(lane));
            if is_free && let Some(next) = self.waiting.remove(at) {
                self.run(next, context);
            } else {
                at += 1;
            }
        }
    }

    fn run(&mut self, next: Waiting, context: &CallContext) {
        let Waiting { number, call, faults } = next;
        self.waiting_bytes -= call.bytes;
        let performing = Arc::new(AtomicBool::new(false));
        self.in_flight.calls.push(Running { number, lane: call.lane, performing: Arc::clone(&performing) });
        let (context, phase) = (context.clone(), context.phase.clone());
        self.running.spawn(async move {
            // the process waits for holders of this, so it is dropped last
            let _last = phase;
            run(number, (*call, faults), performing, context).await
        });
    }
}

impl InFlight {
    /// The number of the latest call.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Whether one of the calls up to this number may have caused what was committed by now.
    pub(super) fn may_have_caused(&self, upto: u64) -> bool {
        self.calls.iter().any(|call| call.number <= upto && call.performing.load(Ordering::Relaxed))
    }
}

async fn run(
    number: u64,
    (call, faults): (AnyCall, Option<Armed>),
    performing: Arc<AtomicBool>,
    context: CallContext,
) -> (u64, Option<EndedCall>) {
    let CallContext { mounted, metrics, time, repeats, journals, .. } = context;
    let id = new_id(rand::random());
    let named = call.operation.unwrap_or(crate::metrics::UNKNOWN);
    let mut record = CallRecord {
        vendor: mounted.vendor,
        operation: call.operation,
        metrics: mounted.metrics.of(call.operation),
        began: Instant::now(),
        status: None,
        error: None,
        realm: None,
        trace: Trace::of_call(mounted.vendor, named, text(&id)),
    };
    // adds the id to every log line of this call, at any level
    let span = match &record.trace {
        trace if trace.is_traced() => trace.span().clone(),
        _ if logging::adds_ids() => Span::none(),
        _ => tracing::error_span!("call", id = text(&id)),
    };
    let turn = call.once.clone().map(|key| repeats.begin(mounted.vendor, key));
    let (work, end) = call.split();
    let (first, work): (_, BoxFuture<'static, Result<FinishedCall, Fault>>) = match turn {
        Some(Turn::Repeated(once)) => {
            // it may have caused an event that this session has yet to receive
            performing.store(true, Ordering::Relaxed);
            (None, Box::pin(async move { once.ended().await }))
        }
        Some(Turn::First(first)) => (Some(first), Box::pin(work.map(Ok))),
        None => (None, Box::pin(work.map(Ok))),
    };
    let work = PERFORMING.scope(performing, async {
        match tokio::time::timeout(time, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => {
                // the panic hook has logged the location
                metrics.panics.inc();
                Err(Fault::Broken)
            }
            Err(_) => {
                tracing::warn!("a call timed out after limits.request_ms");
                Err(Fault::TimedOut)
            }
        }
    });
    let work = CURRENT.scope(Current::new("call", id.clone()).with_faults(faults), async {
        let prevented = faults::apply::begin(faults::apply::fired()).await;
        let result = if prevented { Err(Fault::Broken) } else { work.await };
        if let Some(first) = first {
            first.end(&result);
        }
        let result = faults::apply::after_call(result).await;
        let (realm, caller) = CURRENT.with(|current| (current.realm.get().cloned(), current.caller.get().cloned()));
        (result, realm, caller)
    });
    let (result, realm, caller) = work.instrument(span.clone()).await;
    let (result, is_cut) = match result {
        Ok(result) => (result, false),
        Err(Dropped) => (Err(Fault::Busy), true),
    };
    if let (Ok(FinishedCall { unread: Some(unread), .. }), Some(operation)) = (&result, record.operation) {
        metrics.unread.count(record.vendor, operation, unread);
    }
    let (status, error) = match &result {
        Ok(FinishedCall { outcome, .. }) => (outcome.status(), outcome.error()),
        Err(fault) => {
            let status = match fault {
                Fault::Malformed | Fault::Error(_) => StatusCode::BAD_REQUEST,
                Fault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Fault::TimedOut => StatusCode::GATEWAY_TIMEOUT,
                Fault::Broken => StatusCode::INTERNAL_SERVER_ERROR,
                Fault::Busy => StatusCode::SERVICE_UNAVAILABLE,
            };
            (status.as_u16(), VendorError::of_status(status))
        }
    };
    (record.status, record.error) = (Some(status), error);
    record.realm = realm;
    if let Some(journal) = record.realm.as_deref().and_then(|realm| journals.of(realm)) {
        let answer = (record.status, record.error);
        journal.add(Entry::answered(Kind::Call, record.vendor, record.operation, caller.as_ref(), answer));
    }
    CURRENT.sync_scope(Current::new("call", id), || span.in_scope(|| drop(record)));
    (number, (!is_cut).then(|| end(result)))
}

/// The log line and metrics of a call, written once.
struct CallRecord {
    vendor: &'static str,
    operation: Option<&'static str>,
    metrics: Arc<OperationMetrics>,
    began: Instant,
    status: Option<u16>,
    error: Option<VendorError>,
    realm: Option<Arc<str>>,
    trace: Trace,
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let before = self.metrics.count(self.status, self.error, took);
        self.trace.finish(self.status, self.error, self.realm.as_deref());
        let (vendor, operation) = (self.vendor, self.operation.unwrap_or(crate::metrics::UNKNOWN));
        let (code, error) = logged_code(self.error);
        tracing::info!(
            target: "conclave::call",
            vendor,
            operation,
            status = self.status,
            abandoned = self.status.is_none().then_some(true),
            ms = (took.as_secs_f64() * 1e6).round() / 1e3,
            code,
            error,
            realm = self.realm.as_deref(),
        );
        log_error(vendor, operation, self.error, before, self.realm.as_deref());
    }
}
