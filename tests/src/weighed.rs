//! A store that records the size of the largest row or event committed to it.

use std::sync::Mutex;

use async_trait::async_trait;
use conclave_core::memory::Memory;
use conclave_core::model::{Key, Prefix, Row};
use conclave_core::ports::{Batch, Change, CommitError, Span, Store, StoreError};

/// Rows in memory, and the largest of them.
#[derive(Default)]
pub struct Weighed {
    rows: Memory,
    largest: Mutex<(usize, String)>,
}

impl Weighed {
    /// The bytes of the largest row or event so far, and its beginning.
    pub fn largest(&self) -> (usize, String) {
        self.largest.lock().expect("a lock").clone()
    }

    fn note(&self, text: &str) {
        let mut largest = self.largest.lock().expect("a lock");
        if text.len() > largest.0 {
            *largest = (text.len(), text.chars().take(80).collect());
        }
    }
}

#[async_trait]
impl Store for Weighed {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.rows.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.rows.scan(span).await
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.rows.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        for change in &batch.changes {
            if let Change::Put(key, row) = change {
                self.note(&format!("{:?} {}", key.encode(), serde_json::to_string(row).expect("json")));
            }
        }
        for event in &batch.events {
            self.note(&serde_json::to_string(event).expect("json"));
        }
        self.rows.commit(batch).await
    }
}
