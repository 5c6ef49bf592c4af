//! Stopping or killing the process loses no notification.

use conclave_tests::vendor::Sections as _;
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::app::{Answer, App, Received};
use crate::house::{BackEnd, gateway_over, to_rong};

fn groups(requests: &[Received]) -> Vec<&str> {
    requests.iter().map(|request| request.body[0]["groupId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn unaccepted_notifications_are_sent_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let willing = Arc::new(AtomicBool::new(false));
    let listens = Arc::clone(&willing);
    let app = App::answering(move |_, _| Answer::of(if listens.load(Ordering::SeqCst) { 200 } else { 503 })).await;
    // no receiver accepts anything yet
    let gateway = gateway_over(folder.path(), |_| {}).await;
    BackEnd::of(&gateway).create("before").await;
    assert!(gateway.shutdown().await);

    let patient = |config: &mut conclave::Config| {
        config.realms[0].rong().webhooks = to_rong(app.url("/"));
        config.realms[0].rong().webhooks.retries = -1;
    };
    let gateway = gateway_over(folder.path(), patient).await;
    for group in ["one", "two", "three"] {
        BackEnd::of(&gateway).create(group).await;
    }
    app.until(|requests| requests.len() >= 6).await;
    assert!(gateway.shutdown().await);
    let requests = app.requests().len();

    // the first of these commits is sent before the others are read again
    willing.store(true, Ordering::SeqCst);
    let gateway = gateway_over(folder.path(), patient).await;
    BackEnd::of(&gateway).create("four").await;
    app.until(|all| all.len() >= requests + 4).await;
    assert!(gateway.shutdown().await);
    let taken = app.taken();
    let requests: BTreeSet<_> = groups(&taken).into_iter().collect();
    assert_eq!(requests, ["four", "one", "three", "two"].into(), "a new destination begins at the log's end");
    assert_eq!(taken.len(), 4, "sent again although it was accepted");

    // nothing is left over
    let gateway = gateway_over(folder.path(), patient).await;
    BackEnd::of(&gateway).create("five").await;
    app.until(|requests| requests.iter().any(|request| request.body[0]["groupId"] == "five")).await;
    assert_eq!(app.taken().len(), 5);
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn tries_and_waits_are_remembered_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::answering(|_, _| Answer::of(500)).await;
    let patience = |config: &mut conclave::Config| {
        config.realms[0].rong().webhooks = to_rong(app.url("/"));
        config.realms[0].rong().webhooks.retries = 2;
        config.realms[0].rong().webhooks.backoff_ms = 800;
        config.realms[0].rong().webhooks.longest_backoff_ms = 60_000;
    };
    let gateway = gateway_over(folder.path(), patience).await;
    BackEnd::of(&gateway).create("g").await;
    app.until(|requests| requests.len() == 2).await;
    assert!(gateway.shutdown().await);
    let gateway = gateway_over(folder.path(), patience).await;
    let requests = app.until(|requests| requests.len() == 3).await;
    let wait = requests[2].at - requests[1].at;
    assert!(wait >= Duration::from_millis(1600), "the wait was cut short: {wait:?}");
    // that was the last one
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(gateway.shutdown().await);
    let gateway = gateway_over(folder.path(), patience).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(app.requests().len(), 3, "tried again after it was given up");
    assert!(gateway.shutdown().await);
}

/// A process that notifies the app.
struct Served {
    process: Child,
    address: SocketAddr,
}

impl Served {
    fn over(folder: &Path, app: &App) -> Self {
        // another process may take the port before this one does
        (0..5).find_map(|_| Self::start(folder, app)).expect("it does not start")
    }

    /// `None` when the process ended instead.
    fn start(folder: &Path, app: &App) -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"))
            .args(["serve", "--admin", "off", "--listen", &address.to_string(), "--data"])
            .arg(folder)
            .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_URL", app.url("/"))
            .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_ALLOW_PRIVATE", "true")
            .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_RETRIES", "-1")
            .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_BACKOFF_MS", "20")
            .env("CONCLAVE_LOG_FILTER", "error")
            // a variable of the test run, which is not a setting
            .env_remove("CONCLAVE_REFRESH")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not start");
            std::thread::sleep(Duration::from_millis(5));
            if process.try_wait().unwrap().is_some() {
                let said = process.wait_with_output().unwrap().stderr;
                eprintln!("it ended: {}", String::from_utf8_lossy(&said));
                return None;
            }
        }
        Some(Self { process, address })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_delivers_everything_after_its_restart() {
    const GROUPS: usize = 4;
    const USERS: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    // half of all attempts are refused, so that something is always waiting
    let app = App::answering(|_, before| Answer::of(if before % 2 == 0 { 503 } else { 200 })).await;
    for round in 0..3 {
        let served = Served::over(folder.path(), &app);
        let back_end = BackEnd::at(served.address);
        for group in 0..GROUPS {
            back_end.create(&format!("r{round}g{group}")).await;
        }
        for user in 0..USERS {
            for group in 0..GROUPS {
                back_end.join(&format!("r{round}g{group}"), &format!("u{user}")).await;
            }
        }
        drop(served);
    }
    let _served = Served::over(folder.path(), &app);
    let taken = |requests: &[Received]| -> Vec<(String, i64, String)> {
        let taken = requests.iter().filter(|request| request.status == 200).map(|request| &request.body[0]);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        taken
            .map(|requests| {
                (text(&requests["groupId"]), requests["eventType"].as_i64().unwrap(), text(&requests["userIds"][0]))
            })
            .collect()
    };
    let all = 3 * GROUPS * (USERS + 1);
    let requests = app.until(|requests| taken(requests).into_iter().collect::<BTreeSet<_>>().len() == all).await;
    // in order in each group, not counting repeated notifications
    for group in (0..3).flat_map(|round| (0..GROUPS).map(move |group| format!("r{round}g{group}"))) {
        let mut users = Vec::new();
        for (_, event, user) in taken(&requests).into_iter().filter(|(of, ..)| *of == group) {
            if event == 2 && !users.contains(&user) {
                users.push(user);
            }
        }
        assert_eq!(users, (0..USERS).map(|user| format!("u{user}")).collect::<Vec<_>>(), "{group}");
    }
}
