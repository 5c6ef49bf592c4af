//! Backups: taking one of a running gateway or of a closed data folder, checking it, and restoring it.
//!
//! - [`source`]: turns a snapshot of a data folder into a stream of frames; [`frame`]: their format.
//! - [`folder`]: the backup on disk, written from such a stream; its [`manifest`] is written last.
//! - [`restore`]: makes a data folder from a backup; [`verify`]: checks a backup or a closed data folder.
//! - [`census`]: checks and counts rows.
//! - [`control`]: the socket through which a running gateway provides a backup, and its client.
//!
//! Rows are stored as the store's own bytes in the order of their keys, not as the engine's files, so a backup does not
//! depend on the engine. The data format's number is kept with them: a newer version upgrades the restored folder when
//! it opens it.

pub(crate) mod census;
#[cfg(unix)]
pub(crate) mod control;
pub(crate) mod folder;
pub(crate) mod frame;
pub(crate) mod manifest;
pub(crate) mod restore;
pub(crate) mod source;
pub(crate) mod verify;

use std::io;
use std::path::{Path, PathBuf};

use crate::store::{Closed, OpenError};
use folder::Writer;
use verify::Report;

/// The manifest's name in a backup.
pub(crate) const MANIFEST: &str = "conclave-backup";
/// Marks a data folder whose restore has not finished.
pub(crate) const RESTORING: &str = "conclave-restore";
/// The folder of webhook positions, in a data folder and in a backup.
pub(crate) const WEBHOOKS: &str = "webhooks";
/// The folder of shared files' bytes, in a data folder and in a backup.
pub(crate) const BLOBS: &str = "blobs";

/// Why a backup, a restore or a check did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// What was read is damaged or not complete.
    #[error("{0}")]
    Damaged(String),
    /// The folder is in use, or a backup is already being taken.
    #[error("{0}")]
    Busy(String),
    /// Anything else that the caller can act on.
    #[error("{0}")]
    Refused(String),
    /// The system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system reports.
        source: io::Error,
    },
}

impl BackupError {
    /// An error of the system at this path.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// An error of the system at this path; a file that is missing is damage.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Damaged(format!("{} is missing", path.display())),
            _ => Self::Io { path: path.to_owned(), source },
        }
    }
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(_) => Self::Busy(error.to_string()),
            OpenError::Damaged { .. } | OpenError::Unfinished(_) => Self::Damaged(error.to_string()),
            OpenError::Io { path, source } => Self::Io { path, source },
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// Backs up a data folder: through the gateway that runs over it, or directly when none does.
pub(crate) fn take(folder: &Path, to: &Path) -> Result<Report, BackupError> {
    #[cfg(unix)]
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(BackupError::io(folder))?;
        if let Some(manifest) = runtime.block_on(control::ask(folder, to))? {
            return Ok(Report::of(&manifest, manifest.counts.clone()));
        }
    }
    let closed = Closed::open(folder)?;
    let mut writer = Writer::begin(to)?;
    source::of_closed(&closed, &mut |frame| writer.take(frame))?;
    let manifest = writer.finish()?;
    Ok(Report::of(&manifest, manifest.counts.clone()))
}
