//! A backup's manifest: `conclave-backup`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::census::Counts;
use super::frame::{Head, STREAM, Totals};
use super::{BackupError, MANIFEST};

/// The version of a backup's layout that this version writes and reads.
pub(crate) const LAYOUT: u32 = 1;

/// The description of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of the layout.
    pub(crate) conclave_backup: u32,
    pub(crate) taken_at: String,
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) totals: Totals,
    /// The counts of the rows, if this version reads their format.
    pub(crate) counts: Option<Counts>,
    /// Checksums (xxh3-128) of the files beside the shared files, by their path in the folder.
    pub(crate) sums: BTreeMap<String, String>,
    /// The checksum (xxh3-64) of the fields above.
    pub(crate) sum: String,
}

impl Manifest {
    /// The checksum of everything else.
    pub(crate) fn checksum(&self) -> Result<String, BackupError> {
        let bare = serde_json::to_vec(&Self { sum: String::new(), ..self.clone() });
        let bare = bare.map_err(|error| BackupError::Refused(format!("the manifest cannot be written: {error}")))?;
        Ok(format!("{:016x}", xxh3_64(&bare)))
    }

    /// Reads it, and refuses a backup that is not complete or that this version cannot read.
    pub(crate) fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::Damaged(format!(
                    "{} is not a complete backup: {MANIFEST}, which is written last, is missing; use another backup",
                    folder.display()
                )));
            }
            Err(error) => return Err(BackupError::io(&path)(error)),
        };
        let damaged = || BackupError::Damaged(format!("{} is damaged; use another backup", path.display()));
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        if manifest.sum != manifest.checksum()? {
            return Err(damaged());
        }
        if manifest.conclave_backup != LAYOUT || manifest.head.stream != STREAM {
            return Err(BackupError::Refused(format!(
                "the backup {} was written by conclave {}, whose backups this version does not read; use that version",
                folder.display(),
                manifest.head.written_by
            )));
        }
        Ok(manifest)
    }

    /// Refuses a file of the backup whose checksum was not the one in the manifest.
    pub(crate) fn expect_sum(&self, folder: &Path, name: &str, sum: &Sum) -> Result<(), BackupError> {
        if self.sums.get(name) == Some(&sum.hex()) {
            return Ok(());
        }
        Err(damaged(&folder.join(name)))
    }
}

/// The error for a file that has changed since it was written.
pub(crate) fn damaged(path: &Path) -> BackupError {
    BackupError::Damaged(format!("{} is damaged: it does not match its checksum; use another backup", path.display()))
}

/// Computes a checksum incrementally.
#[derive(Default, Clone)]
pub(crate) struct Sum(Xxh3);

impl Sum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }

    /// The 64-bit checksum that the ids of blobs contain.
    pub(crate) fn short(&self) -> String {
        format!("{:016x}", self.0.digest())
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut sum = Self::default();
        sum.update(bytes);
        sum
    }
}
