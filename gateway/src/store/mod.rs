//! The durable store: one database in the data folder, shared by all realms.
//!
//! - [`folder`]: whose folder it is: lock, format version.
//! - [`rows`]: keys and values as bytes.
//! - [`rounds`]: commits that share a sync.
//! - [`cache`]: decoded rows, bounded; [`pages`]: pages of runs, bounded.
//! - [`tail`]: what a loss of power may leave of the last round.
//! - [`realm`]: [`conclave_core::ports::Store`] for one realm.
//!
//! A commit is checked and taken in under one short lock, then waits for its round. A round is written to the
//! engine's log as one record and synced once; only then are its rows readable, and its committers answered.
//! Decisions alone look at rows on their way ([`conclave_core::ports::Store::drafts`]), so that many changes of
//! one group share a round. `docs/stores.md` has the reasons and the figures.

mod cache;
mod folder;
mod pages;
mod realm;
mod rounds;
mod rows;
mod tail;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use conclave_core::ports::{Store, StoreError};
use fjall::KeyspaceCreateOptions;
use parking_lot::Mutex;

use cache::Cache;
use folder::Folder;
pub use folder::OpenError;
use realm::Durable;
use rounds::Rounds;

/// How much memory the store may use. Nothing of it is taken before it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Decoded rows kept at hand, in bytes.
    pub row_cache: u64,
    /// Pages of lists kept at hand, decoded, in bytes.
    pub page_cache: u64,
    /// Blocks of the database kept at hand, in bytes.
    pub block_cache: u64,
    /// Newest rows gathered in memory before they are sorted into a file, in bytes. Up to four times as much
    /// is in memory while writing is faster than sorting.
    pub write_buffer: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { row_cache: 16 << 20, page_cache: 16 << 20, block_cache: 16 << 20, write_buffer: 8 << 20 }
    }
}

/// An open data folder. Closed when it and all its realms are dropped.
#[derive(Clone)]
pub struct Database(Arc<Opened>);

impl Database {
    /// Opens a data folder, or makes one where there is nothing yet.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Options::default())
    }

    /// The same, with other amounts of memory.
    pub fn open_with(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let folder = Folder::claim(folder)?;
        let damaged = |source: fjall::Error| OpenError::Damaged { folder: folder.path().to_owned(), source };
        let engine = match open_engine(&folder, options) {
            Err(fjall::Error::JournalRecovery(why)) => {
                let refused = |source| OpenError::Io { path: folder.rows(), source };
                let Some(bytes) = tail::mend(&folder.rows()).map_err(refused)? else {
                    return Err(damaged(fjall::Error::JournalRecovery(why)));
                };
                tracing::warn!(bytes, "the last commits before a crash were never acknowledged and are cut off");
                open_engine(&folder, options)
            }
            opened => opened,
        };
        let engine = engine.map_err(damaged)?;
        let table = engine
            .keyspace("rows", || KeyspaceCreateOptions::default().max_memtable_size(options.write_buffer))
            .map_err(damaged)?;
        let shared = Arc::new(Shared {
            rounds: Rounds::default(),
            cache: Cache::new(options.row_cache, options.page_cache, engine.snapshot()),
            table,
            engine,
        });
        let syncing = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-sync".to_owned())
            .spawn(move || rounds::run(&syncing))
            .map_err(|source| OpenError::Io { path: folder.path().to_owned(), source })?;
        Ok(Self(Arc::new(Opened { shared: Some(shared), thread: Mutex::new(Some(thread)), folder })))
    }

    /// The rows of one realm. All realms of a folder share its syncs.
    pub fn realm(&self, name: &str) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(Durable::new(Arc::clone(&self.0), name)?))
    }

    /// Where shared files are kept, beside the rows.
    pub fn blob_folder(&self) -> PathBuf {
        self.0.folder.blobs()
    }

    /// The blobs that shared files of any realm lead to; all others are left over from a crash.
    pub fn blobs_in_use(&self) -> Result<HashSet<String>, StoreError> {
        realm::blobs_in_use(self.0.shared()?)
    }
}

/// What realms and the syncing thread share.
struct Shared {
    rounds: Rounds,
    cache: Cache,
    table: fjall::Keyspace,
    engine: fjall::Database,
}

struct Opened {
    /// There until the folder is closed.
    shared: Option<Arc<Shared>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Last, so that the folder is let go only after the engine.
    folder: Folder,
}

impl Opened {
    fn shared(&self) -> Result<&Arc<Shared>, StoreError> {
        self.shared.as_ref().ok_or_else(|| StoreError("the store is closed".to_owned()))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.rounds.close();
            if let Some(thread) = self.thread.lock().take()
                && thread.join().is_err()
            {
                tracing::error!("the store's syncing thread has panicked");
            }
        }
    }
}

fn open_engine(folder: &Folder, options: Options) -> fjall::Result<fjall::Database> {
    let database = fjall::Database::builder(folder.rows()).worker_threads(1).cache_size(options.block_cache);
    database.manual_journal_persist(true).open()
}

/// An error of the engine, in the store's words.
fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(format!("the database failed: {error}"))
}
