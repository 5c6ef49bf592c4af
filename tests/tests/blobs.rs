//! Shared files' bytes, in files and in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use conclave::blob::{Files, InMemory};
use conclave::store::Database;
use conclave_core::model::{FileId, GroupId, Key, Millis, Row, SharedFile};
use conclave_kit::{BlobError, Blobs, ByteStream};
use conclave_tests::store_suite::puts;
use futures_util::{StreamExt, stream};

fn pieces(pieces: Vec<io::Result<Bytes>>) -> ByteStream {
    Box::pin(stream::iter(pieces))
}

#[allow(clippy::unnecessary_wraps, reason = "a piece of a body")]
fn bytes(text: &'static str) -> io::Result<Bytes> {
    Ok(Bytes::from_static(text.as_bytes()))
}

async fn read(blobs: &dyn Blobs, id: &str) -> Option<Vec<u8>> {
    let (size, mut content) = blobs.get(id).await.unwrap()?;
    let mut all = Vec::new();
    while let Some(piece) = content.next().await {
        all.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(all.len() as u64, size);
    Some(all)
}

async fn keeps_the_suite(blobs: &dyn Blobs) {
    let stored = blobs.put(pieces(vec![bytes("ab"), bytes(""), bytes("c")]), 3).await.unwrap();
    assert_eq!(stored.size, 3);
    assert_eq!(read(blobs, &stored.id).await.unwrap(), b"abc");
    let empty = blobs.put(pieces(vec![]), 0).await.unwrap();
    assert_ne!(empty.id, stored.id);
    assert_eq!(read(blobs, &empty.id).await.unwrap(), b"");
    let large: Vec<_> = (0..50_u8).map(|n| Ok(Bytes::from(vec![n; 50_001]))).collect();
    let large = blobs.put(pieces(large), u64::MAX).await.unwrap();
    let back = read(blobs, &large.id).await.unwrap();
    assert!(back.chunks(50_001).zip(0..50_u8).all(|(chunk, n)| chunk.iter().all(|byte| *byte == n)));

    let refused = blobs.put(pieces(vec![bytes("ab"), bytes("cd")]), 3).await;
    assert!(matches!(refused, Err(BlobError::TooLarge { most: 3 })));
    let broken = blobs.put(pieces(vec![bytes("ab"), Err(io::Error::other("hung up"))]), 9).await;
    assert!(matches!(broken, Err(BlobError::Broken(_))));

    let strange = ["", ".", "..", "../lock", "/etc/passwd", "a\0b", &format!("{}.part", stored.id), &stored.id[1..]];
    for id in strange {
        assert!(blobs.get(id).await.unwrap().is_none(), "{id:?}");
        blobs.delete(id).await.unwrap();
    }
    blobs.delete(&stored.id).await.unwrap();
    blobs.delete(&stored.id).await.unwrap();
    assert!(blobs.get(&stored.id).await.unwrap().is_none());
    assert!(blobs.get(&empty.id).await.unwrap().is_some());
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn memory_keeps_the_suite() {
    keeps_the_suite(&InMemory::default()).await;
}

#[tokio::test]
async fn files_keep_the_suite_and_failures_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    keeps_the_suite(&Files::open(folder.path(), &HashMap::new(), u64::MAX).unwrap()).await;
    assert_eq!(files(folder.path()), 2);
}

#[tokio::test]
async fn a_put_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Files::open(folder.path(), &HashMap::new(), u64::MAX).unwrap();
    let endless = Box::pin(stream::iter([bytes("ab")]).chain(stream::pending()));
    let put = tokio::time::timeout(std::time::Duration::from_millis(100), blobs.put(endless, 9)).await;
    assert!(put.is_err());
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_swept_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let blobs = Files::open(&database.blob_folder(), &database.blobs_in_use().unwrap(), u64::MAX).unwrap();
    let mut kept = Vec::new();
    for realm in ["a", "b"] {
        let stored = blobs.put(pieces(vec![bytes("kept")]), 9).await.unwrap();
        let (group, file) = (GroupId::new("g").unwrap(), FileId::new(&stored.id).unwrap());
        let row = Row::from(SharedFile {
            id: file.clone(),
            name: "notes.txt".into(),
            media_type: "text/plain".into(),
            size: stored.size,
            owner: None,
            at: Millis(1),
            expires: None,
            secret: None,
            blob: stored.id.clone(),
        });
        database.realm(realm).unwrap().commit(puts([(Key::File(group, file), row)])).await.unwrap();
        kept.push(stored.id);
    }
    let orphan = blobs.put(pieces(vec![bytes("orphan")]), 9).await.unwrap();
    fs::write(database.blob_folder().join(format!("{}.part", "0".repeat(32))), "half").unwrap();
    fs::write(database.blob_folder().join("README"), "somebody's").unwrap();
    drop(blobs);
    let in_use = database.blobs_in_use().unwrap();
    assert_eq!(in_use, kept.iter().cloned().map(|id| (id, 4)).collect::<HashMap<_, _>>());
    let blobs = Files::open(&database.blob_folder(), &in_use, u64::MAX).unwrap();
    for id in &kept {
        assert_eq!(read(&blobs, id).await.unwrap(), b"kept");
    }
    assert!(blobs.get(&orphan.id).await.unwrap().is_none());
    // two in use, a foreign one, and the trash
    assert_eq!(files(&database.blob_folder()), 4);
    // files in the trash are deleted only after a time
    let trashed = database.blob_folder().join("trash").join(&orphan.id);
    assert_eq!(fs::read(&trashed).unwrap(), b"orphan");
    let empty = |age| Files::empty_trash(&database.blob_folder(), age).unwrap();
    assert_eq!(empty(Duration::from_hours(1)), 0);
    assert!(trashed.exists());
    assert_eq!(empty(Duration::ZERO), 1);
    assert!(!trashed.exists());
}

#[tokio::test]
async fn bytes_that_a_row_names_are_there_and_whole_or_nothing_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Files::open(folder.path(), &HashMap::new(), u64::MAX).unwrap();
    let stored = blobs.put(pieces(vec![bytes("whole")]), 9).await.unwrap();
    let in_use: HashMap<_, _> = [(stored.id.clone(), stored.size)].into();
    let path = folder.path().join(&stored.id);
    Files::open(folder.path(), &in_use, u64::MAX).unwrap();
    for damaged in [&b"whol"[..], b"whale", b"", b"wholes"] {
        fs::write(&path, damaged).unwrap();
        let why = Files::open(folder.path(), &in_use, u64::MAX).err().unwrap().to_string();
        assert!(why.contains(&stored.id) && why.contains("backup"), "{why}");
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    fs::remove_file(&path).unwrap();
    Files::open(folder.path(), &in_use, u64::MAX).err().unwrap();
    // ids of earlier versions have no checksum
    let earlier = "0".repeat(32);
    fs::write(folder.path().join(&earlier), "old").unwrap();
    let blobs = Files::open(folder.path(), &[(earlier.clone(), 3)].into(), u64::MAX).unwrap();
    assert_eq!(read(&blobs, &earlier).await.unwrap(), b"old");
}

/// However many clients send or fetch at once, only few files are open.
#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_hold_no_files_open() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = std::sync::Arc::new(Files::open(folder.path(), &HashMap::new(), u64::MAX).unwrap());
    let content = Bytes::from(vec![7; 900_000]);
    let stored = blobs.put(pieces(vec![Ok(content.clone())]), u64::MAX).await.unwrap();
    let mut downloads = Vec::new();
    for _ in 0..200 {
        let (_, mut stream) = blobs.get(&stored.id).await.unwrap().unwrap();
        stream.next().await.unwrap().unwrap();
        downloads.push(stream);
    }
    let uploads: Vec<_> = (0..200)
        .map(|_| {
            let (blobs, content) = (std::sync::Arc::clone(&blobs), content.clone());
            tokio::spawn(async move {
                let endless = Box::pin(stream::iter([Ok(content)]).chain(stream::pending()));
                blobs.put(endless, u64::MAX).await.map(drop)
            })
        })
        .collect();
    let begun = std::time::Instant::now();
    while files(folder.path()) < 201 {
        assert!(begun.elapsed() < Duration::from_mins(1), "the uploads do not begin");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let open = fs::read_dir("/proc/self/fd").map_or(0, |open| {
        let in_folder = |path: std::path::PathBuf| path.starts_with(folder.path());
        open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).filter(|path| in_folder(path.clone())).count()
    });
    assert!(open <= 24, "{open} files are open");
    uploads.iter().for_each(tokio::task::JoinHandle::abort);
}
