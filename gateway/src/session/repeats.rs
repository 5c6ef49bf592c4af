//! Calls that are performed once, however often a client repeats them over new connections.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave_kit::{Fault, FinishedCall};
use parking_lot::Mutex;
use tokio::sync::watch;

/// How long the reply of a call is kept for a client that repeats it: longer than clients retry.
const KEPT: Duration = Duration::from_mins(2);
/// Most calls that are kept; the oldest are dropped first.
const MOST: usize = 10_000;

/// The vendor, and its key for identical requests.
type Key = (&'static str, String);

/// The calls of all sessions that are performed once.
#[derive(Default)]
pub(super) struct Repeats(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    calls: HashMap<Key, Arc<Once>>,
    /// In the order of their start.
    ages: VecDeque<(Instant, Key, Arc<Once>)>,
}

/// A call that is performed once.
pub(super) struct Once {
    /// Set when the call has ended.
    result: Mutex<Option<FinishedCall>>,
    ended: watch::Sender<bool>,
}

/// Whether a call is the first of its kind.
pub(super) enum Turn {
    /// It is, and is performed now.
    First(First),
    /// It repeats a call that is in progress or done.
    Repeated(Arc<Once>),
}

impl Repeats {
    /// Begins a call.
    pub(super) fn begin(self: &Arc<Self>, vendor: &'static str, key: String) -> Turn {
        let key = (vendor, key);
        let now = Instant::now();
        let mut kept = self.0.lock();
        kept.forget(now);
        if let Some(once) = kept.calls.get(&key) {
            return Turn::Repeated(Arc::clone(once));
        }
        let once = Arc::new(Once { result: Mutex::new(None), ended: watch::Sender::new(false) });
        kept.calls.insert(key.clone(), Arc::clone(&once));
        kept.ages.push_back((now, key.clone(), Arc::clone(&once)));
        Turn::First(First { repeats: Arc::clone(self), key, once, is_done: false })
    }
}

impl Kept {
    fn forget(&mut self, now: Instant) {
        while let Some((began, key, once)) = self.ages.front() {
            if self.ages.len() < MOST && now.duration_since(*began) < KEPT {
                return;
            }
            // it may have been replaced by a later one
            if self.calls.get(key).is_some_and(|kept| Arc::ptr_eq(kept, once)) {
                self.calls.remove(key);
            }
            self.ages.pop_front();
        }
    }
}

/// The first call of its kind. If it is dropped without an end, it may be performed again.
pub(super) struct First {
    repeats: Arc<Repeats>,
    key: Key,
    once: Arc<Once>,
    is_done: bool,
}

impl First {
    /// Ends the call. One that failed on this side may be performed again.
    pub(super) fn end(mut self, result: &Result<FinishedCall, Fault>) {
        if let Ok(finished) = result
            && let Some(copy) = finished.copy()
        {
            *self.once.result.lock() = Some(copy);
            self.is_done = true;
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if !self.is_done {
            let mut kept = self.repeats.0.lock();
            if kept.calls.get(&self.key).is_some_and(|kept| Arc::ptr_eq(kept, &self.once)) {
                kept.calls.remove(&self.key);
            }
        }
        self.once.ended.send_replace(true);
    }
}

impl Once {
    /// Waits for the end of the repeated call.
    pub(super) async fn ended(&self) -> Result<FinishedCall, Fault> {
        let mut ended = self.ended.subscribe();
        if ended.wait_for(|ended| *ended).await.is_err() {
            return Err(Fault::Broken);
        }
        self.result.lock().as_ref().and_then(FinishedCall::copy).ok_or(Fault::Broken)
    }
}
