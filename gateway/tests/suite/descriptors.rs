//! The real binary with few descriptors, limited by the system itself.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::client::{Answer, Client, request};
use crate::process::{Served, conclave, run, text};

/// How long the store may take to go on.
const PATIENCE: Duration = Duration::from_mins(1);

/// sha1 of the development secret, "1" and "2".
const SIGNED: [&str; 5] = [
    "App-Key: conclavedev00",
    "Nonce: 1",
    "Timestamp: 2",
    "Signature: 3b3132edab86049ff1f16c4ebe76b8ad91b4ab40",
    "Content-Type: application/x-www-form-urlencoded",
];

async fn call(client: &mut Client, path: &str, form: &str) -> Answer {
    client.say(request("POST", path, &SIGNED, form)).await;
    client.answer().await
}

/// Sends a long message, so that the store soon needs new files.
async fn send(client: &mut Client) -> u16 {
    let form = format!(
        "fromUserId=a&toGroupId=g&objectName=RC:TxtMsg&content=%7B%22content%22%3A%22{}%22%7D",
        "x".repeat(100_000)
    );
    call(client, "/rong/message/group/publish.json", &form).await.status
}

async fn readiness(admin: SocketAddr) -> Answer {
    crate::client::ask(admin, "GET", "/readyz", &[], "").await
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn idle_connections_do_not_keep_the_store_from_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (data, admin) = (folder.path().join("data"), free_port());
    let plain = conclave(&["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap(), "--admin", &admin.to_string()]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 200; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let served = Served::start(command);
    let mut client = Client::connect(served.at).await;
    let created = call(&mut client, "/rong/group/create.json", "userId=a&groupId=g&groupName=n").await;
    assert_eq!(created.status, 200, "{}", created.body);
    // far more than there are descriptors
    let mut idle = Vec::new();
    for _ in 0..600 {
        idle.push(Client::connect(served.at).await);
    }
    for _ in 0..300 {
        assert_eq!(send(&mut client).await, 200);
    }
    assert_eq!(readiness(admin).await.status, 200);
    drop(idle);
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn without_descriptors_writes_are_refused_until_there_are_some() {
    let folder = tempfile::tempdir().unwrap();
    let (data, admin) = (folder.path().join("data"), free_port());
    let data = data.to_str().unwrap();
    let served = Served::start(conclave(&["--listen", "127.0.0.1:0", "--data", data, "--admin", &admin.to_string()]));
    let mut client = Client::connect(served.at).await;
    let created = call(&mut client, "/rong/group/create.json", "userId=a&groupId=g&groupName=n").await;
    assert_eq!(created.status, 200, "{}", created.body);
    // a connection of the admin listener that exists before there are no more
    let mut observer = Client::connect(admin).await;
    let mut ready = async || {
        observer.say(request("GET", "/readyz", &[], "")).await;
        observer.answer().await
    };
    assert_eq!(ready().await.status, 200);

    let pid = Pid::from_raw(i32::try_from(served.child.id()).unwrap());
    let open = std::fs::read_dir(format!("/proc/{}/fd", served.child.id())).unwrap().count() as u64;
    let before = prlimit(pid, Resource::Nofile, Rlimit { current: Some(open), maximum: Some(4096) }).unwrap();
    let (mut accepted, begun) = (0, Instant::now());
    loop {
        match send(&mut client).await {
            200 => accepted += 1,
            status => {
                assert_eq!(status, 500);
                break;
            }
        }
        assert!(begun.elapsed() < PATIENCE, "the store needed no more files after {accepted} messages");
    }
    // the operator learns the reason, and reads continue
    let refused = loop {
        let answer = ready().await;
        if answer.body.contains("Too many open files") {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", answer.body);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(refused.status, 503);
    let read = call(&mut client, "/rong/group/user/query.json", "groupId=g").await;
    assert_eq!(read.status, 200, "{}", read.body);

    prlimit(pid, Resource::Nofile, Rlimit { current: before.maximum.min(Some(4096)), maximum: Some(4096) }).unwrap();
    let begun = Instant::now();
    while send(&mut client).await != 200 {
        assert!(begun.elapsed() < PATIENCE, "writes are still refused");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    accepted += 1;
    assert_eq!(ready().await.status, 200);
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
    // what was answered is there, and nothing that was refused
    let verified = run(&["verify", data]);
    let printed = text(&verified.stdout);
    assert!(verified.status.success(), "{verified:?}");
    let messages = printed.lines().find_map(|line| line.trim().strip_prefix("messages")).unwrap().trim();
    assert_eq!(messages, accepted.to_string(), "{printed}");
}
