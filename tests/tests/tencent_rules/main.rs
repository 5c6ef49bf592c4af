//! Tencent's server API beyond its documented exchanges: tolerated input, the order of checks, what each type of group
//! supports, paging, revocation, and settings.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod accounts;
mod envelope;
mod lists;
mod members;
mod messages;
mod one_commit;
#[path = "../tencent_support/mod.rs"]
mod tencent_support;
mod types;

use conclave_tencent::Settings;
use conclave_tests::client::Client;
use conclave_tests::world::World;
use http::Method;
use serde_json::{Value, json};
use tencent_support::{body_of, client, group_call};

const KINDS: [&str; 5] = ["Private", "Public", "ChatRoom", "AVChatRoom", "Community"];

async fn house(settings: Settings) -> (World, Client) {
    let world = World::new();
    world.users(&["alice", "bob", "carol", "dave"]).await;
    let client = client(&world, settings);
    (world, client)
}

/// A group of this type with alice as owner and bob as member, where the type has these.
async fn made(client: &Client, kind: &str) -> String {
    let mut body = json!({"Type": kind, "Name": "g", "Owner_Account": "alice"});
    if kind != "AVChatRoom" {
        body["MemberList"] = json!([{"Member_Account": "bob"}]);
    }
    text(&group_call(client, "create_group", body).await["GroupId"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn info(client: &Client, id: &str) -> Value {
    group_call(client, "get_group_info", json!({"GroupIdList": [id]})).await["GroupInfo"][0].clone()
}

async fn send(client: &Client, method: Method, target: &str, body: impl Into<bytes::Bytes>) -> Value {
    body_of(&client.send(method, target, &[], body).await)
}
