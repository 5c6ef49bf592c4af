//! Opens folders of earlier formats: upgraded in place, keeping a copy of what is replaced.
//!
//! 1. The database is cloned below `upgrade/`: files that never change are hard-linked, the log is copied.
//! 2. Each step of [`steps::STEPS`] changes a clone of its own, so an interrupted step leaves nothing: it is repeated
//!    from the previous clone.
//! 3. When the last clone and its manifest are complete, the old database is moved to `backup-format-<n>/`, the new one
//!    replaces it, and the format's number is written. From here on an interrupted upgrade is finished by the next
//!    start.
//!
//! - [`steps`]: the changes from format to format. Add to its list.
//! - [`rows`]: the rows that a step is given.

mod rows;
mod steps;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use conclave_core::ports::StoreError;

use super::check::{self, Whole};
use super::engine::{Engine, Mark};
use super::folder::{self, OpenError};
use super::manifest::{MANIFEST_FILE, Manifest, ManifestContents};
use super::snapshot::COPY;
use super::{Options, failed};

pub(crate) use steps::FORMAT;
use steps::{STEPS, Step};

/// The first format. It has no manifest, and its rounds have no numbers.
const FIRST: u32 = 1;
/// The folder in which an upgrade works, in the data folder.
const WORK: &str = "upgrade";

/// Upgrades a folder from this format to the newest, or finishes an interrupted upgrade.
pub(super) fn run(folder: &Path, from: u32, options: &Options) -> Result<(), OpenError> {
    Upgrade { folder, from, options, steps: STEPS }.run()
}

/// Whether an upgrade has begun to replace the database.
pub(super) fn is_replacing(folder: &Path) -> bool {
    folder.join(WORK).join(MANIFEST_FILE).exists()
}

/// Removes what a finished upgrade, or a backup that was ended, may have left.
pub(super) fn tidy(folder: &Path) -> Result<(), OpenError> {
    for left in [WORK, COPY] {
        let left = folder.join(left);
        if left.exists() {
            fs::remove_dir_all(&left).map_err(io(&left))?;
        }
    }
    Ok(())
}

struct Upgrade<'u> {
    folder: &'u Path,
    from: u32,
    options: &'u Options,
    steps: &'u [Step],
}

impl Upgrade<'_> {
    fn run(&self) -> Result<(), OpenError> {
        let to = self.newest();
        tracing::warn!(
            from = self.from,
            to,
            folder = %self.folder.display(),
            "upgrading the data folder; the old database is kept in backup-format-{}",
            self.from
        );
        if !self.work(MANIFEST_FILE).exists() {
            self.prepare()?;
        }
        self.replace()?;
        tracing::info!(to, "the data folder is upgraded");
        Ok(())
    }

    /// Creates the new database and its manifest beside the old one.
    fn prepare(&self) -> Result<(), OpenError> {
        create(&self.work(""))?;
        let base = self.from.max(steps::BASE);
        let done = (base..=self.newest()).rev().find(|at| self.clone_of(*at).exists());
        let mut at = done.unwrap_or(base);
        if done.is_none() {
            let old = self.folder.join(folder::ROWS);
            let whole = self.check(&old, self.contents()?.as_ref())?;
            // a database of the first format has no round of its own yet
            let begin =
                |engine: &Engine, mark: Mark| if mark.round > 0 { Ok(mark) } else { rows::begin(engine, mark.store) };
            self.make(at, &whole, &old, begin)?;
        }
        for step in self.steps.iter().skip((at - steps::BASE) as usize) {
            tracing::info!(to = at + 1, what = step.about, "upgrading the data folder");
            let source = self.clone_of(at);
            let whole = self.check(&source, None)?;
            self.make(at + 1, &whole, &source, |engine, mark| rows::apply(engine, mark, step))?;
            at += 1;
        }
        let mark = self.check(&self.clone_of(at), None)?.mark;
        let mark = mark.ok_or_else(|| self.broken("the new database has no rounds"))?;
        let (store, acknowledged) = (mark.store, mark.round);
        let contents = ManifestContents { store, format: self.newest(), acknowledged, made: true, void: false };
        Manifest::create(&self.work(""), contents).map_err(io(&self.work(MANIFEST_FILE)))?;
        self.point()
    }

    /// Creates the clone of a format from the previous one.
    fn make(
        &self,
        format: u32,
        whole: &Whole,
        source: &Path,
        change: impl FnOnce(&Engine, Mark) -> Result<Mark, StoreError>,
    ) -> Result<(), OpenError> {
        let partial = self.work("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(io(&partial))?;
        }
        create(&partial)?;
        whole.clone_into(source, &partial).map_err(io(&partial))?;
        self.point()?;
        let wrong = |error: fjall::Error| self.broken(&format!("it cannot be upgraded: {}", failed(error)));
        let engine = Engine::open(&partial, self.options).map_err(wrong)?;
        let mark = whole.mark.unwrap_or_else(|| Mark { round: 0, store: *uuid::Uuid::new_v4().as_bytes() });
        change(&engine, mark).map_err(|error| self.broken(&format!("it cannot be upgraded: {error}")))?;
        engine.sync().map_err(wrong)?;
        drop(engine);
        self.point()?;
        rename(&partial, &self.clone_of(format))?;
        self.point()
    }

    /// Replaces the old database by the new one. Each part is skipped when it is already done.
    fn replace(&self) -> Result<(), OpenError> {
        let backup = self.folder.join(format!("backup-format-{}", self.from));
        create(&backup)?;
        let (rows, new) = (self.folder.join(folder::ROWS), self.clone_of(self.newest()));
        if new.exists() {
            if rows.exists() {
                rename(&rows, &backup.join(folder::ROWS))?;
                self.point()?;
            }
            rename(&new, &rows)?;
            self.point()?;
        }
        let (manifest, kept) = (self.folder.join(MANIFEST_FILE), backup.join(MANIFEST_FILE));
        if manifest.exists() && !kept.exists() {
            copy(&manifest, &kept)?;
        }
        copy(&self.work(MANIFEST_FILE), &manifest)?;
        self.point()?;
        folder::write_format(&backup, self.from).map_err(io(&backup))?;
        folder::write_format(self.folder, self.newest()).map_err(io(self.folder))?;
        self.point()?;
        tidy(self.folder)
    }

    fn newest(&self) -> u32 {
        steps::newest(self.steps)
    }

    fn contents(&self) -> Result<Option<ManifestContents>, OpenError> {
        if self.from == FIRST {
            return Ok(None);
        }
        folder::manifest(self.folder)?
            .map(|manifest| manifest.contents())
            .map(Some)
            .ok_or_else(|| self.broken(&format!("{MANIFEST_FILE} is missing")))
    }

    fn check(&self, rows: &Path, contents: Option<&ManifestContents>) -> Result<Whole, OpenError> {
        check::check(rows, contents, self.options.checked_at_start).map_err(|fault| folder::refused(self.folder, fault))
    }

    fn broken(&self, what: &str) -> OpenError {
        OpenError::Damaged { folder: self.folder.to_owned(), what: what.to_owned() }
    }

    fn work(&self, name: &str) -> PathBuf {
        self.folder.join(WORK).join(name)
    }

    fn clone_of(&self, format: u32) -> PathBuf {
        self.work(&format!("rows-{format}"))
    }

    /// A point at which a test can stop the process.
    fn point(&self) -> Result<(), OpenError> {
        match &self.options.faults {
            Some(faults) if faults.ends_here() => Err(self.broken("a test ends the process here")),
            _ => Ok(()),
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    move |source| OpenError::Io { path: path.to_owned(), source }
}

fn create(folder: &Path) -> Result<(), OpenError> {
    fs::create_dir_all(folder).map_err(io(folder))
}

/// A durable rename.
fn rename(from: &Path, to: &Path) -> Result<(), OpenError> {
    let folders = [from.parent(), to.parent()];
    fs::rename(from, to).map_err(io(to))?;
    folders.into_iter().flatten().try_for_each(crate::blob::sync_folder).map_err(io(to))
}

/// A durable copy; an incomplete one is never visible.
fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    let draft = to.with_extension("new");
    fs::copy(from, &draft).map_err(io(to))?;
    fs::File::open(&draft).and_then(|file| file.sync_all()).map_err(io(to))?;
    rename(&draft, to)
}
