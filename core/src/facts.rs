//! The rows that were fetched for a rule. A rule that needs a row that was not fetched yet stops with [`Need`]; the
//! engine fetches the row and runs the rule again. So rules do no I/O, and only the rows they use are fetched.

use foldhash::HashMap as Map;

use crate::keyed::Keyed;
use crate::model::{Key, Prefix, Row};
use crate::refusal::Refusal;

/// A fact that a rule needs to continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The rows at these places.
    Rows(Vec<Key>),
    /// The rows at these places, and after them the number of the last event: what a join rests on.
    RowsThenLastSequence(Vec<Key>),
    /// Whole runs of rows.
    Runs(Vec<Prefix>),
    /// The last rows of a run, at most this many.
    Recent(Prefix, usize),
    /// How many rows these runs have.
    Counts(Vec<Prefix>),
    /// The number of the last event.
    LastSequence,
}

/// Why a rule stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It needs to know more.
    Need(Need),
    /// It refuses.
    Refuse(Refusal),
}

impl<R: Into<Refusal>> From<R> for Stop {
    fn from(refusal: R) -> Self {
        Self::Refuse(refusal.into())
    }
}

/// A run of rows, each with its key, in the order in which it was read.
#[derive(Debug, Default)]
pub struct Run {
    keys: Vec<Vec<u8>>,
    rows: Vec<Row>,
}

impl Run {
    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows with their keys.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &Row)> {
        self.keys.iter().map(Vec::as_slice).zip(&self.rows)
    }
}

impl FromIterator<(Vec<u8>, Row)> for Run {
    fn from_iter<I: IntoIterator<Item = (Vec<u8>, Row)>>(pairs: I) -> Self {
        let (keys, rows) = pairs.into_iter().unzip();
        Self { keys, rows }
    }
}

/// Facts gathered so far.
#[derive(Debug, Default)]
pub struct Facts {
    rows: Keyed<Option<Row>>,
    runs: Map<Prefix, Run>,
    recent: Map<Prefix, Run>,
    counts: Map<Prefix, usize>,
    last_sequence: Option<u64>,
    rounds: u32,
}

impl Facts {
    /// Adds the row found with a key.
    pub fn learn(&mut self, key: Key, row: Option<Row>) {
        self.rows.insert(key, row);
    }

    /// Adds the rows found with keys.
    pub fn learn_all(&mut self, keys: Vec<Key>, rows: Vec<Option<Row>>) {
        self.rows.reserve(keys.len());
        for (key, row) in keys.into_iter().zip(rows) {
            self.rows.insert(key, row);
        }
    }

    /// Adds a run of rows.
    pub fn learn_run(&mut self, prefix: Prefix, rows: Run) {
        self.runs.insert(prefix, rows);
    }

    /// Adds the last rows of a run.
    pub fn learn_recent(&mut self, prefix: Prefix, rows: Run) {
        self.recent.insert(prefix, rows);
    }

    /// Adds how many rows a run has.
    pub fn learn_count(&mut self, prefix: Prefix, rows: usize) {
        self.counts.insert(prefix, rows);
    }

    /// Adds the number of the last event.
    pub fn learn_last_sequence(&mut self, sequence: u64) {
        self.last_sequence = Some(sequence);
    }

    /// Counts a fetch; facts from different fetches may contradict each other.
    pub fn gathered(&mut self) {
        self.rounds += 1;
    }

    /// The guarded keys that were read, with the revisions seen, if the facts come from more than one fetch and so may
    /// contradict each other.
    pub fn doubtful(&self) -> Vec<(Key, Option<u64>)> {
        if self.rounds < 2 {
            return Vec::new();
        }
        let guarded = self.rows.iter().filter(|(key, _)| matches!(key, Key::Group(_) | Key::User(_)));
        guarded.map(|(key, row)| (key.clone(), row.as_ref().and_then(Row::revision))).collect()
    }

    /// The row with a key, or a stop that requests it.
    pub fn row(&self, key: &Key) -> Result<Option<&Row>, Stop> {
        match self.rows.get(key) {
            Some(row) => Ok(row.as_ref()),
            None => Err(Stop::Need(Need::Rows(vec![key.clone()]))),
        }
    }

    /// Stops for all of these that are not known yet, so that they are fetched in one go.
    pub fn require(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        let missing = self.missing(keys);
        if missing.is_empty() { Ok(()) } else { Err(Stop::Need(Need::Rows(missing))) }
    }

    /// The same; if anything is missing, the number of the last event is fetched after it, without another stop.
    pub fn require_before_join(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        let missing = self.missing(keys);
        if missing.is_empty() { Ok(()) } else { Err(Stop::Need(Need::RowsThenLastSequence(missing))) }
    }

    fn missing(&self, keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
        if self.rows.is_empty() {
            return keys.into_iter().collect();
        }
        keys.into_iter().filter(|key| !self.rows.contains(key)).collect()
    }

    /// A range of rows, or a stop that requests it.
    pub fn run(&self, prefix: Prefix) -> Result<&Run, Stop> {
        match self.runs.get(&prefix) {
            Some(rows) => Ok(rows),
            None => Err(Stop::Need(Need::Runs(vec![prefix]))),
        }
    }

    /// Stops for all of these runs that are not known yet.
    pub fn require_runs(&self, prefixes: impl IntoIterator<Item = Prefix>) -> Result<(), Stop> {
        let missing: Vec<Prefix> = prefixes.into_iter().filter(|prefix| !self.runs.contains_key(prefix)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Need(Need::Runs(missing))) }
    }

    /// The last rows of a range, newest first, or a stop that requests them.
    pub fn recent(&self, prefix: Prefix, limit: usize) -> Result<&Run, Stop> {
        match self.recent.get(&prefix) {
            Some(rows) => Ok(rows),
            None => Err(Stop::Need(Need::Recent(prefix, limit))),
        }
    }

    /// The number of the last event when it was fetched, or a stop that requests it.
    pub fn last_sequence(&self) -> Result<u64, Stop> {
        self.last_sequence.ok_or(Stop::Need(Need::LastSequence))
    }

    /// The number of rows of a range, or a stop that requests it.
    pub fn count(&self, prefix: Prefix) -> Result<usize, Stop> {
        match self.counts.get(&prefix) {
            Some(rows) => Ok(*rows),
            None => Err(Stop::Need(Need::Counts(vec![prefix]))),
        }
    }

    /// Stops for all of these counts that are not known yet.
    pub fn require_counts(&self, prefixes: impl IntoIterator<Item = Prefix>) -> Result<(), Stop> {
        let missing: Vec<Prefix> = prefixes.into_iter().filter(|prefix| !self.counts.contains_key(prefix)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Stop::Need(Need::Counts(missing))) }
    }
}
