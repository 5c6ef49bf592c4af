//! Tencent Chat's documented exchanges, replayed in the state that each requires: the response has everything the
//! documented one has, and all of it is pinned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod tencent_support;

use std::collections::BTreeMap;

use conclave_core::event::{Actor, ProfileChange};
use conclave_core::model::{Body, Circle, GroupId, Join, Millis, Profile, Receive, Sender, TopicId, Traits, Until};
use conclave_core::operation::{
    Appoint, AttributeChange, Block, Broadcast, Cleanup, CounterChange, DeleteMessagesBySender, Disband,
    ExtensionChange, ImportMessages, MakeTopic, MarkMembers, Mute, OldMessage, OnUnknown, ReadMessages, SendMessage,
    UpdateCounters, UpdateGroup, UpdateMember, UpdateUser, WriteAttributes, WriteExtensions,
};
use conclave_core::ports::GroupsExt;
use conclave_kit::Platform;
use conclave_tencent::Settings;
use conclave_tests::client::{Answer, Client};
use conclave_tests::fixture::Fixture;
use conclave_tests::world::{World, group, user};
use serde_json::{Value, json};
use tencent_support::{Given, body_of, client, group_call, pairs, with_custom_keys};

#[tokio::test]
async fn documented_exchanges() {
    for name in Fixture::names("tencent") {
        println!("{name}");
        let fixture = Fixture::read("tencent", &name);
        let answer = replay(&name, &fixture).await;
        body_of(&answer);
        fixture.assert_covers(&answer);
        insta::with_settings!({ snapshot_path => "snapshots/tencent", prepend_module_to_snapshot => false }, {
            insta::assert_json_snapshot!(name.as_str(), fixture.pinned(&answer));
        });
    }
}

async fn replay(name: &str, fixture: &Fixture) -> Answer {
    let world = World::new();
    presuppose(&world, name, &fixture.request.body).await;
    let client = client(&world, settings(name));
    if matches!(name, "error-msg_rate" | "send_group_msg-dropped") {
        crowd(&client, &fixture.request.body["GroupId"]).await;
    }
    let request = &fixture.request;
    let query: Vec<String> =
        request.query.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap())).collect();
    let target = format!("{}?{}", request.path, query.join("&"));
    let body = match &request.body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    let before = world.commits();
    let answer = client.send(request.method.parse().unwrap(), &target, &[], body).await;
    assert!(world.commits() <= before + 1, "{name}: what one call changes is one commit");
    answer
}

fn settings(name: &str) -> Settings {
    let strict_lengths = matches!(name, "error-name_too_long" | "error-introduction_too_long");
    let messages_per_second = if matches!(name, "error-msg_rate" | "send_group_msg-dropped") { 40 } else { 0 };
    Settings { strict_lengths, messages_per_second, ..with_custom_keys() }
}

/// As many messages as the group's limit per second; they are not stored and take no numbers.
async fn crowd(client: &Client, group: &Value) {
    for random in 100..140 {
        let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
        let body = json!({"GroupId": group, "Random": random, "MsgBody": text, "OnlineOnlyFlag": 1});
        assert_eq!(group_call(client, "send_group_msg", body).await["ErrorCode"], 0);
    }
}

const USERS: &[&str] = &[
    "leckie",
    "bob",
    "peter",
    "tommy",
    "jared",
    "wesley",
    "needsconsent",
    "Test_1",
    "Test_2",
    "Test_3",
    "Test_4",
    "Test_5",
    "Test_6",
    "Test_7",
    "Test_8",
    "dear",
    "test",
    "brennanli",
    "brennanli2",
    "brennanli3",
    "brennanli12",
    "brennanli1",
];

/// Puts the world into the state that the exchange requires.
async fn presuppose(world: &World, name: &str, body: &Value) {
    world.users(USERS).await;
    let id = body["GroupId"].as_str().unwrap_or_default();
    match name {
        "account_check" | "kick" => world.users(&["UserID_1"]).await,
        "check_members" | "modify_user_info" | "modify_admin" | "get_admin_list" | "get_members"
        | "get_members-mark" => live(world, id).await,
        "account_delete" => world.users(&["UserID_2"]).await,
        "query_online_status" => {
            world.users(&["id1", "id2"]).await;
            world.attendance.comes("id2", Platform::Web);
        }
        "error-group_id_used" | "error-group_id_used_by_self" => Given::new(id, "Public", "leckie").make(world).await,
        "error-group_not_exist" => dissolved(world, id).await,
        "error-group_full" => {
            let full = Given::new(id, "Public", "leckie").members(&["bob"]);
            full.policy(|policy| policy.capacity = Some(2)).make(world).await;
        }
        "error-avchatroom_add_member"
        | "error-avchatroom_kick"
        | "error-avchatroom_transfer"
        | "error-role_query_avchatroom" => Given::new(id, "AVChatRoom", "leckie").members(&["peter"]).make(world).await,
        "error-invalid_group_id" => {}
        "add_group_member-mixed" => Given::new(id, "Public", "leckie").members(&["jared"]).make(world).await,
        "delete_group_member" | "delete_group_member-reason" | "delete_group_member-silent" => {
            Given::new(id, "Public", "leckie").members(&["tommy", "jared"]).make(world).await;
        }
        "get_group_msg_receipt" | "get_group_msg_receipt_detail" | "group_msg_receipt" => read(world, name, id).await,
        "send_broadcast_msg" => broadcasts(world, 1282).await,
        "get_joined_group_list-topics" => {
            let id = "@TGS#_@TGS#cMOQ7HIM62CD";
            world.users(&["107867"]).await;
            with_topics(id, "107867").make(world).await;
            topic(world, id, "one").await;
            for _ in 0..2 {
                let text = Body::Text("hello".to_owned());
                let send = SendMessage::new(group(id), Sender::User(user("107867")), text);
                let one = TopicId::new(format!("{id}@TOPIC#_one")).unwrap();
                world.groups.run_in(&Actor::app(), &one, send).await.unwrap();
            }
        }
        "create_topic" | "create_topic-custom_id" | "import_topic" => with_topics(id, "leckie").make(world).await,
        "get_topic" | "modify_topic" | "destroy_topic" => {
            world.users(&["1400187352"]).await;
            with_topics(id, "1400187352").make(world).await;
            for part in ["TestTopic", "TestTopic_1"] {
                topic(world, id, part).await;
            }
        }
        "error-work_mute" => Given::new(id, "Private", "leckie").members(&["peter"]).make(world).await,
        name if name.starts_with("create_group") || name.starts_with("import_group-") || name == "import_group" => {}
        name if name.starts_with("get_appid_group_list") => all_groups(world).await,
        name if name.starts_with("get_group_info") => detail(world).await,
        name if name.starts_with("get_joined_group_list") => joined(world, name).await,
        "get_group_member_info-role_filter" => roles(world, id).await,
        name if name.starts_with("get_group_member_info") => members(world, id).await,
        "get_specified_group_member_info" => cards(world, id).await,
        _ if !id.is_empty() => {
            let kind = if id.starts_with("@TGS#_") { "Community" } else { "Public" };
            Given::new(id, kind, "leckie").members(&["bob", "peter"]).made(1_400_000_000).make(world).await;
            happened_before(world, name, &group(id)).await;
        }
        _ => {}
    }
}

/// A live room in which two are connected, one of them hidden, and two are admins, one of them not in the room.
async fn live(world: &World, id: &str) {
    for (id, nick, avatar) in [
        ("teacher2", "t02", "http://www.example.com/teacher2.jpg"),
        ("user1", "AA", "https://example.com/abc.jpg"),
        ("116400", "Charles 2", ""),
        ("user2", "", ""),
    ] {
        world.users(&[id]).await;
        let (nick, avatar) = (Some(nick.to_owned()), Some(avatar.to_owned()));
        world.run(UpdateUser { nick, avatar, ..UpdateUser::of(user(id)) }).await;
    }
    let room = Given::new(id, "AVChatRoom", "").members(&["user1", "user2", "teacher2", "brennanli2"]);
    room.made(1_657_773_110).make(world).await;
    let (users, on_unknown) = (vec![user("user1"), user("116400")], OnUnknown::Refuse);
    world.run(Appoint { group: group(id), users, on_unknown, most: None }).await;
    let members = vec![(user("teacher2"), vec![1000]), (user("user1"), vec![600])];
    world.run(MarkMembers { group: group(id), members, on: true, most_kinds: None }).await;
    for id in ["teacher2", "user1"] {
        world.attendance.comes(id, Platform::Web);
    }
}

/// The history of the group before the exchange.
async fn happened_before(world: &World, name: &str, group: &GroupId) {
    let group = group.clone();
    match name {
        "error-muted_sender" => mute(world, group, &["peter"]).await,
        "get_group_muted_account" | "get_group_shutted_uin" => mute(world, group, &["tommy", "peter"]).await,
        "get_group_ban_member" => {
            let users = vec![user("brennanli1"), user("brennanli12")];
            let (until, cleanup) = (Until::Forever, Cleanup::default());
            world.run(Block { group, users, until, reason: String::new(), members_only: false, cleanup }).await;
        }
        "get_group_attr" => attributes(world, group, &[("attr_key1", "attr_val1"), ("attr_key2", "attr_val2")]).await,
        "delete_group_attr" => attributes(world, group, &[("attr_key", "a"), ("attr_key1", "b")]).await,
        "get_group_counter" | "update_group_counter-increase" => {
            let changes = [("like", 5), ("unlike", 1)];
            let changes = changes.map(|(key, value)| (key.to_owned(), CounterChange::Set(value)));
            world.run(UpdateCounters { group, changes: changes.into(), most: None }).await;
        }
        "get_online_member_num" => {
            for id in ["bob", "peter", "dear"] {
                world.attendance.comes(id, Platform::Web);
            }
        }
        "send_group_msg-at" => said(world, group, vec![old("bob", 1_497_249_000, "first")]).await,
        "group_msg_recall" => {
            let mut messages: Vec<OldMessage> = (0..101).map(|_| old("leckie", 1_497_249_000, "hello")).collect();
            messages[99] = old("bob", 1_497_249_000, "gone");
            said(world, group.clone(), messages).await;
            world.run(DeleteMessagesBySender { group, sender: user("bob"), among: 1000 }).await;
        }
        "group_msg_get_simple" => talk(world, group).await,
        "group_msg_get_simple-tips" => {
            let name = Some("Writers".to_owned());
            let profile = ProfileChange { name, ..ProfileChange::default() };
            world.run(UpdateGroup { profile, ..UpdateGroup::of(group.clone()) }).await;
            let text = Body::Text("gone".to_owned());
            world.run(SendMessage::new(group.clone(), Sender::User(user("leckie")), text)).await;
            world.run(DeleteMessagesBySender { group, sender: user("leckie"), among: 1000 }).await;
        }
        "modify_group_msg" => said(world, group, vec![old("leckie", 1_497_249_000, "hello"); 123]).await,
        "set_unread_msg_num" => said(world, group, vec![old("leckie", 1_497_249_000, "hello"); 9]).await,
        "group_get_key_values" | "group_set_key_values" => extensible(world, name, group).await,
        _ => {}
    }
}

async fn mute(world: &World, group: GroupId, users: &[&str]) {
    let users = users.iter().map(|id| user(id)).collect();
    world.run(Mute { group, users, until: Until::Forever, members_only: false, spare_owner: false }).await;
}

async fn attributes(world: &World, group: GroupId, values: &[(&str, &str)]) {
    let change = AttributeChange::Set(pairs(values));
    world.run(WriteAttributes { group, change, expected: None, most: None, most_bytes: None }).await;
}

fn old(sender: &str, second: u64, text: &str) -> OldMessage {
    let (at, body) = (Millis::from_seconds(second), Body::Text(text.to_owned()));
    OldMessage { sender: Sender::User(user(sender)), at, body, labels: BTreeMap::new() }
}

async fn said(world: &World, group: GroupId, messages: Vec<OldMessage>) {
    world.run(ImportMessages { group, messages }).await;
}

/// Two messages of several elements, as this surface stores them.
async fn talk(world: &World, group: GroupId) {
    let custom =
        |data: &str| json!({"MsgType": "TIMCustomElem", "MsgContent": {"Data": data, "Desc": "MIF", "Ext": ""}});
    let report = json!({"MsgType": "TIMTextElem", "MsgContent": {"Text": "Report"}});
    let face = json!({"MsgType": "TIMFaceElem", "MsgContent": {"Data": "", "Index": 15}});
    let messages = [
        ("144115198339527735", json!([custom("\u{8}\u{1}\u{10}\u{6}\u{1a}\u{f} Watermelon Girl"), report])),
        ("144115197276518801", json!([custom("\u{8}\u{1}\u{10}\u{6}\u{1a}\u{6} MaoTong"), face])),
    ];
    let kept = |(sender, elements): (&str, Value)| OldMessage {
        body: Body::Foreign { label: "tencent".to_owned(), raw: elements.to_string(), fallback: String::new() },
        labels: pairs(&[("tencent.priority", "High")]),
        ..old(sender, 1_458_721_797, "")
    };
    said(world, group, messages.into_iter().map(kept).collect()).await;
}

/// A message whose sender asked for receipts, and one whose sender did not; read by some of five.
async fn read(world: &World, name: &str, id: &str) {
    Given::new(id, "Public", "leckie").members(&["bob", "peter", "tommy", "jared", "wesley"]).make(world).await;
    let say = |receipts| SendMessage {
        traits: Traits { receipts, ..Traits::default() },
        ..SendMessage::new(group(id), Sender::User(user("leckie")), Body::Text("hello".to_owned()))
    };
    world.run(say(true)).await;
    world.run(say(false)).await;
    let readers: &[&str] = match name {
        "get_group_msg_receipt" => &["bob", "peter", "tommy"],
        "get_group_msg_receipt_detail" => &["tommy"],
        _ => &[],
    };
    for reader in readers {
        let (user, sequences) = (user(reader), vec![1]);
        world.run(ReadMessages { group: group(id), user, sequences, note: String::new(), most_members: None }).await;
    }
}

/// So many broadcasts, for the next one's number.
async fn broadcasts(world: &World, number: u64) {
    for token in 0..number {
        let broadcast = Broadcast {
            groups: Vec::new(),
            sender: Sender::App,
            body: Body::Text("hear".to_owned()),
            token: token.to_string(),
            labels: BTreeMap::new(),
            part: None,
            next: None,
        };
        world.run(broadcast).await;
    }
}

/// Message number 158, which permits extensions; with two keys written at once and one later, where they are read.
async fn extensible(world: &World, name: &str, group: GroupId) {
    said(world, group.clone(), vec![old("leckie", 1_497_249_000, "hello"); 157]).await;
    let vote = SendMessage::new(group.clone(), Sender::User(user("leckie")), Body::Text("vote".to_owned()));
    world.run(SendMessage { traits: Traits { extensible: true, ..Traits::default() }, ..vote }).await;
    if name == "group_set_key_values" {
        return;
    }
    let change = |(key, value): &(&str, &str)| ExtensionChange {
        key: (*key).to_owned(),
        value: Some((*value).to_owned()),
        seen: None,
    };
    for pairs in [&[("key1", "1"), ("key2", "2")][..], &[("key3", "3")]] {
        let changes = pairs.iter().map(change).collect();
        world.run(WriteExtensions { group: group.clone(), sequence: 158, clear: false, changes, most: None }).await;
    }
}

/// A community that has topics.
fn with_topics(id: &str, owner: &str) -> Given {
    let given = Given::new(id, "Community", owner).made(1_400_000_000);
    given.with(|make| _ = make.labels.insert("tencent.support-topic".to_owned(), "1".to_owned()))
}

/// A topic of a community, with this behind its prefix.
async fn topic(world: &World, id: &str, part: &str) {
    let make = MakeTopic {
        group: group(id),
        id: Some(TopicId::new(format!("{id}@TOPIC#_{part}")).unwrap()),
        prefix: String::new(),
        profile: Profile {
            name: part.to_owned(),
            introduction: "i".to_owned(),
            avatar: "http://this.is.face.url".to_owned(),
            custom: "custom".to_owned(),
            ..Profile::default()
        },
        announcement: "n".to_owned(),
        created: Some(Millis::from_seconds(1_650_000_000)),
    };
    world.run(make).await;
}

async fn dissolved(world: &World, id: &str) {
    Given::new(id, "Public", "leckie").make(world).await;
    world.run(Disband { group: group(id) }).await;
}

/// Two groups, created before the position that the documented `Next` means here.
async fn all_groups(world: &World) {
    Given::new("@TGS#2J4SZEAEL", "Public", "leckie").made(1_000).make(world).await;
    Given::new("@TGS#2C5SZEAEF", "Public", "bob").made(1_060).make(world).await;
}

const MODIFIED: &[(&str, &str)] = &[("MemberDefined1", "ModifyDefined1"), ("MemberDefined2", "ModifyDefined2")];

async fn give_fields(world: &World, id: &str, member: &str, fields: &[(&str, &str)]) {
    world.run(UpdateMember { fields: pairs(fields), ..UpdateMember::of(group(id), user(member)) }).await;
}

/// `MyFirstGroup` of leckie and peter.
async fn detail(world: &World) {
    let given = Given::new("@TGS#2J4SZEAEL", "Public", "leckie").named("MyFirstGroup").members(&["peter"]);
    let given = given.member_fields(MODIFIED).made(1_426_976_500).profile(|profile| {
        "TestGroup".clone_into(&mut profile.introduction);
        "http://this.is.face.url".clone_into(&mut profile.avatar);
        profile.fields = pairs(&[("GroupTestData1", "xxxx"), ("GroupTestData2", "abc\u{0}\u{1}")]);
    });
    let given = given.policy(|policy| {
        policy.capacity = Some(50);
        policy.join = Join::Open;
        policy.invite = Circle::Members;
    });
    let given = given.with(|make| {
        "TestGroup".clone_into(&mut make.announcement);
        make.all_muted = true;
    });
    given.make(world).await;
    give_fields(world, "@TGS#2J4SZEAEL", "leckie", MODIFIED).await;
    dissolved(world, "nosuchgroup").await;
}

async fn joined(world: &World, name: &str) {
    if matches!(name, "get_joined_group_list" | "get_joined_group_list-paged") {
        let kind = if name == "get_joined_group_list" { "Public" } else { "ChatRoom" };
        Given::new("@TGS#2C5SZEAEF", kind, "bob").members(&["leckie"]).make(world).await;
        world.clock.step(1000);
        return Given::new("@TGS#2J4SZEAEL", "Public", "bob").members(&["leckie"]).make(world).await;
    }
    let work = Given::new("@TGS#16UMONKGG", "Private", "").named("d").members(&["leckie"]).made(1_588_148_506);
    let work = work.policy(|policy| policy.join = Join::Closed);
    work.with(|make| {
        make.created = Some(conclave_core::model::Millis::from_seconds(1_585_718_204));
        make.active = false;
    })
    .make(world)
    .await;
    if name == "get_joined_group_list-filtered" {
        Given::new("@TGS#3FCOX2MGW", "ChatRoom", "bob").members(&["leckie"]).made(1_588_041_114).make(world).await;
    }
}

/// Eight members, with an owner and an admin, who have notifications off.
async fn roles(world: &World, id: &str) {
    let others = ["Test_2", "Test_3", "Test_4", "Test_5", "Test_7", "Test_8"];
    let given = Given::new(id, "ChatRoom", "Test_1").members(&others).admin("Test_6").made(1_450_680_436);
    given.make(world).await;
    for member in ["Test_1", "Test_6"] {
        let quiet = Some(Receive::Silent);
        world.run(UpdateMember { receive: quiet, ..UpdateMember::of(group(id), user(member)) }).await;
    }
}

async fn members(world: &World, id: &str) {
    let (kind, people): (_, &[&str]) =
        if id.starts_with("@TGS#_") { ("Community", &["peter"]) } else { ("Private", &["peter"]) };
    Given::new(id, kind, "bob").members(people).member_fields(MODIFIED).make(world).await;
    give_fields(world, id, "bob", MODIFIED).await;
}

async fn cards(world: &World, id: &str) {
    Given::new(id, "Public", "bob").members(&["peter"]).make(world).await;
    for member in ["bob", "peter"] {
        let card = Some(member.to_owned());
        world.run(UpdateMember { card, ..UpdateMember::of(group(id), user(member)) }).await;
    }
}
