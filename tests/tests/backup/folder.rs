//! The commands, and data folders to run them on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use conclave::store::Database;
use conclave_core::model::{FileId, GroupId, Key, Millis, Row, SharedFile};
use conclave_core::ports::Batch;
use conclave_tests::store_suite::{event, group, puts, text};
use tempfile::TempDir;

/// Exit codes, as the help has them.
pub(crate) const REFUSED: i32 = 1;
pub(crate) const DAMAGED: i32 = 3;
pub(crate) const BUSY: i32 = 4;

pub(crate) fn conclave(args: &[&str], paths: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"));
    command.args(args).args(paths).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn backup(data: &Path, to: &Path) -> Command {
    conclave(&["backup", "--data"], &[data, to])
}

pub(crate) fn restore(from: &Path, data: &Path) -> Command {
    conclave(&["restore", "--data"], &[data, from])
}

pub(crate) fn verify(folder: &Path) -> Command {
    conclave(&["verify"], &[folder])
}

/// Runs it to its end; it has to succeed. Answers what it prints.
pub(crate) fn done(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Runs it to its end; it has to end with this code. Answers the reason.
pub(crate) fn refused(command: &mut Command, code: i32) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let why = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{command:?}: {why}{}", String::from_utf8_lossy(&stdout));
    assert!(why.starts_with("conclave: "), "{why}");
    why
}

/// All files below a folder, by their path in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

pub(crate) fn copy(files: &BTreeMap<PathBuf, Vec<u8>>, to: &Path) {
    for (path, bytes) in files {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A closed data folder with rows in tables and in the log, a shared file and a webhook's position.
pub(crate) async fn written(folder: &Path, rows: u64) {
    let database = Database::open(folder).unwrap();
    let store = database.realm("dev").unwrap();
    let content = b"what is shared is kept".repeat(40_000);
    let id = format!("{}{:016x}", "ab".repeat(16), xxh3(&content));
    fs::create_dir_all(folder.join("blobs")).unwrap();
    fs::write(folder.join("blobs").join(&id), &content).unwrap();
    let file = SharedFile {
        id: FileId::new("f").unwrap(),
        name: "notes.txt".into(),
        media_type: "text/plain".into(),
        size: content.len() as u64,
        owner: None,
        at: Millis(1),
        expires: None,
        secret: None,
        blob: id,
    };
    store.commit(puts([(Key::File(GroupId::new("g").unwrap(), file.id.clone()), Row::from(file))])).await.unwrap();
    for at in 0..rows {
        let row = (Key::Seat(group("g"), at), text(&format!("{at}").repeat(5_000)));
        store.commit(Batch { events: vec![event("g", &["ann"])], ..puts([row]) }).await.unwrap();
    }
    fs::create_dir_all(folder.join("webhooks")).unwrap();
    fs::write(folder.join("webhooks/dev.rong.operations.json"), "{\"format\":1,\"through\":9,\"pending\":{}}").unwrap();
    fs::write(folder.join("webhooks/index"), "dev.rong.operations.json\n").unwrap();
}

pub(crate) fn xxh3(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// Everything [`written`] has put there.
pub(crate) async fn has_everything(folder: &Path, rows: u64) {
    let database = Database::open(folder).unwrap();
    let store = database.realm("dev").unwrap();
    let keys: Vec<_> = (0..rows).map(|at| Key::Seat(group("g"), at)).collect();
    for (at, row) in store.fetch(&keys).await.unwrap().into_iter().enumerate() {
        assert_eq!(row, Some(text(&format!("{at}").repeat(5_000))));
    }
    assert_eq!(store.commit(Batch::default()).await.unwrap(), rows, "events");
    let blobs = files(&folder.join("blobs"));
    assert_eq!(blobs.len(), 1);
    assert_eq!(blobs.values().next().unwrap(), &b"what is shared is kept".repeat(40_000));
}

/// The webhook's position that [`written`] has put there. A gateway without that webhook forgets it.
pub(crate) fn has_position(folder: &Path) {
    let position = fs::read_to_string(folder.join("webhooks/dev.rong.operations.json")).unwrap();
    assert!(position.contains("\"through\":9"), "{position}");
}

pub(crate) fn is_private(path: &Path) {
    let found = fs::symlink_metadata(path).unwrap();
    let wanted = if found.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(found.permissions().mode() & 0o777, wanted, "{}", path.display());
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            is_private(&entry.unwrap().path());
        }
    }
}

/// A backup of a closed folder, with the folder that it is of.
pub(crate) async fn taken(rows: u64) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("backup"));
    written(&data, rows).await;
    done(&mut backup(&data, &target));
    (folder, data, target)
}
