//! Opens the database in a data folder: checked, cut, and compared with the manifest.

use std::fs::{self, OpenOptions};
use std::path::Path;

use fjall::PersistMode;

use super::check;
use super::engine::{Engine, Mark};
use super::folder::{self, Folder, OpenError, ROWS};
use super::manifest::{MANIFEST_FILE, Manifest, ManifestContents};
use super::upgrade::{self, FORMAT};
use super::{Options, failed};

/// Locks the folder, upgrades it to the newest format, and opens the database.
pub(super) fn open(path: &Path, options: &Options) -> Result<(Folder, Manifest, Engine, Mark), OpenError> {
    let (folder, format) = Folder::claim(path)?;
    let damaged = |what: String| OpenError::Damaged { folder: path.to_owned(), what };
    if format < FORMAT {
        match folder::manifest(path)? {
            Some(manifest) if manifest.contents().format != format && !upgrade::is_replacing(path) => {
                return Err(damaged(format!(
                    "conclave-format says {format}, {MANIFEST_FILE} says {}",
                    manifest.contents().format
                )));
            }
            _ => upgrade::run(path, format, options)?,
        }
    }
    let mut manifest = match folder::manifest(path)? {
        Some(manifest) => manifest,
        None if folder.rows().exists() || folder.blobs().exists() => {
            return Err(damaged(format!("{MANIFEST_FILE} is missing")));
        }
        None => {
            let store = *uuid::Uuid::new_v4().as_bytes();
            let contents = ManifestContents { store, format: FORMAT, acknowledged: 0, made: false, void: false };
            Manifest::create(path, contents).map_err(io(path))?
        }
    };
    if manifest.contents().format != FORMAT {
        return Err(damaged(format!(
            "conclave-format says {FORMAT}, {MANIFEST_FILE} says {}",
            manifest.contents().format
        )));
    }
    upgrade::tidy(path)?;
    if !manifest.contents().made {
        if !folder.rows().exists() {
            make(&folder, manifest.contents().store, options)?;
        }
        manifest.made().map_err(io(path))?;
    }
    let (engine, mark) = open_rows(path, &mut manifest, options)?;
    Ok((folder, manifest, engine, mark))
}

/// Opens the database in this data folder, after checking it; invalid bytes of its log are cut off.
pub(super) fn open_rows(path: &Path, manifest: &mut Manifest, options: &Options) -> Result<(Engine, Mark), OpenError> {
    let rows = path.join(ROWS);
    let whole = check::check(&rows, Some(&manifest.contents()), options.checked_at_start)
        .map_err(|fault| folder::refused(path, fault))?;
    if whole.torn() > 0 {
        tracing::warn!(bytes = whole.torn(), "an incomplete end of the log is cut off; nothing acknowledged is lost");
        whole.cut().map_err(io(&rows))?;
    }
    // it is empty, but the engine requires it
    OpenOptions::new().write(true).create(true).truncate(false).open(rows.join("lock")).map_err(io(&rows))?;
    let engine = Engine::open(&rows, options).map_err(|error| match error {
        fjall::Error::Io(source) => OpenError::Io { path: rows.clone(), source },
        other => {
            OpenError::Damaged { folder: path.to_owned(), what: format!("the database cannot be opened: {other}") }
        }
    })?;
    let damaged = |what: String| OpenError::Damaged { folder: path.to_owned(), what };
    let mark = engine.mark().map_err(|error| damaged(failed(error).0))?;
    let Some(mark) = mark.filter(|_| mark == whole.mark) else {
        return Err(damaged(format!(
            "the database ends with round {}, its log with round {}",
            round(mark),
            round(whole.mark)
        )));
    };
    manifest.opened(mark.round).map_err(io(path))?;
    Ok((engine, mark))
}

/// Creates the database, so that there is either none or a complete one.
fn make(folder: &Folder, store: [u8; 16], options: &Options) -> Result<(), OpenError> {
    let draft = folder.path().join("rows.new");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(io(&draft))?;
    }
    let wrong = |error: fjall::Error| match error {
        fjall::Error::Io(source) => OpenError::Io { path: folder.path().to_owned(), source },
        other => {
            OpenError::Damaged { folder: folder.path().to_owned(), what: format!("no database can be made: {other}") }
        }
    };
    let engine = Engine::open(&draft, options).map_err(wrong)?;
    let first = engine.round(Mark { round: 1, store }).durability(Some(PersistMode::SyncAll));
    first.commit().map_err(wrong)?;
    drop(engine);
    fs::rename(&draft, folder.rows()).map_err(io(folder.path()))?;
    crate::blob::sync_folder(folder.path()).map_err(io(folder.path()))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    move |source| OpenError::Io { path: path.to_owned(), source }
}

/// The round of a mark, for error texts; 0 if there is none.
fn round(mark: Option<Mark>) -> u64 {
    mark.map_or(0, |mark| mark.round)
}
