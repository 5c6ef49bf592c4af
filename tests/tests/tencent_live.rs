//! Tencent's live rooms through the server API: members in the room, marks, admins, and refusals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod tencent_support;

use conclave_kit::Platform;
use conclave_tencent::Settings;
use conclave_tests::client::Client;
use conclave_tests::world::World;
use serde_json::{Value, json};
use tencent_support::{Given, call, client, group_call};

const ROOM: &str = "live";

/// A live room of alice with these members, none of whom is connected, and a public group.
async fn house(members: &[&str]) -> (World, Client) {
    let world = World::new();
    world.users(&["alice"]).await;
    world.users(members).await;
    Given::new(ROOM, "AVChatRoom", "alice").policy(|policy| policy.capacity = None).members(members).make(&world).await;
    Given::new("public", "Public", "alice").make(&world).await;
    let client = client(&world, Settings::default());
    (world, client)
}

async fn live(client: &Client, command: &str, body: Value) -> Value {
    call(client, &format!("group_open_avchatroom_http_svc/{command}"), &body).await
}

async fn page(client: &Client, body: Value) -> (Vec<String>, u64) {
    let answer = live(client, "get_members", body).await;
    let list = answer["MemberList"].as_array().unwrap();
    let names = list.iter().map(|member| member["Member_Account"].as_str().unwrap().to_owned());
    (names.collect(), answer["NextTimestamp"].as_u64().unwrap())
}

async fn all(client: &Client) -> Vec<String> {
    page(client, json!({"GroupId": ROOM, "Timestamp": 0})).await.0
}

async fn present(client: &Client, users: &[&str]) -> Value {
    live(client, "check_members", json!({"GroupId": ROOM, "Member_Account": users})).await["Member_Account"].clone()
}

async fn mark(client: &Client, command: u32, users: &[&str], marks: &[u32]) -> Value {
    let list: Vec<Value> = users.iter().map(|user| json!({"Member_Account": user, "Marks": marks})).collect();
    live(client, "modify_user_info", json!({"GroupId": ROOM, "CommandType": command, "MemberList": list})).await
}

#[tokio::test]
async fn who_is_there_is_a_member_and_connected_or_marked_to_be_shown() {
    let (world, client) = house(&["bob", "carol", "dave"]).await;
    world.users(&["eve"]).await;
    for id in ["bob", "carol", "eve"] {
        world.attendance.comes(id, Platform::Web);
    }
    assert_eq!(all(&client).await, ["carol", "bob"]);
    assert_eq!(present(&client, &["dave", "bob", "eve", "carol"]).await, json!(["bob", "carol"]));
    let number = group_call(&client, "get_online_member_num", json!({"GroupId": ROOM})).await;
    assert_eq!(number["OnlineMemberNum"], 2);

    // 500 shows, 600 hides from the list; users who are not in the room are skipped
    assert_eq!(mark(&client, 1, &["dave", "eve"], &[500, 1000]).await["ErrorCode"], 0);
    assert_eq!(mark(&client, 1, &["carol"], &[600]).await["ErrorCode"], 0);
    assert_eq!(all(&client).await, ["dave", "bob"]);
    assert_eq!(present(&client, &["bob", "carol", "dave", "eve"]).await, json!(["bob", "carol", "dave"]));
    assert_eq!(page(&client, json!({"GroupId": ROOM, "Mark": 1000})).await, (vec!["dave".to_owned()], 0));
    assert_eq!(page(&client, json!({"GroupId": ROOM, "Mark": 1001})).await, (vec![], 0));

    assert_eq!(mark(&client, 2, &["carol"], &[600]).await["ErrorCode"], 0);
    assert_eq!(mark(&client, 2, &["dave"], &[500]).await["ErrorCode"], 0);
    assert_eq!(all(&client).await, ["carol", "bob"]);
}

#[tokio::test]
async fn the_latest_thousand_are_listed_page_by_page() {
    let names: Vec<String> = (0..1005).map(|number| format!("u{number}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let (world, client) = house(&members).await;
    for id in &members {
        world.attendance.comes(id, Platform::Web);
    }
    let mut expected: Vec<String> = names[5..].to_vec();
    expected.reverse();
    let (mut found, next) = page(&client, json!({"GroupId": ROOM, "Timestamp": 0})).await;
    assert_eq!((found.len(), next > 0), (500, true));
    let (rest, end) = page(&client, json!({"GroupId": ROOM, "Timestamp": next})).await;
    found.extend(rest);
    assert_eq!((found, end), (expected, 0));
}

#[tokio::test]
async fn who_helps_need_not_be_in() {
    let (world, client) = house(&["bob"]).await;
    world.users(&["carol", "u1", "u2", "u3", "u4"]).await;
    let admins = async |command: u32, users: &[&str]| {
        let body = json!({"GroupId": ROOM, "CommandType": command, "Admin_Account": users});
        live(&client, "modify_admin", body).await["ErrorCode"].clone()
    };
    let list = async || {
        let answer = live(&client, "get_admin_list", json!({"GroupId": ROOM})).await;
        let list = answer["Admin_List"].as_array().unwrap().clone();
        list.iter().map(|admin| admin["Admin_Account"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(admins(1, &["carol", "bob"]).await, 0);
    assert_eq!(list().await, ["carol", "bob"]);
    assert_eq!(admins(1, &["u1", "u2", "u3", "u4"]).await, 10004, "six");
    assert_eq!(admins(1, &["u1", "u2", "u3"]).await, 0);
    assert_eq!(admins(1, &["bob"]).await, 0, "once more");
    assert_eq!(
        admins(2, &["u1", "u2", "u3", "bob", "u4"]).await,
        0,
        "users who are not administrators keep their role"
    );
    assert_eq!(list().await, ["carol"]);
    assert_eq!(admins(1, &["nobody"]).await, 10019);
    assert_eq!(admins(1, &["u1", "u2", "u3", "u4", "bob", "carol"]).await, 10005);
    assert_eq!(admins(3, &["bob"]).await, 10004);
    assert_eq!(admins(1, &[]).await, 10004);
    assert_eq!(admins(1, &["alice"]).await, 10007, "the owner");
    assert_eq!(list().await, ["carol"]);
}

#[tokio::test]
async fn marks_have_their_numbers_and_limits() {
    let (_world, client) = house(&["bob"]).await;
    for (command, marks) in [(1, &[999][..]), (1, &[]), (0, &[1000]), (3, &[1000]), (1, &[1000, 7])] {
        assert_eq!(mark(&client, command, &["bob"], marks).await["ErrorCode"], 10004, "{command} {marks:?}");
    }
    let ten: Vec<u32> = (1000..1010).collect();
    assert_eq!(mark(&client, 1, &["bob"], &ten).await["ErrorCode"], 0);
    assert_eq!(mark(&client, 1, &["alice"], &[1010]).await["ErrorCode"], 10004, "eleven");
    assert_eq!(mark(&client, 2, &["bob"], &[1000]).await["ErrorCode"], 0);
    assert_eq!(mark(&client, 1, &["alice"], &[1010]).await["ErrorCode"], 0);
    assert_eq!(mark(&client, 1, &["bob"; 501], &[1001]).await["ErrorCode"], 10005);
    let wide = json!([{"Member_Account": "bob", "Marks": [4_294_967_296_u64]}]);
    let wide = json!({"GroupId": ROOM, "CommandType": 1, "MemberList": wide});
    assert_eq!(live(&client, "modify_user_info", wide).await["ErrorCode"], 10004);
}

#[tokio::test]
async fn only_live_rooms_have_any_of_it() {
    let (_world, client) = house(&[]).await;
    let list = json!([{"Member_Account": "alice", "Marks": [1000]}]);
    let calls = [
        ("get_members", json!({"Timestamp": 0})),
        ("check_members", json!({"Member_Account": ["alice"]})),
        ("modify_user_info", json!({"CommandType": 1, "MemberList": list})),
        ("modify_admin", json!({"CommandType": 1, "Admin_Account": ["alice"]})),
        ("get_admin_list", json!({})),
    ];
    for (command, body) in calls {
        for (id, code) in [("public", 10007), ("nowhere", 10015), ("", 10004)] {
            let mut body = body.clone();
            body["GroupId"] = json!(id);
            assert_eq!(live(&client, command, body).await["ErrorCode"], code, "{command} of {id:?}");
        }
    }
}
