//! Makes a data folder from the rows of a backup.
//!
//! The folder refuses to open from [`Rebuild::begin`] until [`Rebuild::finish`] has returned.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::engine::{Engine, MARK_KEY, Mark};
use super::folder::{self, ROWS};
use super::manifest::{Manifest, ManifestContents};
use super::{OpenError, Options, failed};
use crate::backup::RESTORING;

/// A data folder that is being made.
pub(crate) struct Rebuild {
    path: PathBuf,
    _lock: File,
}

impl Rebuild {
    /// Marks an empty folder as one that is not complete, and locks it.
    pub(crate) fn begin(path: &Path) -> Result<Self, OpenError> {
        let marker = path.join(RESTORING);
        let write = || -> io::Result<()> {
            let mut file = File::create_new(&marker)?;
            file.write_all(b"A restore into this folder has not finished. Delete the folder and restore again.\n")?;
            file.sync_all()?;
            crate::blob::sync_folder(path)
        };
        write().map_err(|source| OpenError::Io { path: marker.clone(), source })?;
        Ok(Self { path: path.to_owned(), _lock: folder::lock(path)? })
    }

    /// Makes the database of rows in the order of their keys, and the folder's manifest. The folder gets an id of its own,
    /// so that its files and those of the folder the rows are from are never taken for one another's.
    pub(crate) fn rows<E: From<OpenError>>(
        &self,
        format: u32,
        round: u64,
        fill: impl FnOnce(&mut dyn FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mark = Mark { round, store: *uuid::Uuid::new_v4().as_bytes() };
        let draft = self.path.join("rows.new");
        self.fill(&draft, mark, fill)?;
        fs::rename(&draft, self.path.join(ROWS)).map_err(self.io())?;
        let contents = ManifestContents { store: mark.store, format, acknowledged: round, made: true, void: false };
        Manifest::create(&self.path, contents).map_err(self.io())?;
        Ok(())
    }

    fn fill<E: From<OpenError>>(
        &self,
        draft: &Path,
        mark: Mark,
        fill: impl FnOnce(&mut dyn FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E>,
    ) -> Result<(), E> {
        let wrong = |error: fjall::Error| -> OpenError {
            match error {
                fjall::Error::Io(source) => OpenError::Io { path: draft.to_owned(), source },
                other => OpenError::Damaged { folder: self.path.clone(), what: failed(other).0 },
            }
        };
        let engine = Engine::open(draft, &Options::default()).map_err(wrong)?;
        let mut ingestion = engine.table.start_ingestion().map_err(wrong)?;
        fill(&mut |key, value| {
            let written =
                if key == MARK_KEY { ingestion.write(key, mark.bytes()) } else { ingestion.write(key, value) };
            written.map_err(wrong).map_err(E::from)
        })?;
        ingestion.finish().map_err(wrong)?;
        engine.sync().map_err(wrong)?;
        Ok(())
    }

    /// Everything is there: from now on the folder can be opened.
    pub(crate) fn finish(self, format: u32) -> Result<(), OpenError> {
        folder::write_format(&self.path, format).map_err(self.io())?;
        fs::remove_file(self.path.join(RESTORING)).map_err(self.io())?;
        crate::blob::sync_folder(&self.path).map_err(self.io())
    }

    fn io(&self) -> impl FnOnce(io::Error) -> OpenError {
        let path = self.path.clone();
        move |source| OpenError::Io { path, source }
    }
}
