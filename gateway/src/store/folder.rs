//! Ownership and format of a data folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::backup::{MANIFEST, RESTORING};

use super::check::Fault;
use super::manifest::{MANIFEST_FILE, Manifest};
use super::upgrade::FORMAT;

const FORMAT_FILE: &str = "conclave-format";
const LOCK_FILE: &str = "conclave-lock";
/// How long opening waits for a folder that is in use.
const LOCK_WAIT: Duration = Duration::from_secs(3);
/// How often the lock is tried meanwhile.
const LOCK_RETRY: Duration = Duration::from_millis(20);
/// The database.
pub(super) const ROWS: &str = "rows";
/// Shared files.
const BLOBS: &str = "blobs";

/// Why a data folder was not opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open, or this one does.
    #[error("the data folder {0} is in use by another conclave; stop that one, or name another folder with --data")]
    InUse(PathBuf),
    /// It contains other files.
    #[error(
        "the folder {0} has files in it but is not a data folder of conclave; name an empty or a new folder with --data"
    )]
    Foreign(PathBuf),
    /// It has a format that this version does not know.
    #[error(
        "the data folder {folder} has format \"{found}\", this conclave supports formats 1 to {FORMAT}; open it with the version that wrote it"
    )]
    Format {
        /// The folder.
        folder: PathBuf,
        /// The content of its format file.
        found: String,
    },
    /// Something in it is missing or damaged.
    #[error(
        "the data folder {folder} is damaged or not complete: {what}; nothing in it was changed: keep a copy of it, then put the missing files back, or restore a backup"
    )]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is missing or damaged.
        what: String,
    },
    /// Of the first format, whose rounds have no numbers.
    #[error(
        "the data folder {0} has the first format, which cannot be backed up or verified; start this conclave once to upgrade it (the old database is kept), or copy the folder while no gateway runs"
    )]
    NoRounds(PathBuf),
    /// There is no data folder here.
    #[error("{0} is no data folder of conclave; name the data folder with --data")]
    Absent(PathBuf),
    /// A restore into it was begun and has not finished.
    #[error(
        "the restore into the data folder {0} has not finished, so it is not complete; delete the folder and restore again"
    )]
    Unfinished(PathBuf),
    /// It is a backup.
    #[error("{0} is a backup, not a data folder; make a data folder from it with conclave restore")]
    Backup(PathBuf),
    /// An error of the system.
    #[error("{path} cannot be used as a data folder: {source}; check that it exists, is writable and has space")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
}

/// A data folder that is locked for as long as this exists.
pub(super) struct Folder {
    path: PathBuf,
    /// The lock is released with the file, even if the process is killed.
    _lock: File,
}

impl Folder {
    /// Locks the folder: creates it if necessary, and refuses a foreign one. Returns its format.
    pub(super) fn claim(path: &Path) -> Result<(Self, u32), OpenError> {
        let refused = |source| OpenError::Io { path: path.to_owned(), source };
        is_servable(path)?;
        make_private(path).map_err(refused)?;
        if read_format(path)?.is_none() {
            if path.join(ROWS).exists() || path.join(MANIFEST_FILE).exists() {
                return Err(OpenError::Damaged { folder: path.to_owned(), what: format!("{FORMAT_FILE} is missing") });
            }
            if has_foreign_files(path).map_err(refused)? {
                return Err(OpenError::Foreign(path.to_owned()));
            }
        }
        let lock = lock(path)?;
        // the previous holder of the lock may have written it meanwhile
        let format = match read_format(path)? {
            None => {
                write_format(path, FORMAT).map_err(refused)?;
                FORMAT
            }
            Some(found) => parse_format(path, found)?,
        };
        Ok((Self { path: path.to_owned(), _lock: lock }, format))
    }

    /// Locks a folder that no gateway has open, without changing anything that is kept in it; answers its format.
    pub(super) fn lock_closed(path: &Path) -> Result<(Self, u32), OpenError> {
        is_servable(path)?;
        let Some(found) = read_format(path)? else {
            return Err(if path.join(ROWS).exists() || path.join(MANIFEST_FILE).exists() {
                OpenError::Damaged { folder: path.to_owned(), what: format!("{FORMAT_FILE} is missing") }
            } else {
                OpenError::Absent(path.to_owned())
            });
        };
        let format = parse_format(path, found)?;
        let lock = lock(path)?;
        Ok((Self { path: path.to_owned(), _lock: lock }, format))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the database.
    pub(super) fn rows(&self) -> PathBuf {
        self.path.join(ROWS)
    }

    /// The path of shared files.
    pub(super) fn blobs(&self) -> PathBuf {
        self.path.join(BLOBS)
    }
}

/// Refuses a backup, and a folder into which a restore has not finished.
fn is_servable(path: &Path) -> Result<(), OpenError> {
    let there = |name: &str| {
        let file = path.join(name);
        file.try_exists().map_err(|source| OpenError::Io { path: file, source })
    };
    if there(RESTORING)? {
        Err(OpenError::Unfinished(path.to_owned()))
    } else if there(MANIFEST)? {
        Err(OpenError::Backup(path.to_owned()))
    } else {
        Ok(())
    }
}

/// A format that this version knows.
fn parse_format(path: &Path, found: String) -> Result<u32, OpenError> {
    match found.parse() {
        Ok(format) if (1..=FORMAT).contains(&format) && format.to_string() == found => Ok(format),
        _ => Err(OpenError::Format { folder: path.to_owned(), found }),
    }
}

/// Creates the folder if necessary, for its owner only. The modes of an existing data folder are restricted, too.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
        let is_ours = read_format(path).is_ok_and(|format| format.is_some()) || !has_foreign_files(path)?;
        if mode & 0o077 != 0 && is_ours {
            let private = fs::Permissions::from_mode(mode & !0o077);
            if let Err(error) = fs::set_permissions(path, private) {
                tracing::warn!(%error, folder = %path.display(), "other users of this machine can read the data folder");
            }
        }
    }
    Ok(())
}

/// Describes a data folder without changing it.
///
/// # Errors
/// Why a gateway could not open it. Its rows are not read: damage in them shows at the start.
pub fn inspect(path: &Path) -> Result<String, OpenError> {
    let refused = |source| OpenError::Io { path: path.to_owned(), source };
    is_servable(path)?;
    if !path.try_exists().map_err(refused)? {
        let parents =
            path.ancestors().skip(1).map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
        let parent = parents.into_iter().find(|parent| parent.exists()).unwrap_or(Path::new("."));
        writable(parent).map_err(|source| OpenError::Io { path: parent.to_owned(), source })?;
        return Ok("will be made".to_owned());
    }
    let Some(found) = read_format(path)? else {
        if path.join(ROWS).exists() || path.join(MANIFEST_FILE).exists() {
            return Err(OpenError::Damaged { folder: path.to_owned(), what: format!("{FORMAT_FILE} is missing") });
        }
        if has_foreign_files(path).map_err(refused)? {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        writable(path).map_err(refused)?;
        return Ok("is empty".to_owned());
    };
    let format = parse_format(path, found)?;
    writable(path).map_err(refused)?;
    let upgrade =
        if format < FORMAT { format!(", to be upgraded to {FORMAT} at the next start") } else { String::new() };
    let lock_path = path.join(LOCK_FILE);
    let lock = match File::open(&lock_path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(format!("has format {format}{upgrade}")),
        Err(source) => return Err(OpenError::Io { path: lock_path, source }),
    };
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Ok(format!("has format {format}{upgrade}, in use by a running conclave")),
        _ => Ok(format!("has format {format}{upgrade}")),
    }
}

/// Whether this process may create files in a folder.
fn writable(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, access};
        access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)?;
    }
    if fs::metadata(folder)?.is_dir() { Ok(()) } else { Err(std::io::Error::from(ErrorKind::NotADirectory)) }
}

/// The manifest in a folder; `None` when it is missing.
pub(super) fn manifest(folder: &Path) -> Result<Option<Manifest>, OpenError> {
    match Manifest::open(folder) {
        Ok(Some(manifest)) => Ok(Some(manifest)),
        Ok(None) => {
            Err(OpenError::Damaged { folder: folder.to_owned(), what: format!("{MANIFEST_FILE} cannot be read") })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Io { path: folder.join(MANIFEST_FILE), source }),
    }
}

/// The error for a refused folder.
pub(super) fn refused(folder: &Path, fault: Fault) -> OpenError {
    match fault {
        Fault::Damage(what) => OpenError::Damaged { folder: folder.to_owned(), what },
        Fault::Io(path, source) => OpenError::Io { path, source },
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

/// Written under another name first, so that a crash never leaves an incomplete file.
pub(super) fn write_format(folder: &Path, format: u32) -> std::io::Result<()> {
    let draft = folder.join(format!("{FORMAT_FILE}.new"));
    let mut file = File::create(&draft)?;
    writeln!(file, "{format}")?;
    file.sync_all()?;
    fs::rename(draft, folder.join(FORMAT_FILE))?;
    crate::blob::sync_folder(folder)
}

fn has_foreign_files(folder: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        // files of an interrupted first start, and files that file systems create in every new volume
        let ours = name == LOCK_FILE || name.to_string_lossy().starts_with(FORMAT_FILE) || name == "lost+found";
        if !ours {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK_FILE);
    let refused = |source| OpenError::Io { path: path.clone(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(refused)?;
    // a stopping gateway, or a check, may hold the lock for a moment longer
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_RETRY),
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
    }
}
