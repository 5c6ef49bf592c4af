//! Answers of one moment, put together from rows that are read one after another.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bounds::{QUERY_BYTES, row_bytes};
use crate::model::{Group, GroupId, Key, Prefix, Row};
use crate::ports::{Span, Store, StoreError};
use crate::refusal::Refusal;

/// Most rows that are read at a time; what a query reads up to this number is not measured.
const CHUNK: usize = 512;

/// What a query reads from. Counts how often the store is asked, bounds what is read altogether, and remembers the
/// headers that the answer rests on.
pub(crate) struct Source<'a> {
    store: &'a dyn Store,
    calls: AtomicU32,
    /// How many rows were read.
    rows: AtomicUsize,
    /// The bytes of those after the first [`CHUNK`].
    bytes: AtomicUsize,
    headers: Mutex<Vec<(GroupId, Arc<Group>)>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        Self {
            store,
            calls: AtomicU32::new(0),
            rows: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            headers: Mutex::default(),
        }
    }

    pub(crate) async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Refusal> {
        if keys.len() <= CHUNK {
            return self.fetch_chunk(keys).await;
        }
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(CHUNK) {
            found.extend(self.fetch_chunk(keys).await?);
        }
        Ok(found)
    }

    async fn fetch_chunk(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let rows = self.store.fetch(keys).await?;
        self.measure(rows.len(), rows.iter().flatten())?;
        Ok(rows)
    }

    pub(crate) async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, Refusal> {
        if span.limit <= CHUNK {
            return self.scan_chunk(span).await;
        }
        let mut found: Vec<(Vec<u8>, Row)> = Vec::new();
        let mut next = span.clone();
        loop {
            next.limit = (span.limit - found.len()).min(CHUNK);
            let rows = self.scan_chunk(&next).await?;
            let is_last = rows.len() < next.limit;
            found.extend(rows);
            if is_last || found.len() == span.limit {
                return Ok(found);
            }
            next.skip = 0;
            next.after = found.last().map(|(key, _)| key.clone());
        }
    }

    async fn scan_chunk(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let rows = self.store.scan(span).await?;
        self.measure(rows.len(), rows.iter().map(|(_, row)| row))?;
        Ok(rows)
    }

    /// Refuses the query when it has read too much.
    fn measure<'r>(&self, count: usize, rows: impl Iterator<Item = &'r Row>) -> Result<(), Refusal> {
        // most queries read a few rows
        if self.rows.fetch_add(count, Ordering::Relaxed) < CHUNK {
            return Ok(());
        }
        let bytes: usize = rows.map(row_bytes).sum();
        if self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > QUERY_BYTES {
            return Err(Refusal::TooLarge { what: "answer", most: QUERY_BYTES as u64 });
        }
        Ok(())
    }

    pub(crate) async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.store.count(prefix).await
    }

    pub(crate) async fn last_keys(&self, prefixes: &[Prefix]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.store.last_keys(prefixes).await
    }

    /// Records the group header that the result is read with.
    pub(crate) fn rests_on(&self, group: &Arc<Group>) {
        let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        headers.push((group.id.clone(), Arc::clone(group)));
    }

    /// Whether all that was read belongs together: nothing but messages has come to the groups meanwhile. What was read
    /// by one question to the store always does.
    pub(crate) async fn is_one_moment(&self) -> Result<bool, StoreError> {
        if self.calls.load(Ordering::Relaxed) < 2 {
            return Ok(true);
        }
        let headers = std::mem::take(&mut *self.headers.lock().unwrap_or_else(PoisonError::into_inner));
        if headers.is_empty() {
            return Ok(true);
        }
        let keys: Vec<Key> = headers.iter().map(|(id, _)| Key::Group(id.clone())).collect();
        let now = self.store.fetch(&keys).await?;
        let is_same = |(seen, now): (&(GroupId, Arc<Group>), &Option<Row>)| {
            let now = now.as_ref().and_then(Row::group);
            now.is_some_and(|now| now.revision == seen.1.revision || without_messages(now) == without_messages(&seen.1))
        };
        Ok(headers.iter().zip(&now).all(is_same))
    }
}

/// The header without what every message changes.
fn without_messages(group: &Group) -> Group {
    Group {
        revision: 0,
        changed: group.created,
        next_message: group.first_message,
        last_message: None,
        topic_messages: 0,
        pins: Vec::new(),
        ..group.clone()
    }
}
