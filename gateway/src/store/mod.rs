//! The durable store: one database in the data folder, shared by all realms.
//!
//! - [`folder`]: ownership, lock and format version; [`upgrade`]: folders of earlier formats.
//! - [`opening`]: opens the database; [`check`]: checks it before the engine reads it; [`journal`]: the engine's log.
//! - [`manifest`]: the last acknowledged round; [`engine`]: the engine, and the mark of each round in it.
//! - [`rows`]: keys and values as bytes.
//! - [`rounds`]: commits that share a sync; [`recovery`]: after a failed sync; [`health`]: the store's state.
//! - [`cache`]: decoded rows, bounded; [`pages`]: pages of ranges, bounded.
//! - [`realm`]: [`conclave_core::ports::Store`] for one realm.
//! - [`snapshot`]: all rows of one moment, for backups; [`rebuild`]: makes a data folder from such rows.
//!
//! A commit is checked and accepted under one short lock, then waits for its round. A round is written to the engine's
//! log as one record and synced once; only then are its rows readable, and its committers answered. Only decisions read
//! rows that are not synced yet ([`conclave_core::ports::Store::drafts`]), so that many changes of one group share a
//! round. `docs/stores.md` has the reasons and the figures.

mod cache;
mod check;
mod engine;
mod faults;
mod folder;
mod health;
mod journal;
mod manifest;
mod opening;
mod pages;
mod realm;
mod rebuild;
mod recovery;
mod rounds;
mod rows;
mod snapshot;
mod upgrade;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use conclave_core::ports::{Store, StoreError};
use parking_lot::Mutex;

use crate::blob::Holds;
use cache::{Cache, RowSnapshot};
#[doc(hidden)]
pub use faults::Faults;
use folder::Folder;
pub use folder::{OpenError, inspect};
pub use health::Health;
use manifest::Manifest;
use realm::Durable;
pub(crate) use rebuild::Rebuild;
use rounds::Rounds;
pub(crate) use rows::{RealmPrefix, decode};
pub(crate) use snapshot::{Closed, Snapshot, is_mark};
pub(crate) use upgrade::FORMAT;

/// Resources that the store may use. Nothing is allocated in advance.
#[derive(Debug, Clone)]
pub struct Options {
    /// Cached decoded rows, in bytes.
    pub row_cache: u64,
    /// Cached decoded pages of lists, in bytes.
    pub page_cache: u64,
    /// Cached blocks of the database, in bytes.
    pub block_cache: u64,
    /// Newest rows buffered in memory before they are sorted into a file, in bytes. Up to four times as much is in
    /// memory while writing is faster than sorting.
    pub write_buffer: u64,
    /// Files of the database kept open.
    pub open_files: usize,
    /// On opening, tables are read in full, the newest first, until so many bytes were read.
    pub checked_at_start: u64,
    /// Injected faults, for tests.
    #[doc(hidden)]
    pub faults: Option<Arc<Faults>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            row_cache: 16 << 20,
            page_cache: 16 << 20,
            block_cache: 16 << 20,
            write_buffer: 8 << 20,
            open_files: 128,
            checked_at_start: 1 << 30,
            faults: None,
        }
    }
}

/// An open data folder. Closed when it and all its realms are dropped.
#[derive(Clone)]
pub struct Database(Arc<Opened>);

impl Database {
    /// Opens a data folder, or creates one. A folder of an earlier format is upgraded.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Options::default())
    }

    /// The same, with these options.
    pub fn open_with(path: &Path, options: Options) -> Result<Self, OpenError> {
        let (folder, manifest, engine, mark) = opening::open(path, &options)?;
        let health = Health::default();
        let shared = Arc::new(Shared {
            rounds: Rounds::new(health.clone()),
            cache: Cache::new(options.row_cache, options.page_cache, RowSnapshot::of(&engine)),
            manifest: Mutex::new(manifest),
            health,
            path: path.to_owned(),
            options: options.clone(),
        });
        let syncing = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-sync".to_owned())
            .spawn(move || rounds::run(&syncing, engine, mark))
            .map_err(|source| OpenError::Io { path: folder.path().to_owned(), source })?;
        let (health, thread) = (shared.health.clone(), Mutex::new(Some(thread)));
        Ok(Self(Arc::new(Opened { holds: Holds::default(), shared: Some(shared), health, options, thread, folder })))
    }

    /// The rows of one realm. All realms of a folder share its syncs.
    pub fn realm(&self, name: &str) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(Durable::new(Arc::clone(&self.0), name)?))
    }

    /// The path of shared files, beside the rows.
    pub fn blob_folder(&self) -> PathBuf {
        self.0.folder.blobs()
    }

    /// All rows as they are now. Everything acknowledged so far is among them.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::of_open(Arc::clone(self.0.shared()?))
    }

    /// The data folder.
    pub(crate) fn path(&self) -> &Path {
        self.0.folder.path()
    }

    /// Keeps the bytes of deleted shared files as long as somebody needs them.
    pub fn holds(&self) -> &Holds {
        &self.0.holds
    }

    /// The blobs of all realms' shared files, with their sizes; any other is left from a crash.
    pub fn blobs_in_use(&self) -> Result<HashMap<String, u64>, StoreError> {
        let mut blobs = HashMap::new();
        realm::each_file(self.0.shared()?, |file| {
            blobs.insert(file.blob.clone(), file.size);
        })?;
        Ok(blobs)
    }

    /// Its health: whether it accepts writes, and how long its syncs take.
    pub fn health(&self) -> Health {
        self.0.health.clone()
    }

    /// Its options.
    pub fn options(&self) -> &Options {
        &self.0.options
    }
}

/// The data that realms and the syncing thread share.
struct Shared {
    rounds: Rounds,
    cache: Cache,
    manifest: Mutex<Manifest>,
    health: Health,
    /// The data folder.
    path: PathBuf,
    options: Options,
}

struct Opened {
    holds: Holds,
    /// Set until the folder is closed.
    shared: Option<Arc<Shared>>,
    health: Health,
    options: Options,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The last field, so that the folder is released only after the engine.
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

/// An error of the engine as a store error. It has the cause's words: those of the engine around it are its types' names.
fn failed(error: impl Into<Box<dyn std::error::Error>>) -> StoreError {
    let error = error.into();
    let mut cause: &dyn std::error::Error = error.as_ref();
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    StoreError(format!("the database failed: {cause}"))
}
