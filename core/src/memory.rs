//! The store in memory: for tests, and for gateways that keep no data.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use parking_lot::RwLock;

use crate::model::{Key, Prefix, Row};
use crate::ports::{Batch, Change, CommitError, Span, Store, StoreError};

type Table = BTreeMap<Vec<u8>, Row>;

#[derive(Default)]
struct State {
    /// A tree for each first byte of keys: small ones are searched sooner, and no run crosses from one to another.
    tables: Vec<Table>,
    sequence: u64,
}

impl State {
    fn table(&self, tag: u8) -> Option<&Table> {
        self.tables.get(usize::from(tag))
    }

    fn table_mut(&mut self, tag: u8) -> &mut Table {
        let at = usize::from(tag);
        if self.tables.len() <= at {
            self.tables.resize_with(at + 1, Table::new);
        }
        &mut self.tables[at]
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
}

#[async_trait]
impl Store for Memory {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let state = self.state.read();
        Ok(keys.iter().map(|key| state.get(&key.encode()).cloned()).collect())
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let state = self.state.read();
        let Some(bounds) = bounds(span) else { return Ok(Vec::new()) };
        let Some(table) = state.table(tag(span.prefix.as_bytes())) else { return Ok(Vec::new()) };
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
