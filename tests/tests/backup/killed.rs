//! Backups and restores that are killed in the middle.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use conclave::store::Database;

use crate::folder::{
    DAMAGED, REFUSED, backup, conclave, done, files, has_everything, has_position, refused, restore, verify, written,
};
use crate::writers::{PATIENCE, Served};

/// Runs it to its end, and then again and again, killed sooner and later; `check` answers each time whether it was done.
/// Answers how often it was done and how often not.
fn killed_sooner_and_later(mut start: impl FnMut() -> Command, mut check: impl FnMut(bool) -> bool) -> (usize, usize) {
    let begun = Instant::now();
    done(&mut start());
    let whole = begun.elapsed();
    let (mut complete, mut incomplete) = (0, 0);
    for step in 0..16 {
        let mut process = start().spawn().unwrap();
        std::thread::sleep(whole * step / 12);
        let _ended = process.kill();
        let status = process.wait().unwrap();
        if check(status.success()) { complete += 1 } else { incomplete += 1 }
    }
    done(&mut start());
    assert!(check(true));
    (complete, incomplete)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_is_never_taken_for_a_complete_one() {
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("backup"));
    written(&data, 400).await;
    let served = Served::over(&data);
    let mut partial = 0;
    let restored = folder.path().join("restored");
    let (complete, incomplete) = killed_sooner_and_later(
        || {
            let _none_yet = fs::remove_dir_all(&target);
            backup(&data, &target)
        },
        |succeeded| {
            if !target.exists() || files(&target).is_empty() {
                assert!(!succeeded);
                return false;
            }
            let checked = verify(&target).output().unwrap();
            if checked.status.success() {
                return true;
            }
            assert!(!succeeded, "it was done, but {}", String::from_utf8_lossy(&checked.stderr));
            assert_eq!(checked.status.code(), Some(DAMAGED));
            let why = refused(&mut restore(&target, &restored), DAMAGED);
            assert!(why.contains("is not a complete backup"), "{why}");
            assert!(!restored.exists());
            partial += 1;
            false
        },
    );
    println!("{complete} complete, {incomplete} not, {partial} of them in part");
    assert!(partial > 0, "it was never killed in the middle");
    // the gateway is none the worse
    let begun = Instant::now();
    let last = folder.path().join("last");
    while !backup(&data, &last).status().unwrap().success() {
        assert!(begun.elapsed() < PATIENCE, "no backup can be taken any more");
    }
    done(&mut verify(&last));
    drop(served);
    done(&mut restore(&last, &restored));
    has_everything(&restored, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_during_a_backup_leaves_no_complete_one() {
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("backup"));
    written(&data, 400).await;
    let (mut complete, mut failed) = (0, 0);
    for step in 0..8 {
        let served = Served::over(&data);
        let process = backup(&data, &target).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(30 * step));
        served.kill();
        let ended = process.wait_with_output().unwrap();
        if ended.status.success() {
            done(&mut verify(&target));
            complete += 1;
        } else {
            assert!(!target.join("conclave-backup").exists());
            failed += 1;
        }
        let _gone = fs::remove_dir_all(&target);
    }
    println!("{complete} complete, {failed} failed");
    has_everything(&data, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_nothing_or_a_folder_that_refuses_to_open() {
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("backup"));
    written(&data, 400).await;
    done(&mut backup(&data, &target));
    let restored = folder.path().join("restored");
    let mut partial = 0;
    let (complete, incomplete) = killed_sooner_and_later(
        || {
            let _none_yet = fs::remove_dir_all(&restored);
            restore(&target, &restored)
        },
        |succeeded| {
            if !restored.exists() || files(&restored).is_empty() {
                assert!(!succeeded);
                return false;
            }
            let before = files(&restored);
            match Database::open(&restored) {
                Ok(_) => true,
                Err(why) => {
                    assert!(!succeeded, "{why}");
                    let why = why.to_string();
                    assert!(why.contains("has not finished") && why.contains("restore again"), "{why}");
                    let ours = |(path, _): &(&PathBuf, &Vec<u8>)| !path.ends_with("conclave-lock");
                    assert!(files(&restored).iter().filter(ours).eq(before.iter().filter(ours)), "it was touched");
                    refused(&mut conclave(&["check", "--data"], &[&restored]), REFUSED);
                    refused(&mut verify(&restored), DAMAGED);
                    refused(&mut restore(&target, &restored), REFUSED);
                    partial += 1;
                    false
                }
            }
        },
    );
    println!("{complete} complete, {incomplete} not, {partial} of them in part");
    assert!(partial > 0, "it was never killed in the middle");
    has_everything(&restored, 400).await;
    has_position(&restored);
}
