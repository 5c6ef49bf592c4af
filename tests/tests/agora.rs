//! Agora's documented exchanges, replayed in the state that each requires: the response has everything the documented
//! one has, and all of it is pinned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;

use agora_support::{OTHER_SECRET, Setting, access_token, app_token, call, client, realm, token, user_token};
use async_trait::async_trait;
use conclave_agora::{Agora, Settings};
use conclave_core::model::{Body, Sender, Traits};
use conclave_core::operation::SendMessage;
use conclave_kit::{Fault, Surface};
use conclave_tests::client::{Answer, Client};
use conclave_tests::fixture::Fixture;
use conclave_tests::given::{GivenAccount, GivenGroup};
use conclave_tests::world::{World, group, user};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

#[tokio::test]
async fn documented_exchanges() {
    let mut failed = Vec::new();
    for name in Fixture::names("agora") {
        // run separately, so that one run lists all failures
        if tokio::spawn(exchange(name.clone())).await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

async fn exchange(name: String) {
    let fixture = Fixture::read("agora", &name);
    let answer = match fixture.given.fault {
        Some(fault) => failed(fault.into()),
        None => replay(&name, &fixture).await,
    };
    fixture.assert_covers(&answer);
    let kind = fixture.response.headers.get("Content-Type").and_then(Value::as_str);
    assert_eq!(answer.headers["content-type"], kind.unwrap_or("application/json;charset=UTF-8"), "{name}");
    if let Some(body) = fixture.pinned(&answer) {
        insta::assert_json_snapshot!(name.as_str(), body);
    }
}

/// The response to a fault outside of the surface, as the gateway gives it.
fn failed(fault: Fault) -> Answer {
    let agora = Agora::new(vec![realm(&World::new(), Settings::default())]).expect("a surface");
    let (parts, body) = agora.fault(fault).into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.bytes().expect("a whole body").clone() }
}

async fn replay(name: &str, fixture: &Fixture) -> Answer {
    let (given, request) = (&fixture.given, &fixture.request);
    let world = given.world();
    let client = client(&world, given.settings(json!({})));
    for account in &given.accounts {
        register(&client, account).await;
        world.clock.step(account.wait);
    }
    given.prepare::<Chatgroup>(&world).await;
    for _ in 0..given.messages_this_second {
        let app = app_token(&client).await;
        let answer = call(&client, Method::POST, &request.path, &app, request.body.clone()).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
    let mut query = Vec::new();
    for (key, value) in &request.query {
        let value = match value.as_str().expect("a text") {
            NEXT_CURSOR => next_cursor(&client, &request.path).await,
            value => value.to_owned(),
        };
        query.push(format!("{key}={value}"));
    }
    let mut path = request.path.clone();
    if path.contains(MESSAGE) {
        path = path.replace(MESSAGE, &asking(&world).await);
    }
    let target = format!("{path}?{}", query.join("&"));

    let caller = given.caller.as_deref().unwrap_or("user1");
    let mut headers = Vec::new();
    for (header, value) in &request.headers {
        headers.push((header.clone(), filled(&world, &client, caller, value.as_str().expect("a text")).await));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = request.bytes();
    let before = world.commits();
    let method = request.method.parse().expect("a method");
    let answer = client.send(method, target.trim_end_matches('?'), &headers, body).await;
    assert!(world.commits() <= before + 1, "{name}: what one call changes is one commit");
    answer
}

/// The placeholder for the cursor of a list's second page.
const NEXT_CURSOR: &str = "{NEXT_CURSOR}";

/// The cursor after the first page of two.
async fn next_cursor(client: &Client, path: &str) -> String {
    let first = call(client, Method::GET, &format!("{path}?limit=2"), &app_token(client).await, Value::Null).await;
    first.json()["cursor"].as_str().expect("a cursor").to_owned()
}

/// The placeholder for a message's id in a path.
const MESSAGE: &str = "{MESSAGE}";

/// A message whose sender asked for receipts.
async fn asking(world: &World) -> String {
    let traits = Traits { receipts: true, ..Traits::default() };
    let send = SendMessage::new(group("66016455491585"), Sender::User(user("user1")), Body::Text("read this".into()));
    world.run(SendMessage { traits, ..send }).await.message.id.to_string()
}

/// A header with real tokens in place of the placeholders.
async fn filled(world: &World, client: &Client, caller: &str, header: &str) -> String {
    let Some((before, rest)) = header.split_once('{') else { return header.to_owned() };
    let token = match rest.trim_end_matches('}') {
        "APP_TOKEN" => app_token(client).await,
        "USER_TOKEN" => user_token(client, caller).await,
        "FOREIGN_TOKEN" => token(client, "other", OTHER_SECRET, json!(0)).await,
        "AGORA_TOKEN" => access_token("", world.groups.now(), 600),
        "EXPIRED_TOKEN" => {
            let token = token(client, "demo", "YXA6_CLIENT_SECRET_OF_THE_VENDOR", json!(1)).await;
            world.clock.step(1000);
            token
        }
        other => panic!("no such placeholder: {other}"),
    };
    format!("{before}{token}")
}

async fn register(client: &Client, GivenAccount { user, password, nickname, .. }: &GivenAccount) {
    let body = json!({"username": user, "password": password, "nickname": nickname});
    let answer = call(client, Method::POST, "/acme/demo/users", &app_token(client).await, body).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

/// A group in a fixture. Fields that it does not give are as in the documented group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chatgroup {
    id: Option<String>,
    name: Option<String>,
    /// Its final owner.
    owner: Option<String>,
    /// All members, in the order of joining; the first creates it.
    members: Option<Vec<String>>,
    #[serde(default)]
    admins: Vec<String>,
    avatar: Option<String>,
    public: Option<bool>,
    capacity: Option<u32>,
}

#[async_trait]
impl GivenGroup for Chatgroup {
    async fn create(&self, world: &World) {
        let documented = Setting::documented();
        let members: Option<Vec<&str>> =
            self.members.as_ref().map(|members| members.iter().map(String::as_str).collect());
        let admins: Vec<&str> = self.admins.iter().map(String::as_str).collect();
        let setting = Setting {
            id: self.id.as_deref().unwrap_or(documented.id),
            name: self.name.as_deref().unwrap_or(documented.name),
            owner: self.owner.as_deref().unwrap_or(documented.owner),
            members: members.as_deref().unwrap_or(documented.members),
            admins: &admins,
            avatar: self.avatar.as_deref().unwrap_or(documented.avatar),
            public: self.public.unwrap_or(documented.public),
            capacity: self.capacity.unwrap_or(documented.capacity),
        };
        setting.make(world).await;
    }
}
