//! One file per blob, in one folder.
//!
//! A blob's id ends with the checksum of its bytes. No file is kept open between two chunks of an upload or a download,
//! and only a limited number at once, so that slow clients do not use up the process's descriptors.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use conclave_kit::{BlobError, Blobs, ByteStream, Stored};
use futures_util::{StreamExt, stream};
use tokio::sync::Semaphore;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::holds::{Holds, remove_deleted};

/// The extension of files that are still being written.
const PART: &str = "part";
/// The folder for blobs that no shared file refers to.
const TRASH: &str = "trash";
/// Bytes that are read or written at once.
const CHUNK: usize = 256 << 10;
/// Files that are open at once.
const HANDLES: usize = 24;
/// Random hexadecimal digits of an id; the checksum follows. Ids of earlier versions have none.
const RANDOM: usize = 32;

/// Blobs as files. The folder belongs to the data folder, so its lock guards them too.
pub struct Files {
    folder: PathBuf,
    handles: Arc<Semaphore>,
    holds: Holds,
}

impl Files {
    /// Opens this folder, and creates it if necessary. Every blob in use, given with its size, has to exist; the
    /// checksums of so many bytes of them are verified. Blobs that nothing refers to are moved to its folder `trash`,
    /// and unfinished uploads are deleted. Other files in it are ignored.
    pub fn open(folder: &Path, in_use: &HashMap<String, u64>, checked: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        check(folder, in_use, checked)?;
        remove_deleted(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.strip_suffix(PART).and_then(|name| name.strip_suffix('.')).is_some_and(is_id) {
                tracing::info!(file = %name, "deleting an unfinished upload");
                fs::remove_file(entry.path())?;
            } else if is_id(&name) && !in_use.contains_key(&*name) {
                tracing::warn!(file = %name, "no shared file refers to this file: it is moved to blobs/trash");
                set_aside(folder, &entry.path(), &name)?;
            }
        }
        Ok(Self { folder: folder.to_owned(), handles: Arc::new(Semaphore::new(HANDLES)), holds: Holds::default() })
    }

    /// Keeps what is deleted as long as one of these is held.
    #[must_use]
    pub fn with_holds(self, holds: Holds) -> Self {
        Self { holds, ..self }
    }

    /// Deletes what was moved to the trash longer ago than this; returns how many.
    pub fn empty_trash(folder: &Path, kept: Duration) -> io::Result<usize> {
        let entries = match fs::read_dir(folder.join(TRASH)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut deleted = 0;
        for entry in entries {
            let entry = entry?;
            let since = entry.metadata()?.modified()?;
            let old = SystemTime::now().duration_since(since).is_ok_and(|age| age >= kept);
            if old && entry.file_name().to_str().is_some_and(is_id) {
                fs::remove_file(entry.path())?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// The path of a blob; `None` when this is not an id, so that no name leads out of the folder.
    fn path(&self, id: &str) -> Option<PathBuf> {
        is_id(id).then(|| self.folder.join(id))
    }

    /// Performs file operations on a blocking thread, with a limited number at once.
    async fn with_files<T: Send + 'static>(
        handles: &Semaphore,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let _permit = handles.acquire().await.map_err(io::Error::other)?;
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }

    /// Appends these bytes to the file.
    async fn append(&self, path: &Path, bytes: Vec<u8>) -> io::Result<()> {
        let path = path.to_owned();
        let append = move || OpenOptions::new().append(true).open(path)?.write_all(&bytes);
        Self::with_files(&self.handles, append).await
    }
}

#[async_trait]
impl Blobs for Files {
    async fn put(&self, mut content: ByteStream, most: u64) -> Result<Stored, BlobError> {
        let random = Uuid::new_v4().simple().to_string();
        let unfinished = Unfinished(self.folder.join(format!("{random}.{PART}")));
        let path = unfinished.0.clone();
        Self::with_files(&self.handles, move || File::create_new(path).map(drop)).await?;
        let (mut size, mut sum, mut waiting) = (0_u64, Xxh3::new(), Vec::new());
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(BlobError::Broken)?;
            size = size.saturating_add(piece.len() as u64);
            if size > most {
                return Err(BlobError::TooLarge { most });
            }
            sum.update(&piece);
            waiting.extend_from_slice(&piece);
            if waiting.len() >= CHUNK {
                self.append(&unfinished.0, std::mem::take(&mut waiting)).await?;
            }
        }
        self.append(&unfinished.0, waiting).await?;
        let id = format!("{random}{:016x}", sum.digest());
        let (folder, path) = (self.folder.clone(), self.folder.join(&id));
        let finish = move || {
            File::open(&unfinished.0)?.sync_all()?;
            fs::rename(&unfinished.0, &path)?;
            sync_folder(&folder)
        };
        Self::with_files(&self.handles, finish).await?;
        Ok(Stored { id, size })
    }

    async fn get(&self, id: &str) -> Result<Option<(u64, ByteStream)>, BlobError> {
        let Some(path) = self.path(id) else { return Ok(None) };
        let size = match tokio::fs::metadata(&path).await {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let handles = Arc::clone(&self.handles);
        let pieces = stream::try_unfold((path, 0_u64, handles), move |(path, at, handles)| async move {
            if at >= size {
                return Ok(None);
            }
            let file = path.clone();
            let piece = Self::with_files(&handles, move || read_piece(&file, at, size - at)).await?;
            let next = at + piece.len() as u64;
            Ok(Some((piece, (path, next, handles))))
        });
        Ok(Some((size, Box::pin(pieces))))
    }

    async fn delete(&self, id: &str) -> Result<(), BlobError> {
        let Some(path) = self.path(id) else { return Ok(()) };
        let holds = self.holds.clone();
        let deleted = tokio::task::spawn_blocking(move || holds.delete(&path)).await;
        Ok(deleted.map_err(io::Error::other)??)
    }
}

/// A chunk of the bytes from this offset on.
fn read_piece(path: &Path, at: u64, left: u64) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut piece = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
    file.read_exact(&mut piece)?;
    Ok(piece.into())
}

/// Checks that every blob in use exists.
fn check(folder: &Path, in_use: &HashMap<String, u64>, most: u64) -> io::Result<()> {
    let damaged = |id: &str, what: &str| {
        let path = folder.join(id);
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} {what}: put it back from a backup", path.display())))
    };
    let mut left = most;
    for (id, size) in in_use {
        let path = folder.join(id);
        match fs::metadata(&path) {
            Ok(found) if found.len() == *size => {}
            Ok(_) => return damaged(id, "does not have the size it was stored with"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return damaged(id, "is missing"),
            Err(error) => return Err(error),
        }
        if *size > left {
            continue;
        }
        left -= size;
        if !is_whole(&path, id)? {
            return damaged(id, "has a wrong checksum");
        }
    }
    Ok(())
}

/// The checksum of the bytes of a blob, as its id has it; ids of earlier versions have none.
pub(crate) fn sum_in(id: &str) -> Option<&str> {
    id.get(RANDOM..).filter(|sum| !sum.is_empty())
}

/// Whether the bytes match the checksum in their id; ids without one are not checked.
fn is_whole(path: &Path, id: &str) -> io::Result<bool> {
    let Some(expected) = sum_in(id) else { return Ok(true) };
    let mut file = File::open(path)?;
    let (mut sum, mut piece) = (Xxh3::new(), vec![0; CHUNK]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(format!("{:016x}", sum.digest()) == expected),
            read => sum.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

/// Moves a blob to the trash, where its age is counted from now on.
fn set_aside(folder: &Path, path: &Path, name: &str) -> io::Result<()> {
    let trash = folder.join(TRASH);
    fs::create_dir_all(&trash)?;
    OpenOptions::new().append(true).open(path)?.set_modified(SystemTime::now())?;
    fs::rename(path, trash.join(name))?;
    sync_folder(&trash)?;
    sync_folder(folder)
}

/// A file that is deleted on drop unless it was renamed, also when its writer is dropped midway.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %self.0.display(), "an unfinished file cannot be deleted before the next start");
        }
    }
}

/// Whether this is an id that blobs are given, so that no other name leads out of the folder.
pub(crate) fn is_id(name: &str) -> bool {
    matches!(name.len(), RANDOM | 48) && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Syncs a folder, so that created and renamed files in it are durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // only on Unix can a folder be opened as a file
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
