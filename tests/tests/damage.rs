//! Each file of a data folder, one after the other, is missing, truncated, or has one bit flipped: either the folder is
//! refused and not changed, or everything acknowledged is present.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use conclave::realms::Stores as _;
use conclave::store::{Database, Options};
use conclave_core::model::{FileId, GroupId, Key, Millis, Row, SharedFile};
use conclave_core::ports::Batch;
use conclave_tests::store_suite::{event, group, puts, text};
use futures_util::{StreamExt as _, stream};

const REALM: &str = "dev";
const COMMITS: u64 = 60;

/// The written data: rows by key, and the bytes of the shared file.
type Everything = (Vec<(Key, Row)>, u64, Bytes);

/// A folder with rows in tables and in the log, some of them written after a restart, and a shared file.
async fn written(folder: &Path) -> Everything {
    let mut rows = Vec::new();
    let options = || Options { write_buffer: 64 << 10, ..Options::default() };
    let content = Bytes::from(b"what is shared is kept".repeat(50));
    for part in 0..3 {
        let database = Database::open_with(folder, options()).unwrap();
        let store = database.realm(REALM).unwrap();
        if part == 0 {
            let blobs = database.blobs().unwrap();
            let stored = blobs.put(Box::pin(stream::iter([Ok(content.clone())])), u64::MAX).await.unwrap();
            let file = SharedFile {
                id: FileId::new("f").unwrap(),
                name: "notes.txt".into(),
                media_type: "text/plain".into(),
                size: stored.size,
                owner: None,
                at: Millis(1),
                expires: None,
                secret: None,
                blob: stored.id,
            };
            rows.push((Key::File(GroupId::new("g").unwrap(), file.id.clone()), Row::from(file)));
            store.commit(puts(rows.clone())).await.unwrap();
        }
        for at in 0..COMMITS / 3 {
            let at = part * COMMITS / 3 + at;
            let row = (Key::Seat(group("g"), at), text(&format!("{at}").repeat(3_000)));
            rows.push(row.clone());
            let batch = Batch { events: vec![event("g", &["ann"])], ..puts([row]) };
            store.commit(batch).await.unwrap();
        }
    }
    trim(&folder.join("rows"));
    (rows, COMMITS, content)
}

/// Removes the space that the engine preallocates, which only makes copies slow.
fn trim(rows: &Path) {
    for entry in fs::read_dir(rows).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let bytes = fs::read(&path).unwrap();
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            fs::File::options().write(true).open(&path).unwrap().set_len(used as u64).unwrap();
        }
    }
}

/// Opens the folder and its shared files; everything acknowledged has to be present.
async fn opens_with(folder: &Path, (rows, events, content): &Everything) -> Result<(), String> {
    let database = Database::open(folder).map_err(|error| error.to_string())?;
    let blobs = database.blobs().map_err(|error| error.to_string())?;
    let store = database.realm(REALM).unwrap();
    let keys: Vec<_> = rows.iter().map(|(key, _)| key.clone()).collect();
    let found = store.fetch(&keys).await.map_err(|error| error.to_string())?;
    for ((key, row), found) in rows.iter().zip(found) {
        assert!(found.as_ref() == Some(row), "{key:?} is lost");
    }
    assert_eq!(store.commit(Batch::default()).await.unwrap(), *events, "events are lost");
    let Row::File(file) = &rows[0].1 else { panic!("the first row is the file's") };
    let (_, mut stream) = blobs.get(&file.blob).await.unwrap().expect("the shared file");
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    assert!(bytes == *content, "the shared file is another");
    Ok(())
}

fn read(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn write(files: &BTreeMap<PathBuf, Vec<u8>>, folder: &Path) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    // folders that may be empty
    for tables in ["rows/keyspaces/0/tables", "rows/keyspaces/1/tables"] {
        fs::create_dir_all(folder.join(tables)).unwrap();
    }
}

/// The kinds of damage.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Missing,
    Cut(usize),
    Flipped(usize, u8),
}

impl Damage {
    fn of(bytes: &[u8]) -> Vec<Self> {
        let mut all = vec![Self::Missing];
        let length = bytes.len();
        if length > 0 {
            all.extend([0, 1, length / 3, length / 2, length - 1].map(Self::Cut));
            for at in [0, 1, 5, 9, length / 4, length / 2, length * 3 / 4, length.saturating_sub(9), length - 1] {
                all.extend([Self::Flipped(at.min(length - 1), 1), Self::Flipped(at.min(length - 1), 128)]);
            }
        }
        all
    }

    fn apply(self, path: &Path, bytes: &[u8]) {
        match self {
            Self::Missing => fs::remove_file(path).unwrap(),
            Self::Cut(length) => fs::write(path, &bytes[..length]).unwrap(),
            Self::Flipped(at, bit) => {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= bit;
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_folder_is_refused_or_complete() {
    let original = tempfile::tempdir().unwrap();
    let everything = written(original.path()).await;
    let files = read(original.path());
    assert!(files.keys().any(|path| path.starts_with("rows/keyspaces/1/tables")), "nothing is in tables");
    let (mut refused, mut opened) = (0, 0);
    for (path, bytes) in &files {
        for damage in Damage::of(bytes) {
            let folder = tempfile::tempdir().unwrap();
            write(&files, folder.path());
            damage.apply(&folder.path().join(path), bytes);
            let before = read(folder.path());
            match opens_with(folder.path(), &everything).await {
                Ok(()) => opened += 1,
                Err(why) => {
                    refused += 1;
                    let after = read(folder.path());
                    // shared files are checked after the database was opened, which may tidy up
                    let touched =
                        |path: &&PathBuf| after.get(*path) != before.get(*path) && !path.ends_with("conclave-lock");
                    let touched: Vec<_> = before.keys().filter(touched).collect();
                    let tidied = path.starts_with("blobs")
                        && touched.iter().all(|path| path.starts_with("rows") || path.ends_with("conclave-manifest"));
                    assert!(
                        touched.is_empty() || tidied,
                        "{} {damage:?}: {why}: {touched:?} is changed",
                        path.display()
                    );
                    assert!(
                        why.contains("backup") || why.contains("version that wrote it"),
                        "{why} does not say what to do"
                    );
                }
            }
        }
    }
    println!("refused {refused}, opened {opened}");
    assert!(refused > 100 && opened > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bit_of_the_last_record_counts() {
    let original = tempfile::tempdir().unwrap();
    let everything = written(original.path()).await;
    let files = read(original.path());
    let (log, bytes) = files.iter().rfind(|(path, _)| path.extension().is_some_and(|e| e == "jnl")).unwrap();
    for from_end in (0..9_300).step_by(97).chain(0..40) {
        for bit in [1, 64] {
            let folder = tempfile::tempdir().unwrap();
            write(&files, folder.path());
            Damage::Flipped(bytes.len() - 1 - from_end, bit).apply(&folder.path().join(log), bytes);
            let before = read(folder.path());
            if let Err(why) = opens_with(folder.path(), &everything).await {
                assert!(read(folder.path()) == before, "{from_end} from the end: {why}: something is changed");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_folder_in_it_is_refused() {
    let original = tempfile::tempdir().unwrap();
    let everything = written(original.path()).await;
    let files = read(original.path());
    for missing in
        ["rows", "rows/keyspaces", "rows/keyspaces/0", "rows/keyspaces/1", "rows/keyspaces/1/tables", "blobs"]
    {
        let folder = tempfile::tempdir().unwrap();
        write(&files, folder.path());
        fs::remove_dir_all(folder.path().join(missing)).unwrap();
        opens_with(folder.path(), &everything).await.expect_err(missing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_folder_is_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let everything = written(one.path()).await;
    written(other.path()).await;
    fs::remove_dir_all(one.path().join("rows")).unwrap();
    fs::rename(other.path().join("rows"), one.path().join("rows")).unwrap();
    let why = opens_with(one.path(), &everything).await.unwrap_err();
    assert!(why.contains("another data folder"), "{why}");
}
