//! A cache of decoded rows, bounded by size.

use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave_core::model::Row;
use conclave_core::ports::StoreError;
use fjall::{Iter, Readable as _};
use foldhash::quality::RandomState;
use parking_lot::RwLock;
use quick_cache::sync::DefaultLifecycle;
use quick_cache::{OptionsBuilder, Weighter};

use super::engine::Engine;
use super::failed;
use super::pages::{CachedAnswer, Pages, Question};
use super::rows::Range;

/// How long a reader waits while the engine is reopened.
const REOPENING: Duration = Duration::from_secs(2);

/// The cached state of a key: its row, or the fact that it has none.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) row: Option<Row>,
    /// The row's bytes as stored.
    stored: usize,
}

impl Known {
    pub(super) fn new(row: Option<Row>, stored: usize) -> Self {
        Self { row, stored }
    }
}

#[derive(Clone)]
struct Size;

impl Weighter<Vec<u8>, Known> for Size {
    fn weight(&self, key: &Vec<u8>, known: &Known) -> u64 {
        // a decoded row takes about twice its stored bytes; the rest is the entry and its allocations
        (key.len() + 2 * known.stored + 160) as u64
    }
}

type Rows = quick_cache::sync::Cache<Vec<u8>, Known, Size, RandomState>;

/// A consistent view: the database as it was between two rounds.
#[derive(Clone)]
pub(super) struct Moment {
    number: u64,
    /// The rows at that time.
    pub(super) rows: Arc<RowSnapshot>,
}

/// A snapshot of the rows. The engine stays open as long as this exists.
pub(super) struct RowSnapshot {
    snapshot: fjall::Snapshot,
    table: fjall::Keyspace,
}

impl RowSnapshot {
    /// The current view.
    pub(super) fn of(engine: &Engine) -> Self {
        Self { snapshot: engine.database.snapshot(), table: engine.table.clone() }
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<fjall::UserValue>, StoreError> {
        self.snapshot.get(&self.table, key).map_err(failed)
    }

    pub(super) fn contains(&self, key: &[u8]) -> Result<bool, StoreError> {
        self.snapshot.contains_key(&self.table, key).map_err(failed)
    }

    pub(super) fn range(&self, range: Range) -> Iter {
        self.snapshot.range::<Vec<u8>, _>(&self.table, range)
    }
}

/// Decoded rows by stored key, as of the last synced round.
pub(super) struct Cache {
    rows: Option<Rows>,
    pages: Pages,
    now: RwLock<Now>,
}

/// The newest readable round, and its rows; none while the engine is reopened.
struct Now {
    number: u64,
    rows: Option<Arc<RowSnapshot>>,
}

impl Cache {
    /// Holds about so many bytes; 0 disables the cache.
    pub(super) fn new(bytes: u64, page_bytes: u64, readable: RowSnapshot) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(bytes / 512).unwrap_or(usize::MAX).max(1))
            .weight_capacity(bytes)
            .shards(8)
            .build();
        let rows = match options {
            Ok(options) if bytes > 0 => {
                Some(Rows::with_options(options, Size, RandomState::default(), DefaultLifecycle::default()))
            }
            _ => None,
        };
        Self {
            rows,
            pages: Pages::new(page_bytes),
            now: RwLock::new(Now { number: 0, rows: Some(Arc::new(readable)) }),
        }
    }

    /// The cached state of a key; `None` when it is not cached.
    pub(super) fn get(&self, key: &[u8]) -> Option<Known> {
        self.rows.as_ref()?.get(key)
    }

    /// The current view. Waits briefly while the engine is reopened.
    pub(super) fn now(&self) -> Result<Moment, StoreError> {
        let begun = Instant::now();
        loop {
            let now = self.now.read();
            if let Some(rows) = &now.rows {
                return Ok(Moment { number: now.number, rows: Arc::clone(rows) });
            }
            drop(now);
            if begun.elapsed() > REOPENING {
                return Err(StoreError("the database is being opened again".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Blocks new readers, and returns when there are none: then the engine can be closed.
    pub(super) fn close(&self) {
        let Some(rows) = self.now.write().rows.take() else { return };
        while Arc::strong_count(&rows) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether reading has been stopped, so that the engine can be closed.
    pub(super) fn is_closed(&self) -> bool {
        self.now.read().rows.is_none()
    }

    /// Admits readers again.
    pub(super) fn reopen(&self, readable: RowSnapshot) {
        self.now.write().rows = Some(Arc::new(readable));
    }

    /// Whether nothing has become readable since.
    pub(super) fn is_now(&self, moment: &Moment) -> bool {
        self.now.read().number == moment.number
    }

    /// The cached answer to a question about a range, if it is still valid.
    pub(super) fn answer(&self, question: &Question) -> Option<CachedAnswer> {
        self.pages.get(question)
    }

    /// Caches a row of a view, unless that is outdated.
    pub(super) fn learn(&self, moment: &Moment, key: &[u8], known: Known) {
        let Some(rows) = &self.rows else { return };
        let now = self.now.read();
        if now.number == moment.number {
            rows.insert(key.to_vec(), known);
        }
    }

    /// Caches an answer of a view, unless that is outdated; `stored` is its rows' bytes.
    pub(super) fn learn_answer(&self, moment: &Moment, question: Question, answer: CachedAnswer, stored: usize) {
        let now = self.now.read();
        if now.number == moment.number {
            self.pages.learn(question, answer, stored);
        }
    }

    /// Makes a round readable, all of it at once. Only those of its rows are cached whose keys were cached before: rows
    /// that were never read may never be.
    pub(super) fn publish<'r>(&self, readable: RowSnapshot, changed: impl Iterator<Item = (&'r Vec<u8>, Known)>) {
        let mut now = self.now.write();
        *now = Now { number: now.number + 1, rows: Some(Arc::new(readable)) };
        for (key, known) in changed {
            self.pages.changed(key);
            if let Some(rows) = &self.rows
                && rows.contains_key(key)
            {
                rows.insert(key.clone(), known);
            }
        }
    }
}
