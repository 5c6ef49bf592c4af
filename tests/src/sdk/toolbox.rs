//! Tools that are installed once and shared by all tests, whichever runs first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

/// The folder of the scripts.
pub(super) fn scripts() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk"))
}

/// A folder below the target folder, filled by `install` unless that was done for these lock files before.
///
/// Tests in other processes that need the same wait; an interrupted installation is repeated.
pub(super) fn installed(name: &str, locks: &[PathBuf], install: impl FnOnce(&Path)) -> PathBuf {
    let folder = cache().join(format!("{name}-{}", key(locks)));
    let lock = File::create(folder.with_extension("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let ready = folder.join(".ready");
    if !ready.exists() {
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("a half-installed folder is removed");
        }
        fs::create_dir_all(&folder).expect("a folder below the target folder");
        install(&folder);
        File::create(&ready).expect("a mark");
    }
    folder
}

/// The folder of everything installed.
pub(super) fn cache() -> PathBuf {
    let cache = target().join("sdk");
    fs::create_dir_all(&cache).expect("a folder below the target folder");
    cache
}

/// Runs a command to its end; panics with its output when it fails.
pub(super) fn run(command: &mut Command, hint: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}; {hint}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed; {hint}\n{out}\n{err}");
}

/// The target folder: tests run from `<target>/<profile>/deps`.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    test.ancestors().nth(3).expect("a target folder above the test").to_owned()
}

/// Identifies an installation: the locks, and the folder that its links point to.
fn key(locks: &[PathBuf]) -> String {
    let mut hash = Sha256::new();
    hash.update(scripts().as_os_str().as_encoded_bytes());
    for lock in locks {
        hash.update(fs::read(lock).unwrap_or_else(|error| panic!("{}: {error}", lock.display())));
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..8])
}
