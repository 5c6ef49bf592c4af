//! Recovery after a round could not be synced: for lack of descriptors or space, or because the disk fails.
//!
//! A failed sync is final for the engine that made it: the log after the last acknowledged round may be on the disk or
//! not. So the engine is given up:
//!
//! 1. No more writes are accepted. Reads continue.
//! 2. The manifest records, durably, that everything after the last acknowledged round is void: the next
//!    opening of the database cuts it off. Only then the waiting callers get the error that nothing was done. As long as
//!    that cannot be written, they get no answer: their requests time out, as the outcome is unknown.
//! 3. It is tested repeatedly whether the folder has space. When it has, the engine is closed, the log is cut off,
//!    checked and opened as at a start, and writes are accepted again.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::time::Duration;

use conclave_core::ports::StoreError;

use super::cache::RowSnapshot;
use super::engine::{Engine, Mark};
use super::faults::wanted;
use super::rounds::Waiter;
use super::{Shared, opening};

/// The pause between two tests.
const PAUSE: Duration = Duration::from_millis(500);
/// Free space required before the engine is reopened.
const ROOM: usize = 4 << 20;
const HANDLES: usize = 16;

/// Returns when rounds can be written again; `false` means that the store is closed.
pub(super) fn recover(shared: &Shared, open: &mut Option<(Engine, Mark)>, error: &StoreError) -> bool {
    let why = StoreError(format!("{error}; writes are tried again when the data folder can be written"));
    tracing::error!(%error, "a commit failed: writes are refused until the data folder can be written again");
    shared.health.fails(&error.0);
    let mut waiting = Some(shared.rounds.lock().fails(why.clone()));
    loop {
        if waiting.is_some() && void(shared) {
            answer(waiting.take().unwrap_or_default(), &why);
        }
        match has_room(shared) {
            Ok(()) if waiting.is_none() => match reopen(shared, open) {
                Ok(()) => break,
                Err(error) => tracing::warn!(error, "the database could not be reopened"),
            },
            Ok(()) => {}
            // often the engine does not say why it failed, and this does
            Err(found) => {
                if shared.health.refuses_for(&format!("{error}; the data folder cannot be written: {found}")) {
                    tracing::error!(error = %found, "the data folder cannot be written");
                }
            }
        }
        if shared.rounds.lock().is_closing() {
            // the outcome is unknown, so no caller gets an answer
            std::mem::forget(waiting);
            return false;
        }
        shared.rounds.rest_for(PAUSE);
    }
    shared.rounds.lock().resumes();
    shared.health.recovers();
    tracing::info!("the data folder can be written again: writes are accepted");
    true
}

/// Closes the engine; what it may write while closing is void if the manifest says so.
pub(super) fn close(shared: &Shared, open: Option<(Engine, Mark)>) {
    shared.cache.close();
    drop(open);
    if let Err(error) = shared.manifest.lock().sync() {
        tracing::warn!(%error, "the manifest could not be synced");
    }
}

fn void(shared: &Shared) -> bool {
    if wanted(shared.options.faults.as_deref(), |faults| &faults.manifest) {
        return false;
    }
    match shared.manifest.lock().void() {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "the manifest cannot be written: requests whose commits failed get no response until it can");
            false
        }
    }
}

fn answer(waiting: Vec<Waiter>, why: &StoreError) {
    for waiter in waiting {
        let _gone = waiter.send(Err(why.clone()));
    }
}

/// Writes and deletes a file, with some others open.
fn has_room(shared: &Shared) -> io::Result<()> {
    if wanted(shared.options.faults.as_deref(), |faults| &faults.room) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let path = shared.path.join("conclave-room");
    let result = (|| {
        let mut file = File::create(&path)?;
        let _handles = (0..HANDLES).map(|_| File::open(&path)).collect::<io::Result<Vec<_>>>()?;
        file.write_all(&vec![1; ROOM])?;
        file.sync_all()
    })();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => result.and(Err(error)),
        _ => result,
    }
}

fn reopen(shared: &Shared, open: &mut Option<(Engine, Mark)>) -> Result<(), String> {
    shared.cache.close();
    *open = None;
    let (engine, mark) = opening::open_rows(&shared.path, &mut shared.manifest.lock(), &shared.options)
        .map_err(|error| error.to_string())?;
    shared.cache.reopen(RowSnapshot::of(&engine));
    *open = Some((engine, mark));
    Ok(())
}
