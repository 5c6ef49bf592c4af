//! Checks a backup, or a data folder that no gateway has open: every checksum, every row, and every shared file that rows
//! refer to.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;

use conclave_core::model::SharedFile;

use super::census::{Census, Counts};
use super::folder::{self, BlobList, Listed, wrong_rows};
use super::manifest::{Manifest, Sum, damaged};
use super::{BLOBS, BackupError, MANIFEST, WEBHOOKS};
use crate::blob::{is_id, sum_in};
use crate::store::{self, Closed};

/// How much of a file is read at a time.
const PIECE: usize = 256 << 10;

/// The result for a folder that is not damaged.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) what: &'static str,
    pub(crate) taken_at: Option<String>,
    pub(crate) format: u32,
    pub(crate) round: u64,
    /// `None` where this version only upgrades the format, but does not read it.
    pub(crate) counts: Option<Counts>,
    pub(crate) blob_bytes: u64,
    pub(crate) webhooks: u64,
}

impl Report {
    /// The report on a backup.
    pub(crate) fn of(manifest: &Manifest, counts: Option<Counts>) -> Self {
        Self {
            what: "backup",
            taken_at: Some(manifest.taken_at.clone()),
            format: manifest.head.data_format,
            round: manifest.head.round,
            counts,
            blob_bytes: manifest.totals.blob_bytes,
            webhooks: manifest.totals.webhooks,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken_at, format, round, counts, blob_bytes, webhooks, .. } = self;
        if let Some(taken_at) = taken_at {
            writeln!(f, "  taken at  {taken_at}")?;
        }
        writeln!(f, "  format    {format}\n  round     {round}")?;
        match counts {
            Some(counts) => writeln!(f, "{counts}")?,
            None => writeln!(f, "  rows      of an earlier format: they are not counted")?,
        }
        writeln!(f, "  bytes     {blob_bytes} in shared files\n  webhooks  {webhooks} files of positions")
    }
}

/// Checks a folder, a backup or a data folder.
pub(crate) fn verify(path: &Path) -> Result<Report, BackupError> {
    let is_backup = [MANIFEST, folder::BLOB_LIST].into_iter().any(|name| path.join(name).exists());
    if is_backup { backup(path) } else { data_folder(path) }
}

fn backup(path: &Path) -> Result<Report, BackupError> {
    let manifest = Manifest::read(path)?;
    let mut census = (manifest.head.data_format == store::FORMAT).then(Census::default);
    let mut list = BlobList::open(path, &manifest)?;
    let blobs = path.join(BLOBS);
    folder::each_row(path, &manifest, |key, value| {
        let Some(census) = &mut census else { return Ok(()) };
        if let Some(file) = census.add(key, value).map_err(wrong_rows)? {
            let listed = list.next()?.filter(|listed| listed.id == file.blob && listed.size == file.size);
            let listed = listed.ok_or_else(|| damaged(&path.join(folder::BLOB_LIST)))?;
            check_listed(&blobs, &listed)?;
        }
        Ok(())
    })?;
    while let Some(listed) = list.next()? {
        if census.is_some() {
            return Err(damaged(&path.join(folder::BLOB_LIST)));
        }
        check_listed(&blobs, &listed)?;
    }
    folder::webhooks(path, &manifest)?;
    let counts = census.map(Census::end).transpose().map_err(wrong_rows)?;
    if counts != manifest.counts {
        return Err(damaged(&path.join(folder::ROWS)));
    }
    Ok(Report::of(&manifest, counts))
}

/// Checks a shared file of a backup.
fn check_listed(blobs: &Path, listed: &Listed) -> Result<(), BackupError> {
    copy_listed(blobs, listed, &mut io::sink())
}

/// Copies a shared file of a backup, and refuses it if it has changed since the backup.
pub(crate) fn copy_listed(blobs: &Path, listed: &Listed, to: &mut dyn Write) -> Result<(), BackupError> {
    let path = blobs.join(&listed.id);
    let (size, sum) = copy(&path, to)?;
    if size == listed.size && sum.hex() == listed.sum { Ok(()) } else { Err(damaged(&path)) }
}

/// Copies a file; returns its size and checksum.
fn copy(path: &Path, to: &mut dyn Write) -> Result<(u64, Sum), BackupError> {
    let mut file = File::open(path).map_err(BackupError::reading(path))?;
    let (mut size, mut sum, mut piece) = (0, Sum::default(), vec![0; PIECE]);
    loop {
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(BackupError::io(path))?,
        };
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { return Ok((size, sum)) };
        size += read.len() as u64;
        sum.update(read);
        to.write_all(read).map_err(BackupError::io(path))?;
    }
}

fn data_folder(path: &Path) -> Result<Report, BackupError> {
    let closed = Closed::open(path)?;
    let unreadable = |error: conclave_core::ports::StoreError| BackupError::Damaged(error.0);
    let snapshot = closed.snapshot().map_err(unreadable)?;
    let mut census = (snapshot.format() == store::FORMAT).then(Census::default);
    let (blobs, mut blob_bytes) = (path.join(BLOBS), 0);
    for row in snapshot.rows() {
        let (key, value) = row.map_err(unreadable)?;
        let Some(census) = &mut census else { continue };
        if let Some(file) = census.add(&key, &value).map_err(wrong_rows)? {
            check_stored(&blobs, &file)?;
            blob_bytes += file.size;
        }
    }
    let counts = census.map(Census::end).transpose().map_err(wrong_rows)?;
    let webhooks = path.join(WEBHOOKS);
    let webhooks = crate::webhooks::check_positions(&webhooks)
        .map_err(|error| BackupError::Damaged(format!("{}: {error}: put it back from a backup", webhooks.display())))?;
    Ok(Report {
        what: "data folder",
        taken_at: None,
        format: snapshot.format(),
        round: snapshot.round(),
        counts,
        blob_bytes,
        webhooks,
    })
}

/// Checks the bytes of a shared file in a data folder.
fn check_stored(blobs: &Path, file: &SharedFile) -> Result<(), BackupError> {
    let id = &file.blob;
    if !is_id(id) {
        return Err(BackupError::Damaged(format!(
            "the shared file {} has {id:?}, which is not an id of stored contents",
            file.id
        )));
    }
    let path = blobs.join(id);
    let (size, sum) = copy(&path, &mut io::sink())?;
    if size != file.size || sum_in(id).is_some_and(|expected| expected != sum.short()) {
        return Err(BackupError::Damaged(format!("{} is damaged: put it back from a backup", path.display())));
    }
    Ok(())
}
