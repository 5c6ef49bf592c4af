//! Every route refuses invalid credentials, and no input crashes a surface.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

use std::sync::Arc;

use conclave_kit::{RouteInfo, Surface};
use conclave_tests::client::{Answer, Client};
use conclave_tests::house::credentials::{ADMIN, APP_KEY, APP_SECRET, CLIENT_ID, CLIENT_SECRET, SDKAPPID, SECRET_KEY};
use conclave_tests::sign::{rong_signature, user_sig};
use conclave_tests::world::{BEGINNING, World, group, user};
use http::Method;
use serde_json::{Value, json};

/// The key of the other app at Tencent.
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
/// A day, in seconds.
const DAY: u64 = 86_400;

/// A surface with two realms: `test`, which is attacked, and `other`, whose credentials are valid elsewhere.
struct Target {
    world: World,
    routes: Vec<RouteInfo>,
    client: Client,
    vendor: &'static str,
}

type Headers = Vec<(String, String)>;

/// Credentials of a request: headers, and a query.
#[derive(Clone, Default)]
struct Proof {
    headers: Headers,
    query: String,
}

impl Target {
    async fn all() -> Vec<Self> {
        vec![Self::agora().await, Self::tencent().await, Self::rong().await]
    }

    async fn of(vendor: &'static str, make: impl Fn(&World, &World) -> Arc<dyn Surface>) -> Self {
        let world = World::new();
        world.users(&["alice", "bob", "carol"]).await;
        let surface = make(&world, &World::new());
        let routes = surface.routes();
        let client = Client::Surface(surface, format!("http://127.0.0.1:8080/{vendor}"));
        let target = Self { world, routes, client, vendor };
        let mut create =
            conclave_core::operation::CreateGroup::new(Some(user("alice")), conclave_core::model::Policy::standard());
        create.id = Some(group("g1"));
        target.world.run(create).await;
        target
    }

    async fn agora() -> Self {
        Self::of("agora", |here, there| {
            let realm = |name: &str, org: &str, world: &World| conclave_agora::AgoraRealm {
                name: name.to_owned(),
                credentials: conclave_agora::Credentials {
                    org: org.to_owned(),
                    app: "demo".to_owned(),
                    client_id: CLIENT_ID.to_owned(),
                    client_secret: format!("{CLIENT_SECRET}-{name}"),
                    app_id: None,
                    app_certificate: None,
                },
                settings: conclave_agora::Settings { open_registration: false, ..Default::default() },
                groups: world.groups.clone(),
                log: world.log.clone(),
                blobs: Arc::new(conclave::blob::InMemory::default()),
                presence: Arc::new(conclave_kit::Nobody),
            };
            Arc::new(
                conclave_agora::Agora::new(vec![realm("test", "acme", here), realm("other", "umbra", there)]).unwrap(),
            )
        })
        .await
    }

    async fn tencent() -> Self {
        Self::of("tencent", |here, there| {
            let realm = |name: &str, sdkappid, key: &str, world: &World| conclave_tencent::TencentRealm {
                name: name.to_owned(),
                credentials: conclave_tencent::Credentials {
                    sdkappid,
                    secret_key: key.to_owned(),
                    admins: vec![ADMIN.to_owned()],
                },
                settings: Default::default(),
                groups: world.groups.clone(),
                log: world.log.clone(),
                blobs: world.blobs.clone(),
                presence: Arc::new(conclave_kit::Nobody),
            };
            let realms =
                vec![realm("test", SDKAPPID, SECRET_KEY, here), realm("other", SDKAPPID + 1, OTHER_KEY, there)];
            Arc::new(conclave_tencent::Tencent::new(realms).unwrap())
        })
        .await
    }

    async fn rong() -> Self {
        Self::of("rong", |here, there| {
            let realm = |name: &str, key: &str, secret: &str, world: &World| conclave_rong::RongRealm {
                name: name.to_owned(),
                credentials: conclave_rong::Credentials { app_key: key.to_owned(), app_secret: secret.to_owned() },
                settings: Default::default(),
                groups: world.groups.clone(),
                log: world.log.clone(),
                presence: Arc::new(conclave_kit::Nobody),
            };
            let realms =
                vec![realm("test", APP_KEY, APP_SECRET, here), realm("other", "otherkey", "othersecret", there)];
            Arc::new(conclave_rong::Rong::new(realms).unwrap())
        })
        .await
    }

    /// A path of the route in the attacked realm.
    fn path(route: &RouteInfo) -> String {
        let mut path = route.path.to_owned();
        for (part, value) in [
            ("{org}", "acme"),
            ("{app}", "demo"),
            ("{user}", "alice"),
            ("{users}", "bob"),
            ("{group}", "g1"),
            ("{groups}", "g1"),
            ("{id}", "g1"),
            ("{ids}", "g1"),
            ("{service}", "group_open_http_svc"),
            ("{command}", "create_group"),
        ] {
            path = path.replace(part, value);
        }
        // any word for the other parameters
        while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
            path.replace_range(open..=close, "x");
        }
        path
    }

    async fn send(&self, method: &Method, path: &str, proof: &Proof, body: impl Into<bytes::Bytes>) -> Answer {
        let headers: Vec<(&str, &str)> =
            proof.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.client.send(method.clone(), &format!("{path}{}", proof.query), &headers, body).await
    }

    async fn agora_token(&self, org: &str, realm: &str) -> String {
        let body = json!({
            "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": format!("{CLIENT_SECRET}-{realm}"),
            "ttl": 1000,
        });
        let answer = self.send(&Method::POST, &format!("/{org}/demo/token"), &Proof::default(), body.to_string()).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Credentials that are true.
    async fn good(&self) -> Proof {
        match self.vendor {
            "agora" => bearer(&self.agora_token("acme", "test").await),
            "tencent" => sig_query(SDKAPPID, ADMIN, &user_sig(SDKAPPID, SECRET_KEY, ADMIN, BEGINNING.seconds(), DAY)),
            _ => signed(APP_KEY, APP_SECRET),
        }
    }

    /// Invalid credentials, each with its name.
    async fn bad(&self) -> Vec<(&'static str, Proof)> {
        let now = BEGINNING.seconds();
        match self.vendor {
            "agora" => {
                let token = self.agora_token("acme", "test").await;
                let mut tampered = token.clone();
                let last = if tampered.pop() == Some('A') { 'B' } else { 'A' };
                tampered.push(last);
                vec![
                    ("none", Proof::default()),
                    ("empty", bearer("")),
                    ("wrong", bearer("YWMtnonsense")),
                    ("tampered", bearer(&tampered)),
                    ("foreign", bearer(&self.agora_token("umbra", "other").await)),
                    (
                        "basic",
                        Proof { headers: vec![("authorization".into(), "Basic YTpi".into())], query: String::new() },
                    ),
                ]
            }
            "tencent" => vec![
                ("none", Proof::default()),
                ("empty", sig_query(SDKAPPID, ADMIN, "")),
                ("wrong", sig_query(SDKAPPID, ADMIN, "eJxnonsense_")),
                ("wrong key", sig_query(SDKAPPID, ADMIN, &user_sig(SDKAPPID, "other", ADMIN, now, DAY))),
                ("expired", sig_query(SDKAPPID, ADMIN, &user_sig(SDKAPPID, SECRET_KEY, ADMIN, now - 2 * DAY, DAY))),
                ("not admin", sig_query(SDKAPPID, "alice", &user_sig(SDKAPPID, SECRET_KEY, "alice", now, DAY))),
                ("another's", sig_query(SDKAPPID, ADMIN, &user_sig(SDKAPPID, SECRET_KEY, "alice", now, DAY))),
                ("foreign", sig_query(SDKAPPID, ADMIN, &user_sig(SDKAPPID + 1, OTHER_KEY, ADMIN, now, DAY))),
                ("unknown app", sig_query(5, ADMIN, &user_sig(5, SECRET_KEY, ADMIN, now, DAY))),
            ],
            _ => {
                let mut without_nonce = signed(APP_KEY, APP_SECRET);
                without_nonce.headers.retain(|(name, _)| name != "nonce");
                let mut upper = signed(APP_KEY, APP_SECRET);
                for (name, value) in &mut upper.headers {
                    if name == "signature" {
                        *value = format!("{}0", &value[..39]);
                    }
                }
                vec![
                    ("none", Proof::default()),
                    ("wrong secret", signed(APP_KEY, "nonsense")),
                    ("foreign secret", signed(APP_KEY, "othersecret")),
                    ("unknown key", signed("nobody", APP_SECRET)),
                    ("no nonce", without_nonce),
                    ("near miss", upper),
                ]
            }
        }
    }

    /// Whether an answer is this vendor's refusal of credentials.
    fn refuses(&self, answer: &Answer) -> bool {
        match self.vendor {
            "agora" => answer.status == 401,
            "tencent" => {
                let code = answer.json()["ErrorCode"].as_u64().unwrap_or(0);
                answer.status == 200 && ((60_000..61_000).contains(&code) || (70_000..71_000).contains(&code))
            }
            _ => answer.status == 401 && [json!(1001), json!(1004)].contains(&answer.json()["code"]),
        }
    }

    /// The number of events: refused calls add none.
    async fn events(&self) -> usize {
        self.world.log.read(0, usize::MAX).await.unwrap().len()
    }
}

fn bearer(token: &str) -> Proof {
    Proof { headers: vec![("authorization".to_owned(), format!("Bearer {token}"))], query: String::new() }
}

fn sig_query(sdkappid: u32, identifier: &str, sig: &str) -> Proof {
    let query = format!("?sdkappid={sdkappid}&identifier={identifier}&usersig={sig}&random=1&contenttype=json");
    Proof { headers: Headers::new(), query }
}

fn signed(key: &str, secret: &str) -> Proof {
    let (nonce, timestamp) = ("14314", "1700000100000");
    let headers = [
        ("app-key", key.to_owned()),
        ("nonce", nonce.to_owned()),
        ("timestamp", timestamp.to_owned()),
        ("signature", rong_signature(secret, nonce, timestamp)),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
    ];
    Proof { headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), query: String::new() }
}

/// A body that would have an effect if it were accepted.
fn tempting(vendor: &str) -> String {
    match vendor {
        "rong" => "groupId=g1&userId=bob&userIds=bob&name=x&owner=bob&groupName=x&newOwner=bob".to_owned(),
        "tencent" => json!({"GroupId": "g1", "Type": "Public", "Name": "x", "GroupIdList": ["g1"]}).to_string(),
        _ => {
            json!({"owner": "alice", "public": true, "groupname": "x", "username": "eve", "password": "1"}).to_string()
        }
    }
}

#[tokio::test]
async fn no_route_is_open_without_true_credentials() {
    for target in Target::all().await {
        let before = target.events().await;
        let bad = target.bad().await;
        for route in &target.routes {
            // asking for a token is the authentication itself
            if route.path.ends_with("/token") {
                continue;
            }
            for (name, proof) in &bad {
                let answer = target.send(&route.method, &Target::path(route), proof, tempting(target.vendor)).await;
                assert!(
                    target.refuses(&answer),
                    "{} {} with {name} credentials: {} {}",
                    target.vendor,
                    route.path,
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                );
            }
        }
        assert_eq!(target.events().await, before, "{} changed something", target.vendor);
    }
}

#[tokio::test]
async fn a_token_ends_when_its_time_is_over() {
    let target = Target::agora().await;
    let good = target.good().await;
    let ask = || target.send(&Method::GET, "/acme/demo/chatgroups/g1", &good, "");
    assert_eq!(ask().await.status, 200);
    target.world.clock.step(1_001_000);
    assert!(target.refuses(&ask().await));

    let target = Target::tencent().await;
    let good = target.good().await;
    let body = json!({"GroupIdList": ["g1"]}).to_string();
    let ask = || target.send(&Method::POST, "/v4/group_open_http_svc/get_group_info", &good, body.clone());
    assert_eq!(ask().await.json()["ErrorCode"], 0);
    target.world.clock.step((DAY + 1) * 1000);
    assert_eq!(ask().await.json()["ErrorCode"], 70_001, "also when the signature was seen before");
}

#[tokio::test]
async fn the_wrong_password_is_refused_in_the_vendors_words() {
    let target = Target::agora().await;
    for (body, status) in [
        (json!({"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": "no"}), 400),
        (json!({"grant_type": "client_credentials", "client_id": "no", "client_secret": "no"}), 400),
        (json!({"grant_type": "client_credentials"}), 400),
        (json!({"grant_type": "password", "username": "alice", "password": "no"}), 400),
        (json!({"grant_type": "made up"}), 400),
        (json!(null), 400),
    ] {
        let answer = target.send(&Method::POST, "/acme/demo/token", &Proof::default(), body.to_string()).await;
        assert_eq!(answer.status, status, "{body}: {}", String::from_utf8_lossy(&answer.body));
    }
}

/// Hostile bodies.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("not json", b"{".to_vec()),
        ("deep arrays", vec![b'['; 200_000]),
        ("deep objects", br#"{"a":"#.repeat(50_000)),
        ("not utf-8", vec![0xff, 0xfe, b'{', b'"', 0xc0, 0x80, b'"', b':', b'1', b'}']),
        ("null", b"null".to_vec()),
        ("array", b"[]".to_vec()),
        ("text", b"\"x\"".to_vec()),
        ("number", b"1e999".to_vec()),
        ("nul bytes", b"\0\0\0\0".to_vec()),
        ("wrong types", WRONG_TYPES.as_bytes().to_vec()),
        ("forms", b"groupId=%ff&userId=%zz&&&=&=x&groupId[]=1&group[=2&group%5b%5d=3".to_vec()),
        ("controls", b"groupId=%00&name=%01&owner=%0a&userIds=%00&userId=%00&newOwner=%7f".to_vec()),
    ]
}

const WRONG_TYPES: &str = r#"{"owner":1,"public":"maybe","groupname":[],"members":{"a":1},"maxusers":-1,"usernames":7,
"GroupId":1,"Type":{},"Name":null,"MemberList":"x","Owner_Account":[],"GroupIdList":{"a":[]},"Limit":"x","Offset":-5,
"Next":1e300,"Member_Account":false,"MemberToDel_Account":[1,null,{}],"newowner":{}}"#;

#[tokio::test]
async fn no_body_breaks_a_surface() {
    for target in Target::all().await {
        let good = target.good().await;
        for route in &target.routes {
            if route.method == Method::DELETE {
                continue;
            }
            for (name, body) in hostile() {
                let answer = target.send(&route.method, &Target::path(route), &good, body).await;
                let broken = answer.status.is_server_error() && answer.json()["code"] != json!(1000)
                    || answer.json()["ErrorCode"] == json!(10_002);
                assert!(!broken, "{} {} broke on {name}: {answer:?}", target.vendor, route.path);
            }
        }
    }
}

#[tokio::test]
async fn no_path_breaks_a_surface() {
    let long = format!("/{}", "a".repeat(20_000));
    let paths = [
        "/",
        "//",
        "///acme//demo//chatgroups",
        "/..",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e",
        "/acme/demo/chatgroups/%00",
        "/acme/demo/chatgroups/%ff%fe",
        "/acme/demo/chatgroups/%zz",
        "/acme/demo/chatgroups/%",
        "/acme/demo/chatgroups/,,,",
        "/acme/demo/chatgroups/..%2f..%2fusers",
        "/acme/demo/users/%0d%0aset-cookie:x",
        "/v4/group_open_http_svc/%2e%2e/x",
        "/v4//create_group",
        "/v4/group_open_http_svc/create_group/extra",
        "/group/../user/getToken.json",
        "/group/create.json/",
        "/group/create%2ejson",
        "/GROUP/CREATE.JSON",
        "/acme/demo/chatgroups/\u{7f}",
        &long,
    ];
    for target in Target::all().await {
        let good = target.good().await;
        let before = target.events().await;
        for path in paths {
            if path.parse::<http::Uri>().is_err() {
                continue;
            }
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
                let answer = target.send(&method, path, &good, "").await;
                assert!(!answer.status.is_server_error(), "{} {method} {path}: {answer:?}", target.vendor);
            }
        }
        assert_eq!(target.events().await, before, "{} changed something", target.vendor);
    }
}

#[tokio::test]
async fn what_a_client_sends_is_never_put_into_a_header() {
    for target in Target::all().await {
        let good = target.good().await;
        let answer = target.send(&Method::GET, "/acme/demo/chatgroups/x%0d%0aset-cookie:y", &good, "").await;
        assert!(answer.headers.get("set-cookie").is_none());
        let _: Value = answer.json();
    }
}
