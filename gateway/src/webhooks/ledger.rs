//! How far a destination has been told: kept beside the database, so that a restart goes on where it was.
//!
//! What is on disk may be a little older than the truth, never newer: after a crash the last notices go out again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use conclave_core::model::Millis;
use serde::{Deserialize, Serialize};

/// The format this version reads and writes.
const FORMAT: u32 = 1;

/// How far one event's notices are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing {
    /// How many of them are done with.
    pub(super) done: usize,
    /// How often the next one was tried.
    pub(super) tries: u32,
    /// When it is to be tried again.
    pub(super) due: Option<Millis>,
}

/// How far a destination has been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    format: u32,
    /// The last event that was read.
    pub(super) through: u64,
    /// The events up to there that are not done with.
    pub(super) pending: BTreeMap<u64, Standing>,
}

impl State {
    /// Everything up to here is done with.
    pub(super) fn at(through: u64) -> Self {
        Self { format: FORMAT, through, pending: BTreeMap::new() }
    }
}

/// Where a state is kept.
#[derive(Debug, Clone)]
pub(super) enum Ledger {
    /// Nowhere: it ends with the process, as the log does.
    Memory,
    /// In this file.
    File(PathBuf),
}

impl Ledger {
    /// The state kept here, if there is one.
    pub(super) fn load(&self) -> io::Result<Option<State>> {
        let Self::File(path) = self else { return Ok(None) };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let state: State =
            serde_json::from_slice(&bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if state.format != FORMAT {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("it has format {}", state.format)));
        }
        Ok(Some(state))
    }

    /// Keeps a state: when this returns, it survives a loss of power.
    pub(super) fn save(&self, state: &State) -> io::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        // under another name first, so that a crash never leaves half a state
        let draft = path.with_extension("new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.sync_all()?;
        fs::rename(draft, path)?;
        crate::blob::sync_folder(path.parent().unwrap_or(Path::new(".")))
    }
}

/// The folder of the ledgers, made ready: without the files of destinations that are no longer there. One that comes
/// back is a new one.
pub(super) fn folder(folder: &Path, names: &[String]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let known = name.to_str().is_some_and(|name| names.iter().any(|known| known == name));
        if !known && entry.path().extension().is_some_and(|extension| extension == "json") {
            tracing::info!(file = %name.display(), "a webhook is no longer configured: forgetting how far it was told");
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_kept() {
        let here = tempfile::tempdir().unwrap();
        let ledger = Ledger::File(here.path().join("a.rong.operations.json"));
        assert_eq!(ledger.load().unwrap(), None);
        let mut state = State::at(7);
        ledger.save(&state).unwrap();
        state.through = 12;
        state.pending.insert(9, Standing { done: 1, tries: 3, due: Some(Millis(1_700_000_000_000)) });
        ledger.save(&state).unwrap();
        assert_eq!(ledger.load().unwrap(), Some(state));
    }

    #[test]
    fn a_damaged_one_is_not_taken_for_a_new_one() {
        let here = tempfile::tempdir().unwrap();
        let path = here.path().join("a.rong.operations.json");
        for text in ["", "{", "{\"format\":2,\"through\":1,\"pending\":{}}", "{\"through\":1}"] {
            fs::write(&path, text).unwrap();
            assert!(Ledger::File(path.clone()).load().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_longer_configured_is_forgotten() {
        let here = tempfile::tempdir().unwrap();
        for name in ["a.rong.operations.json", "b.rong.operations.json", "notes.txt"] {
            fs::write(here.path().join(name), "x").unwrap();
        }
        folder(here.path(), &["a.rong.operations.json".to_owned()]).unwrap();
        let mut left: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a.rong.operations.json", "notes.txt"]);
    }
}
