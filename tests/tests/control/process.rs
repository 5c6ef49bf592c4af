//! The control API of the real binary: when it is on.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use conclave_tests::client::Client;

use crate::house::Control;

/// A gateway process; killed on drop.
struct Process {
    child: Child,
    control: Option<SocketAddr>,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"));
        for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("CONCLAVE_")) {
            command.env_remove(key);
        }
        let child = command.args(["--listen", "127.0.0.1:0", "--admin", "off"]).args(arguments);
        let mut child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut control = None;
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
            if let Some(url) = line.trim().strip_prefix("control ").map(str::trim) {
                let address = url.trim_start_matches("http://").split('/').next().unwrap();
                control = Some(address.parse().unwrap());
            }
            if line.trim().starts_with("data ") {
                break;
            }
        }
        Self { child, control }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_is_on_with_its_flag_and_off_with_a_file() {
    let process = Process::start(&["--memory", "--control", "127.0.0.1:0"]);
    let control = Control(Client::at(process.control.expect("an address"), ""));
    assert_eq!(control.get("/v1/realms").await["realms"][0]["name"], "dev");
    assert!(Process::start(&["--memory", "--control", "off"]).control.is_none());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("conclave.toml");
    std::fs::write(&file, "memory = true\n").unwrap();
    let file = file.to_str().unwrap();
    assert!(Process::start(&["--config", file]).control.is_none(), "never with a file unless configured");
    std::fs::write(file, "memory = true\ncontrol = '127.0.0.1:0'\n").unwrap();
    assert!(Process::start(&["--config", file]).control.is_some());
}

#[tokio::test]
async fn without_a_file_it_is_on() {
    // on the default address if that is free: other processes of this machine may have it
    let Some(address) = Process::start(&["--memory"]).control else { return };
    assert_eq!(address.to_string(), "127.0.0.1:9091");
}
