//! A process over a data folder, clients that write to it, and what has to be in the folder afterwards.

#![allow(dead_code, reason = "each suite uses what it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use conclave_core::invariants::{everything, realm_broken};
use conclave_core::model::{GroupId, Key, Member, Millis, Prefix, Role, Row, UserId};
use conclave_core::ports::{Span, Store};
use conclave_tests::sign::rong_signature;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// The longest time a start may take, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running process.
pub struct Served {
    pub process: Child,
    pub address: SocketAddr,
}

impl Served {
    /// Starts it over this folder and waits until it accepts connections.
    pub fn over(folder: &Path) -> Self {
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
    pub fn kill(mut self) {
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
#[derive(Debug, Clone, Default)]
pub struct Acknowledged {
    /// Created groups; of each the members that were added, then those removed.
    pub groups: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
    /// The one request that was never answered.
    pub open: Option<String>,
    pub answers: usize,
}

#[derive(Clone)]
pub struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

impl Caller {
    pub fn to(address: SocketAddr) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), address }
    }

    /// One call of `RongCloud`'s server API; `None` when it was not answered.
    pub async fn call(&self, path: &str, form: String) -> Option<()> {
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
    pub async fn write(self, round: usize, writer: usize, shared: Arc<Mutex<Acknowledged>>) {
        let acknowledged = || shared.lock().unwrap();
        for number in 0.. {
            // half of all work is in one group that every writer of the round changes
            let (shared, own) = (format!("r{round}"), format!("r{round}-{writer}-{number}"));
            let user = |at: usize| format!("u-{round}-{writer}-{number}-{at}");
            acknowledged().open = Some(own.clone());
            let owner = user(0);
            let create = format!("groupId={own}&name={own}&owner={owner}&userIds={}&userIds={}", user(1), user(2));
            if self.call("/entrust/group/create.json", create).await.is_none() {
                return;
            }
            acknowledged().answers += 1;
            acknowledged().groups.insert(own.clone(), ((0..3).map(user).collect(), BTreeSet::new()));
            for (path, group, at) in
                [("join", &own, 3), ("member/kick", &own, 1), ("join", &shared, 4), ("join", &shared, 5)]
            {
                acknowledged().open = Some(user(at));
                let form = format!("groupId={group}&userIds={}", user(at));
                if self.call(&format!("/entrust/group/{path}.json"), form).await.is_none() {
                    return;
                }
                acknowledged().answers += 1;
                let mut acknowledged = acknowledged();
                let (added, removed) = acknowledged.groups.entry(group.clone()).or_default();
                if path == "join" {
                    added.insert(user(at))
                } else {
                    removed.insert(user(at))
                };
            }
            acknowledged().open = None;
        }
    }
}

pub fn now() -> Millis {
    Millis(u64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

/// Compares the data of a moment with the changes acknowledged before it, and those acknowledged `later`, at the end.
pub async fn check(store: &dyn Store, acknowledged: &[Acknowledged], later: &[Acknowledged]) {
    let rows = everything(store).await.unwrap();
    assert_eq!(realm_broken(&rows, now()), None);
    let open_then: BTreeSet<_> = acknowledged.iter().filter_map(|acknowledged| acknowledged.open.as_deref()).collect();
    let open: BTreeSet<_> = later.iter().filter_map(|acknowledged| acknowledged.open.as_deref()).collect();
    let removed_later: BTreeSet<_> = later
        .iter()
        .flat_map(|acknowledged| {
            acknowledged.groups.iter().flat_map(|(group, (_, gone))| gone.iter().map(move |user| (group, user)))
        })
        .collect();
    for (name, (added, removed)) in acknowledged.iter().flat_map(|acknowledged| &acknowledged.groups) {
        let group = GroupId::new(name).unwrap();
        assert!(rows.contains_key(&Key::Group(group.clone()).encode()), "{group} was made and is gone");
        for user in added {
            let member = rows.get(&Key::Member(group.clone(), UserId::new(user).unwrap()).encode());
            let in_doubt = open.contains(user.as_str()) || open_then.contains(user.as_str());
            let wanted = !removed_later.contains(&(name, user)) && !in_doubt;
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
