//! Tencent's commands with a signed-in user as the caller, without a transport: requests of clients, their responses,
//! and permissions in each type of group.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod groups;
mod joining;
mod messages;
mod permissions;
mod questions;
#[path = "../tencent_support/mod.rs"]
mod tencent_support;
mod uploads;

use std::fmt::Write as _;

use conclave_tencent::{Settings, SignedIn, Tencent};
use conclave_tests::house::credentials::SDKAPPID;
use conclave_tests::world::{World, user};
use serde_json::Value;
use tencent_support::realm;

/// The service of most commands.
const GROUPS: &str = "group_open_http_svc";
/// The service to which clients send every command about a community.
const COMMUNITIES: &str = "million_group_open_http_svc";

/// A realm with users, and its app at the vendor.
struct House {
    world: World,
    tencent: Tencent,
}

/// alice, bob, carol, dave and erin, none of them in a group.
async fn house(settings: Settings) -> House {
    let world = World::new();
    world.users(&["alice", "bob", "carol", "dave", "erin"]).await;
    let tencent = Tencent::new(vec![realm(&world, SDKAPPID, settings)]).unwrap();
    House { world, tencent }
}

impl House {
    /// One command of a user, as `service.command`.
    async fn call(&self, who: &str, command: &str, body: &Value) -> Value {
        let caller = SignedIn {
            user: user(who),
            device: Some(format!("{who}'s phone")),
            pushed_after: None,
            root_url: std::sync::Arc::default(),
        };
        let answer = self.tencent.answer_user(SDKAPPID, caller, command, body.to_string().as_bytes()).await;
        let answer: Value = serde_json::from_slice(&answer).expect("a JSON body");
        let good = answer["ErrorCode"] == 0;
        assert_eq!(answer["ActionStatus"], if good { "OK" } else { "FAIL" }, "{answer}");
        assert!(answer["ErrorInfo"].is_string(), "{answer}");
        answer
    }

    /// A command of the group service that succeeds.
    async fn done(&self, who: &str, command: &str, body: Value) -> Value {
        let answer = self.call(who, &format!("{GROUPS}.{command}"), &body).await;
        assert_eq!(answer["ErrorCode"], 0, "{command} {body}: {answer}");
        answer
    }

    /// The code of a command of the group service.
    async fn code(&self, who: &str, command: &str, body: Value) -> u64 {
        self.call(who, &format!("{GROUPS}.{command}"), &body).await["ErrorCode"].as_u64().unwrap()
    }

    /// Creates a group of alice; returns its id.
    async fn made(&self, body: Value) -> String {
        let answer = self.done("alice", "create_group", body).await;
        answer["GroupId"].as_str().unwrap().to_owned()
    }
}

/// Requests and responses, to be pinned.
struct Transcript<'h> {
    house: &'h House,
    lines: String,
}

impl<'h> Transcript<'h> {
    fn of(house: &'h House) -> Self {
        Self { house, lines: String::new() }
    }

    /// One command of the group service, or of the service it names.
    async fn call(&mut self, who: &str, command: &str, body: Value) -> Value {
        let full = if command.contains('.') { command.to_owned() } else { format!("{GROUPS}.{command}") };
        let answer = self.house.call(who, &full, &body).await;
        writeln!(self.lines, "{who} > {full} {body}\n{who} < {answer}").unwrap();
        answer
    }
}
