//! Backups of a gateway that runs, of one that was stopped, and what is restored from them; each killed in the middle, and
//! with damage in every file.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod writers;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use conclave::store::Database;
use conclave_core::model::{FileId, GroupId, Key, Millis, Row, SharedFile};
use conclave_core::ports::Batch;
use conclave_tests::client::Client;
use conclave_tests::store_suite::{event, group, puts, text};
use http::Method;
use serde_json::json;
use tempfile::TempDir;
use writers::{Acknowledged, Caller, PATIENCE, Served, check};

/// Exit codes, as the help has them.
const REFUSED: i32 = 1;
const DAMAGED: i32 = 3;
const BUSY: i32 = 4;

fn conclave(args: &[&str], paths: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"));
    command.args(args).args(paths).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn backup(data: &Path, to: &Path) -> Command {
    conclave(&["backup", "--data"], &[data, to])
}

fn restore(from: &Path, data: &Path) -> Command {
    conclave(&["restore", "--data"], &[data, from])
}

fn verify(folder: &Path) -> Command {
    conclave(&["verify"], &[folder])
}

/// Runs it to its end; it has to succeed. Answers what it prints.
fn done(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Runs it to its end; it has to end with this code. Answers the reason.
fn refused(command: &mut Command, code: i32) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let why = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{command:?}: {why}{}", String::from_utf8_lossy(&stdout));
    assert!(why.starts_with("conclave: "), "{why}");
    why
}

/// All files below a folder, by their path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
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

fn copy(files: &BTreeMap<PathBuf, Vec<u8>>, to: &Path) {
    for (path, bytes) in files {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A closed data folder with rows in tables and in the log, a shared file and a webhook's position.
async fn written(folder: &Path, rows: u64) {
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

fn xxh3(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// Everything [`written`] has put there.
async fn has_everything(folder: &Path, rows: u64) {
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
fn has_position(folder: &Path) {
    let position = fs::read_to_string(folder.join("webhooks/dev.rong.operations.json")).unwrap();
    assert!(position.contains("\"through\":9"), "{position}");
}

fn is_private(path: &Path) {
    let found = fs::symlink_metadata(path).unwrap();
    let wanted = if found.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(found.permissions().mode() & 0o777, wanted, "{}", path.display());
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            is_private(&entry.unwrap().path());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_one_moment_and_has_everything_acknowledged_before() {
    const WRITERS: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("backup"));
    let served = Served::over(&data);
    let caller = Caller::to(served.address);
    caller.call("/entrust/group/create.json", "groupId=r0&name=r&owner=o0".to_owned()).await.unwrap();
    let shared: Vec<Arc<Mutex<Acknowledged>>> = (0..WRITERS).map(|_| Arc::default()).collect();
    let write = |(writer, acknowledged): (usize, &Arc<Mutex<Acknowledged>>)| {
        caller.clone().write(0, writer, Arc::clone(acknowledged))
    };
    let writers: Vec<_> = shared.iter().enumerate().map(write).map(tokio::spawn).collect();
    let all = || shared.iter().map(|acknowledged| acknowledged.lock().unwrap().clone()).collect::<Vec<_>>();
    let answers = || all().iter().map(|acknowledged| acknowledged.answers).sum::<usize>();
    let begun = Instant::now();
    while answers() < 1_000 {
        assert!(begun.elapsed() < PATIENCE, "nothing is written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = all();
    let printed = {
        let (data, target) = (data.clone(), target.clone());
        tokio::task::spawn_blocking(move || done(&mut backup(&data, &target))).await.unwrap()
    };
    assert!(printed.starts_with(&format!("the backup {} is complete\n", target.display())), "{printed}");
    let after = answers();
    // more of it, so that what is restored differs from what is in the folder now
    while answers() < after + 200 {
        assert!(begun.elapsed() < PATIENCE, "writes have stopped");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    served.kill();
    for writer in writers {
        writer.await.unwrap();
    }
    let later = all();
    let restored = folder.path().join("restored");
    done(&mut restore(&target, &restored));
    let counted = |printed: &str, what: &str| {
        let line = printed.lines().find(|line| line.trim_start().starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    for printed in [done(&mut verify(&target)), done(&mut verify(&restored))] {
        assert!(counted(&printed, "groups") > 100 && counted(&printed, "accounts") > 500, "{printed}");
    }
    {
        let database = Database::open(&restored).unwrap();
        check(&*database.realm("dev").unwrap(), &before, &later).await;
    }
    // it is a folder like any other: it is written to, opened again, and backed up
    for round in 0..2 {
        let served = Served::over(&restored);
        let caller = Caller::to(served.address);
        let group = format!("groupId=after{round}&name=r&owner=o");
        caller.call("/entrust/group/create.json", group).await.unwrap();
        let again = folder.path().join(format!("again{round}"));
        done(&mut backup(&restored, &again));
        served.kill();
        let printed = done(&mut verify(&again));
        assert!(counted(&printed, "groups") > 100, "{printed}");
    }
    let database = Database::open(&restored).unwrap();
    check(&*database.realm("dev").unwrap(), &before, &later).await;
}

/// Reads from the control socket as a client that takes its time.
struct Slow(UnixStream);

impl Slow {
    fn ask(data: &Path) -> Self {
        let mut stream = UnixStream::connect(data.join("conclave-control")).unwrap();
        stream.write_all(b"POST /backup HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut first = [0; 15];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        Self(stream)
    }

    /// Everything else that comes.
    fn rest(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        bytes
    }
}

/// A group with a shared file of 8 MB, through Agora's API; answers what deletes the file, and its bytes.
async fn share(served: &Served) -> (impl AsyncFnOnce(), Vec<u8>) {
    let client = Client::at(served.address, "/agora/conclave/dev");
    let login = json!({
        "grant_type": "client_credentials", "client_id": "YXA6Y29uY2xhdmUtZGV2",
        "client_secret": "YXA6Y29uY2xhdmUtZGV2LWtub3duLXRvLWFsbA",
    });
    let json_type = ("content-type", "application/json");
    let token = client.send(Method::POST, "/token", &[json_type], login.to_string()).await.json();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let headers = [json_type, ("authorization", bearer.as_str())];
    let user = json!({"username": "ann", "password": "1"}).to_string();
    assert_eq!(client.send(Method::POST, "/users", &headers, user).await.status, 200);
    let made = json!({"groupname": "g", "desc": "d", "public": true, "owner": "ann"}).to_string();
    let made = client.send(Method::POST, "/chatgroups", &headers, made).await.json();
    let group = made["data"]["groupid"].as_str().unwrap().to_owned();
    let content: Vec<u8> = (0..8_u32 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let mut form = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n".to_vec();
    form.extend_from_slice(&content);
    form.extend_from_slice(b"\r\n--b--\r\n");
    let upload = [("authorization", bearer.as_str()), ("content-type", "multipart/form-data; boundary=b")];
    let shared = client.send(Method::POST, &format!("/chatgroups/{group}/share_files"), &upload, form).await;
    assert_eq!(shared.status, 200, "{:?}", shared.body);
    let file = shared.json()["data"]["file_id"].as_str().unwrap().to_owned();
    let delete = async move || {
        let target = format!("/chatgroups/{group}/share_files/{file}");
        let gone = client.send(Method::DELETE, &target, &[("authorization", &bearer)], "").await;
        assert_eq!(gone.status, 200, "{:?}", gone.body);
    };
    (delete, content)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_backup_stalls_no_write_and_keeps_what_is_deleted_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let served = Served::over(&data);
    let (delete, content) = share(&served).await;
    let slow = Slow::ask(&data);
    // one at a time
    let why = refused(&mut backup(&data, &folder.path().join("second")), BUSY);
    assert!(why.contains("another backup"), "{why}");
    assert!(!folder.path().join("second").exists());
    // the backup has hardly begun, and waits for its client: writes are answered, the file is deleted
    let caller = Caller::to(served.address);
    for at in 0..50 {
        let group = format!("groupId=during{at}&name=r&owner=o");
        caller.call("/entrust/group/create.json", group).await.unwrap();
    }
    delete().await;
    let bytes = slow.rest();
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(has(&content[4_000_000..4_000_200]), "the bytes of the deleted file are not in the backup");
    // afterwards the bytes are gone from the folder
    let begun = Instant::now();
    while !files(&data.join("blobs")).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "the bytes of a deleted file stay");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let target = folder.path().join("after");
    let printed = done(&mut backup(&data, &target));
    assert!(printed.contains("groups    51\n") && printed.contains("files     0\n"), "{printed}");
    done(&mut verify(&target));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_gateway_that_ends_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut served = Served::over(&data);
    let (_, _) = share(&served).await;
    let slow = Slow::ask(&data);
    let asked = Command::new("kill").args(["-TERM", &served.process.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let text = String::from_utf8_lossy(&slow.rest()).into_owned();
    assert!(text.contains("the gateway is shutting down"), "it is not said why the backup ends");
    let begun = Instant::now();
    while served.process.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "a backup keeps the process from ending");
        std::thread::sleep(Duration::from_millis(10));
    }
}

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

/// A backup of a closed folder, with the folder that it is of.
async fn taken(rows: u64) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("backup"));
    written(&data, rows).await;
    done(&mut backup(&data, &target));
    (folder, data, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_anywhere_in_a_backup_is_found() {
    let (folder, _, target) = taken(60).await;
    let all = files(&target);
    assert_eq!(all.len(), 6, "{:?}", all.keys());
    for (path, bytes) in &all {
        let mut damages: Vec<Option<Vec<u8>>> = vec![None];
        damages.extend([0, 1, bytes.len() / 2, bytes.len() - 1].map(|length| Some(bytes[..length].to_vec())));
        for at in [0, 1, bytes.len() / 3, bytes.len() / 2, bytes.len() - 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            damages.push(Some(damaged));
        }
        for damaged in damages {
            // white space behind the manifest says nothing
            let says_nothing = damaged.as_ref().is_some_and(|damaged| {
                let is_same = |text: &[u8]| text.trim_ascii() == bytes.trim_ascii();
                path.ends_with("conclave-backup") && is_same(damaged)
            });
            if says_nothing {
                continue;
            }
            let copied = folder.path().join("copy");
            let _former = fs::remove_dir_all(&copied);
            copy(&all, &copied);
            match &damaged {
                Some(damaged) => fs::write(copied.join(path), damaged).unwrap(),
                None => fs::remove_file(copied.join(path)).unwrap(),
            }
            refused(&mut verify(&copied), DAMAGED);
            // and nothing is made of it
            let restored = folder.path().join("restored");
            refused(&mut restore(&copied, &restored), DAMAGED);
            assert!(!restored.exists(), "{} {damaged:?}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_a_data_folder_is_found_and_nothing_is_touched() {
    let (_folder, data, _) = taken(60).await;
    let printed = done(&mut verify(&data));
    assert!(printed.contains("events    60\n") && printed.contains("files     1\n"), "{printed}");
    let all = files(&data);
    let mut found = 0;
    for (path, bytes) in all.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or_default();
        for at in [used / 3, used] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            fs::write(data.join(path), &damaged).unwrap();
            let before = files(&data);
            let status = verify(&data).output().unwrap().status;
            // one of a manifest's two slots may be damaged; an unknown format is refused as such
            if path.ends_with("conclave-manifest") {
                assert!([Some(0), Some(DAMAGED)].contains(&status.code()), "{status:?}");
            } else if path.ends_with("conclave-format") {
                assert_eq!(status.code(), Some(REFUSED));
            } else if !path.ends_with("lock") {
                let is_torn_tail = path.extension().is_some_and(|extension| extension == "jnl");
                assert!(status.code() == Some(DAMAGED) || (is_torn_tail && at == used), "{} {at}", path.display());
                found += 1;
            }
            assert!(files(&data) == before, "{}: something was changed", path.display());
            fs::write(data.join(path), bytes).unwrap();
        }
    }
    assert!(found > 8, "{found}");
    done(&mut verify(&data));
    has_everything(&data, 60).await;
}

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
