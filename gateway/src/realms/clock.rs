//! The clock of one realm: the gateway's, until a test freezes it, moves it forward, or changes its pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use conclave_core::model::Millis;
use conclave_core::ports::Clock;
use parking_lot::Mutex;
use tokio::sync::watch;

/// The slowest and the fastest pace, as multiples of real time. A frozen clock has the pace 0.
pub(crate) const PACES: (f64, f64) = (0.001, 10_000.0);

/// A realm's clock. It never runs backwards; while nobody has changed it, reading it costs one more atomic load than
/// reading the gateway's.
pub(crate) struct RealmClock {
    gateway: Arc<dyn Clock>,
    /// Whether it differs from the gateway's.
    changed: AtomicBool,
    state: Mutex<State>,
    /// How often it was changed; followed by whatever waits for a time of this realm.
    changes: watch::Sender<u64>,
}

/// From the moment `since` of the gateway's clock, at which the realm's clock was at `at`.
#[derive(Debug, Clone, Copy)]
struct State {
    at: Millis,
    since: Millis,
    /// Milliseconds of the realm in one millisecond of the gateway; 0 while frozen.
    pace: f64,
    /// The pace that a frozen clock continues with.
    resumed: f64,
}

/// What a realm's clock shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    pub(crate) now: Millis,
    pub(crate) frozen: bool,
    pub(crate) pace: f64,
    /// Whether it was ever changed.
    pub(crate) controlled: bool,
}

/// The time that was to be set is over already; time does not run backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backwards {
    pub(crate) now: Millis,
}

impl RealmClock {
    /// The gateway's clock.
    pub(crate) fn new(gateway: Arc<dyn Clock>) -> Self {
        let state = State { at: Millis(0), since: Millis(0), pace: 1.0, resumed: 1.0 };
        Self { gateway, changed: AtomicBool::new(false), state: Mutex::new(state), changes: watch::Sender::new(0) }
    }

    /// What it shows.
    pub(crate) fn reading(&self) -> Reading {
        if !self.changed.load(Ordering::Acquire) {
            return Reading { now: self.gateway.now(), frozen: false, pace: 1.0, controlled: false };
        }
        let state = self.state.lock();
        let now = state.now(self.gateway.now());
        Reading { now, frozen: state.pace == 0.0, pace: state.resumed, controlled: true }
    }

    /// Stops it at its present time.
    pub(crate) fn freeze(&self) -> Reading {
        self.change(|state| state.pace = 0.0)
    }

    /// Lets a frozen clock continue, from its present time.
    pub(crate) fn resume(&self) -> Reading {
        self.change(|state| state.pace = state.resumed)
    }

    /// Sets it to a time that is not in the past.
    ///
    /// # Errors
    /// The time is in the past.
    pub(crate) fn set(&self, to: Millis) -> Result<Reading, Backwards> {
        self.set_and(to, |_| {})
    }

    /// Stops it at a time that is not in the past, in one step: no time passes in between.
    ///
    /// # Errors
    /// The time is in the past.
    pub(crate) fn freeze_at(&self, to: Millis) -> Result<Reading, Backwards> {
        self.set_and(to, |state| state.pace = 0.0)
    }

    fn set_and(&self, to: Millis, change: impl FnOnce(&mut State)) -> Result<Reading, Backwards> {
        let mut backwards = None;
        let reading = self.change(|state| {
            if to < state.at {
                backwards = Some(Backwards { now: state.at });
            } else {
                state.at = to;
                change(state);
            }
        });
        backwards.map_or(Ok(reading), Err)
    }

    /// Moves it forward.
    pub(crate) fn advance(&self, by: Duration) -> Reading {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.change(|state| state.at = Millis(state.at.0.saturating_add(by)))
    }

    /// Sets its pace, within [`PACES`]. A frozen clock stays frozen, and continues with it.
    pub(crate) fn scale(&self, pace: f64) -> Reading {
        let pace = pace.clamp(PACES.0, PACES.1);
        self.change(|state| {
            state.resumed = pace;
            if state.pace != 0.0 {
                state.pace = pace;
            }
        })
    }

    /// Follows changes of the clock. The number of changes so far is the value.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How long it takes until the clock shows a time, if it is not changed before; `None` while it is frozen.
    pub(crate) fn real_time_until(&self, at: Millis) -> Option<Duration> {
        let Reading { now, frozen, pace, .. } = self.reading();
        let ahead = at.0.saturating_sub(now.0);
        match (ahead, frozen) {
            (0, _) => Some(Duration::ZERO),
            (_, true) => None,
            // rounded up, so that the time is reached then
            (ahead, false) => Some(Duration::from_millis(ahead).div_f64(pace) + Duration::from_millis(1)),
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> Reading {
        let mut state = self.state.lock();
        let gateway = self.gateway.now();
        // from here on the clock has its own time, which begins at the present one
        let at = if self.changed.load(Ordering::Acquire) { state.now(gateway) } else { gateway };
        (state.at, state.since) = (at, gateway);
        change(&mut state);
        let reading = Reading { now: state.at, frozen: state.pace == 0.0, pace: state.resumed, controlled: true };
        self.changed.store(true, Ordering::Release);
        drop(state);
        self.changes.send_modify(|changes| *changes += 1);
        reading
    }
}

impl State {
    fn now(&self, gateway: Millis) -> Millis {
        let passed = gateway.0.saturating_sub(self.since.0);
        let passed = scaled(passed, self.pace);
        Millis(self.at.0.saturating_add(passed))
    }
}

/// Grows with the time that has passed, so that a clock with any pace never runs backwards.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "2^52 milliseconds are 142,000 years, and a pace is positive"
)]
fn scaled(passed: u64, pace: f64) -> u64 {
    (passed as f64 * pace) as u64
}

impl Clock for RealmClock {
    fn now(&self) -> Millis {
        if self.changed.load(Ordering::Acquire) { self.reading().now } else { self.gateway.now() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Hand {
        fn pass(&self, millis: u64) {
            self.0.fetch_add(millis, Ordering::SeqCst);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Millis {
            Millis(1000 + self.0.load(Ordering::SeqCst))
        }
    }

    fn clock() -> (Arc<Hand>, RealmClock) {
        let hand = Arc::new(Hand::default());
        (hand.clone(), RealmClock::new(hand))
    }

    #[test]
    fn it_is_the_gateways_until_it_is_changed() {
        let (hand, clock) = clock();
        hand.pass(7);
        assert_eq!(clock.now(), Millis(1007));
        assert!(!clock.reading().controlled);
        clock.freeze();
        hand.pass(100);
        assert_eq!((clock.now(), clock.reading().frozen), (Millis(1007), true));
        clock.advance(Duration::from_mins(1));
        assert_eq!(clock.now(), Millis(61_007));
        clock.resume();
        hand.pass(3);
        assert_eq!(clock.now(), Millis(61_010));
    }

    #[test]
    fn it_only_moves_forward() {
        let (hand, clock) = clock();
        clock.set(Millis(5000)).unwrap();
        hand.pass(10);
        assert_eq!(clock.set(Millis(5009)), Err(Backwards { now: Millis(5010) }));
        assert_eq!(clock.set(Millis(5010)).unwrap().now, Millis(5010));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Millis(u64::MAX));
    }

    #[test]
    fn a_pace_changes_from_now_on() {
        let (hand, clock) = clock();
        clock.scale(60.0);
        hand.pass(1000);
        assert_eq!(clock.now(), Millis(61_000));
        assert_eq!(clock.real_time_until(Millis(121_000)), Some(Duration::from_millis(1001)));
        clock.scale(0.5);
        hand.pass(1000);
        assert_eq!(clock.now(), Millis(61_500));
        clock.freeze();
        assert_eq!(clock.real_time_until(Millis(70_000)), None);
        assert_eq!(clock.real_time_until(Millis(61_500)), Some(Duration::ZERO));
        clock.resume();
        hand.pass(1000);
        assert_eq!((clock.now(), clock.scale(0.0).pace), (Millis(62_000), PACES.0));
    }

    #[test]
    fn changes_are_counted() {
        let (_, clock) = clock();
        let changes = clock.subscribe();
        clock.freeze();
        clock.advance(Duration::from_millis(1));
        assert_eq!(*changes.borrow(), 2);
    }
}
