//! Keeps the bytes of deleted shared files while a backup still reads them.
//!
//! A backup has the rows of one moment, and reads the bytes that these lead to afterwards. A file that is deleted meanwhile
//! is renamed instead, and removed when no backup needs it any more. What a crash leaves is removed at the next start.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;

use super::files::is_id;

/// Ends the names of files that are deleted once no backup needs them.
const DELETED: &str = "deleted";

/// How many backups need deleted files.
#[derive(Debug, Clone, Default)]
pub struct Holds(Arc<RwLock<usize>>);

/// Keeps deleted files until it is dropped.
#[derive(Debug)]
pub struct Hold {
    holds: Holds,
    folder: PathBuf,
}

impl Holds {
    /// Keeps everything in this folder that is deleted from now on.
    pub fn hold(&self, folder: &Path) -> Hold {
        *self.0.write() += 1;
        Hold { holds: self.clone(), folder: folder.to_owned() }
    }

    /// Deletes a file, now or when nobody needs it any more. One that is not there counts as deleted.
    pub(super) fn delete(&self, path: &Path) -> io::Result<()> {
        let held = self.0.read();
        let deleted = if *held > 0 { fs::rename(path, held_path(path)) } else { fs::remove_file(path) };
        match deleted {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.holds.0.write();
        *held -= 1;
        if *held == 0
            && let Err(error) = remove_deleted(&self.folder)
        {
            tracing::warn!(%error, "files that were kept for a backup cannot be deleted; they are deleted at the next start");
        }
    }
}

/// Where the bytes of a file are that is deleted but still needed.
pub(crate) fn held_path(path: &Path) -> PathBuf {
    path.with_extension(DELETED)
}

/// Removes the bytes of deleted files that no backup reads any more.
pub(super) fn remove_deleted(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let is_ours = path.file_stem().and_then(|stem| stem.to_str()).is_some_and(is_id);
        if is_ours && path.extension().is_some_and(|extension| extension == DELETED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
