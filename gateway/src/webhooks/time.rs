//! The time of a realm's webhooks, and whether everything that was due by now is done.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use conclave_core::model::Millis;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::realms::clock::RealmClock;

/// The time by which retries are due: the process's own, or that of the realm's clock once a test has changed it.
pub(super) struct Time {
    /// The wall-clock time at the start.
    begun: Millis,
    since: Instant,
    clock: Option<(Arc<RealmClock>, watch::Receiver<u64>)>,
}

impl Time {
    /// With the realm's clock, if it has one that can be changed.
    pub(super) fn new(clock: Option<Arc<RealmClock>>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = clock.map(|clock| {
            let changes = clock.subscribe();
            (clock, changes)
        });
        Self { begun: millis(now), since: Instant::now(), clock }
    }

    /// Now.
    pub(super) fn now(&self) -> Millis {
        match self.changed_clock() {
            Some(clock) => clock.reading().now,
            None => self.begun.plus(millis(self.since.elapsed()).0),
        }
    }

    /// How long it takes until then; `None` while the realm's clock is frozen.
    pub(super) fn until(&self, due: Millis) -> Option<Duration> {
        match self.changed_clock() {
            Some(clock) => clock.real_time_until(due),
            None => Some(Duration::from_millis(due.0.saturating_sub(self.now().0))),
        }
    }

    /// Waits for the realm's clock to be changed. Cancel-safe.
    pub(super) async fn changed(&mut self) {
        let changed = match &mut self.clock {
            Some((_, changes)) => changes.changed().await.is_ok(),
            None => false,
        };
        if !changed {
            // there is no clock that could be
            std::future::pending::<()>().await;
        }
    }

    /// How many changes of the clock are taken into account.
    pub(super) fn changes(&mut self) -> u64 {
        self.clock.as_mut().map_or(0, |(_, changes)| *changes.borrow_and_update())
    }

    /// Waits until then, or until the realm's clock is changed.
    pub(super) async fn reached_or_changed(&mut self, due: Millis) {
        let left = self.until(due);
        let passed = async {
            match left {
                Some(left) => sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = passed => {}
            () = self.changed() => {}
        }
    }

    fn changed_clock(&self) -> Option<&RealmClock> {
        self.clock.as_ref().map(|(clock, _)| &**clock).filter(|clock| clock.reading().controlled)
    }
}

pub(super) fn millis(duration: Duration) -> Millis {
    Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// How far a courier or notifier is, for those who wait until everything that is due is done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DeliveryState {
    /// The changes of the realm's clock that it has taken into account.
    pub(super) changes: u64,
    /// The last event that it has read.
    pub(super) through: u64,
    /// The last event up to which everything was delivered or given up.
    pub(super) finished: u64,
    /// Whether it sends, or is about to.
    pub(super) busy: bool,
    /// Whether it has nothing left to send, now or later.
    pub(super) idle: bool,
}

impl DeliveryState {
    /// The last event up to which it needs none of the log any more.
    pub(crate) fn finished(&self) -> u64 {
        self.finished
    }

    /// Whether everything is done that was due when the clock had been changed so often and the log had this last event.
    pub(crate) fn is_settled(&self, changes: u64, last: u64) -> bool {
        !self.busy && self.through >= last && (self.idle || self.changes >= changes)
    }
}
