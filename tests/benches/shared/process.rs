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

/// What a binary understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
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

fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os(BINARY) {
        return PathBuf::from(named);
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    target.join("release/conclave")
}

/// A command that does not hand on the bench's own settings, which Conclave would refuse.
fn program(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env_remove(BINARY).env_remove(BASELINE);
    command
}

impl Server {
    /// Bare hyper.
    pub async fn floor() -> Self {
        let server = Self::spawn_floor();
        answering(server.address).await;
        server
    }

    /// This program's own floor; it listens once it has printed its address.
    pub fn spawn_floor() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env("CONCLAVE_BENCH_FLOOR", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        let program = (std::env::current_exe().unwrap(), Release::Current);
        Self { address, program, child, _folder: TempDir::new().unwrap() }
    }

    /// `conclave serve` with the development realm, on this kind of store.
    pub async fn conclave(store: &str) -> Self {
        Self::serve(store, binary(), Release::Current).await
    }

    /// The same of an earlier release, when one is to be compared with.
    pub async fn baseline(store: &str) -> Option<Self> {
        let binary = std::env::var_os(BASELINE)?;
        Some(Self::serve(store, PathBuf::from(binary), Release::Earlier).await)
    }

    async fn serve(store: &str, binary: PathBuf, release: Release) -> Self {
        let folder = TempDir::new().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = program(&binary);
        command.args(["serve", "--listen", &address.to_string(), "--admin", "off"]).env("CONCLAVE_LOG_FILTER", "warn");
        if release == Release::Current {
            // all clients come from one address
            command.env("CONCLAVE_LIMITS_CONNECTIONS_PER_ADDRESS", "10000");
        }
        for (key, value) in SETTINGS {
            command.env(format!("CONCLAVE_REALM_DEV_{key}"), value);
        }
        match store {
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
    for _ in 0..5000 {
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
