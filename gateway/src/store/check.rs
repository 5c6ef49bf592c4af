//! Checks a database before the engine reads it, without changing anything.
//!
//! The engine trusts what it finds: it does not notice a missing file of the log, a shortened log, or a missing list of
//! tables, and deletes some files itself. So everything that can be seen on opening is checked first: each file against
//! the checksum in its list, the log against the numbers of its rounds, and both against the manifest.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use lsm_tree::{AbstractTree as _, SequenceNumberCounter};
use xxhash_rust::xxh3::Xxh3;

use super::engine::{MARK_KEY, Mark, link};
use super::journal::{LogFile, Rest};
use super::manifest::ManifestContents;

/// The engine's own first file.
const VERSION: (&str, &[u8]) = ("version", b"FJL\x03");
/// The engine's list of tables, and the table of rows.
const KEYSPACES: [&str; 2] = ["0", "1"];
/// Larger than any gap that the engine leaves in the numbers of two records of the log.
const LEAP: u64 = 1 << 40;

/// Why a database is not opened.
#[derive(Debug)]
pub(super) enum Fault {
    /// Something is missing or damaged.
    Damage(String),
    /// It could not be read.
    Io(PathBuf, io::Error),
}

/// A complete database.
pub(super) struct Whole {
    /// The mark of the last round; `None` in a database of a format without marks.
    pub(super) mark: Option<Mark>,
    /// The files of the log, with how many bytes of each are valid, and how many after them are not: rounds that were
    /// never acknowledged.
    pub(super) log: Vec<(LogFile, usize, usize)>,
    /// The files that never change, relative to the database's folder.
    pub(super) fixed: Vec<PathBuf>,
}

/// Checks the database in this folder. Tables are read in full until so many bytes were read.
pub(super) fn check(rows: &Path, contents: Option<&ManifestContents>, most: u64) -> Result<Whole, Fault> {
    let version = read(&rows.join(VERSION.0))?;
    if version != VERSION.1 {
        return Err(damage(&rows.join(VERSION.0), "is not in the engine's format"));
    }
    let mut fixed = vec![PathBuf::from(VERSION.0)];
    let keyspaces = rows.join("keyspaces");
    let there: BTreeSet<String> = names(&keyspaces)?.into_iter().collect();
    if there != KEYSPACES.map(str::to_owned).into() {
        return Err(Fault::Damage(format!(
            "{} has the folders {}, and must have {}",
            keyspaces.display(),
            Vec::from_iter(there).join(", "),
            KEYSPACES.join(", ")
        )));
    }
    let mut tables = Vec::new();
    for keyspace in KEYSPACES {
        let below = Path::new("keyspaces").join(keyspace);
        let (list, found) = list(rows, &below)?;
        fixed.extend([below.join("current"), list]);
        tables.extend(found);
    }
    // the newest are the likeliest to be damaged
    tables.sort_by_key(|table| std::cmp::Reverse(table.number));
    let mut left = most;
    for table in &tables {
        let path = rows.join(&table.path);
        let size = size(&path)?;
        if size == 0 {
            return Err(damage(&path, "is empty"));
        }
        if size <= left {
            left -= size;
            if sum(&path)? != table.sum {
                return Err(damage(&path, "has a wrong checksum"));
            }
        }
    }
    let in_tables = if tables.iter().any(|table| table.path.starts_with("keyspaces/1")) {
        in_tables(rows, &tables)?
    } else {
        InTables::default()
    };
    fixed.extend(tables.into_iter().map(|table| table.path));
    let (mark, log) = log(rows, &in_tables, contents)?;
    Ok(Whole { mark, log, fixed })
}

impl Whole {
    /// Cuts off the invalid bytes.
    pub(super) fn cut(&self) -> io::Result<()> {
        for (file, counted, torn) in &self.log {
            if *torn > 0 {
                file.cut(*counted)?;
            }
        }
        Ok(())
    }

    /// The number of invalid bytes of the log.
    pub(super) fn torn(&self) -> usize {
        self.log.iter().map(|(_, _, torn)| torn).sum()
    }

    /// Creates a second database from it that shares the files that never change.
    pub(super) fn clone_into(&self, rows: &Path, to: &Path) -> io::Result<()> {
        for keyspace in KEYSPACES {
            fs::create_dir_all(to.join("keyspaces").join(keyspace).join("tables"))?;
        }
        for file in &self.fixed {
            link(&rows.join(file), &to.join(file))?;
        }
        for (file, bytes, _) in &self.log {
            file.copy(*bytes, &to.join(file.path.file_name().unwrap_or_default()))?;
        }
        File::create(to.join("lock"))?;
        for keyspace in KEYSPACES {
            crate::blob::sync_folder(&to.join("keyspaces").join(keyspace).join("tables"))?;
            crate::blob::sync_folder(&to.join("keyspaces").join(keyspace))?;
        }
        crate::blob::sync_folder(&to.join("keyspaces"))?;
        crate::blob::sync_folder(to)
    }
}

/// A table of the engine.
struct Table {
    number: u64,
    path: PathBuf,
    sum: u128,
}

/// The file with a keyspace's list of tables, and the tables.
fn list(rows: &Path, below: &Path) -> Result<(PathBuf, Vec<Table>), Fault> {
    let current = rows.join(below).join("current");
    let bytes = read(&current)?;
    let wrong = || damage(&current, "is not in the engine's format");
    let (number, rest) = bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
    let (expected, kind) = rest.split_first_chunk::<16>().ok_or_else(wrong)?;
    if kind != [0] {
        return Err(wrong());
    }
    let file = below.join(format!("v{}", u64::from_le_bytes(*number)));
    let path = rows.join(&file);
    if sum(&path)? != u128::from_le_bytes(*expected) {
        return Err(damage(&path, "has a wrong checksum"));
    }
    let broken = |why: &dyn std::fmt::Display| damage(&path, &format!("cannot be read: {why}"));
    let archive = sfa::Reader::new(&path).map_err(|error| broken(&error))?;
    let section = archive.toc().section(b"tables").ok_or_else(|| broken(&"it has no list of tables"))?;
    let mut bytes = Vec::new();
    let mut reader = section.buf_reader(&path).map_err(|error| Fault::Io(path.clone(), error))?;
    reader.read_to_end(&mut bytes).map_err(|error| Fault::Io(path.clone(), error))?;
    let tables = tables(&bytes, below).ok_or_else(|| broken(&"its list of tables ends early"))?;
    Ok((file, tables))
}

/// Levels of runs of tables: number, kind of checksum, checksum, first sequence.
fn tables(mut bytes: &[u8], below: &Path) -> Option<Vec<Table>> {
    fn take<'b, const N: usize>(bytes: &mut &'b [u8]) -> Option<&'b [u8; N]> {
        let (taken, rest) = bytes.split_first_chunk::<N>()?;
        *bytes = rest;
        Some(taken)
    }
    let mut tables = Vec::new();
    let [levels] = *take::<1>(&mut bytes)?;
    for _ in 0..levels {
        let [runs] = *take::<1>(&mut bytes)?;
        for _ in 0..runs {
            for _ in 0..u32::from_le_bytes(*take::<4>(&mut bytes)?) {
                let number = u64::from_le_bytes(*take::<8>(&mut bytes)?);
                let [0] = *take::<1>(&mut bytes)? else { return None };
                let sum = u128::from_le_bytes(*take::<16>(&mut bytes)?);
                take::<8>(&mut bytes)?;
                tables.push(Table { number, path: below.join("tables").join(number.to_string()), sum });
            }
        }
    }
    Some(tables)
}

/// The contents of the tables of rows, without the log.
#[derive(Default)]
struct InTables {
    sequence: Option<u64>,
    mark: Option<Mark>,
}

/// Reads the tables through hard links in a folder of its own, because the engine, when it opens a database, deletes
/// every file that the list of tables does not name.
fn in_tables(rows: &Path, tables: &[Table]) -> Result<InTables, Fault> {
    let scratch = rows.with_extension("checked");
    let at = |error| Fault::Io(scratch.clone(), error);
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(at)?;
    }
    let found = look_into(rows, &scratch, tables);
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(at)?;
    }
    found
}

fn look_into(rows: &Path, scratch: &Path, tables: &[Table]) -> Result<InTables, Fault> {
    let at = |error| Fault::Io(scratch.to_owned(), error);
    fs::create_dir_all(scratch.join("tables")).map_err(at)?;
    let below = Path::new("keyspaces").join("1");
    let (list, _) = self::list(rows, &below)?;
    let list_name = list.file_name().unwrap_or_default().to_owned();
    link(&rows.join(&list), &scratch.join(list_name)).map_err(at)?;
    link(&rows.join(&below).join("current"), &scratch.join("current")).map_err(at)?;
    for table in tables.iter().filter(|table| table.path.starts_with(&below)) {
        link(&rows.join(&table.path), &scratch.join("tables").join(table.number.to_string())).map_err(at)?;
    }
    let unreadable = |error: lsm_tree::Error| {
        Fault::Damage(format!("the tables in {} cannot be read: {error}", rows.join(&below).display()))
    };
    let counter = SequenceNumberCounter::default;
    let tree = lsm_tree::Config::new(scratch, counter(), counter()).open().map_err(unreadable)?;
    let mark = tree.get(MARK_KEY, lsm_tree::SeqNo::MAX).map_err(unreadable)?;
    Ok(InTables { sequence: tree.get_highest_persisted_seqno(), mark: mark.and_then(|bytes| Mark::read(&bytes)) })
}

type Log = (Option<Mark>, Vec<(LogFile, usize, usize)>);

/// Reads the whole log, and compares its rounds with the tables and the manifest.
fn log(rows: &Path, in_tables: &InTables, contents: Option<&ManifestContents>) -> Result<Log, Fault> {
    let files = LogFile::all(rows).map_err(|error| Fault::Io(rows.to_owned(), error))?;
    if let Some(pair) = files.windows(2).find(|pair| pair[0].number + 1 != pair[1].number) {
        return Err(Fault::Damage(format!("{}.jnl is missing in {}", pair[0].number + 1, rows.display())));
    }
    if files.is_empty() {
        return Err(Fault::Damage(format!("the log is missing in {}", rows.display())));
    }
    let most = contents.filter(|contents| contents.void).map_or(u64::MAX, |contents| contents.acknowledged);
    let mut chain = Chain { last: None, sequence: None, in_tables, wrong: None };
    let mut log = Vec::new();
    let mut is_void = false;
    let newest = files.len() - 1;
    for (at, file) in files.into_iter().enumerate() {
        let mut counted = 0;
        let walked = file.walk(MARK_KEY, |record| {
            let mark = record.value.and_then(Mark::read);
            // rounds that were reported as failed come after all valid ones
            is_void |= mark.is_some_and(|mark| mark.round > most);
            if !is_void {
                chain.add(&file, record.sequence, mark);
                counted = record.end;
            }
        });
        let (whole, rest) = walked.map_err(|error| Fault::Io(file.path.clone(), error))?;
        let torn = match rest {
            Rest::Empty => whole - counted,
            Rest::Torn(bytes) if at == newest => whole - counted + bytes,
            Rest::Torn(_) | Rest::Broken => {
                return Err(damage(&file.path, &format!("has no whole record after byte {whole}, but more behind it")));
            }
        };
        log.push((file, counted, torn));
    }
    if let Some(wrong) = chain.wrong {
        return Err(Fault::Damage(wrong));
    }
    let mark = chain.last.or(in_tables.mark);
    if let Some(contents) = contents {
        let last = mark.map_or(0, |mark| mark.round);
        if last < contents.acknowledged {
            return Err(Fault::Damage(format!(
                "the log in {} ends with round {last}, but round {} was acknowledged",
                rows.display(),
                contents.acknowledged
            )));
        }
        if mark.is_some_and(|mark| mark.store != contents.store) {
            return Err(Fault::Damage(format!("{} belongs to another data folder", rows.display())));
        }
    }
    Ok((mark, log))
}

/// Checks the rounds in the order of the log.
struct Chain<'t> {
    last: Option<Mark>,
    sequence: Option<u64>,
    in_tables: &'t InTables,
    wrong: Option<String>,
}

impl Chain<'_> {
    fn add(&mut self, file: &LogFile, sequence: u64, mark: Option<Mark>) {
        let path = file.path.display();
        let leaps = match self.sequence {
            Some(before) => sequence <= before || sequence - before > LEAP,
            None => sequence > LEAP,
        };
        if leaps {
            let before = self.sequence.unwrap_or(0);
            self.fail(format!("records are missing: {path} has record {sequence} after {before}"));
        }
        self.sequence = Some(sequence);
        let Some(mark) = mark else {
            if let Some(last) = self.last {
                self.fail(format!("{path} has a record that names no round, after round {}", last.round));
            }
            return;
        };
        let flushed = self.in_tables.mark.map_or(0, |mark| mark.round);
        match self.last {
            Some(last) if mark.round != last.round + 1 || mark.store != last.store => {
                self.fail(format!("rounds are missing: {path} has round {} after round {}", mark.round, last.round));
            }
            None if mark.round > flushed + 1 => {
                self.fail(format!(
                    "the log begins with round {} in {path}, but the tables end with {flushed}",
                    mark.round
                ));
            }
            _ => {}
        }
        // the engine leaves out what it assumes to be in the tables already
        if (mark.round <= flushed) != self.in_tables.sequence.is_some_and(|last| sequence <= last) {
            self.fail(format!(
                "the log and the tables disagree about round {} (record {sequence} in {path})",
                mark.round
            ));
        }
        self.last = Some(mark);
    }

    fn fail(&mut self, wrong: String) {
        self.wrong.get_or_insert(wrong);
    }
}

fn damage(path: &Path, what: &str) -> Fault {
    Fault::Damage(format!("{} {what}", path.display()))
}

fn missing(path: &Path, error: io::Error) -> Fault {
    if error.kind() == io::ErrorKind::NotFound { damage(path, "is missing") } else { Fault::Io(path.to_owned(), error) }
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    fs::read(path).map_err(|error| missing(path, error))
}

fn size(path: &Path) -> Result<u64, Fault> {
    fs::metadata(path).map(|found| found.len()).map_err(|error| missing(path, error))
}

fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let entries = fs::read_dir(folder).map_err(|error| missing(folder, error))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect::<io::Result<_>>().map_err(|error| Fault::Io(folder.to_owned(), error))
}

/// The engine's checksum of a file.
fn sum(path: &Path) -> Result<u128, Fault> {
    let mut file = File::open(path).map_err(|error| missing(path, error))?;
    let mut sum = Xxh3::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(sum.digest128()),
            Ok(read) => sum.update(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Fault::Io(path.to_owned(), error)),
        }
    }
}
