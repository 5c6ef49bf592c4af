//! The time a gateway has reached, kept in its data folder, so that it does not run backwards over a restart after a time
//! in which nothing happened.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use conclave_core::model::Millis;
use conclave_core::ports::Clock as _;
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_64;

use crate::clock::SystemClock;
use crate::listener::Phase;

/// The file's name in the data folder.
const FILE: &str = "conclave-clock";
/// How often the time is written.
const INTERVAL: Duration = Duration::from_secs(30);

/// The file that has the time.
#[derive(Debug, Clone)]
pub(crate) struct ClockFile(PathBuf);

impl ClockFile {
    /// The file in this data folder.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.join(FILE))
    }

    /// The last time that was written; `None` when the file is missing or damaged.
    pub(crate) fn read(&self) -> io::Result<Option<Millis>> {
        let text = match fs::read(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => String::from_utf8_lossy(&bytes?).into_owned(),
        };
        let time = text.split_once(' ').map(|(time, _)| time).filter(|time| self::text(time) == text);
        let time = time.and_then(|time| time.parse().ok()).map(Millis);
        if time.is_none() {
            tracing::warn!(file = %self.0.display(), "the file with the last time is damaged: the system's time is used");
        }
        Ok(time)
    }

    fn write(&self, at: Millis) -> io::Result<()> {
        let draft = self.0.with_extension("new");
        let mut file = File::create(&draft)?;
        file.write_all(text(&at.0.to_string()).as_bytes())?;
        file.sync_all()?;
        fs::rename(draft, &self.0)
    }

    /// Writes the time now and then, until the process ends.
    pub(crate) async fn keep(self, clock: Arc<SystemClock>, mut phase: watch::Receiver<Phase>) {
        loop {
            let (file, now) = (self.clone(), clock.now());
            match tokio::task::spawn_blocking(move || file.write(now)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the time cannot be written to conclave-clock; it is tried again later");
                }
                Err(error) => {
                    tracing::warn!(%error, "the time cannot be written to conclave-clock; it is tried again later");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                _ = phase.changed() => return,
            }
        }
    }
}

/// A time with a checksum: a damaged one must not stop the clock for years.
fn text(time: &str) -> String {
    format!("{time} {:016x}\n", xxh3_64(time.as_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_as_written_and_damage_is_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = ClockFile::of(folder.path());
        assert_eq!(file.read().unwrap(), None);
        file.write(Millis(1_800_000_000_000)).unwrap();
        assert_eq!(file.read().unwrap(), Some(Millis(1_800_000_000_000)));
        let bytes = fs::read(&file.0).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&file.0, damaged).unwrap();
            assert_eq!(file.read().unwrap(), None, "byte {at}");
        }
    }
}
