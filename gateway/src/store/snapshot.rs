//! All rows of one moment, as bytes, for backups and checks.

use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conclave_core::ports::StoreError;

use super::cache::{Moment, RowSnapshot};
use super::engine::{Engine, MARK_KEY, Mark};
use super::folder::{self, Folder, OpenError};
use super::upgrade::FORMAT;
use super::{Options, Shared, check, failed};

/// Where the rows of a closed folder are looked at, in the data folder: the engine changes what it opens.
pub(super) const COPY: &str = "rows.copied";

/// Whether this stored key belongs to the store itself, not to a realm.
pub(crate) fn is_mark(key: &[u8]) -> bool {
    key == MARK_KEY
}

/// All rows of one moment. Neither writers nor readers wait for it, but the engine keeps what the moment needs.
pub(crate) struct Snapshot {
    rows: Rows,
    mark: Mark,
    format: u32,
}

enum Rows {
    /// A snapshot of an open data folder.
    Open { shared: Arc<Shared>, moment: Moment },
    /// A closed data folder, which does not change.
    Closed(RowSnapshot),
}

impl Snapshot {
    /// What is readable now.
    pub(super) fn of_open(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let moment = shared.cache.now()?;
        let mark = read_mark(&moment.rows)?;
        Ok(Self { rows: Rows::Open { shared, moment }, mark, format: FORMAT })
    }

    /// The rows, in the order of their stored keys. The store's own row is among them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Result<(fjall::UserKey, fjall::UserValue), StoreError>> {
        let readable = match &self.rows {
            Rows::Open { moment, .. } => &*moment.rows,
            Rows::Closed(readable) => readable,
        };
        let rows = readable.range((Bound::Unbounded, Bound::Unbounded));
        rows.map(|row| row.into_inner().map_err(failed))
    }

    /// Whether the store wants to close its engine, and waits for this to be dropped.
    pub(crate) fn is_over(&self) -> bool {
        matches!(&self.rows, Rows::Open { shared, .. } if shared.cache.is_closed())
    }

    /// The format of the rows.
    pub(crate) fn format(&self) -> u32 {
        self.format
    }

    /// The last acknowledged round.
    pub(crate) fn round(&self) -> u64 {
        self.mark.round
    }

    /// The data folder's id.
    pub(crate) fn store(&self) -> [u8; 16] {
        self.mark.store
    }
}

fn read_mark(rows: &RowSnapshot) -> Result<Mark, StoreError> {
    let mark = rows.get(MARK_KEY)?.and_then(|bytes| Mark::read(&bytes));
    mark.ok_or_else(|| StoreError("the database has no number of its last round".to_owned()))
}

/// A data folder that no gateway has open: locked, checked to its end, and otherwise left as it is.
pub(crate) struct Closed {
    snapshot: Option<Snapshot>,
    copy: PathBuf,
    /// Last, so that the folder is let go only after the copy is gone.
    folder: Folder,
}

impl Closed {
    /// Locks it and checks every file of its database.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let (folder, format) = Folder::lock_closed(path)?;
        let damaged = |what: String| OpenError::Damaged { folder: path.to_owned(), what };
        let Some(manifest) = folder::manifest(path)? else {
            return Err(OpenError::NoRounds(path.to_owned()));
        };
        let contents = manifest.contents();
        if contents.format != format {
            return Err(damaged(format!("its format is {format}, but its manifest says {}", contents.format)));
        }
        let rows = folder.rows();
        let whole = check::check(&rows, Some(&contents), u64::MAX).map_err(|fault| folder::refused(path, fault))?;
        let copy = path.join(COPY);
        let io = |source| OpenError::Io { path: copy.clone(), source };
        if copy.exists() {
            fs::remove_dir_all(&copy).map_err(io)?;
        }
        let mut closed = Self { snapshot: None, copy: copy.clone(), folder };
        fs::create_dir(&copy).map_err(io)?;
        whole.clone_into(&rows, &copy).map_err(io)?;
        let engine = Engine::open(&copy, &Options::default());
        let engine = engine.map_err(|error| damaged(format!("its database cannot be opened: {error}")))?;
        let readable = RowSnapshot::of(&engine);
        let mark = read_mark(&readable).map_err(|error| damaged(error.0))?;
        closed.snapshot = Some(Snapshot { rows: Rows::Closed(readable), mark, format });
        Ok(closed)
    }

    /// Its rows.
    pub(crate) fn snapshot(&self) -> Result<&Snapshot, StoreError> {
        self.snapshot.as_ref().ok_or_else(|| StoreError("the copy of the database is closed".to_owned()))
    }

    /// The data folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.snapshot = None;
        if let Err(error) = fs::remove_dir_all(&self.copy)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, folder = %self.copy.display(), "a copy of the database stays until the next start");
        }
    }
}
