//! Shared files' bytes, in files and in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

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
    keeps_the_suite(&Files::open(folder.path(), &HashSet::new()).unwrap()).await;
    assert_eq!(files(folder.path()), 2);
}

#[tokio::test]
async fn a_put_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Files::open(folder.path(), &HashSet::new()).unwrap();
    let endless = Box::pin(stream::iter([bytes("ab")]).chain(stream::pending()));
    let put = tokio::time::timeout(std::time::Duration::from_millis(100), blobs.put(endless, 9)).await;
    assert!(put.is_err());
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test]
async fn what_a_crash_left_is_swept_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let blobs = Files::open(&database.blob_folder(), &database.blobs_in_use().unwrap()).unwrap();
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
    assert_eq!(in_use, kept.iter().cloned().collect::<HashSet<_>>());
    let blobs = Files::open(&database.blob_folder(), &in_use).unwrap();
    for id in &kept {
        assert_eq!(read(&blobs, id).await.unwrap(), b"kept");
    }
    assert!(blobs.get(&orphan.id).await.unwrap().is_none());
    assert_eq!(files(&database.blob_folder()), 3);
}
