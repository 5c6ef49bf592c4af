//! Makes a data folder from a backup.
//!
//! The target is a new or an empty folder. From its first file on it has a marker by which gateways refuse to open it; the
//! marker is removed when everything is written and synced. So a restore that is killed leaves nothing, or a folder that
//! says that it is not complete. One that fails removes what it has written.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use super::census::Census;
use super::folder::{self, BlobList, wrong_rows};
use super::manifest::Manifest;
use super::verify::{Report, copy_listed};
use super::{BLOBS, BackupError, WEBHOOKS};
use crate::blob::sync_folder;
use crate::store::{self, Rebuild};

/// Restores a backup into a folder, checking everything that is read.
pub(crate) fn restore(backup: &Path, target: &Path) -> Result<Report, BackupError> {
    let manifest = Manifest::read(backup)?;
    let format = manifest.head.data_format;
    if format > store::FORMAT {
        return Err(BackupError::Refused(format!(
            "the backup {} has data of format {format}, this conclave knows formats 1 to {}; use conclave {} or newer",
            backup.display(),
            store::FORMAT,
            manifest.head.written_by
        )));
    }
    let existed = target.exists();
    folder::make_empty(target, "a restore")?;
    fill(backup, &manifest, target).inspect_err(|_| {
        if let Err(error) = clear(target, existed) {
            tracing::warn!(%error, folder = %target.display(), "what was restored so far cannot be removed");
        }
    })
}

fn fill(backup: &Path, manifest: &Manifest, target: &Path) -> Result<Report, BackupError> {
    let format = manifest.head.data_format;
    let rebuild = Rebuild::begin(target)?;
    let mut census = (format == store::FORMAT).then(Census::default);
    let mut last_key = Vec::new();
    rebuild.rows::<BackupError>(format, manifest.head.round, |put| {
        folder::each_row(backup, manifest, |key, value| {
            // the engine accepts rows in key order only
            if !last_key.is_empty() && key <= last_key.as_slice() {
                return Err(wrong_rows("they are not in the order of their keys".to_owned()));
            }
            key.clone_into(&mut last_key);
            if let Some(census) = &mut census {
                census.add(key, value).map_err(wrong_rows)?;
            }
            put(key, value)
        })
    })?;
    let counts = census.map(Census::end).transpose().map_err(wrong_rows)?;
    blobs(backup, manifest, target)?;
    webhooks(backup, manifest, target)?;
    rebuild.finish(format)?;
    Ok(Report { what: "data folder", ..Report::of(manifest, counts) })
}

fn blobs(backup: &Path, manifest: &Manifest, target: &Path) -> Result<(), BackupError> {
    let (from, to) = (backup.join(BLOBS), target.join(BLOBS));
    fs::create_dir(&to).map_err(BackupError::io(&to))?;
    let mut list = BlobList::open(backup, manifest)?;
    while let Some(listed) = list.next()? {
        let path = to.join(&listed.id);
        if path.exists() {
            continue;
        }
        let mut file = File::create_new(&path).map_err(BackupError::io(&path))?;
        copy_listed(&from, &listed, &mut file)?;
        file.sync_all().map_err(BackupError::io(&path))?;
    }
    sync_folder(&to).map_err(BackupError::io(&to))
}

fn webhooks(backup: &Path, manifest: &Manifest, target: &Path) -> Result<(), BackupError> {
    let to = target.join(WEBHOOKS);
    let files = folder::webhooks(backup, manifest)?;
    if files.is_empty() {
        return Ok(());
    }
    fs::create_dir(&to).map_err(BackupError::io(&to))?;
    for (name, content) in files {
        let path = to.join(name);
        let write = || {
            fs::write(&path, &content)?;
            File::open(&path)?.sync_all()
        };
        write().map_err(BackupError::io(&path))?;
    }
    sync_folder(&to).map_err(BackupError::io(&to))
}

/// Removes what was written; the marker last.
fn clear(target: &Path, existed: bool) -> std::io::Result<()> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(target)? {
        names.insert(entry?.file_name());
    }
    names.remove(std::ffi::OsStr::new("lost+found"));
    let marker = names.take(std::ffi::OsStr::new(super::RESTORING));
    for name in names.into_iter().chain(marker) {
        let path = target.join(name);
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    if existed { Ok(()) } else { fs::remove_dir(target) }
}
