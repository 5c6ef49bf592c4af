//! Backups of a gateway that runs, of one that was stopped, and what is restored from them; each killed in the middle, and
//! with damage in every file.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod damage;
mod folder;
mod formats;
mod killed;
mod running;
#[path = "../writers/mod.rs"]
mod writers;

use std::fs;

use folder::{BUSY, REFUSED, backup, conclave, done, has_everything, is_private, refused, restore, taken, verify};
use writers::Served;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_never_overwritten_and_everything_is_private() {
    let (folder, data, target) = taken(10).await;
    for what in [&mut backup(&data, &target), &mut restore(&target, &data), &mut backup(&data, &data)] {
        let why = refused(what, REFUSED);
        assert!(why.contains("is not empty"), "{why}");
    }
    has_everything(&data, 10).await;
    // an empty folder is taken
    let restored = folder.path().join("restored");
    fs::create_dir(&restored).unwrap();
    done(&mut restore(&target, &restored));
    is_private(&target);
    is_private(&restored);
    // a backup is not served
    let why =
        refused(&mut conclave(&["serve", "--admin", "off", "--listen", "127.0.0.1:0", "--data"], &[&target]), REFUSED);
    assert!(why.contains("is a backup") && why.contains("conclave restore"), "{why}");
    done(&mut verify(&target));
    // nor is a folder taken that is in use
    let served = Served::over(&restored);
    is_private(&restored.join("conclave-control"));
    refused(&mut verify(&restored), BUSY);
    refused(&mut restore(&target, &restored), REFUSED);
    drop(served);
    // what a process that was killed has left of its socket harms nobody
    done(&mut verify(&restored));
    done(&mut backup(&restored, &folder.path().join("again")));
    for nowhere in
        [&mut verify(&folder.path().join("none")), &mut backup(&folder.path().join("none"), &folder.path().join("x"))]
    {
        let why = refused(nowhere, REFUSED);
        assert!(why.contains("no data folder"), "{why}");
    }
    assert!(!folder.path().join("none").exists() && !folder.path().join("x").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_below_a_long_path_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("long".repeat(40)).join("data");
    let served = Served::over(&data);
    let target = folder.path().join("backup");
    let printed = done(&mut backup(&data, &target));
    assert!(printed.contains("is complete"), "{printed}");
    assert!(data.join("conclave-control").exists());
    drop(served);
}
