//! The process is killed while many clients write, repeatedly over the same data folder: all acknowledged changes are
//! present, and the data is consistent.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use conclave::store::Database;
use conclave_core::invariants::{everything, realm_broken};
use conclave_core::model::{GroupId, Key, Member, Millis, Prefix, Role, Row, UserId};
use conclave_core::ports::{Span, Store};
use conclave_tests::sign::rong_signature;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

const ROUNDS: usize = 15;
const WRITERS: usize = 16;
/// The longest time a start may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process.
struct Served {
    process: Child,
    address: SocketAddr,
}

impl Served {
    /// Starts it over this folder and waits until it accepts connections.
    fn over(folder: &Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"))
            .args(["serve", "--admin", "off", "--listen", &address.to_string(), "--data"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let served = Self { process, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "it does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        served
    }

    /// Kills it without a warning.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// What was acknowledged to one client.
#[derive(Default)]
struct Acknowledged {
    /// Created groups; of each the members that were added, then those removed.
    groups: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
    /// The one request that was never answered.
    open: Option<String>,
    answers: usize,
}

#[derive(Clone)]
struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

impl Caller {
    /// One call of `RongCloud`'s server API; `None` when it was not answered.
    async fn call(&self, path: &str, form: String) -> Option<()> {
        let (nonce, timestamp) = ("14314", "1700000100000");
        let request = Request::post(format!("http://{}/rong{path}", self.address))
            .header("app-key", "conclavedev00")
            .header("nonce", nonce)
            .header("timestamp", timestamp)
            .header("signature", rong_signature("conclavedevs0", nonce, timestamp))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .unwrap();
        let answer = self.client.request(request).await.ok()?;
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["code"], 200, "{path}: {answer}");
        Some(())
    }

    /// Creates groups, adds and removes members until calls are not answered any more.
    async fn write(self, round: usize, writer: usize) -> Acknowledged {
        let mut acknowledged = Acknowledged::default();
        for number in 0.. {
            // half of all work is in one group that every writer of the round changes
            let (shared, own) = (format!("r{round}"), format!("r{round}-{writer}-{number}"));
            let user = |at: usize| format!("u-{round}-{writer}-{number}-{at}");
            acknowledged.open = Some(own.clone());
            let owner = user(0);
            let create = format!("groupId={own}&name={own}&owner={owner}&userIds={}&userIds={}", user(1), user(2));
            if self.call("/entrust/group/create.json", create).await.is_none() {
                return acknowledged;
            }
            acknowledged.answers += 1;
            acknowledged.groups.insert(own.clone(), ((0..3).map(user).collect(), BTreeSet::new()));
            for (path, group, at) in
                [("join", &own, 3), ("member/kick", &own, 1), ("join", &shared, 4), ("join", &shared, 5)]
            {
                acknowledged.open = Some(user(at));
                let form = format!("groupId={group}&userIds={}", user(at));
                if self.call(&format!("/entrust/group/{path}.json"), form).await.is_none() {
                    return acknowledged;
                }
                acknowledged.answers += 1;
                let (added, removed) = acknowledged.groups.entry(group.clone()).or_default();
                if path == "join" {
                    added.insert(user(at))
                } else {
                    removed.insert(user(at))
                };
            }
            acknowledged.open = None;
        }
        acknowledged
    }
}

fn now() -> Millis {
    Millis(u64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

/// Compares acknowledged changes with stored data.
async fn check(store: &dyn Store, acknowledged: &[Acknowledged]) {
    let rows = everything(store).await.unwrap();
    assert_eq!(realm_broken(&rows, now()), None);
    let open: BTreeSet<_> = acknowledged.iter().filter_map(|acknowledged| acknowledged.open.as_deref()).collect();
    for (group, (added, removed)) in acknowledged.iter().flat_map(|acknowledged| &acknowledged.groups) {
        let group = GroupId::new(group).unwrap();
        assert!(rows.contains_key(&Key::Group(group.clone()).encode()), "{group} was made and is gone");
        for user in added {
            let member = rows.get(&Key::Member(group.clone(), UserId::new(user).unwrap()).encode());
            let wanted = !removed.contains(user) && !open.contains(user.as_str());
            assert!(member.is_some() || !wanted, "{user} was added to {group} and is gone");
            assert!(member.is_none() || !removed.contains(user), "{user} was removed from {group} and is there");
        }
    }
    // a group whose creation was not answered exists with all its members or not at all
    for group in open {
        let Ok(group) = GroupId::new(group) else { continue };
        if let Some(Row::Group(header)) = rows.get(&Key::Group(group.clone()).encode()) {
            let members = store.scan(&Span::all(Prefix::seats(&group))).await.unwrap();
            let members: Vec<_> = members.iter().filter_map(|(_, row)| row.member()).collect();
            assert_eq!((members.len(), header.members), (3, 3), "{group} is there in part");
            let owners = members.iter().filter(|member| is_owner(member)).count();
            assert_eq!(owners, 1, "{group} has lost its owner");
        }
    }
    let log = store.scan(&Span::all(Prefix::events())).await.unwrap();
    let numbers = log.iter().filter_map(|(_, row)| Some(row.event()?.sequence));
    assert!(numbers.eq(1..=log.len() as u64), "the log has gaps or repeats");
}

fn is_owner(member: &Member) -> bool {
    member.role == Role::Owner
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let mut killed_while_writing = 0;
    for round in 0..ROUNDS {
        let served = Served::over(folder.path());
        let client = Client::builder(TokioExecutor::new()).build_http();
        let caller = Caller { client, address: served.address };
        caller.call("/entrust/group/create.json", format!("groupId=r{round}&name=r&owner=o{round}")).await.unwrap();
        let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(caller.clone().write(round, writer))).collect();
        tokio::time::sleep(Duration::from_millis(150 + 37 * round as u64)).await;
        served.kill();
        let before = acknowledged.len();
        for writer in writers {
            acknowledged.push(writer.await.unwrap());
        }
        killed_while_writing +=
            acknowledged.iter().skip(before).filter(|acknowledged| acknowledged.open.is_some()).count();
        let database = Database::open(folder.path()).unwrap();
        let store = database.realm("dev").unwrap();
        check(&*store, &acknowledged).await;
    }
    let answers: usize = acknowledged.iter().map(|acknowledged| acknowledged.answers).sum();
    println!("{ROUNDS} rounds, {answers} answered requests, {killed_while_writing} cut off");
    assert!(answers > ROUNDS * WRITERS, "too little was written to prove anything: {answers}");
    assert!(killed_while_writing > ROUNDS, "the process was not killed while it was written to");
}
