//! The last acknowledged round, stored beside the database: `conclave-manifest`.
//!
//! The file has two slots, written alternately, each with a checksum, so that one is always complete while the other is
//! written. After each round one slot is written and not synced: it survives the end of the process, and is at most
//! some seconds old after a loss of power. Its number is never beyond the log's.
//!
//! A slot is 64 bytes: eight fixed bytes, the slot's number, the store's id (16 bytes), the number of the last
//! acknowledged round, flags (one byte), three zeros, the folder's format (4 bytes), eight zeros, and xxh3 of
//! everything before. Numbers are little endian.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

pub(super) const MANIFEST_FILE: &str = "conclave-manifest";

const MAGIC: &[u8; 8] = b"CONCLAVE";
const SLOT: usize = 64;
/// The distance of the two slots: no sector contains both.
const APART: u64 = 4096;

/// Flag: the database was created; before that there is no data to lose.
const MADE: u8 = 1;
/// Flag: the rounds in the log after the last acknowledged one were reported as failed.
const VOID: u8 = 2;

/// The contents of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ManifestContents {
    /// The store's id, which the database has too.
    pub(super) store: [u8; 16],
    /// The folder's format, as its own file says.
    pub(super) format: u32,
    /// The last acknowledged round.
    pub(super) acknowledged: u64,
    /// Whether the database was created.
    pub(super) made: bool,
    /// Whether later rounds were reported as failed.
    pub(super) void: bool,
}

/// An open manifest.
pub(super) struct Manifest {
    file: File,
    contents: ManifestContents,
    /// The number of the newest slot.
    number: u64,
}

impl Manifest {
    /// A new one, for a database that is still to be created.
    pub(super) fn create(folder: &Path, contents: ManifestContents) -> io::Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        let draft = path.with_extension("new");
        let mut file = File::create(&draft)?;
        for number in [0, 1] {
            write(&mut file, number, &contents)?;
        }
        file.set_len(2 * APART)?;
        file.sync_all()?;
        std::fs::rename(draft, &path)?;
        crate::blob::sync_folder(folder)?;
        Ok(Self { file, contents, number: 1 })
    }

    /// The existing one: `Ok(None)` when it is damaged.
    pub(super) fn open(folder: &Path) -> io::Result<Option<Self>> {
        let mut file = OpenOptions::new().read(true).write(true).open(folder.join(MANIFEST_FILE))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let slot = |number: u64| {
            let begin = usize::try_from(number * APART).ok()?;
            read(bytes.get(begin..begin + SLOT)?)
        };
        let newest = [slot(0), slot(1)].into_iter().flatten().max_by_key(|(number, _)| *number);
        Ok(newest.map(|(number, contents)| Self { file, contents, number }))
    }

    pub(super) fn contents(&self) -> ManifestContents {
        self.contents
    }

    /// Records the last acknowledged round, without a sync.
    pub(super) fn acknowledge(&mut self, round: u64) -> io::Result<()> {
        self.say(ManifestContents { acknowledged: round, ..self.contents })
    }

    /// Records durably that the database is created.
    pub(super) fn made(&mut self) -> io::Result<()> {
        self.say_durably(ManifestContents { made: true, ..self.contents })
    }

    /// Records durably that everything in the log after the last acknowledged round is void.
    pub(super) fn void(&mut self) -> io::Result<()> {
        self.say_durably(ManifestContents { void: true, ..self.contents })
    }

    /// Records durably that the log was reopened, with this last round.
    pub(super) fn opened(&mut self, round: u64) -> io::Result<()> {
        self.say_durably(ManifestContents { acknowledged: round, void: false, ..self.contents })
    }

    /// Writes both slots, so that damage of one does not bring back older contents.
    fn say_durably(&mut self, contents: ManifestContents) -> io::Result<()> {
        self.say(contents)?;
        self.file.sync_data()?;
        self.say(contents)?;
        self.file.sync_data()
    }

    #[cfg(test)]
    pub(super) fn reformat(&mut self, format: u32) -> io::Result<()> {
        self.say_durably(ManifestContents { format, ..self.contents })
    }

    /// Makes the written contents durable.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Writes the contents. The copy in memory is updated even if that fails, so that the next write is never of an older
    /// round.
    fn say(&mut self, contents: ManifestContents) -> io::Result<()> {
        self.contents = contents;
        write(&mut self.file, self.number + 1, &contents)?;
        self.number += 1;
        Ok(())
    }
}

fn write(file: &mut File, number: u64, contents: &ManifestContents) -> io::Result<()> {
    let mut slot = Vec::with_capacity(SLOT);
    slot.extend_from_slice(MAGIC);
    slot.extend_from_slice(&number.to_le_bytes());
    slot.extend_from_slice(&contents.store);
    slot.extend_from_slice(&contents.acknowledged.to_le_bytes());
    slot.extend_from_slice(&[if contents.made { MADE } else { 0 } | if contents.void { VOID } else { 0 }, 0, 0, 0]);
    slot.extend_from_slice(&contents.format.to_le_bytes());
    slot.resize(SLOT - 8, 0);
    slot.extend_from_slice(&xxhash_rust::xxh3::xxh3_64(&slot).to_le_bytes());
    file.seek(SeekFrom::Start(number % 2 * APART))?;
    file.write_all(&slot)
}

fn read(slot: &[u8]) -> Option<(u64, ManifestContents)> {
    let (bytes, sum) = slot.split_last_chunk::<8>()?;
    let (magic, bytes_after) = bytes.split_first_chunk::<8>()?;
    if magic != MAGIC || xxhash_rust::xxh3::xxh3_64(bytes).to_le_bytes() != *sum {
        return None;
    }
    let (number, rest) = bytes_after.split_first_chunk::<8>()?;
    let (store, rest) = rest.split_first_chunk::<16>()?;
    let (acknowledged, rest) = rest.split_first_chunk::<8>()?;
    let (flags, rest) = rest.split_first_chunk::<4>()?;
    let (format, _) = rest.split_first_chunk::<4>()?;
    let flags = flags[0];
    let contents = ManifestContents {
        store: *store,
        format: u32::from_le_bytes(*format),
        acknowledged: u64::from_le_bytes(*acknowledged),
        made: flags & MADE != 0,
        void: flags & VOID != 0,
    };
    Some((u64::from_le_bytes(*number), contents))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NEW: ManifestContents =
        ManifestContents { store: [7; 16], format: 2, acknowledged: 0, made: false, void: false };

    #[test]
    fn the_newest_slot_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::create(folder.path(), NEW).unwrap();
        let contents = || Manifest::open(folder.path()).unwrap().unwrap().contents();
        assert_eq!(contents(), NEW);
        manifest.made().unwrap();
        for round in 1..20 {
            manifest.acknowledge(round).unwrap();
            assert_eq!(contents(), ManifestContents { acknowledged: round, made: true, ..NEW });
        }
        manifest.void().unwrap();
        assert_eq!(contents(), ManifestContents { acknowledged: 19, made: true, void: true, ..NEW });
        manifest.opened(21).unwrap();
        assert_eq!(contents(), ManifestContents { acknowledged: 21, made: true, ..NEW });
    }

    #[test]
    fn damage_of_one_slot_is_survived_and_of_both_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::create(folder.path(), NEW).unwrap();
        manifest.made().unwrap();
        manifest.acknowledge(4).unwrap();
        let path = folder.path().join(MANIFEST_FILE);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..SLOT {
            for begin in [0, usize::try_from(APART).unwrap()] {
                let mut damaged = bytes.clone();
                damaged[begin + at] ^= 1;
                std::fs::write(&path, &damaged).unwrap();
                let contents = Manifest::open(folder.path()).unwrap().unwrap().contents();
                assert!(contents.made && contents.acknowledged <= 4);
            }
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            damaged[usize::try_from(APART).unwrap() + at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(Manifest::open(folder.path()).unwrap().is_none());
        }
        std::fs::write(&path, b"").unwrap();
        assert!(Manifest::open(folder.path()).unwrap().is_none());
    }
}
