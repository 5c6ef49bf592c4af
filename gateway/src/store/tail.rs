//! Mends the engine's log after a loss of power.
//!
//! A round is one record of the log, and is synced before the next is written. So at most the last record can be
//! there in part, and nobody was told that it is kept. The engine drops a last record that breaks off, but
//! refuses one with a hole in the middle of a value, as a disk may leave that wrote later sectors first. Such a
//! record is cut off here; damage with a whole record after it is something else, and is left alone.
//!
//! The log's form is that of fjall's format 3: a start (tag 1, number of items, sequence number), items (tag 2,
//! kind, compression, table, lengths of key, value and value as written, key, value) or clearings (tag 4, table),
//! and an end (tag 3, xxh3 of all between, four fixed bytes). Numbers are little endian.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Cuts a last record that is there in part off the newest log; answers how many bytes were cut, or `None` when
/// that is not what is wrong.
pub(super) fn mend(database: &Path) -> io::Result<Option<usize>> {
    let Some(path) = newest_log(database)? else { return Ok(None) };
    let log = fs::read(&path)?;
    let mut whole = 0;
    while let Some(end) = record(&log, whole) {
        whole = end;
    }
    let rest = log.get(whole..).unwrap_or_default();
    // space taken in advance is filled with zeros
    let Some(last) = rest.iter().rposition(|byte| *byte != 0) else { return Ok(None) };
    if (whole + 1..=whole + last).any(|from| record(&log, from).is_some()) {
        return Ok(None);
    }
    let file = OpenOptions::new().write(true).open(&path)?;
    file.set_len(whole as u64)?;
    file.sync_all()?;
    Ok(Some(last + 1))
}

fn newest_log(database: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(database)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        if let Some(number) = number
            && path.extension().is_some_and(|extension| extension == "jnl")
            && newest.as_ref().is_none_or(|(largest, _)| number > *largest)
        {
            newest = Some((number, path));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

/// Where the record that begins here ends; `None` when none does, or not whole.
fn record(log: &[u8], from: usize) -> Option<usize> {
    let mut at = Reader { log, at: from };
    if at.byte()? != 1 {
        return None;
    }
    let items = at.number::<4>()?;
    at.skip(8)?;
    let begin = at.at;
    for _ in 0..items {
        match at.byte()? {
            2 => {
                at.skip(1)?;
                // values are not compressed: the engine is built without
                if at.byte()? != 0 {
                    return None;
                }
                at.skip(8)?;
                let key = at.number::<2>()?;
                at.skip(4)?;
                let value = at.number::<4>()?;
                at.skip(key)?;
                at.skip(value)?;
            }
            4 => at.skip(8)?,
            _ => return None,
        }
    }
    let sum = xxhash_rust::xxh3::xxh3_64(log.get(begin..at.at)?);
    let end = at.byte()? == 3 && at.take(8)? == sum.to_le_bytes() && at.take(4)? == b"FJL\x03";
    end.then_some(at.at)
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
