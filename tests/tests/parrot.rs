//! A made-up vendor is served after adding one line that registers it: mounted, configured, and in every listing.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use conclave::config::{Admin, Flags, Sources, reference};
use conclave::vendors::Vendors;
use conclave::{Config, Gateway, Running, cli, routes};
use conclave_parrot::Parrot;
use conclave_tests::client::Client;
use futures_util::{SinkExt as _, StreamExt as _};
use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

/// The one line.
fn vendors() -> Vendors {
    Vendors::standard().with::<Parrot>()
}

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, conclave::config::ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conclave.toml");
    std::fs::write(&path, file).unwrap();
    let environment: BTreeMap<_, _> =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let flags = Flags { memory: true, admin: Some("off".to_owned()), ..Flags::default() };
    Config::load_with(vendors(), &Sources { file: Some(path), environment, flags })
}

async fn served(change: impl FnOnce(&mut Config)) -> (Running, Client) {
    let mut config = Config::development_with(vendors()).unwrap();
    config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    let running = Gateway::start(config).await.unwrap();
    let client = Client::at(running.addresses.shared, "/parrot");
    (running, client)
}

const CREDENTIALS: [(&str, &str); 2] = [("parrot-key", "polly"), ("parrot-secret", "cracker")];

#[tokio::test]
async fn its_api_is_mounted_counted_and_about_the_same_groups() {
    let (running, client) = served(|_| ()).await;
    let call = async |method, path: &str, body: &str| {
        let answer = client.send(method, path, &CREDENTIALS, body.to_owned()).await;
        (answer.status.as_u16(), answer.json())
    };
    let perch = json!({"id": "cage", "owner": "ann"}).to_string();
    assert_eq!(call(Method::POST, "/v1/perches", &perch).await, (400, json!({"squawk": "no"})), "no such user");
    let groups = &running.groups["dev"];
    let register = conclave_core::operation::RegisterUsers {
        users: vec![conclave_core::operation::NewUser::of(conclave_tests::world::user("ann"))],
        on_existing: conclave_core::operation::OnExisting::Refuse,
        folded: false,
    };
    conclave_core::ports::GroupsExt::run(&**groups, &conclave_core::event::Actor::app(), register).await.unwrap();
    assert_eq!(call(Method::POST, "/v1/perches", &perch).await, (200, json!({"perch": "cage"})));
    assert_eq!(call(Method::POST, "/v1/perches", &perch).await, (409, json!({"squawk": "perch taken"})));
    let shown = json!({"perch": "cage", "name": "", "birds": 1});
    assert_eq!(call(Method::GET, "/v1/perches/cage", "").await, (200, shown));
    let said = call(Method::POST, "/v1/perches/cage/words", &json!({"from": "ann", "text": "hi"}).to_string()).await;
    assert_eq!(said.0, 200, "{said:?}");
    assert_eq!(call(Method::GET, "/v1/nests", "").await, (404, json!({"squawk": "no such branch"})));
    let stranger = client.send(Method::GET, "/v1/perches/cage", &[("parrot-key", "polly")], "").await;
    assert_eq!(stranger.status, 401);

    let admin = Client::at(running.addresses.admin.unwrap(), "");
    let metrics = admin.send(Method::GET, "/metrics", &[], "").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let counted = r#"conclave_requests_total{vendor="parrot",operation="show perch",class="answered"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    let preflight = [("origin", "http://localhost:3000"), ("access-control-request-method", "GET")];
    assert_eq!(client.send(Method::OPTIONS, "/v1/perches/cage", &preflight, "").await.status, 204);
    assert!(running.shutdown().await);
}

/// A client of the text protocol.
struct Line(tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>);

impl Line {
    async fn open(running: &Running) -> Self {
        let at = running.addresses.shared;
        let stream = tokio::net::TcpStream::connect(at).await.unwrap();
        let url = format!("ws://{at}/parrot/lines");
        Self(tokio_tungstenite::client_async(url, stream).await.unwrap().0)
    }

    async fn say(&mut self, line: &str) {
        self.0.send(Message::text(line)).await.unwrap();
    }

    async fn receive(&mut self) -> String {
        let next = tokio::time::timeout(std::time::Duration::from_secs(30), self.0.next()).await.unwrap();
        match next.unwrap().unwrap() {
            Message::Text(line) => line.to_string(),
            other => format!("{other:?}"),
        }
    }

    async fn ask(&mut self, line: &str) -> String {
        self.say(line).await;
        self.receive().await
    }
}

#[tokio::test]
async fn its_clients_talk_in_lines_about_the_same_groups() {
    let (running, client) = served(|_| ()).await;
    let groups = &running.groups["dev"];
    let users = ["ann", "ben"].map(|name| conclave_core::operation::NewUser::of(conclave_tests::world::user(name)));
    let on_existing = conclave_core::operation::OnExisting::Refuse;
    let register = conclave_core::operation::RegisterUsers { users: users.into(), on_existing, folded: false };
    conclave_core::ports::GroupsExt::run(&**groups, &conclave_core::event::Actor::app(), register).await.unwrap();
    let create = conclave_core::operation::CreateGroup {
        id: Some(conclave_tests::world::group("cage")),
        members: vec![conclave_core::operation::NewMember::now(conclave_tests::world::user("ben"))],
        ..conclave_core::operation::CreateGroup::new(
            Some(conclave_tests::world::user("ann")),
            conclave_core::model::Policy::standard(),
        )
    };
    conclave_core::ports::GroupsExt::run(&**groups, &conclave_core::event::Actor::app(), create).await.unwrap();

    let mut stranger = Line::open(&running).await;
    assert_eq!(stranger.ask("hello polly crumbs ann").await, "stranger");
    let (mut ann, mut ben) = (Line::open(&running).await, Line::open(&running).await);
    assert_eq!(ann.ask("say 1 cage hi").await, "hello first");
    assert_eq!(ann.ask("hello polly cracker ann").await, "welcome ann");
    assert_eq!(ben.ask("hello polly cracker ben").await, "welcome ben");
    assert!(ann.ask("say 1 cage hi there").await.starts_with("said 1 "));
    assert_eq!(ben.receive().await, "message cage ann hi there");
    assert_eq!(ann.ask("say 2 nest hi").await, "no 2 no such perch");
    assert_eq!(ann.ask("sing").await, "what");
    // messages of the app are received by all
    let words = json!({"from": "ann", "text": "from afar"}).to_string();
    assert_eq!(client.send(Method::POST, "/v1/perches/cage/words", &CREDENTIALS, words).await.status, 200);
    assert_eq!(ben.receive().await, "message cage ann from afar");
    assert_eq!(ann.receive().await, "message cage ann from afar");

    let admin = Client::at(running.addresses.admin.unwrap(), "");
    let metrics = admin.send(Method::GET, "/metrics", &[], "").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    for counted in [
        r#"conclave_requests_total{vendor="parrot",operation="say line",class="answered"} 1"#,
        r#"conclave_requests_total{vendor="parrot",operation="say line",class="refused"} 1"#,
    ] {
        assert!(metrics.contains(counted), "{counted} is not in {metrics}");
    }
    let connected = metrics.lines().find(|line| line.starts_with(r#"conclave_sessions{vendor="parrot"} "#));
    assert!(connected.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    assert!(running.shutdown().await);
}

#[tokio::test]
async fn its_webhooks_are_delivered() {
    let app = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", app.local_addr().unwrap());
    let (running, _) = served(|config| {
        let section = config.realms[0].section_mut::<Parrot>().unwrap();
        section.webhooks.url = Some(url);
        section.webhooks.allow_private = true;
    })
    .await;
    let policy = conclave_core::model::Policy::standard();
    let create = conclave_core::operation::CreateGroup {
        id: Some(conclave_tests::world::group("nest")),
        ..conclave_core::operation::CreateGroup::new(None, policy)
    };
    let groups = &running.groups["dev"];
    conclave_core::ports::GroupsExt::run(&**groups, &conclave_core::event::Actor::app(), create).await.unwrap();
    let received = async {
        let (mut stream, _) = app.accept().await.unwrap();
        let mut request = Vec::new();
        while !String::from_utf8_lossy(&request).contains(r#"{"new perch":"nest"}"#) {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the webhook ends early");
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), received).await.unwrap();
    assert!(running.shutdown().await);
}

#[test]
fn it_is_in_every_listing() {
    let config = Config::development_with(vendors()).unwrap();
    let lines = routes::lines(&Gateway::routes(&config).unwrap());
    let own: Vec<&str> = lines.lines().filter(|line| line.contains("parrot")).collect();
    assert_eq!(own.len(), 3, "{own:?}");
    assert!(own[1].starts_with("GET") && own[1].ends_with("parrot   show perch"), "{own:?}");

    let settings = cli::environment(&config, None, Some("parrot")).unwrap();
    let at = config.listen;
    assert_eq!(settings, format!("PARROT_URL=http://{at}/parrot\nPARROT_KEY=polly\n"));
    assert!(cli::environment(&config, None, None).unwrap().ends_with(&settings));
    let refused = cli::environment(&config, None, Some("macaw")).unwrap_err().to_string();
    assert!(refused.contains("parrot"), "{refused}");

    let document = reference::markdown(&vendors());
    for wanted in [
        "`conclave env [agora|tencent|rong|parrot]`",
        "\n[realm.shop.parrot]\nkey = \"shop\"\n",
        "\n## `[vendor.parrot]`\n\nThe addresses of Parrot's surface.\n",
        "\n## `[realm.<name>.parrot]`\n\nA realm's credentials at Parrot.\n",
        "| `loud` | true or false | `false` | Whether messages are in upper case. | `CONCLAVE_REALM_<NAME>_PARROT_SETTINGS_LOUD` |",
    ] {
        assert!(document.contains(wanted), "{wanted} is not in {document}");
    }
}

#[test]
fn it_is_configured_like_every_vendor() {
    let file = "[realm.shop.parrot]\nkey = 'k'\nsettings.loud = true\n[vendor.parrot]\nhosts = ['parrot.example']\n";
    let secret = ("CONCLAVE_REALM_SHOP_PARROT_SECRET", "s");
    let config = load(file, &[secret, ("CONCLAVE_REALM_SHOP_PARROT_WEBHOOKS_URL", "https://a.example")]).unwrap();
    let section = config.realms[0].section::<Parrot>().unwrap();
    assert_eq!((&*section.credentials.secret, section.settings.loud), ("s", true));
    assert_eq!(section.webhooks.url.as_deref(), Some("https://a.example"));
    assert!(!config.realms[0].is_at("agora"));

    let refusal = |file: &str, environment: &[_]| load(file, environment).err().unwrap().to_string();
    let refused = refusal(file, &[]);
    assert!(refused.contains("secret"), "{refused}");
    let refused = refusal("[realm.a.parrot]\nkey = 'k'\nsecret = 'hush'\nsong = 1\n", &[]);
    assert!(refused.contains("song") && refused.contains("line 4") && !refused.contains("hush"), "{refused}");
    let refused = refusal("[realm.a.parrot]\nkey = 'k'\nsecret = ''\n", &[]);
    assert!(refused.contains("realm.a.parrot.secret"), "{refused}");
    let refused = refusal("[realm.a.parrot]\nkey = 'k'\nsecret = 's'\n[realm.a.macaw]\n", &[]);
    assert!(refused.contains("macaw") && refused.contains("parrot"), "{refused}");
    let refused = refusal("[realm.a.parrot]\nkey = 'k'\nsecret = 's'\nwebhooks.url = 'http://127.0.0.1/'\n", &[]);
    assert!(refused.contains("realm.a.parrot.webhooks"), "{refused}");
    let refused = refusal("listen = '0.0.0.0:80'\n[realm.a.parrot]\nkey = 'k'\nsecret = 'cracker'\n", &[]);
    assert!(refused.contains("development credentials at parrot"), "{refused}");
    // without its line it is unknown
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), "[realm.a.parrot]\nkey = 'k'\nsecret = 's'\n").unwrap();
    let sources = Sources { file: Some(path.path().to_owned()), ..Sources::default() };
    assert!(Config::load(&sources).err().unwrap().to_string().contains("parrot"));
}

#[test]
fn two_realms_of_one_key_are_refused() {
    let file = "[realm.a.parrot]\nkey = 'k'\nsecret = 's'\n[realm.b.parrot]\nkey = 'k'\nsecret = 't'\n";
    let error = Gateway::routes(&load(file, &[]).unwrap()).err().unwrap().to_string();
    assert_eq!(error, "realms a and b have the same parrot key; give each its own");
}
