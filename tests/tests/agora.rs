//! Agora's documented exchanges, replayed in the state that each requires: the response has everything the documented
//! one has, and all of it is pinned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;

use std::collections::BTreeMap;
use std::sync::Arc;

use agora_support::{OTHER_SECRET, Setting, access_token, adding, app_token, call, client, realm, token, user_token};
use conclave_agora::{Agora, Settings};
use conclave_core::event::Actor;
use conclave_core::memory::Memory;
use conclave_core::model::{Body, Circle, FileId, GroupId, Join, Millis, Receive, Sender, Traits, Until};
use conclave_core::operation::{
    AddFile, AddMembers, Allow, Applied, Apply, Block, Cleanup, Mute, NewMember, PolicyChange, SendMessage,
    SetDisabled, UpdateGroup, UpdateMember, WriteMemberAttributes,
};
use conclave_core::ports::GroupsExt;
use conclave_kit::{Fault, Platform, Surface};
use conclave_tests::client::{Answer, Client};
use conclave_tests::fixture::Fixture;
use conclave_tests::world::{BEGINNING, World, group, user};
use futures_util::stream;
use http::Method;
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
    let answer = if name == "error-rate-limit" { busy() } else { replay(&name, &fixture).await };
    fixture.assert_covers(&answer);
    let kind = fixture.response.headers.get("Content-Type").and_then(Value::as_str);
    assert_eq!(answer.headers["content-type"], kind.unwrap_or("application/json;charset=UTF-8"), "{name}");
    insta::assert_json_snapshot!(name.as_str(), fixture.pinned(&answer));
}

/// The response when the process is at one of its limits, as the gateway gives it.
fn busy() -> Answer {
    let agora = Agora::new(vec![realm(&World::new(), Settings::default())]).expect("a surface");
    let (parts, body) = agora.fault(Fault::Busy).into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.bytes().expect("a whole body").clone() }
}

/// Within the hour whose messages the documented exchange requests: 2018-11-27, 17:30 UTC.
const HISTORY: Millis = Millis(1_543_339_800_000);

/// A realm with the plan that the exchange requires.
fn world(name: &str) -> World {
    let plan = conclave_core::model::Settings {
        groups: (name == "error-group-create-quota").then_some(0),
        groups_per_user: (name == "error-group-user-quota").then_some(1),
        ..conclave_core::model::Settings::default()
    };
    let beginning = if name.contains("message-history") { HISTORY } else { BEGINNING };
    World::at(beginning, Arc::new(Memory::new()), plan)
}

async fn replay(name: &str, fixture: &Fixture) -> Answer {
    let world = world(name);
    let paced = Settings { message_rate: 20, ..Settings::default() };
    let client = client(&world, if name == "error-message-rate" { paced } else { Settings::default() });
    presuppose(&world, &client, name).await;
    let request = &fixture.request;
    let mut query: Vec<(String, String)> =
        request.query.iter().map(|(key, value)| (key.clone(), value.as_str().expect("a text").to_owned())).collect();
    if name == "group-list-last-page" {
        let app = app_token(&client).await;
        let first = call(&client, Method::GET, "/acme/demo/chatgroups?limit=2", &app, Value::Null).await;
        let cursor = first.json()["cursor"].as_str().expect("a cursor").to_owned();
        query.iter_mut().filter(|(key, _)| key == "cursor").for_each(|(_, value)| value.clone_from(&cursor));
    }
    let query: Vec<String> = query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut path = request.path.clone();
    if path.contains(MESSAGE) {
        path = path.replace(MESSAGE, &asking(&world).await);
    }
    let target = format!("{path}?{}", query.join("&"));

    let mut headers = Vec::new();
    for (header, value) in &request.headers {
        headers.push((header.clone(), filled(&world, &client, name, value.as_str().expect("a text")).await));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = request.bytes();
    let before = world.commits();
    let method = request.method.parse().expect("a method");
    let answer = client.send(method, target.trim_end_matches('?'), &headers, body).await;
    assert!(world.commits() <= before + 1, "{name}: what one call changes is one commit");
    answer
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
async fn filled(world: &World, client: &Client, name: &str, header: &str) -> String {
    let Some((before, rest)) = header.split_once('{') else { return header.to_owned() };
    let token = match rest.trim_end_matches('}') {
        "APP_TOKEN" => app_token(client).await,
        "USER_TOKEN" => user_token(client, caller(name)).await,
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

/// The user whose token an exchange is made with.
fn caller(name: &str) -> &'static str {
    match name {
        "error-auth-role-too-low"
        | "client-quit"
        | "client-shield-on"
        | "client-shield-off"
        | "v3-block-add-one"
        | "v3-block-remove-one" => "user2",
        "client-apply" => "dee1",
        "client-invite-verify" => "user4",
        _ => "user1",
    }
}

// --- the states that exchanges require ----------------------------------------------------------------------------

async fn presuppose(world: &World, client: &Client, name: &str) {
    match name.split('-').next().unwrap_or_default() {
        "token" => token_state(client, name).await,
        _ if name == "client-ignore-notifications" => register(client, "user1", "123", "testuser").await,
        "user" => user_state(world, client, name).await,
        "error" => error_state(world, client, name).await,
        "announcement" | "mute" | "muteall" | "block" | "allow" | "shield" | "client" => {
            people_state(world, name).await;
        }
        "file" => files_state(world, name).await,
        "message" => messages_state(world, name).await,
        "member" if name.contains("attr") => people_state(world, name).await,
        "v3" if name.contains("allow") || name.contains("block") => people_state(world, name).await,
        _ => group_state(world, name).await,
    }
}

async fn register(client: &Client, name: &str, password: &str, nickname: &str) {
    let body = json!({"username": name, "password": password, "nickname": nickname});
    let answer = call(client, Method::POST, "/acme/demo/users", &app_token(client).await, body).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

async fn token_state(client: &Client, name: &str) {
    if name == "token-password" {
        register(client, "user1", "123", "").await;
    }
}

async fn user_state(world: &World, client: &Client, name: &str) {
    match name {
        "user-list" => {
            for (user, nick) in [("user1", "testuser1"), ("user2", "testuser2"), ("user3", "")] {
                register(client, user, "123", nick).await;
                world.clock.step(1000);
            }
        }
        "user-register-partial" => register(client, "user3", "123", "").await,
        "user-register-one" | "user-register-many" => {}
        "user-deactivate" => register(client, "user1", "123", "user").await,
        _ if name.contains("join") => joined_state(world, client, name).await,
        _ => register(client, "user1", "123", "testuser").await,
    }
}

/// Two groups; the list has the one joined last first.
async fn joined_state(world: &World, client: &Client, name: &str) {
    register(client, "user1", "123", "").await;
    world.users(&["user4"]).await;
    if name == "user-joined-groups-empty" {
        return;
    }
    two_groups(world).await;
}

async fn two_groups(world: &World) {
    let second = Setting {
        id: "66016467025921",
        name: "testgroup2",
        owner: "user2",
        members: &["user2", "user1"],
        avatar: "",
        public: false,
        ..Setting::documented()
    };
    second.make(world).await;
    Setting { members: &["user1"], ..Setting::documented() }.make(world).await;
}

async fn group_state(world: &World, name: &str) {
    world.users(&["testuser", "user1", "user2", "user3", "user4", "user5", "username1", "username2"]).await;
    let documented = Setting::documented();
    match name {
        "group-create" | "group-create-custom-id" | "group-create-legacy-fields" | "group-create-private-invites" => {}
        "group-delete" => drop(Setting { id: "66021836783617", ..documented }.make(world).await),
        "group-get-joined-time" => drop(Setting { members: &["user1", "user2"], ..documented }.make(world).await),
        "group-get-many" => {
            for (id, name) in [("66016455491585", "testgroup1"), ("66016467025921", "testgroup2")] {
                Setting { id, name, members: &["user1"], ..documented.clone() }.make(world).await;
            }
        }
        "group-list-page1" | "group-list-last-page" => {
            for (id, name, owner, members) in [
                ("100743775617286961", "testgroup3", "user1", &["user1"][..]),
                ("100973270123152176", "testgroup2", "user2", &["user2"]),
                ("100743775617286960", "testgroup1", "user1", &["user1", "user2"]),
            ] {
                Setting { id, name, owner, members, ..documented.clone() }.make(world).await;
            }
        }
        "publicgroup-list" => {
            for (id, name) in [("1234567", "a test group"), ("147027147161601", "1234")] {
                Setting { id, name, members: &["user1"], ..documented.clone() }.make(world).await;
            }
            Setting { id: "1", public: false, ..documented }.make(world).await;
        }
        "v3-publicgroup-list" => {
            Setting { id: "147027147161601", name: "1234", members: &["user1"], ..documented }.make(world).await;
        }
        "v3-user-joined-groups" => two_groups(world).await,
        _ if name.contains("member-list") => member_list_state(world, name).await,
        "group-roles" | "presence-group-online-count" => {
            world.users(&["dee1"]).await;
            Setting { owner: "dee1", members: &["dee1"], ..documented }.make(world).await;
            world.attendance.comes("dee1", Platform::Web);
            world.attendance.comes("user1", Platform::Web);
        }
        "admin-list" | "admin-remove" => {
            Setting { owner: "user2", members: &["user2", "user1"], admins: &["user1"], ..documented }
                .make(world)
                .await;
        }
        "admin-add" => drop(Setting { owner: "user2", members: &["user2", "user1"], ..documented }.make(world).await),
        _ => drop(documented.make(world).await),
    }
}

/// Lists begin with the member who joined last; in the documented ones that is the owner, to whom the group was
/// transferred later.
async fn member_list_state(world: &World, name: &str) {
    let documented = Setting::documented();
    let setting = match name {
        // the second page of two
        "member-list" | "member-list-joined-time" => {
            Setting { members: &["user2", "user1", "user3", "user4"], ..documented }
        }
        "member-list-cursor" => Setting { members: &["user3", "user2", "user1"], admins: &["user2"], ..documented },
        "v3-member-list-page" => Setting { members: &["user2", "user1"], ..documented },
        _ => Setting { members: &["user1", "user3", "user2"], ..documented },
    };
    setting.make(world).await;
}

async fn error_state(world: &World, client: &Client, name: &str) {
    match name {
        "error-token-password-wrong" | "error-user-duplicate" => register(client, "user1", "123", "").await,
        _ if name.starts_with("error-token") || name.starts_with("error-app") => {}
        "error-user-not-found" | "error-user-open-registration-off" => {}
        "error-member-attr-not-member" | "error-member-attr-value-too-long" => people_state(world, name).await,
        _ => {
            world.users(&["testuser", "user1", "user2", "user3", "user4", "user5", "username1", "username2"]).await;
            error_group_state(world, name).await;
            if name == "error-message-rate" {
                the_rate_is_used_up(client).await;
            }
        }
    }
}

/// Twenty messages in the second of the next one.
async fn the_rate_is_used_up(client: &Client) {
    let app = app_token(client).await;
    for _ in 0..20 {
        let body = json!({"from": "user1", "to": ["184524748161025"], "type": "txt", "body": {"msg": "x"}});
        let answer = call(client, Method::POST, "/acme/demo/messages/chatgroups", &app, body).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
}

async fn error_group_state(world: &World, name: &str) {
    let documented = Setting::documented();
    match name {
        "error-group-create-quota" => {}
        "error-group-full" | "error-group-full-single" => drop(Setting { capacity: 3, ..documented }.make(world).await),
        "error-group-disabled" => {
            documented.make(world).await;
            world.run(SetDisabled { group: group("66016455491585"), disabled: true }).await;
        }
        "error-group-user-quota" => {
            documented.make(world).await;
            Setting { id: "2", owner: "user4", members: &["user4"], ..documented }.make(world).await;
        }
        _ => drop(documented.make(world).await),
    }
}

/// A group with messages in an hour that has ended.
async fn messages_state(world: &World, name: &str) {
    Setting { id: "184524748161025", ..Setting::documented() }.make(world).await;
    if name == "message-history" {
        let said = conclave_core::model::Body::Text("hello".to_owned());
        world.run(SendMessage::new(group("184524748161025"), Sender::User(user("user1")), said)).await;
        world.clock.step(2 * 3600 * 1000);
    }
}

/// The files of the documented group.
async fn files_state(world: &World, name: &str) {
    let documented = Setting { owner: "u1", members: &["u1"], ..Setting::documented() };
    documented.make(world).await;
    match name {
        "file-list" => {
            for name in ["159781141836993.jpg", "159781149272586.jpg"] {
                share(world, &Actor::user(user("u1")), None, name, 326_127).await;
                world.clock.step(1000);
            }
        }
        "file-download" | "file-delete" => {
            let id = FileId::new("c6906aa0-ed19-11ea-b480-f3cf141d15c0").expect("an id");
            share(world, &Actor::app(), Some(id), "IMG_3.JPG", 13_512).await;
        }
        _ => {}
    }
}

async fn share(world: &World, actor: &Actor, id: Option<FileId>, name: &str, size: usize) {
    let content = Box::pin(stream::iter([Ok(vec![b'x'; size].into())]));
    let blob = world.blobs.put(content, u64::MAX).await.expect("kept bytes").id;
    let (name, media_type) = (name.to_owned(), "image/jpeg".to_owned());
    let (group, size) = (group(documented_id()), size as u64);
    let add = AddFile { group, id, name, media_type, size, expires: None, secret: None, blob, most: None };
    world.groups.run(actor, add).await.expect("a shared file");
}

/// A group with data about its members.
async fn people_state(world: &World, name: &str) {
    world.users(&["dee1", "dee2", "user3", "user4", "user99"]).await;
    let documented = Setting::documented();
    let id = group(documented.id);
    let setting = match name {
        "allow-list" => Setting {
            owner: "username1",
            members: &["username1", "username2", "username3", "username4", "username5"],
            ..documented
        },
        "v3-block-add-many" => Setting { members: &["user1", "user4"], ..documented },
        _ if name.contains("allow-") && !name.starts_with("client") => {
            Setting { members: &["user1", "username1", "username2"], ..documented }
        }
        _ if name.contains("attr") => Setting { members: &["user1", "user2", "test1", "test2"], ..documented },
        _ if name.starts_with("mute-") || name.contains("block-") => {
            Setting { owner: "user2", members: &["user2", "user1", "user4", "tst03", "tst04", "tst05"], ..documented }
        }
        _ => documented,
    };
    setting.make(world).await;
    match name {
        "announcement-get" => {
            let announcement = Some("group announcement...".to_owned());
            world.run(UpdateGroup { announcement, ..UpdateGroup::of(id) }).await;
        }
        "mute-list" | "mute-remove" | "mute-remove-by-role" => mute(world, id).await,
        "block-list" => {
            for user in ["tst03", "tst04", "tst05"] {
                block(world, &id, user).await;
                world.clock.step(1000);
            }
        }
        "block-list-all" | "block-remove-one" | "v3-block-remove-one" => block(world, &id, "user1").await,
        "allow-list" => allow(world, id, &["username2", "username3", "username4", "username5"]).await,
        "allow-remove" | "allow-remove-one" | "v3-allow-remove" => allow(world, id, &["username1", "username2"]).await,
        "client-apply-verify" => {
            let join = Some(Join::Approval(Circle::Managers));
            let policy = PolicyChange { join, ..PolicyChange::default() };
            world.run(UpdateGroup { policy, ..UpdateGroup::of(id.clone()) }).await;
            let apply = Apply { group: id, user: Some(user("user4")), message: "let me in".to_owned(), most: None };
            assert_eq!(world.run(apply).await, Applied::Waiting);
        }
        "client-invite-verify" => {
            let invite = AddMembers { ask: true, ..adding(documented_id(), vec![NewMember::now(user("user4"))]) };
            world.groups.run(&Actor::user(user("user1")), invite).await.expect("an invitation");
        }
        "client-shield-off" => {
            let receive = Some(Receive::Discard);
            world.run(UpdateMember { receive, ..UpdateMember::of(id, user("user2")) }).await;
        }
        "client-member-attr-get" | "member-attr-get" | "member-attr-get-many" => {
            let pairs: BTreeMap<String, String> = [("key1".to_owned(), "value1".to_owned())].into();
            let changes = ["test1", "test2"].map(|id| (user(id), pairs.clone())).to_vec();
            world.run(WriteMemberAttributes { group: id, changes, most: None, most_bytes: None }).await;
        }
        _ => {}
    }
}

fn documented_id() -> &'static str {
    Setting::documented().id
}

async fn mute(world: &World, group: GroupId) {
    let users = vec![user("user1")];
    let until = Until::At(world.groups.now().plus(60_000));
    world.run(Mute { group, users, until, members_only: true, spare_owner: true }).await;
}

async fn block(world: &World, group: &GroupId, id: &str) {
    let (group, users) = (group.clone(), vec![user(id)]);
    let (until, reason, cleanup) = (Until::Forever, String::new(), Cleanup::default());
    world.run(Block { group, users, until, reason, members_only: true, cleanup }).await;
}

async fn allow(world: &World, group: GroupId, ids: &[&str]) {
    let users = ids.iter().map(|id| user(id)).collect();
    world.run(Allow { group, users, members_only: true }).await;
}
