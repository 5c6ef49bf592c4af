//! The delivery position of a destination: stored beside the database, so that a restart resumes there.
//!
//! The stored position may be a little behind, never ahead: after a crash the last notifications are sent again.
//!
//! Each file has a checksum, and the file `index` lists all of them, so that a damaged or missing one is detected,
//! instead of being treated as a new destination's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use conclave_core::model::Millis;
use serde::{Deserialize, Serialize};

/// The format this version writes; it also reads the previous one, which has no checksum.
const FORMAT: u32 = 2;
/// Lists the files of all destinations.
pub(crate) const INDEX: &str = "index";

/// The progress of one event's notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// How many of them are finished.
    pub(super) done: usize,
    /// Attempts for the next one.
    pub(super) tries: u32,
    /// When the next attempt is due.
    pub(super) due: Option<Millis>,
}

/// The delivery position of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    format: u32,
    /// The checksum of the rest, in hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sum: String,
    /// The last event that was read.
    pub(super) through: u64,
    /// The events up to there that are not finished.
    pub(super) pending: BTreeMap<u64, Progress>,
}

impl State {
    /// The checksum of everything else.
    fn checksum(&self) -> io::Result<String> {
        let bare = Self { sum: String::new(), ..self.clone() };
        Ok(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&serde_json::to_vec(&bare)?)))
    }

    /// The state in which everything up to here is finished.
    pub(super) fn at(through: u64) -> Self {
        Self { format: FORMAT, sum: String::new(), through, pending: BTreeMap::new() }
    }
}

/// Where a state is stored.
#[derive(Debug, Clone)]
pub(super) enum PositionStore {
    /// In memory: it is lost with the process, as the log is.
    Memory,
    /// In this file.
    File(PathBuf),
}

impl PositionStore {
    /// The stored state, if there is one.
    pub(super) fn load(&self) -> io::Result<Option<State>> {
        let Self::File(path) = self else { return Ok(None) };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let (folder, name) = split(path);
                return if index(folder)?.contains(name) { Err(invalid("it is missing")) } else { Ok(None) };
            }
            Err(error) => return Err(error),
        };
        let mut state: State = serde_json::from_slice(&bytes).map_err(invalid)?;
        match state.format {
            1 => state.format = FORMAT,
            FORMAT if state.sum == state.checksum()? => state.sum.clear(),
            FORMAT => return Err(invalid("it is damaged")),
            other => return Err(invalid(format!("it has format {other}"))),
        }
        Ok(Some(state))
    }

    /// Stores a state durably.
    pub(super) fn save(&self, state: &State) -> io::Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        let is_new = !path.exists();
        write(path, &serde_json::to_vec(&State { sum: state.checksum()?, ..state.clone() })?)?;
        let (folder, name) = split(path);
        let mut names = index(folder)?;
        if is_new && names.insert(name.to_owned()) { write_index(folder, &names) } else { Ok(()) }
    }
}

/// Checks every position in a folder; answers how many files there are. Nothing is changed.
pub(crate) fn check_positions(folder: &Path) -> io::Result<u64> {
    let mut names = index(folder)?;
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if Path::new(&name).extension().is_some_and(|extension| extension == "json") {
            names.insert(name);
        }
    }
    for name in &names {
        let state = PositionStore::File(folder.join(name)).load();
        state.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    }
    Ok(names.len() as u64)
}

/// Written under another name first, so that a crash never leaves an incomplete file.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    crate::blob::sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// The names of all files that were created here and not removed; one per line.
fn index(folder: &Path) -> io::Result<BTreeSet<String>> {
    match fs::read_to_string(folder.join(INDEX)) {
        Ok(text) => Ok(text.lines().filter(|name| !name.is_empty()).map(str::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

fn write_index(folder: &Path, names: &BTreeSet<String>) -> io::Result<()> {
    let mut text = names.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    text.push('\n');
    write(&folder.join(INDEX), text.as_bytes())
}

fn split(path: &Path) -> (&Path, &str) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    (path.parent().unwrap_or(Path::new(".")), name)
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

/// Prepares the folder of the positions: removes the files of destinations that are not configured any more. One that is
/// configured again is a new one.
pub(super) fn folder(folder: &Path, names: &[String]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let known = name.to_str().is_some_and(|name| names.iter().any(|known| known == name));
        if !known && entry.path().extension().is_some_and(|extension| extension == "json") {
            tracing::info!(file = %name.display(), "a webhook is no longer configured: deleting its delivery position");
            fs::remove_file(entry.path())?;
        }
    }
    let mut known = index(folder)?;
    let before = known.len();
    known.retain(|known| names.contains(known));
    if known.len() == before { Ok(()) } else { write_index(folder, &known) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_kept() {
        let here = tempfile::tempdir().unwrap();
        let position_store = PositionStore::File(here.path().join("a.rong.operations.json"));
        assert_eq!(position_store.load().unwrap(), None);
        let mut state = State::at(7);
        position_store.save(&state).unwrap();
        state.through = 12;
        state.pending.insert(9, Progress { done: 1, tries: 3, due: Some(Millis(1_700_000_000_000)) });
        position_store.save(&state).unwrap();
        assert_eq!(position_store.load().unwrap(), Some(state));
    }

    #[test]
    fn a_damaged_one_is_not_taken_for_a_new_one() {
        let here = tempfile::tempdir().unwrap();
        let path = here.path().join("a.rong.operations.json");
        for text in ["", "{", "{\"format\":2,\"through\":1,\"pending\":{}}", "{\"through\":1}"] {
            fs::write(&path, text).unwrap();
            assert!(PositionStore::File(path.clone()).load().is_err(), "{text}");
        }
        let position_store = PositionStore::File(path.clone());
        position_store.save(&State::at(71)).unwrap();
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert!(position_store.load().is_err(), "byte {at}");
        }
    }

    #[test]
    fn one_that_is_missing_is_not_taken_for_a_new_one() {
        let here = tempfile::tempdir().unwrap();
        let path = here.path().join("a.rong.operations.json");
        let position_store = PositionStore::File(path.clone());
        position_store.save(&State::at(7)).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(position_store.load().is_err());
        // a destination that was removed from the configuration counts as new
        folder(here.path(), &[]).unwrap();
        assert_eq!(position_store.load().unwrap(), None);
    }

    #[test]
    fn the_format_without_a_checksum_is_read() {
        let here = tempfile::tempdir().unwrap();
        let path = here.path().join("a.rong.operations.json");
        fs::write(&path, "{\"format\":1,\"through\":9,\"pending\":{}}").unwrap();
        assert_eq!(PositionStore::File(path).load().unwrap(), Some(State::at(9)));
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
