//! Backups of a gateway that serves, and of one that ends.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use conclave::store::Database;
use conclave_tests::client::Client;
use http::Method;
use serde_json::json;

use crate::folder::{BUSY, backup, done, files, refused, restore, verify};
use crate::writers::{Acknowledged, Caller, PATIENCE, Served, check};

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
