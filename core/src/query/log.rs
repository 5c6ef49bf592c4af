//! Reading what has happened.

use std::sync::Arc;

use crate::event::Event;
use crate::model::{Key, Millis, Prefix};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::Reader;

/// A page of the realm's log, in order. For the app only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLog {
    /// Go on after this number; 0 is the beginning.
    pub after: u64,
    /// Most events in the page.
    pub limit: usize,
}

/// Events in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Events(pub Vec<Arc<Event>>);

impl ReadLog {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<Events, Refusal> {
        reader.check_app()?;
        let span = Span::first(Prefix::events(), self.limit).after(Some(Key::Event(self.after).encode()));
        let rows = reader.store.scan(&span).await?;
        Ok(Events(rows.iter().filter_map(|(_, row)| row.event().cloned()).collect()))
    }
}

/// Where the realm's log stands at a moment. For the app only.
///
/// Times in the log follow its numbers only as closely as decisions follow each other: look from a little before
/// the moment in question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogAt {
    /// The moment.
    pub at: Millis,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogPlace {
    /// The number of the last event before the moment; 0 when there is none.
    pub before: u64,
    /// The number of the last event there is; 0 when there is none.
    pub last: u64,
}

impl LogAt {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<LogPlace, Refusal> {
        reader.check_app()?;
        let newest = reader.store.scan(&Span::first(Prefix::events(), 1).descending()).await?;
        let Some(newest) = newest.first().and_then(|(_, row)| row.event()) else { return Ok(LogPlace::default()) };
        let last = newest.sequence;
        if newest.at < self.at {
            return Ok(LogPlace { before: last, last });
        }
        // most are asked about recent moments: steps back from the end grow until one is before it
        let (mut low, mut high, mut step) = (0, last, 1_u64);
        while let Some(sequence) = last.checked_sub(step).filter(|sequence| *sequence > 0) {
            if self.first_from(reader, sequence).await?.is_some_and(|event| event.at < self.at) {
                low = sequence;
                break;
            }
            high = sequence;
            step = step.saturating_mul(2);
        }
        // the event at `high` is not before the moment, the one at `low` is
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.first_from(reader, middle).await? {
                Some(event) if event.at < self.at => low = event.sequence.clamp(middle, high - 1),
                _ => high = middle,
            }
        }
        Ok(LogPlace { before: low, last })
    }

    /// The first event of this number or a later one.
    async fn first_from(&self, reader: &Reader<'_>, sequence: u64) -> Result<Option<Arc<Event>>, Refusal> {
        let before = Key::Event(sequence.saturating_sub(1)).encode();
        let rows = reader.store.scan(&Span::first(Prefix::events(), 1).after(Some(before))).await?;
        Ok(rows.first().and_then(|(_, row)| row.event().cloned()))
    }
}
