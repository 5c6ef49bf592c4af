//! Turns a snapshot of a data folder into frames.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use conclave_core::model::{Row, SharedFile};

use super::frame::{Frame, Head, RowsBuffer, STREAM, Totals};
use super::{BLOBS, BackupError, WEBHOOKS};
use crate::blob::{held_path, is_id};
use crate::store::{Closed, Database, RealmPrefix, Snapshot, decode, is_mark};

/// Rows are sent in frames of about this size, and bytes of shared files in frames of at most this size.
const PIECE: usize = 256 << 10;

/// Receives frames; an error ends the backup.
pub(crate) type Emit<'e> = &'e mut dyn FnMut(Frame) -> Result<(), BackupError>;

/// Backs up an open database. Writes continue meanwhile.
pub(crate) fn of_open(database: &Database, emit: Emit<'_>) -> Result<Totals, BackupError> {
    // in this order: shared files are kept from before the snapshot, so those that rows refer to exist; and webhooks'
    // positions are never ahead of the log, so no notification is skipped
    let _hold = database.holds().hold(&database.blob_folder());
    let webhooks = webhooks(database.path())?;
    let snapshot = database.snapshot().map_err(|error| BackupError::Refused(error.0))?;
    send(&snapshot, database.path(), webhooks, emit)
}

/// Backs up a data folder that no gateway has open.
pub(crate) fn of_closed(folder: &Closed, emit: Emit<'_>) -> Result<Totals, BackupError> {
    let snapshot = folder.snapshot().map_err(|error| BackupError::Refused(error.0))?;
    send(snapshot, folder.path(), webhooks(folder.path())?, emit)
}

fn send(
    snapshot: &Snapshot,
    folder: &Path,
    webhooks: BTreeMap<String, Bytes>,
    emit: Emit<'_>,
) -> Result<Totals, BackupError> {
    let mut totals = Totals::default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    emit(Frame::Head(Head {
        stream: STREAM,
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
        data_format: snapshot.format(),
        store: hex(&snapshot.store()),
        round: snapshot.round(),
        taken_at_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
    }))?;
    for (name, content) in webhooks {
        totals.webhooks += 1;
        emit(Frame::Webhook(name, content))?;
    }
    let mut buffer = RowsBuffer::default();
    each_row(snapshot, |key, value| {
        totals.rows += 1;
        buffer.add(key, value);
        if buffer.len() >= PIECE { buffer.take().map_or(Ok(()), &mut *emit) } else { Ok(()) }
    })?;
    if let Some(rest) = buffer.take() {
        emit(rest)?;
    }
    let blobs = folder.join(BLOBS);
    each_row(snapshot, |key, value| {
        if let Some(file) = shared_file(key, value)? {
            totals.blobs += 1;
            totals.blob_bytes += file.size;
            send_blob(&blobs, &file, emit)?;
        }
        Ok(())
    })?;
    emit(Frame::End(totals))?;
    Ok(totals)
}

fn each_row(
    snapshot: &Snapshot,
    mut take: impl FnMut(&[u8], &[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    for row in snapshot.rows() {
        if snapshot.is_over() {
            return Err(BackupError::Refused(
                "the store has to open its database again, or the gateway is shutting down: take the backup again afterwards"
                    .to_owned(),
            ));
        }
        let (key, value) = row.map_err(|error| BackupError::Refused(error.0))?;
        take(&key, &value)?;
    }
    Ok(())
}

/// The shared file that a row is about.
fn shared_file(key: &[u8], value: &[u8]) -> Result<Option<std::sync::Arc<SharedFile>>, BackupError> {
    let files = conclave_core::model::Prefix::all_files();
    let is_file =
        !is_mark(key) && RealmPrefix::of(key).is_some_and(|realm| realm.strip(key).starts_with(files.as_bytes()));
    if !is_file {
        return Ok(None);
    }
    match decode(value).map_err(|error| BackupError::Damaged(error.0))? {
        Row::File(file) => Ok(Some(file)),
        _ => Ok(None),
    }
}

fn send_blob(folder: &Path, file: &SharedFile, emit: Emit<'_>) -> Result<(), BackupError> {
    let id = &file.blob;
    if !is_id(id) {
        return Err(BackupError::Damaged(format!(
            "the shared file {} has {id:?}, which is not an id of stored contents",
            file.id
        )));
    }
    let path = folder.join(id);
    let opened = match File::open(&path) {
        // it was deleted after the snapshot, and is kept for this backup
        Err(error) if error.kind() == io::ErrorKind::NotFound => File::open(held_path(&path)),
        opened => opened,
    };
    let mut opened = opened.map_err(BackupError::reading(&path))?;
    emit(Frame::Blob(id.clone(), file.size))?;
    let mut left = file.size;
    while left > 0 {
        let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        opened.read_exact(&mut piece).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BackupError::Damaged(format!("{} is shorter than stored", path.display())),
            _ => BackupError::io(&path)(error),
        })?;
        left -= piece.len() as u64;
        emit(Frame::Piece(piece.into()))?;
    }
    Ok(())
}

/// The delivery positions of webhooks, with the file that lists them. Read in this order, every file it names is there.
fn webhooks(folder: &Path) -> Result<BTreeMap<String, Bytes>, BackupError> {
    let folder = folder.join(WEBHOOKS);
    let mut found = BTreeMap::new();
    let index = folder.join(crate::webhooks::INDEX);
    match fs::read(&index) {
        Ok(bytes) => drop(found.insert(crate::webhooks::INDEX.to_owned(), bytes.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(BackupError::io(&index)(error)),
    }
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(BackupError::io(&folder))?,
    };
    for entry in entries {
        let path = entry.map_err(BackupError::io(&folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        if let Some(name) = name
            && path.extension().is_some_and(|extension| extension == "json")
        {
            let bytes = fs::read(&path).map_err(BackupError::reading(&path))?;
            found.insert(name, bytes.into());
        }
    }
    Ok(found)
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
