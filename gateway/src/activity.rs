//! Activity of a connection, so that idle connections are closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::config::Limits;

/// The activity of one connection.
#[derive(Debug)]
pub(crate) struct Activity {
    opened: Instant,
    /// Requests whose headers have arrived and whose responses are not completely written.
    requests: AtomicUsize,
    /// The time of the last activity, in milliseconds since the connection was opened.
    touched: AtomicU64,
}

impl Activity {
    /// For a connection that was just opened.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { opened: Instant::now(), requests: AtomicUsize::new(0), touched: AtomicU64::new(0) })
    }

    /// Records activity.
    pub(crate) fn touch(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.touched.store(now, Ordering::Relaxed);
    }

    /// Whether there was a request. One within the connection's first millisecond may be missed.
    pub(crate) fn has_begun(&self) -> bool {
        self.touched.load(Ordering::Relaxed) > 0 || self.requests.load(Ordering::Relaxed) > 0
    }

    /// Begins a request whose headers have arrived.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.touch();
        InFlight(Arc::clone(self))
    }

    /// When the connection is closed unless there is activity before.
    ///
    /// Between requests that is the timeout for headers. With requests in flight it is longer than the timeouts for the
    /// parts of a request, which have error responses of their own.
    pub(crate) fn cut_at(&self, limits: &Limits) -> Instant {
        let patience = if self.requests.load(Ordering::Relaxed) == 0 {
            limits.header_time()
        } else {
            limits.request_time().max(limits.body_time()) + Duration::from_secs(5)
        };
        self.opened + Duration::from_millis(self.touched.load(Ordering::Relaxed)) + patience
    }
}

/// A request in flight; dropped when its response has been written or abandoned.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Activity>);

impl InFlight {
    /// Records activity of this request.
    pub(crate) fn touch(&self) {
        self.0.touch();
    }

    /// The activity of the whole connection.
    pub(crate) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.0)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.touch();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}
