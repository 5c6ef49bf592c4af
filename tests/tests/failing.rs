//! The data folder cannot be written for a while: writes are refused, reads continue, `/readyz` reports it, and
//! afterwards writes resume by themselves, without losing anything acknowledged or restoring anything refused.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use conclave::config::{Admin, Data};
use conclave::store::{Database, Faults, Options};
use conclave::{Config, Gateway};
use conclave_core::model::{Key, Prefix, Row};
use conclave_core::ports::{Batch, Span, Store};
use conclave_tests::client::Client;
use conclave_tests::sign::{rong_signature, user_sig};
use conclave_tests::store_suite::{event, group, puts, text, user};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

/// How long a test waits for an event, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn faulty(folder: &Path) -> (Database, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let options = Options { faults: Some(Arc::clone(&faults)), ..Options::default() };
    (Database::open_with(folder, options).unwrap(), faults)
}

fn set(fault: &AtomicBool, wanted: bool) {
    fault.store(wanted, Ordering::SeqCst);
}

fn note(name: &str) -> Key {
    Key::Remark(user("ann"), group(&name.replace(' ', "-")))
}

/// One row and one event.
fn batch(name: &str) -> Batch {
    Batch { events: vec![event("g", &[])], ..puts([(note(name), text(name))]) }
}

async fn names(store: &dyn Store) -> Vec<String> {
    let rows = store.scan(&Span::all(Prefix::remarks(&user("ann")))).await.unwrap();
    let mut names: Vec<_> = rows.iter().map(|(_, row)| row.text().unwrap().to_string()).collect();
    names.sort();
    names
}

/// Commits until it is accepted.
async fn resumes(store: &dyn Store, name: &str) -> u64 {
    let begun = Instant::now();
    loop {
        match store.commit(batch(name)).await {
            Ok(sequence) => return sequence,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "writes are still refused: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_undone_and_writes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (database, faults) = faulty(folder.path());
    let store = database.realm("dev").unwrap();
    let mut kept = Vec::new();
    for round in 0..5 {
        let name = format!("kept {round}");
        assert_eq!(resumes(&*store, &name).await, round * 2 + 1);
        kept.push(name);
        kept.sort();
        set(&faults.room, true);
        set(&faults.sync, true);
        // commits of the same round fail with it, and so do those decided on its rows
        let refused = ["refused", "refused too"].map(|name| store.commit(batch(name)));
        for refused in futures_util::future::join_all(refused).await {
            refused.unwrap_err();
        }
        store.commit(batch("refused at once")).await.unwrap_err();
        assert!(
            store.drafts().unwrap().fetch(&[note("refused")]).await.is_err(),
            "nothing is decided upon what is lost"
        );
        // reads continue
        assert_eq!(names(&*store).await, kept);
        assert!(database.health().trouble(PATIENCE).unwrap().starts_with("writes are refused"));
        // a process that stops here and is started again does not find it either
        let copy = tempfile::tempdir().unwrap();
        copy_folder(folder.path(), copy.path());
        let again = Database::open(copy.path()).unwrap().realm("dev").unwrap();
        assert_eq!(names(&*again).await, kept);
        set(&faults.sync, false);
        set(&faults.room, false);
        let name = format!("kept again {round}");
        assert_eq!(resumes(&*store, &name).await, round * 2 + 2, "a number was used up");
        kept.push(name);
        kept.sort();
        assert_eq!(names(&*store).await, kept);
        assert_eq!(database.health().trouble(PATIENCE), None);
    }
    assert_eq!(database.health().recoveries(), 5);
    drop((store, database));
    let store = Database::open(folder.path()).unwrap().realm("dev").unwrap();
    assert_eq!(names(&*store).await, kept);
    let log = store.scan(&Span::all(Prefix::events())).await.unwrap();
    let numbers: Vec<_> = log.iter().map(|(_, row)| row.event().unwrap().sequence).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_while_writes_are_refused_keeps_what_was_acknowledged_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (database, faults) = faulty(folder.path());
    let store = database.realm("dev").unwrap();
    store.commit(batch("kept")).await.unwrap();
    set(&faults.room, true);
    set(&faults.sync, true);
    store.commit(batch("refused")).await.unwrap_err();
    drop((store, database));
    let store = Database::open(folder.path()).unwrap().realm("dev").unwrap();
    assert_eq!(names(&*store).await, ["kept"]);
    assert_eq!(store.commit(batch("more")).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_reported_only_when_they_are_certain() {
    let folder = tempfile::tempdir().unwrap();
    let (database, faults) = faulty(folder.path());
    let store = database.realm("dev").unwrap();
    store.commit(batch("kept")).await.unwrap();
    set(&faults.manifest, true);
    set(&faults.sync, true);
    let mut unknown = Box::pin(store.commit(batch("unknown")));
    let begun = Instant::now();
    while database.health().refuses().is_none() {
        assert!(begun.elapsed() < PATIENCE, "the sync does not fail");
        let poll = tokio::time::timeout(Duration::from_millis(5), &mut unknown).await;
        assert!(poll.is_err(), "it was answered: {poll:?}");
    }
    // several attempts later
    let poll = tokio::time::timeout(Duration::from_millis(1_500), &mut unknown).await;
    assert!(poll.is_err(), "it was answered before its outcome was known: {poll:?}");
    set(&faults.sync, false);
    set(&faults.manifest, false);
    tokio::time::timeout(PATIENCE, unknown).await.expect("an answer").unwrap_err();
    assert_eq!(resumes(&*store, "more").await, 2);
    assert_eq!(names(&*store).await, ["kept", "more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_hangs_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (database, faults) = faulty(folder.path());
    let store = database.realm("dev").unwrap();
    set(&faults.hang, true);
    let commit = tokio::spawn(async move { store.commit(batch("late")).await });
    let begun = Instant::now();
    while database.health().trouble(Duration::from_millis(50)).is_none() {
        assert!(begun.elapsed() < PATIENCE, "nothing hangs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(database.health().trouble(PATIENCE), None);
    set(&faults.hang, false);
    commit.await.unwrap().unwrap();
    assert_eq!(database.health().trouble(Duration::ZERO), None);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}

/// A file system of so many megabytes; `None` where this process may not create one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn of(megabytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Fills the disk except for some megabytes.
fn fill(filler: &Path) {
    let mut file = fs::File::create(filler).unwrap();
    while file.write_all(&[1; 1 << 13]).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(6 << 20)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    let Some(disk) = SmallDisk::of(96) else {
        println!("no file system can be made here: only the injected failures are tested");
        return;
    };
    let (data, filler) = (disk.0.path().join("data"), disk.0.path().join("filler"));
    let database = Database::open(&data).unwrap();
    let store = database.realm("dev").unwrap();
    let row = |at: u64| (Key::Seat(group("g"), at), text(&format!("{at:07}").repeat(14_000)));
    let mut acknowledged = 0;
    for _ in 0..2 {
        fill(&filler);
        let begun = Instant::now();
        let mut refused = None;
        while refused.is_none() {
            assert!(begun.elapsed() < PATIENCE, "the disk does not get full");
            match store.commit(puts([row(acknowledged)])).await {
                Ok(_) => acknowledged += 1,
                Err(error) => refused = Some(error),
            }
        }
        println!("{acknowledged} rows were acknowledged before {refused:?}");
        let count = async || store.count(&Prefix::seats(&group("g"))).await.unwrap() as u64;
        assert_eq!(count().await, acknowledged, "reads go on");
        fs::remove_file(&filler).unwrap();
        let begun = Instant::now();
        while store.commit(puts([row(acknowledged)])).await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "writes do not go on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        acknowledged += 1;
        assert_eq!(count().await, acknowledged);
    }
    drop((store, database));
    let store = Database::open(&data).unwrap().realm("dev").unwrap();
    let rows = store.scan(&Span::all(Prefix::seats(&group("g")))).await.unwrap();
    let expected: Vec<Row> = (0..acknowledged).map(|at| row(at).1).collect();
    assert!(rows.into_iter().map(|(_, row)| row).eq(expected), "something acknowledged is lost");
}

/// One writing call at each vendor, with its outcome.
async fn write_everywhere(address: SocketAddr, name: &str) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let json_type = ("content-type", "application/json");
    let agora = Client::at(address, "/agora/conclave/dev");
    let login = json!({
        "grant_type": "client_credentials", "client_id": "YXA6Y29uY2xhdmUtZGV2",
        "client_secret": "YXA6Y29uY2xhdmUtZGV2LWtub3duLXRvLWFsbA",
    });
    let token = agora.send(Method::POST, "/token", &[json_type], login.to_string()).await.json();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let body = json!({"username": format!("agora-{name}"), "password": "1"}).to_string();
    let agora = agora.send(Method::POST, "/users", &[json_type, ("authorization", &bearer)], body).await;

    let key = "636f6e636c6176652d6465762d6b65792d6b6e6f776e2d746f2d616c6c2d3332";
    let sig = user_sig(1_400_000_000, key, "administrator", now, 600);
    let query = format!("?sdkappid=1400000000&identifier=administrator&usersig={sig}&random=1&contenttype=json");
    let tencent = Client::at(address, "/tencent/v4");
    let (target, body) =
        (format!("/im_open_login_svc/account_import{query}"), json!({"UserID": format!("tencent-{name}")}));
    let tencent = tencent.send(Method::POST, &target, &[json_type], body.to_string()).await;

    let rong = rong(address, "/user/getToken.json", &format!("userId=rong-{name}&name=x")).await;
    let answers = [("agora", agora), ("tencent", tencent), ("rong", rong)];
    answers
        .into_iter()
        .map(|(vendor, answer)| (vendor.to_owned(), json!([answer.status.as_u16(), answer.json()])))
        .collect()
}

async fn rong(address: SocketAddr, path: &str, form: &str) -> conclave_tests::client::Answer {
    let (nonce, timestamp) = ("14314", "1700000100000");
    let signature = rong_signature("conclavedevs0", nonce, timestamp);
    let headers = [
        ("app-key", "conclavedev00"),
        ("nonce", nonce),
        ("timestamp", timestamp),
        ("signature", signature.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    Client::at(address, "/rong").send(Method::POST, path, &headers, form.to_owned()).await
}

async fn admin(address: SocketAddr, path: &str) -> (u16, String) {
    let answer = Client::at(address, "").send(Method::GET, path, &[], "").await;
    (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn readyz_and_every_vendor_say_that_writes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (database, faults) = faulty(folder.path());
    let mut config = Config::development().unwrap();
    config.data = Data::Folder(folder.path().to_owned());
    config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
    config.limits.sync_ms = 50;
    let running = Gateway::builder(config).stores(Arc::new(database)).start().await.unwrap();
    let (shared, at_admin) = (running.addresses.shared, running.addresses.admin.unwrap());
    assert_eq!(admin(at_admin, "/readyz").await, (200, "ready\n".to_owned()));

    set(&faults.room, true);
    set(&faults.sync, true);
    let refused = write_everywhere(shared, "one").await;
    insta::assert_json_snapshot!(refused, {
        ".agora[1].timestamp" => "[timestamp]", ".agora[1].duration" => "[duration]",
    });
    let (status, why) = admin(at_admin, "/readyz").await;
    assert_eq!(status, 503);
    assert!(why.starts_with("writes are refused: "), "{why}");
    assert_eq!(admin(at_admin, "/healthz").await.0, 200);
    let metrics = admin(at_admin, "/metrics").await.1;
    assert!(metrics.contains("\nconclave_store_refuses_writes 1\n") && metrics.contains("\nconclave_ready 0\n"));
    // reads continue
    assert_eq!(rong(shared, "/user/group/query.json", "userId=nobody").await.status, 200);

    set(&faults.sync, false);
    set(&faults.room, false);
    let begun = Instant::now();
    while admin(at_admin, "/readyz").await.0 != 200 {
        assert!(begun.elapsed() < PATIENCE, "it does not get ready again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let done = write_everywhere(shared, "one").await;
    assert_eq!(done["tencent"][1]["ErrorCode"], 0, "{done:#}");
    assert_eq!(done["rong"][1]["code"], 200, "{done:#}");
    assert_eq!(done["agora"][0], 200, "what was refused was done all the same: {done:#}");

    set(&faults.hang, true);
    let hanging = tokio::spawn(async move { write_everywhere(shared, "two").await });
    let begun = Instant::now();
    while admin(at_admin, "/readyz").await.0 == 200 {
        assert!(begun.elapsed() < PATIENCE, "a sync that hangs is not reported");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (_, why) = admin(at_admin, "/readyz").await;
    assert!(why.starts_with("a disk sync of the data folder has been running for"), "{why}");
    set(&faults.hang, false);
    assert_eq!(hanging.await.unwrap()["rong"][1]["code"], 200);
    assert!(running.shutdown().await);
}

/// A process with a limit on open files.
struct Served {
    process: Child,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Served {
    fn with_descriptors(limit: u32, folder: &Path) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (address, admin) = (free(), free());
        let process = Command::new("sh")
            .args([
                "-c",
                &format!("ulimit -n {limit} && exec \"$0\" \"$@\""),
                env!("CARGO_BIN_EXE_conclave_under_test"),
            ])
            .args(["serve", "--admin", &admin.to_string(), "--listen", &address.to_string(), "--data"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let served = Self { process, address, admin };
        let begun = Instant::now();
        while TcpStream::connect(admin).is_err() || TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "it does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        served
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Whether a new connection gets a response other than that there are too many.
fn is_served(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut answer = String::new();
    let request = b"GET /rong/nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let exchanged = stream.write_all(request).and_then(|()| stream.read_to_string(&mut answer));
    exchanged.is_ok() && answer.starts_with("HTTP/1.1 404")
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_take_the_stores_descriptors() {
    const LIMIT: u32 = 256;
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with_descriptors(LIMIT, folder.path());
    let (nonce, timestamp) = ("14314", "1700000100000");
    let signature = rong_signature("conclavedevs0", nonce, timestamp);
    let headers = [
        ("app-key", "conclavedev00"),
        ("nonce", nonce),
        ("timestamp", timestamp),
        ("signature", signature.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    // one connection, kept alive
    let stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut create = async |name: String| {
        let form = format!("groupId={name}&name={}&owner=owner", "x".repeat(60));
        let mut request = Request::post("/rong/entrust/group/create.json").header("host", "localhost");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        sender.ready().await.unwrap();
        let answer = sender.send_request(request.body(Full::new(Bytes::from(form))).unwrap()).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    assert_eq!(create("before".to_owned()).await["code"], 200);
    let mut idle = Vec::new();
    for _ in 0..2 * LIMIT {
        // those over the limit are closed
        if let Ok(stream) = TcpStream::connect(served.address) {
            idle.push(stream);
        }
    }
    for at in 0..300 {
        let answer = create(format!("during-{at}")).await;
        assert_eq!(answer["code"], 200, "{at}: {answer}");
    }
    assert_eq!(admin(served.admin, "/readyz").await, (200, "ready\n".to_owned()));
    drop(idle);
    let begun = Instant::now();
    loop {
        if is_served(served.address) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "connections are still turned away");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
