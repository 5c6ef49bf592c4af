//! The engine's log as bytes: read before the engine reads it, because the engine cuts off what it cannot parse.
//!
//! A round is one record of the log, and is synced before the next is written. So only the last record can be
//! incomplete. The engine drops a truncated last record, refuses one with a gap in the middle of a value, as a disk may
//! leave that wrote later sectors first, and drops everything after a damaged length. Here the three are distinguished:
//! an incomplete last record is cut off, damage is reported and nothing is changed.
//!
//! The log's format is that of fjall's format 3: a start (tag 1, number of items, sequence number), items (tag 2, kind,
//! compression, table, lengths of key, value and value as written, key, value) or clearings (tag 4, table), and an end
//! (tag 3, xxh3 of all between, four fixed bytes). Numbers are little endian.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// One file of the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogFile {
    pub(super) number: u64,
    pub(super) path: PathBuf,
}

/// A complete record.
pub(super) struct Record<'l> {
    /// Its end in its file.
    pub(super) end: usize,
    /// The engine's number of it.
    pub(super) sequence: u64,
    /// The value that it writes under the given key.
    pub(super) value: Option<&'l [u8]>,
}

/// What follows the last complete record of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Only the zeros of preallocated space.
    Empty,
    /// So many bytes that are not a complete record.
    Torn(usize),
    /// Complete records after incomplete ones: damage.
    Broken,
}

impl LogFile {
    /// The files of a database's log, oldest first.
    pub(super) fn all(database: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(database)? {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
            if let Some(number) = number
                && path.extension().is_some_and(|extension| extension == "jnl")
            {
                found.push(Self { number, path });
            }
        }
        found.sort();
        Ok(found)
    }

    /// Iterates over the complete records, with the value of each under this key; returns the end of the last one, and
    /// what follows.
    pub(super) fn walk(&self, key: &[u8], mut take: impl FnMut(Record<'_>)) -> io::Result<(usize, Rest)> {
        let mut file = File::open(&self.path)?;
        let used = used(&mut file)?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(used).read_to_end(&mut bytes)?;
        let mut whole = 0;
        while let Some(record) = record(&bytes, whole, key) {
            whole = record.end;
            take(record);
        }
        let rest = if whole == bytes.len() {
            Rest::Empty
        } else if (whole + 1..bytes.len()).any(|from| record(&bytes, from, key).is_some()) {
            Rest::Broken
        } else {
            Rest::Torn(bytes.len() - whole)
        };
        Ok((whole, rest))
    }

    /// Copies the first bytes of the file.
    pub(super) fn copy(&self, bytes: usize, to: &Path) -> io::Result<()> {
        let mut copy = File::create_new(to)?;
        io::copy(&mut File::open(&self.path)?.take(bytes as u64), &mut copy)?;
        copy.sync_all()
    }

    /// Truncates the file after so many bytes.
    pub(super) fn cut(&self, bytes: usize) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(bytes as u64)?;
        file.sync_all()
    }
}

/// The number of bytes before the zeros of preallocated space; no complete record ends in one.
fn used(file: &mut File) -> io::Result<u64> {
    const PIECE: usize = 1 << 16;
    let (mut piece, zeros) = (vec![0; PIECE], vec![0; PIECE]);
    let mut end = file.metadata()?.len();
    while end > 0 {
        let begin = end.saturating_sub(PIECE as u64);
        let piece = &mut piece[..usize::try_from(end - begin).unwrap_or(PIECE)];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(piece)?;
        if *piece != zeros[..piece.len()] {
            let last = piece.iter().rposition(|byte| *byte != 0).unwrap_or_default();
            return Ok(begin + last as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// The record that begins here; `None` when there is none, or an incomplete one.
fn record<'l>(log: &'l [u8], from: usize, wanted: &[u8]) -> Option<Record<'l>> {
    let mut at = Reader { log, at: from };
    if at.byte()? != 1 {
        return None;
    }
    let items = at.number::<4>()?;
    let sequence = u64::from_le_bytes(at.take(8)?.try_into().ok()?);
    let begin = at.at;
    let mut found = None;
    for _ in 0..items {
        match at.byte()? {
            2 => {
                let kind = at.byte()?;
                // values are not compressed: the engine is built without compression
                if at.byte()? != 0 {
                    return None;
                }
                at.skip(8)?;
                let key = at.number::<2>()?;
                at.skip(4)?;
                let value = at.number::<4>()?;
                let key = at.take(key)?;
                let value = at.take(value)?;
                if kind == 0 && key == wanted {
                    found = Some(value);
                }
            }
            4 => at.skip(8)?,
            _ => return None,
        }
    }
    let sum = xxhash_rust::xxh3::xxh3_64(log.get(begin..at.at)?);
    let end = at.byte()? == 3 && at.take(8)? == sum.to_le_bytes() && at.take(4)? == b"FJL\x03";
    end.then_some(Record { end: at.at, sequence, value: found })
}

struct Reader<'l> {
    log: &'l [u8],
    at: usize,
}

impl<'l> Reader<'l> {
    fn take(&mut self, bytes: usize) -> Option<&'l [u8]> {
        let end = self.at.checked_add(bytes)?;
        let taken = self.log.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.take(bytes).map(drop)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number<const BYTES: usize>(&mut self) -> Option<usize> {
        let little_end_first = self.take(BYTES)?;
        Some(little_end_first.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }
}
