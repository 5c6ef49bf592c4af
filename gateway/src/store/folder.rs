//! Whose folder it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The format this version reads and writes.
const FORMAT: &str = "1";
const FORMAT_FILE: &str = "conclave-format";
const LOCK_FILE: &str = "conclave-lock";

/// Why a data folder was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it, or this one has it open already.
    #[error(
        "the data folder {0} is in use by another conclave; stop that one, or give this one a folder of its own with --data"
    )]
    InUse(PathBuf),
    /// Something else lives there.
    #[error(
        "the folder {0} has files in it but is not a data folder of conclave; give an empty or a new folder with --data"
    )]
    Foreign(PathBuf),
    /// Made by a version this one does not know.
    #[error(
        "the data folder {folder} has format \"{found}\", this conclave knows format {FORMAT} only; open it with the version that wrote it"
    )]
    Format {
        /// The folder.
        folder: PathBuf,
        /// What its format file says.
        found: String,
    },
    /// The database in it cannot be read.
    #[error("the database in {folder} cannot be opened: {source}; keep a copy of the folder, then restore a backup")]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What the engine says.
        source: fjall::Error,
    },
    /// The system refused.
    #[error("{path} cannot be used as a data folder: {source}; check that it exists, is writable and has space")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A data folder that is ours alone for as long as this lives.
pub(super) struct Folder {
    path: PathBuf,
    /// The lock is let go with the file, also when the process is killed.
    _lock: File,
}

impl Folder {
    /// Makes the folder ours: creates it when it is not there, refuses what is not ours.
    pub(super) fn claim(path: &Path) -> Result<Self, OpenError> {
        let refused = |source| OpenError::Io { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(refused)?;
        let known = read_format(path)?;
        if known.is_none() && has_foreign_files(path).map_err(refused)? {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        let lock = lock(path)?;
        // whoever held the lock may have written it meanwhile
        match read_format(path)? {
            None => write_format(path).map_err(refused)?,
            Some(found) if found == FORMAT => {}
            Some(found) => return Err(OpenError::Format { folder: path.to_owned(), found }),
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub(super) fn rows(&self) -> PathBuf {
        self.path.join("rows")
    }

    /// Where shared files are.
    pub(super) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

fn read_format(folder: &Path) -> Result<Option<String>, OpenError> {
    let path = folder.join(FORMAT_FILE);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Io { path, source }),
    }
}

/// Written under another name first, so that a crash never leaves half a version.
fn write_format(folder: &Path) -> std::io::Result<()> {
    let draft = folder.join(format!("{FORMAT_FILE}.new"));
    let mut file = File::create(&draft)?;
    writeln!(file, "{FORMAT}")?;
    file.sync_all()?;
    fs::rename(draft, folder.join(FORMAT_FILE))?;
    crate::blob::sync_folder(folder)
}

fn has_foreign_files(folder: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        // what a first start that crashed may have left, and what file systems put into every new volume
        let ours = name == LOCK_FILE || name.to_string_lossy().starts_with(FORMAT_FILE) || name == "lost+found";
        if !ours {
            return Ok(true);
        }
    }
    Ok(false)
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK_FILE);
    let refused = |source| OpenError::Io { path: path.clone(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(refused(source)),
    }
}
