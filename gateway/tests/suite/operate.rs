//! The command line as operators use it: checking, settings for clients, the development realm for other machines, and
//! the data folder.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::client::{Client, request};
use crate::process::{Served, conclave, run, text};

const SECRETS: &str = "
[realm.main.agora]
org = 'acme'
app = 'chat'
client_id = 'id'
client_secret = 'YXA6c2VjcmV0LW9mLW9wZXJhdG9ycyE'

[realm.main.rong]
app_key = 'key'
app_secret = 'it$ o#n a \"line\"'
";

/// The output of `conclave` for a configuration file with this text.
fn with_file(text: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("conclave.toml");
    std::fs::write(&file, text).unwrap();
    conclave(&[arguments, &["--config", file.to_str().unwrap()]].concat()).current_dir(folder.path()).output().unwrap()
}

fn refusal(output: &Output) -> String {
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    printed
}

#[test]
fn check_names_what_is_configured_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = format!("listen = '0.0.0.0:8443'\nadmin = '0.0.0.0:9090'\ndata = '{}'\n{SECRETS}", data.display());
    let output = with_file(&file, &["check"]);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for wanted in ["0.0.0.0:8443", "main: agora, rong", "will be made", "without encryption", "metrics and health on"] {
        assert!(printed.contains(wanted), "{wanted} is not in {printed}");
    }
    assert!(!printed.contains("YXA6") && !printed.contains("o#n"), "{printed}");
    assert!(!data.exists(), "checking has made the folder");
}

#[test]
fn check_refuses_what_a_start_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("diary.txt"), "dear diary").unwrap();
    let foreign = format!("data = '{}'\n{SECRETS}", folder.path().display());
    assert!(refusal(&with_file(&foreign, &["check"])).contains("not a data folder"));
    let tls = format!("memory = true\n[tls]\ncert = '/no/such/chain.pem'\nkey = '/no/such/key.pem'\n{SECRETS}");
    assert!(refusal(&with_file(&tls, &["check"])).contains("/no/such/chain.pem"));
    let same = format!("memory = true\n{SECRETS}\n{}", SECRETS.replace("main", "other"));
    assert!(refusal(&with_file(&same, &["check"])).contains("other"));
}

#[test]
fn check_tells_that_the_folder_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let _served = Served::start(conclave(&["--data", data, "--listen", "127.0.0.1:0", "--admin", "off"]));
    let printed = text(&run(&["check", "--data", data]).stdout);
    assert!(printed.contains("in use by a running conclave"), "{printed}");
}

#[test]
fn errors_say_where_what_and_how() {
    let cases = [
        ("[limits]\nbody_byte = 1", "line 2: unknown key limits.body_byte: did you mean limits.body_bytes?"),
        ("lisen = '127.0.0.1:1'", "did you mean listen?"),
        ("[realm.main.agroa]\norg = 'x'", "did you mean realm.main.agora?"),
        ("[realm.main.rong.setings]\nhosting = true", "did you mean realm.main.rong.settings?"),
        (
            "[limits]\nheaders = 'many'",
            "line 2: limits.headers must be a whole number of at least 0, e.g. 100, not text",
        ),
        ("[limits]\nheaders = -1", "a whole number of at least 0, e.g. 100, not -1"),
        ("memory = 'yes'", "memory must be true or false, not text"),
        ("limits = 3", "limits is a table, written as [limits]"),
        ("listen = 'localhost'", "listen must be an address, e.g. 127.0.0.1:8080, localhost:8080"),
        ("[realm.main.rong]\napp_key = 'key'", "realm.main.rong.app_secret is missing"),
        ("[realm.main.rong]\napp_key = 'key'", "CONCLAVE_REALM_MAIN_RONG_APP_SECRET"),
        ("[realm.main.rong]\napp_key = 'key'\napp_secret = 12345678", "must be text in quotes"),
        ("[traces]\nendpoint = '127.0.0.1:4318'", "traces.endpoint must be like http://127.0.0.1:4318, not"),
        ("[traces]\nendpoint = 'http://u:12345678@c'", "not one with a user or a password"),
        ("[traces]\nendpoint = 'http://c:4318'\none_in = 0", "traces.one_in must not be 0"),
    ];
    for (file, wanted) in cases {
        let printed = refusal(&with_file(file, &["check"]));
        assert!(printed.contains(wanted), "{file}: {wanted} is not in {printed}");
        for foreign in ["usize", "expected", "invalid type", "12345678"] {
            assert!(!printed.contains(foreign), "{file}: {foreign} is in {printed}");
        }
    }
    let mut command = conclave(&["check", "--memory"]);
    let printed = refusal(&command.env("CONCLAVE_LIMITS_BODY_BYTE", "1").output().unwrap());
    assert!(printed.contains("did you mean CONCLAVE_LIMITS_BODY_BYTES?"), "{printed}");
}

/// What is set and cannot be done is not ignored.
#[test]
#[cfg(not(feature = "traces"))]
fn a_binary_without_traces_refuses_their_setting() {
    let printed = refusal(&with_file("[traces]\nendpoint = 'http://127.0.0.1:4318'", &["check"]));
    assert!(printed.contains("build it with --features traces"), "{printed}");
}

#[test]
fn addresses_are_taken_as_people_write_them() {
    for (written, meant) in
        [("localhost:8081", "127.0.0.1:8081"), ("8081", "127.0.0.1:8081"), ("[::1]:8081", "[::1]:8081")]
    {
        for output in [
            run(&["check", "--memory", "--listen", written, "--admin", "localhost:9099"]),
            conclave(&["check", "--memory"]).env("CONCLAVE_LISTEN", written).output().unwrap(),
        ] {
            let printed = text(&output.stdout);
            assert!(printed.contains(&format!("listen   {meant}\n")), "{written}: {output:?}");
        }
    }
    assert!(text(&run(&["check", "--memory", "--listen", "nowhere"]).stderr).contains("localhost:8080"));
}

#[test]
fn what_kubernetes_sets_by_itself_does_not_stop_the_start() {
    let mut command = conclave(&["check", "--memory"]);
    for (variable, value) in [
        ("CONCLAVE_SERVICE_HOST", "10.0.0.1"),
        ("CONCLAVE_PORT", "tcp://10.0.0.1:80"),
        ("CONCLAVE_ADMIN_SERVICE_HOST", "10.0.0.1"),
        ("CONCLAVE_ADMIN_SERVICE_PORT", "9090"),
        ("CONCLAVE_ADMIN_SERVICE_PORT_METRICS", "9090"),
        ("CONCLAVE_ADMIN_PORT", "tcp://10.0.0.1:9090"),
        ("CONCLAVE_ADMIN_PORT_9090_TCP", "tcp://10.0.0.1:9090"),
        ("CONCLAVE_ADMIN_PORT_9090_TCP_ADDR", "10.0.0.1"),
        ("CONCLAVE_ADMIN_PORT_9090_TCP_PORT", "9090"),
        ("CONCLAVE_ADMIN_PORT_9090_TCP_PROTO", "tcp"),
    ] {
        command.env(variable, value);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // a similar one is still an error
    let mut command = conclave(&["check", "--memory"]);
    refusal(&command.env("CONCLAVE_LISTEN_PORT", "8080").output().unwrap());
}

/// Each format is parsed by the tool it is for, and gives the same values.
#[test]
fn settings_are_read_back_by_shells_and_by_tools() {
    let json: Value = serde_json::from_slice(&with_file(SECRETS, &["env", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["AGORA_APPKEY"], "acme#chat");
    assert_eq!(json["RONG_APPSECRET"], "it$ o#n a \"line\"");

    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("settings.sh");
    std::fs::write(&script, with_file(SECRETS, &["env", "--format", "shell"]).stdout).unwrap();
    let printed = Command::new("sh")
        .args(["-c", r#"eval "$(cat "$1")"; sh -c 'printf "%s|%s" "$AGORA_APPKEY" "$RONG_APPSECRET"'"#, "sh"])
        .arg(&script)
        .output()
        .unwrap();
    assert_eq!(text(&printed.stdout), "acme#chat|it$ o#n a \"line\"");

    let dotenv = text(&with_file(SECRETS, &["env"]).stdout);
    let file = folder.path().join(".env");
    std::fs::write(&file, &dotenv).unwrap();
    let by_shell = r#". "$1"; printf "%s|%s" "$AGORA_APPKEY" "$RONG_APPSECRET""#;
    let by_node = "process.stdout.write(`${process.env.AGORA_APPKEY}|${process.env.RONG_APPSECRET}`)";
    let by_python = "import shlex, sys; env = dict(line.split('=', 1) for line in shlex.split(open(sys.argv[1]).read())); \
                     sys.stdout.write(env['AGORA_APPKEY'] + '|' + env['RONG_APPSECRET'])";
    let mut tools = [Command::new("sh"), Command::new("node"), Command::new("python3")];
    tools[0].args(["-c", by_shell, "sh"]).arg(&file);
    tools[1].arg(format!("--env-file={}", file.display())).args(["-e", by_node]);
    tools[2].args(["-c", by_python]).arg(&file);
    for tool in &mut tools {
        let printed = tool.output().unwrap();
        assert_eq!(text(&printed.stdout), "acme#chat|it$ o#n a \"line\"", "{tool:?}: {}", text(&printed.stderr));
    }
    for wanted in ["AGORA_APPKEY='acme#chat'\n", "RONG_APPSECRET='it$ o#n a \"line\"'\n", "AGORA_CLIENT_ID=id\n"] {
        assert!(dotenv.contains(wanted), "{wanted} is not in {dotenv}");
    }
}

/// Sockets and server APIs alike.
#[tokio::test]
async fn every_url_that_is_printed_answers() {
    let served = Served::start(conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]));
    let at = served.at.to_string();
    let json: Value = serde_json::from_slice(&run(&["env", "--format", "json", "--listen", &at]).stdout).unwrap();
    let urls: Vec<(&str, &str)> = json
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?.split_once("://")?.1)))
        .collect();
    assert!(urls.len() >= 4, "{urls:?}");
    for (key, url) in urls {
        let path = url.strip_prefix(&at).unwrap();
        let mut client = Client::connect(served.at).await;
        if key.ends_with("WS_URL") {
            let path = if path.matches('/').count() > 1 { path.to_owned() } else { format!("{path}/binfo") };
            let upgrade = [
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ];
            client.say(request("GET", &path, &upgrade, "")).await;
            assert_eq!(client.answer().await.status, 101, "{key}");
        } else if key == "AGORA_SOCKJS_URL" {
            client.say(request("GET", &format!("{path}/info"), &[], "")).await;
            assert_eq!(client.answer().await.status, 200, "{key}");
        } else {
            client.say(request("GET", &format!("{path}/"), &[], "")).await;
            assert!(!client.answer().await.body.contains("\"served\""), "{key}: no vendor answers");
        }
    }
}

#[tokio::test]
async fn the_development_realm_is_served_to_others_with_credentials_of_its_own() {
    let start = || Served::start(conclave(&["--memory", "--dev-public", "--listen", "0.0.0.0:0", "--admin", "off"]));
    let (one, other) = (start(), start());
    let secret = |served: &Served| {
        let line = served.greeting.iter().find(|line| line.contains("RONG_APPSECRET")).unwrap();
        line.split_once('=').unwrap().1.to_owned()
    };
    assert_ne!(secret(&one), secret(&other));
    assert_ne!(secret(&one), "conclavedevs0");
    let printed = one.greeting.join("\n");
    assert!(printed.contains("random credentials") && printed.contains("reachable from other machines"), "{printed}");
    assert!(refusal(&run(&["env", "--dev-public", "--control", "off"])).contains("prints them"));
    assert!(refusal(&with_file(SECRETS, &["--dev-public", "--memory"])).contains("--dev-public"));
}

#[cfg(unix)]
#[test]
fn data_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    fn modes(path: &Path, found: &mut Vec<(String, u32)>) {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        found.push((path.display().to_string(), mode));
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                modes(&entry.unwrap().path(), found);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--admin", "off"];
    let (code, log) = Served::start(conclave(&arguments)).end();
    assert_eq!(code, Some(0), "{log}");
    let mut found = Vec::new();
    modes(&data, &mut found);
    assert!(found.len() > 4, "{found:?}");
    for (path, mode) in found {
        assert_eq!(mode & 0o077, 0, "{path} has mode {mode:o}");
    }
}

#[tokio::test]
async fn time_does_not_run_backwards_over_a_restart_after_an_idle_period() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let over = |config: &mut conclave::Config| config.data = conclave::config::Data::Folder(data.clone());
    let gateway = crate::probe::start(over).await;
    let kept = data.join("conclave-clock");
    let begun = std::time::Instant::now();
    let now = loop {
        let text = std::fs::read_to_string(&kept).unwrap_or_default();
        if let Some((time, _)) = text.split_once(' ') {
            break time.parse::<u64>().unwrap();
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "the time is not kept");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert!(gateway.groups["dev"].now().0 >= now);
    assert!(gateway.shutdown().await);
    // as a gateway has left it whose system's clock was an hour ahead of today's, with nothing in its log
    let ahead = (now + 3_600_000).to_string();
    std::fs::write(&kept, format!("{ahead} {:016x}\n", xxhash_rust::xxh3::xxh3_64(ahead.as_bytes()))).unwrap();
    let gateway = crate::probe::start(over).await;
    assert!(gateway.groups["dev"].now().0 >= now + 3_600_000, "time runs backwards");
    assert!(gateway.shutdown().await);
}
