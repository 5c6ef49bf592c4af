//! Whether anything happens on a connection, so that those that only hold a place are cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::config::Limits;

/// What happens on one connection.
#[derive(Debug)]
pub(crate) struct Activity {
    opened: Instant,
    /// Requests whose headers have come and whose answers are not all handed over.
    requests: AtomicUsize,
    /// When something last happened, in milliseconds since the connection was opened.
    touched: AtomicU64,
}

impl Activity {
    /// Of a connection that was just opened.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { opened: Instant::now(), requests: AtomicUsize::new(0), touched: AtomicU64::new(0) })
    }

    /// Something happened.
    pub(crate) fn touch(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.touched.store(now, Ordering::Relaxed);
    }

    /// A request's headers have come.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.touch();
        InFlight(Arc::clone(self))
    }

    /// When the connection is to be cut off unless something happens before.
    ///
    /// Between requests that is the time headers may take. With requests in flight it is more than the parts of a
    /// request may take each, for those have time-outs of their own and answers to word.
    pub(crate) fn cut_at(&self, limits: &Limits) -> Instant {
        let patience = if self.requests.load(Ordering::Relaxed) == 0 {
            limits.header_time()
        } else {
            limits.request_time().max(limits.body_time()) + Duration::from_secs(5)
        };
        self.opened + Duration::from_millis(self.touched.load(Ordering::Relaxed)) + patience
    }
}

/// A request in flight; dropped when its answer is handed over or given up.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Activity>);

impl InFlight {
    /// Something happened to this request.
    pub(crate) fn touch(&self) {
        self.0.touch();
    }

    /// What happens on the whole connection.
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
