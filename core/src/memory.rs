//! The store that lives in memory: for tests, and for whoever wants nothing kept.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use parking_lot::RwLock;

use crate::model::{Key, Prefix, Row};
use crate::ports::{Batch, Change, CommitError, Span, Store, StoreError};

#[derive(Default)]
struct State {
    rows: BTreeMap<Vec<u8>, Row>,
    sequence: u64,
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
        Ok(keys.iter().map(|key| state.rows.get(&key.encode()).cloned()).collect())
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let state = self.state.read();
        let Some(bounds) = bounds(span) else { return Ok(Vec::new()) };
        let rows = state.rows.range::<[u8], _>((as_slice(&bounds.0), as_slice(&bounds.1)));
        let page = |(key, row): (&Vec<u8>, &Row)| (key.clone(), row.clone());
        Ok(if span.descending {
            rows.rev().skip(span.skip).take(span.limit).map(page).collect()
        } else {
            rows.skip(span.skip).take(span.limit).map(page).collect()
        })
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        let state = self.state.read();
        Ok(state.rows.range(prefix.as_bytes().to_vec()..prefix.end()).count())
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        let mut state = self.state.write();
        for guard in &batch.guards {
            let found = state.rows.get(&guard.key.encode());
            if found.and_then(Row::revision) != guard.seen {
                return Err(CommitError::Conflict);
            }
        }
        for run in &batch.runs {
            if state.rows.range(run.prefix.as_bytes().to_vec()..run.prefix.end()).count() != run.rows {
                return Err(CommitError::Conflict);
            }
        }
        for change in batch.changes {
            match change {
                Change::Put(key, row) => state.rows.insert(key.encode(), row),
                Change::Delete(key) => state.rows.remove(&key.encode()),
            };
        }
        for mut event in batch.events {
            state.sequence += 1;
            event.sequence = state.sequence;
            for (key, row) in event.filed() {
                state.rows.insert(key.encode(), row);
            }
        }
        Ok(state.sequence)
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
