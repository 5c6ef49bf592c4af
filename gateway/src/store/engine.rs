//! The engine's database in the data folder: `rows/`.

use std::fs;
use std::io;
use std::path::Path;

use fjall::{KeyspaceCreateOptions, PersistMode};

use super::Options;

/// The engine's table that has all rows.
const TABLE: &str = "rows";

/// The key under which every round writes its number. No realm's key begins like this: the core has no table with the
/// tag 255.
pub(super) const MARK_KEY: &[u8] = &[0, u8::MAX, b'm'];

/// The mark that every round writes into the log: its number, counted without gaps, and the store's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) round: u64,
    pub(super) store: [u8; 16],
}

impl Mark {
    pub(super) fn bytes(self) -> Vec<u8> {
        [self.round.to_be_bytes().as_slice(), &self.store].concat()
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (round, store) = bytes.split_first_chunk::<8>()?;
        Some(Self { round: u64::from_be_bytes(*round), store: store.try_into().ok()? })
    }
}

/// The open database.
pub(super) struct Engine {
    pub(super) database: fjall::Database,
    pub(super) table: fjall::Keyspace,
}

impl Engine {
    /// Opens the database here, or creates one.
    pub(super) fn open(rows: &Path, options: &Options) -> fjall::Result<Self> {
        let database = fjall::Database::builder(rows)
            .worker_threads(1)
            .cache_size(options.block_cache)
            .max_cached_files(Some(options.open_files.max(16)))
            .manual_journal_persist(true)
            .open()?;
        let table =
            database.keyspace(TABLE, || KeyspaceCreateOptions::default().max_memtable_size(options.write_buffer))?;
        Ok(Self { database, table })
    }

    /// An empty round with this mark.
    pub(super) fn round(&self, mark: Mark) -> fjall::OwnedWriteBatch {
        let mut batch = self.database.batch();
        batch.insert(&self.table, MARK_KEY, mark.bytes());
        batch
    }

    /// The mark of the last round.
    pub(super) fn mark(&self) -> fjall::Result<Option<Mark>> {
        Ok(self.table.get(MARK_KEY)?.and_then(|bytes| Mark::read(&bytes)))
    }

    /// Makes everything written so far durable.
    pub(super) fn sync(&self) -> fjall::Result<()> {
        self.database.persist(PersistMode::SyncAll)
    }
}

/// A hard link to a file, or a copy where the file system has no hard links.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| {
        fs::copy(from, to)?;
        fs::File::open(to)?.sync_all()
    })
}
