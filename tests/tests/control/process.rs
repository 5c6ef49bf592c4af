//! The control API of the real binary: when it is on.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use conclave_tests::client::Client;
use serde_json::Value;

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

/// Runs the command line against a gateway; what it prints, and whether it succeeds.
fn ctl(process: &Process, arguments: &[&str]) -> (bool, String) {
    let at = process.control.expect("an address").to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"));
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("CONCLAVE_")) {
        command.env_remove(key);
    }
    let output = command.args([&["ctl", "--at", &at], arguments].concat()).output().unwrap();
    let printed = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(printed).unwrap())
}

#[test]
fn the_command_line_has_every_operation() {
    let process = Process::start(&["--memory", "--control", "127.0.0.1:0"]);
    let call = |arguments: &[&str]| -> Value {
        let (done, printed) = ctl(&process, arguments);
        assert!(done, "{arguments:?}: {printed}");
        if printed.is_empty() { Value::Null } else { serde_json::from_str(&printed).unwrap() }
    };
    let realm = call(&["create-realm", "name=mine", "vendors=[\"rong\"]"]);
    assert_eq!((&realm["name"], &realm["vendors"]), (&Value::from("mine"), &serde_json::json!(["rong"])));
    assert!(realm["settings"]["RONG_APPSECRET"].is_string());
    let before = call(&["freeze-clock", "mine"])["now_ms"].as_u64().unwrap();
    assert_eq!(call(&["advance-clock", "mine", "by_ms=60000"])["now_ms"], before + 60_000);
    call(&["take-snapshot", "mine", "a name"]);
    assert_eq!(call(&["list-snapshots", "mine"])["snapshots"][0]["name"], "a name");
    let rule = r#"{"on": "call", "vendor": "rong", "effect": {"error": "1008"}}"#;
    assert_eq!(call(&["create-fault", "mine", "--body", rule])["hits"], 0);
    assert_eq!(call(&["reset-realm", "mine"])["disconnected"], 0);
    assert_eq!(call(&["delete-realm", "mine"]), Value::Null);
    let (done, printed) = ctl(&process, &["delete-realm", "mine"]);
    assert!(!done && printed.contains("no_such_realm"), "{printed}");
    let (done, printed) = ctl(&process, &["advance-clock", "dev", "ten"]);
    assert!(!done && printed.contains("name=value"), "{printed}");
}

/// Runs `conclave env`; standard output and error.
fn env(arguments: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"));
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("CONCLAVE_")) {
        command.env_remove(key);
    }
    let output = command.arg("env").args(arguments).output().unwrap();
    assert!(output.status.success() || output.stdout.is_empty());
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn the_running_gateway_gives_the_settings() {
    let process = Process::start(&["--memory", "--control", "127.0.0.1:0"]);
    let at = process.control.expect("an address").to_string();
    let control = Control(Client::at(process.control.unwrap(), ""));
    let json = |arguments: &[&str]| -> Value {
        let (printed, error) = env(&[arguments, &["--control", &at, "--format", "json"]].concat());
        assert_eq!(error, "");
        serde_json::from_str(&printed).unwrap()
    };
    // the address is the one it listens on, which no configuration says
    let dev = control.get("/v1/realms/dev").await["settings"].clone();
    assert_eq!(json(&[]), dev);
    let realm = control.post("/v1/realms", serde_json::json!({ "name": "mine", "vendors": ["rong"] })).await;
    assert_eq!(json(&["--realm", "mine"]), realm["settings"]);
    assert_eq!(json(&["rong", "--realm", "mine"]), realm["settings"]);
    assert_eq!(json(&[]), dev, "a created realm is named, or not meant");
    let keys: Vec<String> = json(&["tencent"]).as_object().unwrap().keys().cloned().collect();
    assert!(keys.len() > 3 && keys.iter().all(|key| key.starts_with("TENCENT_")), "{keys:?}");
    let (printed, error) = env(&["tencent", "--realm", "mine", "--control", &at]);
    assert!(printed.is_empty() && error.contains("not at tencent"), "{error}");
    let (printed, error) = env(&["--realm", "other", "--control", &at]);
    assert!(printed.is_empty() && error.contains("has no realm other"), "{error}");
    // a gateway that is to be started on this address is not asked
    let (printed, error) = env(&["tencent", "--control", &at, "--listen", "127.0.0.1:99"]);
    assert!(printed.starts_with("TENCENT_API_URL=http://127.0.0.1:99/tencent\n") && error.is_empty(), "{error}");
}

#[test]
fn without_a_gateway_the_configuration_is_used_and_that_is_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (printed, error) = env(&["rong", "--control", &free]);
    assert!(printed.contains("RONG_APPSECRET="), "{printed}");
    assert!(error.contains(&free) && error.contains("from the configuration"), "{error}");

    // a gateway does not show the secrets of its configuration
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("conclave.toml");
    let text = "memory = true\n[realm.shop.rong]\napp_key = 'key'\napp_secret = 'a-secret-of-the-shop'\n";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let process = Process::start(&["--config", file, "--control", "127.0.0.1:0"]);
    let at = process.control.expect("an address").to_string();
    let (printed, error) = env(&["--config", file, "--control", &at]);
    assert!(printed.contains("RONG_APPSECRET=a-secret-of-the-shop"), "{printed} {error}");
    assert!(error.contains("does not show the secrets of its realm shop"), "{error}");
}
