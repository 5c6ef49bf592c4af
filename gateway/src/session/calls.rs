//! The calls of one session: run at the same time within its limits, in order within a lane.

use std::cell::OnceCell;
use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use conclave_kit::{AnyCall, BoxFuture, EndedCall, Fault, FinishedCall, Outcome, SessionLimits};
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::repeats::{Repeats, Turn};
use crate::backend::REALM;
use crate::listener::Phase;
use crate::metrics::{Metrics, OperationMetrics};
use crate::site::Mounted;

tokio::task_local! {
    /// Set when the call at hand has begun to change something: from then on, events may be its doing.
    pub(crate) static PERFORMING: Arc<AtomicBool>;
}

/// What calls are run with.
#[derive(Clone)]
pub(super) struct Workshop {
    pub(super) mounted: Arc<Mounted>,
    pub(super) metrics: Arc<Metrics>,
    /// How long one call may take.
    pub(super) time: Duration,
    /// Calls that are done once, of all sessions.
    pub(super) repeats: Arc<Repeats>,
    /// How long the client may take to read what is sent to it.
    pub(super) write_time: Duration,
    /// Kept by every call, so that a process that shuts down waits for it.
    pub(super) phase: watch::Receiver<Phase>,
}

/// The calls of one session that have not ended. Made when there is one, and dropped when there is none.
#[derive(Default)]
pub(super) struct Calls {
    pub(super) running: JoinSet<(u64, EndedCall)>,
    pub(super) in_flight: InFlight,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
}

/// The calls that have begun and are not answered.
#[derive(Default)]
pub(super) struct InFlight {
    calls: Vec<Running>,
    /// The number of the last call there was.
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
}

/// Most bytes that calls of one session keep while they wait; when there are more, its connection is not read.
const WAITING_BYTES: usize = 1024 * 1024;

impl Calls {
    /// Whether no call is left.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.calls.is_empty() && self.waiting.is_empty()
    }

    /// Whether no more calls are to be taken on for now.
    pub(super) fn is_full(&self, limits: &SessionLimits) -> bool {
        self.waiting.len() >= limits.waiting_calls.max(1) || self.waiting_bytes > WAITING_BYTES
    }

    /// Takes a call on: it runs as soon as the limits and its lane allow.
    pub(super) fn add(&mut self, call: Box<AnyCall>, workshop: &Workshop, limits: &SessionLimits) {
        self.in_flight.last += 1;
        self.waiting_bytes += call.bytes;
        self.waiting.push_back(Waiting { number: self.in_flight.last, call });
        self.start(workshop, limits);
    }

    /// Waits for the next call to end; for ever when none runs.
    pub(super) async fn ended(running: &mut JoinSet<(u64, EndedCall)>) -> (u64, EndedCall) {
        match running.join_next().await {
            Some(Ok(ended)) => ended,
            // a call catches its panics, and nobody aborts it
            Some(Err(_)) | None => std::future::pending().await,
        }
    }

    /// A call has ended and its reply was sent: others may run.
    pub(super) fn finish(&mut self, number: u64, workshop: &Workshop, limits: &SessionLimits) {
        self.in_flight.calls.retain(|call| call.number != number);
        self.start(workshop, limits);
    }

    /// Lets those that run finish, and drops those that wait.
    pub(super) fn leave(mut self) {
        self.running.detach_all();
    }

    fn start(&mut self, workshop: &Workshop, limits: &SessionLimits) {
        let mut busy: HashSet<u64> = self.in_flight.calls.iter().filter_map(|call| call.lane).collect();
        let mut at = 0;
        while at < self.waiting.len() && self.in_flight.calls.len() < limits.running_calls.max(1) {
            // a lane is taken by the first call that waits for it, too
            let is_free = self.waiting[at].call.lane.is_none_or(|lane| busy.insert(lane));
            if is_free && let Some(next) = self.waiting.remove(at) {
                self.run(next, workshop);
            } else {
                at += 1;
            }
        }
    }

    fn run(&mut self, next: Waiting, workshop: &Workshop) {
        let Waiting { number, call } = next;
        self.waiting_bytes -= call.bytes;
        let performing = Arc::new(AtomicBool::new(false));
        self.in_flight.calls.push(Running { number, lane: call.lane, performing: Arc::clone(&performing) });
        let (workshop, phase) = (workshop.clone(), workshop.phase.clone());
        self.running.spawn(async move {
            // the process waits for whoever holds this: let go of last
            let _last = phase;
            run(number, *call, performing, workshop).await
        });
    }
}

impl InFlight {
    /// The number of the last call there was.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Whether one of the calls up to this number may have caused what was committed by now.
    pub(super) fn may_have_caused(&self, upto: u64) -> bool {
        self.calls.iter().any(|call| call.number <= upto && call.performing.load(Ordering::Relaxed))
    }
}

async fn run(number: u64, call: AnyCall, performing: Arc<AtomicBool>, workshop: Workshop) -> (u64, EndedCall) {
    let Workshop { mounted, metrics, time, repeats, .. } = workshop;
    let mut account = Account {
        vendor: mounted.vendor,
        operation: call.operation,
        metrics: mounted.metrics.of(call.operation),
        began: Instant::now(),
        status: None,
        realm: None,
    };
    // carries the id into every line of this call, whatever the level
    let span = tracing::error_span!("call", id = format!("{:016x}", rand::random::<u64>()));
    let turn = call.once.clone().map(|key| repeats.begin(mounted.vendor, key));
    let (work, end) = call.split();
    let (first, work): (_, BoxFuture<'static, Result<FinishedCall, Fault>>) = match turn {
        Some(Turn::Repeated(once)) => {
            // it may have caused something that this session has yet to receive
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
                // the panic hook has told where
                metrics.panics.inc();
                Err(Fault::Broken)
            }
            Err(_) => {
                tracing::warn!("a call took too long; limits.request_ms sets how long it may take");
                Err(Fault::TimedOut)
            }
        }
    });
    let work = REALM.scope(OnceCell::new(), async {
        let result = work.await;
        (result, REALM.with(|realm| realm.get().cloned()))
    });
    let (result, realm) = work.instrument(span.clone()).await;
    if let Some(first) = first {
        first.end(&result);
    }
    if let (Ok(FinishedCall { unread: Some(unread), .. }), Some(operation)) = (&result, account.operation) {
        metrics.unread.count(account.vendor, operation, unread);
    }
    account.status = Some(match &result {
        Ok(FinishedCall { outcome, .. }) => status(*outcome),
        Err(Fault::Malformed) => 400,
        Err(Fault::TooLarge) => 413,
        Err(Fault::TimedOut) => 504,
        Err(Fault::Broken) => 500,
        Err(Fault::Busy) => 503,
    });
    account.realm = realm;
    span.in_scope(|| drop(account));
    (number, end(result))
}

/// The HTTP status an outcome is counted as.
pub(super) fn status(outcome: Outcome) -> u16 {
    match outcome {
        Outcome::Answered => 200,
        Outcome::Refused => 400,
        Outcome::Failed => 500,
    }
}

/// What is logged and counted of a call, once.
struct Account {
    vendor: &'static str,
    operation: Option<&'static str>,
    metrics: Arc<OperationMetrics>,
    began: Instant,
    status: Option<u16>,
    realm: Option<Arc<str>>,
}

impl Drop for Account {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        self.metrics.count(self.status, None, took);
        tracing::info!(
            target: "conclave::call",
            vendor = self.vendor,
            operation = self.operation.unwrap_or(crate::metrics::UNKNOWN),
            status = self.status,
            abandoned = self.status.is_none().then_some(true),
            ms = (took.as_secs_f64() * 1e6).round() / 1e3,
            realm = self.realm.as_deref(),
        );
    }
}
