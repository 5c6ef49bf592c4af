//! The store in memory: for tests, and for gateways that keep no data.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;

use crate::model::{GroupId, Key, Prefix, Row};
use crate::ports::{Batch, Change, CommitError, Span, Store, StoreError};

type Table = BTreeMap<Vec<u8>, Row>;

/// Capacity in which most keys fit.
const KEY_BYTES: usize = 64;

/// All rows of a realm at one moment. Taking, keeping and restoring one copies no rows: the tables are shared until one
/// of them is written.
#[derive(Clone, Default)]
pub struct Snapshot(State);

impl Snapshot {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.0.tables.iter().map(|table| table.len()).sum()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows, in the order of their keys.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &Row)> {
        self.0.tables.iter().flat_map(|table| table.iter().map(|(key, row)| (key.as_slice(), row)))
    }

    /// These rows. The realm's next event follows the last one among them.
    pub fn of(rows: impl IntoIterator<Item = (Vec<u8>, Row)>) -> Self {
        let mut state = State::default();
        for (key, row) in rows {
            if let Some(event) = row.event() {
                state.sequence = state.sequence.max(event.sequence);
            }
            state.put(key, row);
        }
        Self(state)
    }

    /// The same rows without those of one group: as if it had never existed.
    #[must_use]
    pub fn without_group(&self, group: &GroupId) -> Self {
        let is_events = |row: &Row| row.event().is_some_and(|event| event.group.as_ref() == Some(group));
        let events: HashSet<u64> =
            self.rows().filter(|(_, row)| is_events(row)).filter_map(|(_, row)| Some(row.event()?.sequence)).collect();
        let mut state = self.0.clone();
        for table in &mut state.tables {
            let is_of_group = |key: &[u8], row: &Row| {
                let of_row = match row {
                    Row::ToMessage(message) => message.0 == *group,
                    Row::ToGroup(other) => **other == *group,
                    row => is_events(row),
                };
                let of_key = || match Key::decode(key) {
                    Some(Key::UserFeed(_, event)) => events.contains(&event),
                    key => key.as_ref().and_then(Key::group) == Some(group),
                };
                of_row || of_key()
            };
            if table.iter().any(|(key, row)| is_of_group(key, row)) {
                Arc::make_mut(table).retain(|key, row| !is_of_group(key, row));
            }
        }
        Self(state)
    }
}

#[derive(Clone, Default)]
struct State {
    /// A tree for each first byte of keys: small ones are searched sooner, and no run crosses from one to another.
    /// Shared with snapshots.
    tables: Vec<Arc<Table>>,
    sequence: u64,
}

impl State {
    fn table(&self, tag: u8) -> Option<&Table> {
        self.tables.get(usize::from(tag)).map(|table| &**table)
    }

    fn table_mut(&mut self, tag: u8) -> &mut Table {
        let at = usize::from(tag);
        if self.tables.len() <= at {
            self.tables.resize_with(at + 1, Arc::default);
        }
        Arc::make_mut(&mut self.tables[at])
    }

    fn get(&self, key: &[u8]) -> Option<&Row> {
        self.table(tag(key))?.get(key)
    }

    fn put(&mut self, key: Vec<u8>, row: Row) {
        self.table_mut(tag(&key)).insert(key, row);
    }

    fn count(&self, prefix: &Prefix) -> usize {
        let Some(table) = self.table(tag(prefix.as_bytes())) else { return 0 };
        table.range(prefix.as_bytes().to_vec()..prefix.end()).count()
    }
}

/// The first byte of a key or prefix: the table it belongs to.
fn tag(key: &[u8]) -> u8 {
    key.first().copied().unwrap_or_default()
}

/// Rows of one realm in memory. Nothing outlives the process.
#[derive(Default)]
pub struct Memory {
    state: RwLock<State>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// All rows at this moment.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.state.read().clone())
    }

    /// Replaces all rows by those that are made of the present ones, in one moment. Nobody is notified, as with
    /// [`Self::restore`].
    pub fn update(&self, make: impl FnOnce(&Snapshot) -> Snapshot) {
        let mut state = self.state.write();
        let after = make(&Snapshot(state.clone()));
        *state = after.0;
    }

    /// Replaces all rows by those of a snapshot, in one moment. Nobody is notified: everything that follows the log of the
    /// realm starts again.
    pub fn restore(&self, snapshot: &Snapshot) {
        *self.state.write() = snapshot.0.clone();
    }
}

#[async_trait]
impl Store for Memory {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let state = self.state.read();
        let mut bytes = Vec::with_capacity(KEY_BYTES);
        let row = |key: &Key| {
            let table = state.table(key.tag()).filter(|table| !table.is_empty())?;
            bytes.clear();
            key.encode_into(&mut bytes);
            table.get(&bytes).cloned()
        };
        Ok(keys.iter().map(row).collect())
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let state = self.state.read();
        let table = state.table(tag(span.prefix.as_bytes())).filter(|table| !table.is_empty());
        let Some(table) = table else { return Ok(Vec::new()) };
        let Some(bounds) = bounds(span) else { return Ok(Vec::new()) };
        let rows = table.range::<[u8], _>((as_slice(&bounds.0), as_slice(&bounds.1)));
        let page = |(key, row): (&Vec<u8>, &Row)| (key.clone(), row.clone());
        Ok(if span.descending {
            rows.rev().skip(span.skip).take(span.limit).map(page).collect()
        } else {
            rows.skip(span.skip).take(span.limit).map(page).collect()
        })
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        Ok(self.state.read().count(prefix))
    }

    async fn last_keys(&self, prefixes: &[Prefix]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let state = self.state.read();
        let last = |prefix: &Prefix| {
            let table = state.table(tag(prefix.as_bytes()))?;
            table.range(prefix.as_bytes().to_vec()..prefix.end()).next_back().map(|(key, _)| key.clone())
        };
        Ok(prefixes.iter().map(last).collect())
    }

    async fn last_sequence(&self) -> Result<u64, StoreError> {
        Ok(self.state.read().sequence)
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        // keys are written before anybody has to wait
        let guards: Vec<_> = batch.guards.iter().map(|guard| (guard.key.encode(), guard.seen)).collect();
        let changes: Vec<_> = batch.changes.into_iter().map(encoded).collect();
        let mut state = self.state.write();
        for (key, seen) in &guards {
            if state.get(key).and_then(Row::revision) != *seen {
                return Err(CommitError::Conflict);
            }
        }
        for run in &batch.runs {
            if state.count(&run.prefix) != run.rows {
                return Err(CommitError::Conflict);
            }
        }
        for (key, row) in changes {
            match row {
                Some(row) => state.put(key, row),
                None => drop(state.table_mut(tag(&key)).remove(&key)),
            }
        }
        for mut event in batch.events {
            state.sequence += 1;
            event.sequence = state.sequence;
            for (key, row) in event.filed() {
                state.put(key.encode(), row);
            }
        }
        Ok(state.sequence)
    }
}

/// The key of a change, and its new row, if any.
fn encoded(change: Change) -> (Vec<u8>, Option<Row>) {
    match change {
        Change::Put(key, row) => (key.encode(), Some(row)),
        Change::Delete(key) => (key.encode(), None),
    }
}

type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The byte range a span reads; `None` when it is empty.
pub fn bounds(span: &Span) -> Option<Bounds> {
    let begin = span.prefix.as_bytes().to_vec();
    let end = span.prefix.end();
    let (low, high) = match (&span.after, span.descending) {
        (None, _) => (Bound::Included(begin), Bound::Excluded(end)),
        (Some(after), false) if *after < begin => (Bound::Included(begin), Bound::Excluded(end)),
        (Some(after), false) => (Bound::Excluded(after.clone()), Bound::Excluded(end)),
        (Some(after), true) if *after >= end => (Bound::Included(begin), Bound::Excluded(end)),
        (Some(after), true) => (Bound::Included(begin), Bound::Excluded(after.clone())),
    };
    let empty = match (&low, &high) {
        (Bound::Included(low) | Bound::Excluded(low), Bound::Excluded(high)) => low >= high,
        _ => false,
    };
    (!empty).then_some((low, high))
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(bytes) => Bound::Included(bytes),
        Bound::Excluded(bytes) => Bound::Excluded(bytes),
        Bound::Unbounded => Bound::Unbounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_and_restoring_a_snapshot_copies_no_rows() {
        let memory = Memory::new();
        let rows = (0..1000_u32).map(|number| ([&[1][..], &number.to_be_bytes()].concat(), Row::Mark));
        memory.restore(&Snapshot::of(rows));
        let taken = memory.snapshot();
        assert_eq!(taken.len(), 1000);
        memory.restore(&Snapshot::default());
        memory.restore(&taken);
        let tables = memory.snapshot().0.tables;
        assert!(tables.iter().zip(&taken.0.tables).all(|(now, then)| Arc::ptr_eq(now, then)));
    }
}
