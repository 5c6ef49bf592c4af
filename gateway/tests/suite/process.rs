//! The real binary.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, ask, request};

pub(crate) fn conclave(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conclave"));
    for (key, _) in std::env::vars() {
        if key.starts_with("CONCLAVE_") {
            command.env_remove(key);
        }
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    conclave(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A served gateway; killed on drop.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) at: SocketAddr,
    pub(crate) greeting: Vec<String>,
}

impl Served {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("it says nothing").unwrap();
        let at = first.rsplit(' ').next().unwrap().parse().unwrap();
        let mut greeting = vec![first];
        // the last line of the development credentials
        while greeting.last().is_some_and(|line| !line.contains("RONG_APPSECRET")) {
            greeting.push(lines.next().expect("it ends early").unwrap());
        }
        Self { child, at, greeting }
    }

    /// Stops it, and returns its exit code and log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_serves_says_where_and_ends_when_asked() {
    let began = Instant::now();
    let served = Served::start(conclave(&["serve", "--memory", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]));
    assert!(began.elapsed() < Duration::from_secs(1), "start took {:?}", began.elapsed());
    let printed = served.greeting.join("\n");
    assert!(printed.contains(&format!("AGORA_API_URL=http://{}/agora", served.at)), "{printed}");
    let mut client = Client::connect(served.at).await;
    client.say(request("GET", "/", &[], "")).await;
    assert_eq!(client.answer().await.status, 404);
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn without_a_subcommand_it_serves() {
    let served = Served::start(conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]));
    assert_eq!(ask(served.at, "GET", "/", &[], "").await.status, 404);
}

#[tokio::test]
async fn one_line_a_request_and_no_secrets_in_it() {
    for format in ["text", "json"] {
        let mut command = conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]);
        command.env("CONCLAVE_LOG_FORMAT", format).env("CONCLAVE_LOG_FILTER", "trace");
        let served = Served::start(command);
        let secrets: Vec<String> = served
            .greeting
            .iter()
            .filter_map(|line| line.split_once('='))
            .filter(|(key, _)| key.contains("SECRET"))
            .map(|(_, value)| value.to_owned())
            .collect();
        assert_eq!(secrets.len(), 3);
        let (agora, tencent, rong) = (&secrets[0], &secrets[1], &secrets[2]);
        let token = format!(r#"{{"grant_type":"client_credentials","client_id":"x","client_secret":"{agora}"}}"#);
        ask(served.at, "POST", "/agora/conclave/dev/token", &["X-Request-ID: id-of-agora"], &token).await;
        let bearer = format!("Authorization: Bearer {agora}");
        ask(served.at, "GET", "/agora/conclave/dev/chatgroups?access_token=hidden-in-query", &[&bearer], "").await;
        let path = format!("/tencent/v4/group_open_http_svc/create_group?usersig={tencent}&sdkappid=1400000000");
        ask(served.at, "POST", &path, &["X-Request-ID: id-of-tencent"], "{}").await;
        let signature = format!("Signature: {rong}");
        let headers = ["App-Key: conclavedev00", "Nonce: 1", "Timestamp: 1", &signature];
        ask(served.at, "POST", "/rong/user/getToken.json", &headers, &format!("token={rong}")).await;
        let (code, log) = served.end();
        assert_eq!(code, Some(0));
        for secret in secrets.iter().map(String::as_str).chain(["hidden-in-query", "usersig="]) {
            assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        }
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("conclave::request")).collect();
        assert_eq!(lines.len(), 4, "{log}");
        assert!(
            lines[0].contains("id-of-agora")
                && lines[0].contains("agora")
                && lines[0].contains("/agora/conclave/dev/token")
        );
        assert!(lines[2].contains("id-of-tencent") && lines[2].contains("tencent"));
        if format == "json" {
            for line in log.lines() {
                serde_json::from_str::<serde_json::Value>(line).expect(line);
            }
        }
    }
}

/// Webhooks are signed in their query, clients connect with a token in theirs, and an app's URL may contain a password.
#[tokio::test]
async fn no_query_with_credentials_is_in_the_log() {
    let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/cb?key=hidden-in-url", receiver.local_addr().unwrap());
    let received = tokio::spawn(async move {
        let mut heads = Vec::new();
        // the first attempt and one retry: neither is accepted
        for _ in 0..2 {
            let (stream, _) = receiver.accept().await.unwrap();
            let mut client = Client(stream);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tokio::io::AsyncReadExt::read_u8(&mut client.0).await.unwrap());
            }
            client.say("HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
            heads.push(String::from_utf8(head).unwrap());
        }
        heads
    });
    let mut command = conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]);
    command
        .env("CONCLAVE_LOG_FILTER", "trace")
        .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_URL", &hook)
        .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_ALLOW_PRIVATE", "true")
        .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_RETRIES", "1")
        .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_BACKOFF_MS", "10");
    let served = Served::start(command);
    // sha1 of the development secret, "1" and "2"
    let signature = "Signature: 3b3132edab86049ff1f16c4ebe76b8ad91b4ab40";
    let headers = ["App-Key: conclavedev00", "Nonce: 1", "Timestamp: 2", signature];
    let headers = [&headers[..], &["Content-Type: application/x-www-form-urlencoded"]].concat();
    let made = ask(served.at, "POST", "/rong/entrust/group/create.json", &headers, "groupId=g&name=n&owner=o").await;
    assert_eq!(made.status, 200, "{}", made.body);
    let heads = tokio::time::timeout(Duration::from_secs(20), received).await.expect("a webhook").unwrap();
    let upgrade = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let path = "/rong/websocket?appId=conclavedev00&token=hidden-token&apiVer=browser%7CChrome%7C1";
    let mut client = Client::connect(served.at).await;
    client.say(request("GET", path, &upgrade, "")).await;
    assert_eq!(client.answer().await.status, 101);
    // a frame refuses it
    tokio::io::AsyncReadExt::read_u8(&mut client.0).await.unwrap();
    let (_, log) = served.end();
    assert!(log.contains("a webhook was not accepted") && log.contains("a session ended"), "{log}");
    for head in heads {
        let query = head.lines().next().unwrap().split(' ').nth(1).unwrap().to_owned();
        for secret in ["nonce", "signature"] {
            let value = query.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{secret}="))).unwrap();
            assert!(!log.contains(value), "{secret} is in the log:\n{log}");
        }
    }
    for secret in ["hidden-in-url", "hidden-token", "signature="] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn env_prints_what_clients_need() {
    let printed = text(&run(&["env", "tencent", "--listen", "127.0.0.1:99"]).stdout);
    assert!(printed.starts_with("TENCENT_API_URL=http://127.0.0.1:99/tencent\n"), "{printed}");
    assert!(printed.lines().all(|line| line.starts_with("TENCENT_")), "{printed}");
    let all = text(&run(&["env", "--control", "off"]).stdout);
    for key in ["AGORA_CLIENT_SECRET=", "TENCENT_SECRET_KEY=", "RONG_APPSECRET="] {
        assert!(all.contains(key), "{key} is not in {all}");
    }
    assert!(!run(&["env", "nobody"]).status.success());
}

#[test]
fn a_signature_is_printed_for_those_who_have_no_tool_for_it() {
    let output = run(&["usersig"]);
    assert!(output.status.success() && text(&output.stdout).trim().len() > 50, "{output:?}");
    assert_ne!(output.stdout, run(&["usersig", "somebody"]).stdout);
}

#[test]
fn refusals_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("conclave.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\nlisten_on = 1\n").unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["--config", file.to_str().unwrap()], "listen_on"),
        (&["--listen", "0.0.0.0:0"], "development credentials"),
        (&["--config", "/no/such/file"], "/no/such/file"),
        (&["--admin", "somewhere", "--memory"], "somewhere"),
    ];
    for (arguments, named) in cases {
        let output = run(arguments);
        let printed = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        assert!(printed.contains(named), "{printed}");
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--memory", "--admin", "off", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&address));
}

#[test]
fn completions_and_manual_pages_have_every_command() {
    for (shell, mark) in [("bash", "complete -F"), ("zsh", "#compdef conclave"), ("fish", "complete -c conclave")] {
        let printed = text(&run(&["completions", shell]).stdout);
        assert!(printed.contains(mark), "{shell}: {printed}");
        for word in ["env", "usersig", "advance-clock", "until-stdin-closes"] {
            assert!(printed.contains(word), "{shell} does not complete {word}");
        }
    }
    let refused = run(&["completions", "nosuchshell"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("bash"));
    let page = text(&run(&["man"]).stdout);
    assert!(page.contains(".TH conclave 1") && page.contains("conclave\\-usersig(1)"), "{page}");
    let page = text(&run(&["man", "ctl"]).stdout);
    assert!(page.contains("conclave\\-ctl") && page.contains("advance\\-clock"), "{page}");
    let refused = run(&["man", "nothing"]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("there is no command nothing"));
}

#[test]
fn routes_are_listed() {
    let printed = text(&run(&["routes"]).stdout);
    assert!(
        printed.lines().any(|line| line.starts_with("POST") && line.contains("/rong/group/create.json")),
        "{printed}"
    );
}
