//! The log of a realm: its events in the order of their numbers, and a signal for new ones.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::event::Event;
use crate::model::{Key, Millis, Prefix};
use crate::ports::{Batch, CommitError, Log, LogPosition, Span, Store, StoreError};
use crate::refusal::Refusal;

/// A log whose events are rows of a store.
///
/// [`crate::engine::Engine`] has one for its own commits. A backend whose changes arrive from elsewhere (another
/// vendor's cloud, for example) records them in one of its own.
pub struct EventLog {
    store: Arc<dyn Store>,
    signal: Signal,
}

impl EventLog {
    /// The log in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, signal: Signal::new() }
    }

    /// Wakes the subscribers of the log.
    pub(crate) fn signal(&self) -> &Signal {
        &self.signal
    }

    /// The first event of this number or a later one.
    async fn first_from(&self, sequence: u64) -> Result<Option<Arc<Event>>, StoreError> {
        let before = Key::Event(sequence.saturating_sub(1)).encode();
        let rows = self.store.scan(&Span::first(Prefix::events(), 1).after(Some(before))).await?;
        Ok(rows.first().and_then(|(_, row)| row.event().cloned()))
    }

    async fn newest(&self) -> Result<Option<Arc<Event>>, StoreError> {
        let rows = self.store.scan(&Span::first(Prefix::events(), 1).descending()).await?;
        Ok(rows.first().and_then(|(_, row)| row.event().cloned()))
    }
}

#[async_trait]
impl Log for EventLog {
    async fn read(&self, after: u64, limit: usize) -> Result<Vec<Arc<Event>>, Refusal> {
        let span = Span::first(Prefix::events(), limit).after(Some(Key::Event(after).encode()));
        let rows = self.store.scan(&span).await?;
        Ok(rows.iter().filter_map(|(_, row)| row.event().cloned()).collect())
    }

    async fn last(&self) -> Result<u64, Refusal> {
        Ok(self.newest().await?.map_or(0, |event| event.sequence))
    }

    async fn position_at(&self, at: Millis) -> Result<LogPosition, Refusal> {
        let Some(newest) = self.newest().await? else { return Ok(LogPosition::default()) };
        let last = newest.sequence;
        if newest.at < at {
            return Ok(LogPosition { before: last, last });
        }
        // most callers ask about recent times: go back from the end in doubling steps, until an event is before the
        // time
        let (mut low, mut high, mut step) = (0, last, 1_u64);
        while let Some(sequence) = last.checked_sub(step).filter(|sequence| *sequence > 0) {
            if self.first_from(sequence).await?.is_some_and(|event| event.at < at) {
                low = sequence;
                break;
            }
            high = sequence;
            step = step.saturating_mul(2);
        }
        // the event at `high` is not before the time, the one at `low` is
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.first_from(middle).await? {
                Some(event) if event.at < at => low = event.sequence.clamp(middle, high - 1),
                _ => high = middle,
            }
        }
        Ok(LogPosition { before: low, last })
    }

    async fn record(&self, mut events: Vec<Event>) -> Result<u64, Refusal> {
        if events.is_empty() {
            return self.last().await;
        }
        Event::mark_call(&mut events);
        let _notifies = self.signal.notify_on_drop();
        let batch = Batch { events, ..Batch::default() };
        self.store.commit(batch).await.map_err(|error| match error {
            CommitError::Failed(error) => error.into(),
            // nothing is guarded, so nothing can be in conflict
            CommitError::Conflict => Refusal::Unavailable(error.to_string()),
        })
    }

    fn subscribe(&self) -> Subscription {
        self.signal.subscribe()
    }
}

/// Wakes everybody who follows a log. Signals that arrive while a follower is busy are merged into one.
#[derive(Debug, Clone)]
pub struct Signal(watch::Sender<()>);

impl Signal {
    /// A signal without subscribers.
    pub fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Wakes all subscribers.
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// Waits for signals given from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription(self.0.subscribe())
    }

    /// Notifies when the returned value is dropped: also when a caller gives up on a commit that is under way.
    pub fn notify_on_drop(&self) -> impl Drop + use<'_> {
        struct OnDrop<'a>(&'a Signal);
        impl Drop for OnDrop<'_> {
            fn drop(&mut self) {
                self.0.notify();
            }
        }
        OnDrop(self)
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits for the signals of one log.
#[derive(Debug)]
pub struct Subscription(watch::Receiver<()>);

impl Subscription {
    /// Returns once events may have been appended since this was last called, or since subscribing. Cancel-safe.
    ///
    /// `false` when the log is closed: there will be no further signal.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}
