//! The servers under test: processes of their own.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Room for the big group, whose members are accounts by being named.
const SETTINGS: [(&str, &str); 2] =
    [("TENCENT_SETTINGS_AUTO_IMPORT", "true"), ("TENCENT_SETTINGS_COMMUNITY_MEMBER_LIMIT", "1000000")];

/// A running server.
pub struct Server {
    pub address: SocketAddr,
    /// The binary that runs, and of which release it is.
    program: (PathBuf, Release),
    child: Child,
    _folder: TempDir,
}

/// Builds the release binary, unless another one is to be measured.
pub fn build() {
    if std::env::var_os(BINARY).is_some() {
        return;
    }
    let done = Command::new(env!("CARGO")).args(["build", "--release", "-p", "conclave"]).status().unwrap();
    assert!(done.success(), "the release binary does not build");
}

/// Names a binary to measure in place of the release one.
const BINARY: &str = "CONCLAVE_BENCH_BINARY";
/// Names a binary of an earlier release to compare with in the same run.
const BASELINE: &str = "CONCLAVE_BENCH_BASELINE";

/// Names a folder for profiles.
pub const PROFILES: &str = "CONCLAVE_BENCH_PROFILES";

/// What a binary understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    Current,
    /// Has no limit of connections per address, and `conclave env` prints `KEY=value` lines only.
    Earlier,
}

/// Keeps what was measured beside the documents.
pub fn keep(name: &str, results: &serde_json::Value) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/bench"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), format!("{results:#}\n")).unwrap();
}

/// What was kept before; null if nothing was.
pub fn kept(name: &str) -> serde_json::Value {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/bench")).join(format!("{name}.json"));
    let text = std::fs::read_to_string(file).unwrap_or_else(|_| "null".to_owned());
    serde_json::from_str(&text).unwrap()
}

fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os(BINARY) {
        return PathBuf::from(named);
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    target.join("release/conclave")
}

/// The binary to compare with, if there is one.
fn baseline() -> Option<PathBuf> {
    std::env::var_os(BASELINE).map(PathBuf::from)
}

/// A command that does not hand on the bench's own settings, which Conclave would refuse.
fn program(binary: &Path) -> Command {
    without_settings(Command::new(binary))
}

fn without_settings(mut command: Command) -> Command {
    for name in [BINARY, BASELINE, PROFILES] {
        command.env_remove(name);
    }
    command
}

/// How a server is started.
struct Launch<'a> {
    store: &'a str,
    log: &'a str,
    /// Counts its instructions, in files whose names begin with this path.
    counted: Option<&'a Path>,
}

impl Launch<'_> {
    /// The binary, or valgrind with the binary as its argument.
    fn command(&self, binary: &Path) -> Command {
        let Some(counts) = self.counted else { return program(binary) };
        let mut command = without_settings(Command::new("valgrind"));
        command.args(["--tool=callgrind", "--quiet"]);
        command.arg(format!("--callgrind-out-file={}", counts.display())).arg(binary);
        // one thread runs at a time anyway; with one, it is the same work in every run
        command.env("TOKIO_WORKER_THREADS", "1").stderr(Stdio::null());
        command
    }
}

impl Server {
    /// Bare hyper.
    pub async fn floor() -> Self {
        let server = Self::spawn_floor();
        answering(server.address).await;
        server
    }

    /// Bare hyper, whose instructions are counted.
    pub async fn counted_floor(counts: &Path) -> Self {
        let launch = Launch { store: "memory", log: "warn", counted: Some(counts) };
        let server = Self::spawn(launch.command(&std::env::current_exe().unwrap()));
        answering(server.address).await;
        server
    }

    /// This program's own floor; it listens once it has printed its address.
    pub fn spawn_floor() -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.env("CONCLAVE_BENCH_FLOOR", "1").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        let program = (std::env::current_exe().unwrap(), Release::Current);
        Self { address, program, child, _folder: TempDir::new().unwrap() }
    }

    /// `conclave serve` with the development realm, on this kind of store.
    pub async fn conclave(store: &str) -> Self {
        let launch = Launch { store, log: "warn", counted: None };
        Self::serve(&launch, binary(), Release::Current).await
    }

    /// The same of an earlier release, when one is to be compared with.
    pub async fn baseline(store: &str) -> Option<Self> {
        let launch = Launch { store, log: "warn", counted: None };
        Some(Self::serve(&launch, baseline()?, Release::Earlier).await)
    }

    /// The releases that there are binaries of: an earlier one, if one is named, and the current one.
    pub fn releases() -> Vec<Release> {
        if baseline().is_some() { vec![Release::Earlier, Release::Current] } else { vec![Release::Current] }
    }

    /// `conclave serve`, whose instructions are counted, with this log filter.
    pub async fn counted(store: &str, log: &str, release: Release, counts: &Path) -> Self {
        let binary = match release {
            Release::Current => binary(),
            Release::Earlier => baseline().unwrap(),
        };
        Self::serve(&Launch { store, log, counted: Some(counts) }, binary, release).await
    }

    async fn serve(launch: &Launch<'_>, binary: PathBuf, release: Release) -> Self {
        let folder = TempDir::new().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = launch.command(&binary);
        command
            .args(["serve", "--listen", &address.to_string(), "--admin", "off"])
            .env("CONCLAVE_LOG_FILTER", launch.log);
        if release == Release::Current {
            // all clients come from one address
            command.env("CONCLAVE_LIMITS_CONNECTIONS_PER_ADDRESS", "10000");
        }
        for (key, value) in SETTINGS {
            command.env(format!("CONCLAVE_REALM_DEV_{key}"), value);
        }
        match launch.store {
            "memory" => command.arg("--memory"),
            _ => command.arg("--data").arg(folder.path().join("data")),
        };
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        answering(address).await;
        Self { address, program: (binary, release), child, _folder: folder }
    }

    /// The settings clients need, as `conclave env` prints them.
    pub fn env(&self) -> HashMap<String, String> {
        let (binary, release) = &self.program;
        let mut command = program(binary);
        command.args(["env", "--listen", &self.address.to_string()]);
        match release {
            Release::Current => {
                let output = command.args(["--format", "json"]).output().unwrap();
                serde_json::from_slice(&output.stdout).unwrap()
            }
            Release::Earlier => {
                let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
                let settings = text.lines().filter_map(|line| line.split_once('='));
                settings.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
            }
        }
    }

    /// The process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What the process keeps in memory, in megabytes.
    pub fn resident_megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        (kilobytes / 102.4).round() / 10.0
    }

    /// Processor time that the threads of the process have used, in seconds. The kernel keeps it in nanoseconds.
    pub fn cpu_seconds(&self) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanoseconds = |task: std::io::Result<std::fs::DirEntry>| -> Option<f64> {
            // a thread may end while the folder is read
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse().ok()
        };
        tasks.filter_map(nanoseconds).sum::<f64>() / 1e9
    }

    /// Ends it.
    pub fn stop(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the first answer, whatever it says.
async fn answering(address: SocketAddr) {
    // a program whose instructions are counted needs a hundred times as long
    for _ in 0..60_000 {
        if let Ok(mut stream) = TcpStream::connect(address).await {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
            let mut first = [0_u8; 9];
            stream.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 ");
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("no answer at {address}");
}
