//! All queues of one user together.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::event::Event;
use crate::model::{Key, Millis, Prefix, Row, UserId};
use crate::refusal::Refusal;

use super::Reader;
use super::queues::{Run, joined, number, own_run};

/// What one user receives, in order: of the groups they are in, since they joined, and what names them. Users read
/// their own only. What clients are not notified of is not in it.
///
/// Group-wide events of a group the user has left since are not included; their leaving is. Of a group without events
/// after the number, only the key of the last event is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Whose queues are read.
    pub user: UserId,
    /// Go on after this number; 0 is the beginning.
    pub after: u64,
    /// Most events looked at; the page may hold fewer.
    pub limit: usize,
}

/// Events in order.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The events.
    pub events: Vec<Arc<Event>>,
    /// The number after which the next page begins, also if there are no more events yet.
    pub last: u64,
    /// Whether there is more now.
    pub more: bool,
}

impl Feed {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<FeedPage, Refusal> {
        super::personal::check_self(reader, &self.user)?;
        let mut runs = vec![own_run(reader, &self.user).await?];
        runs.extend(self.waiting(reader).await?);
        let wanted = self.limit.saturating_add(1);
        let mut found = BTreeSet::new();
        for run in runs {
            let numbers = run.numbers(reader, self.after.max(run.from), wanted).await?;
            found.extend(numbers.into_iter().map(|number| (number, run.since)));
        }
        self.page(reader, found).await
    }

    /// The queues of groups in which there is something after the number.
    async fn waiting(&self, reader: &Reader<'_>) -> Result<Vec<Run>, Refusal> {
        let groups = joined(reader, &self.user).await?;
        let prefixes: Vec<Prefix> = groups.iter().map(Prefix::group_feed).collect();
        let ends = reader.store.last_keys(&prefixes).await?;
        let has_more = |end: &Option<Vec<u8>>| end.as_deref().and_then(number).is_some_and(|end| end > self.after);
        let waiting = groups.into_iter().zip(ends).filter(|(_, end)| has_more(end));
        let keys: Vec<Key> = waiting.map(|(group, _)| Key::Member(group, self.user.clone())).collect();
        let rows = reader.store.fetch(&keys).await?;
        Ok(rows.iter().flatten().filter_map(Row::member).map(|member| Run::of_group(member)).collect())
    }

    /// `found` has numbers of events, each with the time from which its queue counts.
    async fn page(&self, reader: &Reader<'_>, found: BTreeSet<(u64, Millis)>) -> Result<FeedPage, Refusal> {
        let mut numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
        numbers.dedup();
        let more = numbers.len() > self.limit;
        numbers.truncate(self.limit);
        let last = numbers.last().copied().unwrap_or(self.after);
        let keys: Vec<Key> = numbers.into_iter().map(Key::Event).collect();
        let rows = reader.store.fetch(&keys).await?;
        let counts = |event: &Event| {
            let queues = found.range((event.sequence, Millis(0))..=(event.sequence, Millis(u64::MAX)));
            queues.into_iter().any(|(_, since)| event.at >= *since)
        };
        let events = rows.iter().flatten().filter_map(Row::event);
        let events = events.filter(|event| event.is_queued() && counts(event)).cloned().collect();
        Ok(FeedPage { events, last, more })
    }
}
