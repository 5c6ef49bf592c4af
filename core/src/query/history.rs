//! The events of a group's history, with its messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::Event;
use crate::model::{Circle, Group, GroupId, Key, Member, Message, Prefix, Row};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::messages::{Messages, Start, own_membership};
use super::{Reader, messages};

/// A page of a group's history by number, latest first: its messages, as [`Messages`] has them, and the events that are
/// part of it, which share the messages' numbers. Members only, and of those only what they may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The group whose history is read.
    pub group: GroupId,
    /// Where to begin, itself included; `None` is the last number there is.
    pub from: Option<u64>,
    /// Most numbers in the page, of which there are fewer where messages are long, as in [`Messages`].
    pub limit: usize,
}

/// What one number of a group's history is.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbered {
    /// A message.
    Message(Arc<Message>),
    /// Events of one call that share the number, in their order; at least one.
    Events(Vec<Arc<Event>>),
}

/// A page of a group's history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    /// The group of the history, as it is now.
    pub group: Arc<Group>,
    /// The numbers and what they are, latest first.
    pub entries: Vec<(u64, Numbered)>,
    /// The number where the next page begins, if there is more.
    pub next: Option<u64>,
}

/// How many events share a number at most: a change of the profile and one of the announcement, or of the owner.
const SHARED: usize = 3;

impl History {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<HistoryPage, Refusal> {
        let group = reader.group_seen_by(&self.group, Circle::Members).await?;
        let own = own_membership(reader, &self.group).await?;
        let start = self.from.map_or(Start::Edge, Start::Sequence);
        // one more than the page has, so that it is known whether there is more
        let limit = self.limit.saturating_add(1);
        let said = Messages { group: self.group.clone(), start, newest_first: true, limit };
        let said = said.answer(reader).await?;
        // long messages end the page early: what is below is for the next one
        let cut = said.next.map(|next| next.saturating_add(1));
        let mut found: BTreeMap<u64, Numbered> =
            said.messages.into_iter().map(|message| (message.sequence, Numbered::Message(message))).collect();
        found.extend(self.events(reader, &group, own.as_deref(), limit).await?);
        found = found.split_off(&cut.unwrap_or_default().max(group.first_message));
        let mut entries: Vec<(u64, Numbered)> = found.into_iter().rev().take(limit).collect();
        let next = entries.get(self.limit).map(|(number, _)| *number).or(said.next);
        entries.truncate(self.limit);
        Ok(HistoryPage { group, entries, next })
    }

    /// The latest events from the first number down, by number: at least so many, if there are.
    async fn events(
        &self,
        reader: &Reader<'_>,
        group: &Group,
        own: Option<&Member>,
        limit: usize,
    ) -> Result<BTreeMap<u64, Numbered>, Refusal> {
        let mut after = self.from.and_then(|from| from.checked_add(1)).map(|first| self.key(first).encode());
        let mut found: BTreeMap<u64, Vec<Arc<Event>>> = BTreeMap::new();
        loop {
            let span = Span {
                prefix: Prefix::history_events(&self.group),
                after: after.take(),
                descending: true,
                skip: 0,
                limit: limit.saturating_mul(SHARED),
            };
            let rows = reader.store.scan(&span).await?;
            let is_last = rows.len() < span.limit;
            let keys: Vec<Key> = rows.iter().filter_map(|(key, _)| event_of(key)).map(Key::Event).collect();
            let events = reader.store.fetch(&keys).await?;
            for event in events.iter().flatten().filter_map(Row::event) {
                let Some(number) = event.number.filter(|_| messages::sees_since(reader, group, own, event.at)) else {
                    continue;
                };
                found.entry(number).or_default().insert(0, event.clone());
            }
            after = rows.last().map(|(key, _)| key.clone());
            // the last number may be incomplete, unless it is beyond the page
            if is_last || found.len() > limit {
                return Ok(found.into_iter().map(|(number, events)| (number, Numbered::Events(events))).collect());
            }
        }
    }

    /// Before the first event of a number, in descending order after all of the number before it.
    fn key(&self, number: u64) -> Key {
        Key::HistoryEvent(self.group.clone(), number, 0)
    }
}

/// The event a key of the history leads to: its number in the log ends the key.
fn event_of(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}
