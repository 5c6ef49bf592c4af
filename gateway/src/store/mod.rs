//! The durable store: one database in the data folder, shared by all realms.
//!
//! - [`folder`]: whose folder it is: lock, format version; [`upgrade`]: folders of earlier formats.
//! - [`opening`]: opens what is in it; [`check`]: reads it before the engine does; [`journal`]: the engine's log.
//! - [`manifest`]: what was last acknowledged; [`engine`]: the engine, and the number each round leaves in it.
//! - [`rows`]: keys and values as bytes.
//! - [`rounds`]: commits that share a sync; [`recovery`]: what happens when one fails; [`health`]: how the store is.
//! - [`cache`]: decoded rows, bounded; [`pages`]: pages of runs, bounded.
//! - [`realm`]: [`conclave_core::ports::Store`] for one realm.
//!
//! A commit is checked and taken in under one short lock, then waits for its round. A round is written to the
//! engine's log as one record and synced once; only then are its rows readable, and its committers answered.
//! Decisions alone look at rows on their way ([`conclave_core::ports::Store::drafts`]), so that many changes of
//! one group share a round. `docs/stores.md` has the reasons and the figures.

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
mod recovery;
mod rounds;
mod rows;
mod upgrade;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use conclave_core::ports::{Store, StoreError};
use parking_lot::Mutex;

use cache::{Cache, Readable};
#[doc(hidden)]
pub use faults::Faults;
use folder::Folder;
pub use folder::{OpenError, inspect};
pub use health::Health;
use manifest::Manifest;
use realm::Durable;
use rounds::Rounds;

/// How much of the machine the store may use. Nothing of it is taken before it is needed.
#[derive(Debug, Clone)]
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
    /// Files of the database kept open.
    pub open_files: usize,
    /// Tables are read to their ends when the folder is opened, the newest first, until so many bytes were read.
    pub checked_at_start: u64,
    /// Failures that a test wants.
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
    /// Opens a data folder, or makes one where there is nothing yet. One of an earlier format is upgraded.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Options::default())
    }

    /// The same, with other amounts of memory.
    pub fn open_with(path: &Path, options: Options) -> Result<Self, OpenError> {
        let (folder, manifest, engine, mark) = opening::open(path, &options)?;
        let health = Health::default();
        let shared = Arc::new(Shared {
            rounds: Rounds::new(health.clone()),
            cache: Cache::new(options.row_cache, options.page_cache, Readable::of(&engine)),
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
        Ok(Self(Arc::new(Opened { shared: Some(shared), health, options, thread, folder })))
    }

    /// The rows of one realm. All realms of a folder share its syncs.
    pub fn realm(&self, name: &str) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(Durable::new(Arc::clone(&self.0), name)?))
    }

    /// Where shared files are kept, beside the rows.
    pub fn blob_folder(&self) -> PathBuf {
        self.0.folder.blobs()
    }

    /// The blobs that shared files of any realm lead to, with their sizes; all others are left over from a crash.
    pub fn blobs_in_use(&self) -> Result<HashMap<String, u64>, StoreError> {
        let mut blobs = HashMap::new();
        realm::each_file(self.0.shared()?, |file| {
            blobs.insert(file.blob.clone(), file.size);
        })?;
        Ok(blobs)
    }

    /// How it is: whether it takes writes, and how long its syncs take.
    pub fn health(&self) -> Health {
        self.0.health.clone()
    }

    /// What it was opened with.
    pub fn options(&self) -> &Options {
        &self.0.options
    }
}

/// What realms and the syncing thread share.
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
    /// There until the folder is closed.
    shared: Option<Arc<Shared>>,
    health: Health,
    options: Options,
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

/// An error of the engine, in the store's words.
fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError(format!("the database failed: {error}"))
}
