//! One file per blob, in one folder.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::BytesMut;
use conclave_kit::{BlobError, Blobs, ByteStream, Stored};
use futures_util::{StreamExt, stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

/// Ends the names of files that are still being written.
const PART: &str = "part";
/// So much is read at once.
const CHUNK: usize = 64 << 10;

/// Blobs as files. The folder belongs to the data folder, so its lock guards them too.
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Uses this folder, makes it if need be, and deletes from it what a crash has left: blobs that were not
    /// finished and blobs that no shared file leads to. Other files in it are left alone.
    pub fn open(folder: &Path, in_use: &HashSet<String>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let unfinished = name.strip_suffix(PART).and_then(|name| name.strip_suffix('.')).is_some_and(is_id);
            if unfinished || (is_id(&name) && !in_use.contains(&*name)) {
                tracing::info!(file = %name, "removing what is left of a shared file");
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where a blob is; `None` when this is no id, so that no name leads out of the folder.
    fn path(&self, id: &str) -> Option<PathBuf> {
        is_id(id).then(|| self.folder.join(id))
    }
}

#[async_trait]
impl Blobs for Files {
    async fn put(&self, mut content: ByteStream, most: u64) -> Result<Stored, BlobError> {
        let id = Uuid::new_v4().simple().to_string();
        let unfinished = Unfinished(self.folder.join(format!("{id}.{PART}")));
        let mut file = File::create_new(&unfinished.0).await?;
        let mut size = 0_u64;
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(BlobError::Broken)?;
            size = size.saturating_add(piece.len() as u64);
            if size > most {
                return Err(BlobError::TooLarge { most });
            }
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        file.sync_all().await?;
        drop(file);
        let folder = self.folder.clone();
        let path = folder.join(&id);
        let finish = move || fs::rename(&unfinished.0, &path).and_then(|()| sync_folder(&folder));
        tokio::task::spawn_blocking(finish).await.map_err(io::Error::other)??;
        Ok(Stored { id, size })
    }

    async fn get(&self, id: &str) -> Result<Option<(u64, ByteStream)>, BlobError> {
        let Some(path) = self.path(id) else { return Ok(None) };
        let file = match File::open(path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let size = file.metadata().await?.len();
        let pieces = stream::try_unfold(file, |mut file| async move {
            let mut piece = BytesMut::with_capacity(CHUNK);
            let read = file.read_buf(&mut piece).await?;
            Ok((read > 0).then(|| (piece.freeze(), file)))
        });
        Ok(Some((size, Box::pin(pieces))))
    }

    async fn delete(&self, id: &str) -> Result<(), BlobError> {
        let Some(path) = self.path(id) else { return Ok(()) };
        match tokio::fs::remove_file(path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// A file that goes away unless it was renamed, also when its writer is dropped half-way.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %self.0.display(), "an unfinished file stays until the next start");
        }
    }
}

fn is_id(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Makes what was created or renamed in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // only unix lets a folder be opened as a file
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}
