//! Messages the app sends, what other surfaces see of them, and the hourly history.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;

use std::io::Read as _;

use agora_support::{Setting, app_token, call, client, user_token};
use conclave_agora::Settings;
use conclave_core::event::Actor;
use conclave_core::model::{Body, Message, Sender, Until};
use conclave_core::operation::{Mute, ReadMessages};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{GroupById, Messages, Start};
use conclave_kit::{BaseUrl, Body as KitBody, Exchange, Head};
use conclave_tests::client::{Answer, Client};
use conclave_tests::world::{World, group, user};
use flate2::read::GzDecoder;
use futures_util::StreamExt as _;
use http::{Method, Request};
use serde_json::{Value, json};

const GROUP: &str = "66016455491585";
const HOUR: u64 = 3600 * 1000;

struct House {
    world: World,
    client: Client,
    app: String,
}

async fn house() -> House {
    let world = World::new();
    let client = client(&world, Settings::default());
    Setting::documented().make(&world).await;
    let app = app_token(&client).await;
    House { world, client, app }
}

impl House {
    async fn post(&self, target: &str, body: Value) -> Answer {
        call(&self.client, Method::POST, &format!("/acme/demo{target}"), &self.app, body).await
    }

    async fn said(&self) -> Vec<Message> {
        let asked = Messages { group: group(GROUP), start: Start::Edge, newest_first: false, limit: 100 };
        let page = self.world.groups.ask(&Actor::app(), asked).await.unwrap();
        page.messages.iter().map(|message| Message::clone(message)).collect()
    }
}

fn refused(answer: &Answer, description: &str) {
    let found = answer.json();
    let found = (answer.status.as_u16(), found["error"].clone(), found["error_description"].clone());
    assert_eq!(found, (400, json!("message_send_error"), json!(description)));
}

#[tokio::test]
async fn the_app_speaks_for_anybody_whatever_the_lists_say() {
    let house = house().await;
    let users = vec![user("user1")];
    let mute = Mute { group: group(GROUP), users, until: Until::Forever, members_only: true, spare_owner: false };
    house.world.run(mute).await;
    for from in [json!("user1"), json!("stranger"), Value::Null] {
        let body = json!({"from": from, "to": [GROUP], "type": "txt", "body": {"msg": "hi"}, "ext": {"k": 1}});
        let answer = house.post("/messages/chatgroups", body).await.json();
        let said = house.said().await;
        let last = said.last().unwrap();
        assert_eq!(answer["data"][GROUP], last.id.as_str());
        assert_eq!(last.body, Body::Text("hi".to_owned()));
        let sender = from.as_str().map_or(Sender::App, |name| Sender::User(user(name)));
        assert_eq!(last.sender, sender);
    }
    // an id for each group, whether it exists or not
    let body = json!({"from": "user1", "to": [GROUP, "nowhere"], "type": "cmd", "body": {"action": "blink"}});
    let answer = house.post("/messages/chatgroups", body).await.json();
    assert!(answer["data"]["nowhere"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(house.said().await.len(), 4);
    // for online members only
    let online = json!({"to": [GROUP], "type": "txt", "body": {"msg": "now"}, "routetype": "ROUTE_ONLINE"});
    assert_eq!(house.post("/messages/chatgroups", online).await.status, 200);
    assert_eq!(house.said().await.len(), 4);
}

#[tokio::test]
async fn only_the_named_members_are_notified() {
    let house = house().await;
    let body =
        json!({"from": "user1", "to": [GROUP], "type": "txt", "body": {"msg": "psst"}, "users": ["user2", "no"]});
    assert_eq!(house.post("/messages/chatgroups/users", body).await.status, 200);
    let said = house.said().await;
    assert_eq!((&said[0].targets, said[0].counted, said[0].shown_last), (&vec![user("user2")], false, false));
    for (users, description) in [
        (json!([]), "param users can't be empty"),
        (json!((0..21).map(|at| format!("u{at}")).collect::<Vec<_>>()), "params users's size can't exceed limit 20"),
    ] {
        let body = json!({"to": [GROUP], "type": "txt", "body": {"msg": "x"}, "users": users});
        refused(&house.post("/messages/chatgroups/users", body).await, description);
    }
    let body = json!({"to": [GROUP], "type": "txt", "body": {"msg": "x"}, "users": ["nobody"]});
    assert_eq!(house.post("/messages/chatgroups/users", body).await.status, 200);
    assert_eq!(house.said().await.len(), 1);
}

#[tokio::test]
async fn the_older_form_says_success_or_the_id() {
    let house = house().await;
    let body = json!({"target_type": "chatgroups", "target": [GROUP], "msg": {"type": "txt", "msg": "hi"}});
    let answer = house.post("/messages", body.clone()).await.json();
    assert_eq!(answer["data"], json!({GROUP: "success"}));
    let answer = house.post("/messages?useMsgId=true", body).await.json();
    assert_eq!(answer["data"][GROUP], house.said().await[1].id.as_str());
    let one_to_one = json!({"target_type": "users", "target": ["user1"], "msg": {"type": "txt", "msg": "hi"}});
    assert_eq!(house.post("/messages", one_to_one).await.status, 400);
    assert_eq!(house.said().await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_and_changes_nothing() {
    let house = house().await;
    let whole = json!({"from": "user1", "to": [GROUP], "type": "txt", "body": {"msg": "x"}});
    for (member, value, description) in [
        ("from", json!(""), "param from can't be empty"),
        ("to", json!([]), "param to can't be empty"),
        ("to", json!(["1", "2", "3", "4"]), "params to's size can't exceed limit 3"),
        ("type", Value::Null, "param type can't be empty"),
        ("type", json!("smell"), "param type smell is not supported"),
        ("body", Value::Null, "param body can't be empty"),
        ("ext", json!("x"), "param ext must be JSONObject"),
        ("ext", json!({"x": "x".repeat(5200)}), "message is too large"),
    ] {
        let mut body = whole.clone();
        body[member] = value;
        refused(&house.post("/messages/chatgroups", body).await, description);
    }
    let answer = call(&house.client, Method::POST, "/acme/demo/messages/chatgroups", &house.app, json!([1])).await;
    assert_eq!(answer.json()["error"], "invalid_request_body");
    let theirs = user_token(&house.client, "user1").await;
    let answer = call(&house.client, Method::POST, "/acme/demo/messages/chatgroups", &theirs, whole).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (401, &json!("auth_bad_access_token")));
    assert_eq!(house.said().await, []);
}

#[tokio::test]
async fn an_hour_is_available_after_its_end_to_anyone_with_its_url() {
    let house = house().await;
    // 2023-11-14, 22:15 UTC
    for (at, body) in [(0, json!({"msg": "one"})), (HOUR / 2, json!({"msg": "two"})), (HOUR, json!({"msg": "three"}))] {
        house.world.clock.step(at);
        let body = json!({"from": "user1", "to": [GROUP], "type": "txt", "body": body, "ext": {"k": "v"}});
        assert_eq!(house.post("/messages/chatgroups", body).await.status, 200);
    }
    let ask = |target: String, token: String| {
        let client = house.client.clone();
        async move { call(&client, Method::GET, &target, &token, Value::Null).await }
    };
    let hour = |hour: &str| ask(format!("/acme/demo/chatmessages/{hour}"), house.app.clone());
    assert_eq!(hour("2023111423").await.json()["error"], "storage_object_not_found", "it is not over");
    let answer = hour("2023111422").await.json();
    let url = answer["data"][0]["url"].as_str().unwrap().strip_prefix("https://chat.example.com").unwrap().to_owned();
    let file = ask(url.clone(), String::new()).await;
    let mut text = String::new();
    GzDecoder::new(file.body.as_ref()).read_to_string(&mut text).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<&Value> = lines.iter().map(|line| &line["payload"]["bodies"][0]["msg"]).collect();
    assert_eq!(said, ["one", "two"]);
    let id = house.said().await[0].id.as_str().to_owned();
    let mut first = lines[0].clone();
    first["timestamp"] = 0.into();
    assert_eq!(
        first,
        json!({
            "msg_id": id, "timestamp": 0, "direction": "outgoing", "to": GROUP, "from": "user1",
            "chat_type": "groupchat",
            "payload": {"bodies": [{"type": "txt", "msg": "one"}], "ext": {"k": "v"}, "from": "user1", "to": GROUP},
        })
    );
    for forged in [url.replace("2023111422", "2023111421"), url.replace("Expires=1", "Expires=2"), format!("{url}x")] {
        assert_eq!(ask(forged, String::new()).await.status, 401);
    }
    house.world.clock.step(HOUR);
    assert_eq!(ask(url, String::new()).await.status, 401, "its time is over");
    for wrong in ["2023111399", "20231114", "2023110122", "abcdefghij"] {
        assert_eq!(hour(wrong).await.json()["error"], "illegal_argument", "{wrong}");
    }
}

/// An hour may have any number of messages: no more of them are read and kept than the client takes.
#[tokio::test]
async fn an_hours_file_is_written_no_faster_than_it_is_read() {
    const MESSAGES: u64 = 400;
    let house = house().await;
    // what cannot be compressed much
    let mut state = 1_u64;
    let mut noise = || {
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'0' + u8::try_from(state >> 59).unwrap())
        })
        .take(4000)
        .collect::<String>()
    };
    for number in 0..MESSAGES {
        house.world.clock.step(1000);
        let body = json!({"msg": format!("{number} {}", noise())});
        let body = json!({"from": "user1", "to": [GROUP], "type": "txt", "body": body});
        assert_eq!(house.post("/messages/chatgroups", body).await.status, 200);
    }
    house.world.clock.step(HOUR);
    let answer =
        call(&house.client, Method::GET, "/acme/demo/chatmessages/2023111422", &house.app, Value::Null).await.json();
    let url = answer["data"][0]["url"].as_str().unwrap().strip_prefix("https://chat.example.com").unwrap().to_owned();

    let Client::Surface(surface, base) = &house.client else { panic!("in this process") };
    let (parts, ()) = Request::get(&url).body(()).unwrap().into_parts();
    let head = Head::new(parts, BaseUrl::Fixed(base.as_str().into()));
    let before = house.world.rows_read();
    let KitBody::Stream(mut pieces) = surface.serve(Exchange { head, body: KitBody::empty() }).await.into_body() else {
        panic!("it is not streamed")
    };
    let (mut file, mut longest, mut read_for_first) = (Vec::new(), 0, None);
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        longest = longest.max(piece.len());
        file.extend_from_slice(&piece);
        read_for_first.get_or_insert_with(|| house.world.rows_read() - before);
    }
    assert!(longest < 128 * 1024, "{longest} bytes were kept");
    let (first, all) = (read_for_first.unwrap(), house.world.rows_read() - before);
    assert!(first * 3 < all, "{first} of {all} rows were read for the first piece");
    let mut text = String::new();
    GzDecoder::new(file.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count() as u64, MESSAGES);
}

#[tokio::test]
async fn disconnected_users_sign_in_again_and_settings_are_private() {
    let house = house().await;
    let (one, two) = (user_token(&house.client, "user1").await, user_token(&house.client, "user2").await);
    let put = |token: &str, body: Value| {
        let (client, token) = (house.client.clone(), token.to_owned());
        async move { call(&client, Method::PUT, "/acme/demo/users/user1", &token, body).await }
    };
    assert_eq!(put(&two, json!({"nickname": "x"})).await.status, 401);
    let answer = put(&one, json!({"nickname": "One", "entities": [{"notification_ignore_1": true}]})).await.json();
    assert_eq!(answer["entities"][0]["notification_ignore_1"], true);
    assert_eq!(answer["entities"][0].get("nickname"), None);
    let answer = put(&one, json!({"nickname": "One", "activated": false, "notification_ignore_1": false})).await.json();
    assert_eq!(answer["entities"][0].get("notification_ignore_1"), None);
    assert_eq!(
        (&answer["entities"][0]["nickname"], &answer["entities"][0]["activated"]),
        (&json!("One"), &json!(true))
    );
    house.world.clock.step(1);
    assert_eq!(house.post("/users/user1/disconnect", Value::Null).await.json()["data"]["result"], true);
    assert_eq!(put(&one, json!({"nickname": "Two"})).await.status, 401);
    assert_eq!(house.post("/users/ghost/disconnect", Value::Null).await.status, 404);
}

#[tokio::test]
async fn senders_and_the_app_see_who_has_read() {
    let house = house().await;
    let body =
        json!({"from": "user1", "to": [GROUP], "type": "txt", "body": {"msg": "read this"}, "need_group_ack": true});
    let header = house.world.groups.ask(&Actor::app(), GroupById { group: group(GROUP) }).await.unwrap().group;
    let asking = house.post("/messages/chatgroups", body.clone()).await.json()["data"][GROUP].clone();
    let mut plain = body;
    plain["need_group_ack"] = false.into();
    let plain = house.post("/messages/chatgroups", plain).await.json()["data"][GROUP].clone();
    for reader in ["user2", "user3"] {
        let read = ReadMessages {
            group: group(GROUP),
            user: user(reader),
            sequences: vec![header.next_message],
            note: String::new(),
            most_members: None,
        };
        house.world.run(read).await;
    }
    let ask = |id: &Value, query: &str, token: &str| {
        let target = format!("/acme/demo/chatgroups/{GROUP}/acks/{}{query}", id.as_str().unwrap());
        let (client, token) = (house.client.clone(), token.to_owned());
        async move { call(&client, Method::GET, &target, &token, Value::Null).await }
    };
    let (one, two) = (user_token(&house.client, "user1").await, user_token(&house.client, "user2").await);
    for token in [&one, &house.app] {
        let mut query = "?limit=1&key=undefined".to_owned();
        let mut users = Vec::new();
        loop {
            let page = ask(&asking, &query, token).await.json()["data"].clone();
            assert_eq!((&page["ackmid"], &page["total"]), (&asking, &json!(2)));
            users.extend(page["userlist"].as_array().unwrap().clone());
            if page["is_last"] == true {
                break;
            }
            query = format!("?limit=1&key={}", page["next_key"].as_str().unwrap());
        }
        assert_eq!(users, ["user2", "user3"]);
    }
    let none = ask(&plain, "", &one).await.json()["data"].clone();
    assert_eq!((&none["userlist"], &none["total"], &none["is_last"]), (&json!([]), &json!(0), &json!(true)));
    assert_eq!(ask(&asking, "", &two).await.status, 401, "somebody else's message");
    assert_eq!(ask(&json!("1"), "", &one).await.status, 404);
    assert_eq!(ask(&asking, "?key=%25%25", &one).await.status, 400);
}
