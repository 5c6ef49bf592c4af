//! Topics of Tencent's communities beyond their documented exchanges: messages and changes in one, refusals, and that
//! the other vendors' groups are not affected.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod tencent_support;

use conclave_core::event::Actor;
use conclave_core::ports::GroupsExt;
use conclave_core::query::{Messages, Start};
use conclave_tencent::Settings;
use conclave_tests::client::Client;
use conclave_tests::world::{World, group};
use serde_json::{Value, json};
use tencent_support::{Given, call, client, group_call};

const GROUP: &str = "@TGS#_c";
const TOPICS: &str = "million_group_open_http_svc";

fn named(part: &str) -> String {
    format!("{GROUP}@TOPIC#_{part}")
}

fn text(words: &str) -> Value {
    json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": words}}])
}

async fn house(settings: Settings) -> (World, Client) {
    let world = World::new();
    world.users(&["alice", "bob", "carol", "dave"]).await;
    let given = Given::new(GROUP, "Community", "alice").members(&["bob", "carol"]);
    given.with(|make| _ = make.labels.insert("tencent.support-topic".to_owned(), "1".to_owned())).make(&world).await;
    let client = client(&world, settings);
    (world, client)
}

async fn topic_call(client: &Client, command: &str, body: Value) -> Value {
    call(client, &format!("{TOPICS}/{command}"), &body).await
}

async fn create(client: &Client, part: &str) -> Value {
    topic_call(client, "create_topic", json!({"GroupId": GROUP, "TopicId": named(part), "TopicName": part})).await
}

async fn say(client: &Client, from: &str, random: u32, topic: &str) -> Value {
    let body = json!({
        "GroupId": GROUP, "From_Account": from, "Random": random, "MsgBody": text(topic), "TopicId": topic,
        "SupportMessageExtension": 1,
    });
    group_call(client, "send_group_msg", body).await
}

async fn history(client: &Client, topic: &str) -> Vec<(u64, u64, String)> {
    let ask = json!({"GroupId": GROUP, "ReqMsgNumber": 20, "TopicId": topic});
    let answer = group_call(client, "group_msg_get_simple", ask).await;
    let rows = answer["RspMsgList"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    let row = |row: &Value| {
        let words = row["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap_or_default().to_owned();
        (row["MsgSeq"].as_u64().unwrap(), row["IsPlaceMsg"].as_u64().unwrap(), words)
    };
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn what_is_done_in_a_topic_is_done_there_alone() {
    let (world, client) = house(Settings::default()).await;
    for part in ["one", "two"] {
        assert_eq!(create(&client, part).await["TopicId"], named(part));
    }
    let (one, two) = (named("one"), named("two"));
    for (random, topic) in [(1, &one), (1, &two), (2, &one), (3, &String::new())] {
        assert_eq!(say(&client, "bob", random, topic).await["ErrorCode"], 0);
    }
    assert_eq!(history(&client, &one).await, [(2, 0, one.clone()), (1, 0, one.clone())]);
    assert_eq!(history(&client, &two).await, [(1, 0, two.clone())]);
    assert_eq!(history(&client, "").await, [(1, 0, String::new())]);

    let change = json!({"GroupId": GROUP, "TopicId": one, "MsgSeq": 1, "MsgBody": text("changed")});
    assert_eq!(call(&client, "openim/modify_group_msg", &change).await["ErrorInfo"], "succeed");
    let recall = json!({"GroupId": GROUP, "TopicId": one, "MsgSeqList": [{"MsgSeq": 2}, {"MsgSeq": 9}]});
    let recalled = group_call(&client, "group_msg_recall", recall).await["RecallRetList"].clone();
    assert_eq!(recalled, json!([{"MsgSeq": 2, "RetCode": 0}, {"MsgSeq": 9, "RetCode": 10030}]));
    assert_eq!(history(&client, &one).await, [(2, 2, String::new()), (1, 0, "changed".to_owned())]);
    let delete = json!({"GroupId": GROUP, "TopicId": two, "Sender_Account": "bob"});
    assert_eq!(group_call(&client, "delete_group_msg_by_sender", delete).await["ErrorCode"], 0);
    assert_eq!(history(&client, &two).await, [(1, 1, String::new())]);
    assert_eq!(history(&client, "").await.len(), 1);
    let second = world.groups.now().seconds();
    let old = json!({"From_Account": "dave", "SendTime": second, "MsgBody": text("old")});
    let import = json!({"GroupId": GROUP, "TopicId": two, "MsgList": [old]});
    assert_eq!(group_call(&client, "import_group_msg", import).await["ImportMsgResult"][0]["MsgSeq"], 2);
    let notice = json!({"GroupId": GROUP, "TopicId": two, "Content": "hear"});
    assert_eq!(group_call(&client, "send_group_system_notification", notice).await["ErrorCode"], 0);

    // the group itself has one message for all readers
    let page = Messages { group: group(GROUP), start: Start::Edge, newest_first: true, limit: 10 };
    let page = world.groups.ask(&Actor::app(), page).await.unwrap();
    assert_eq!((page.messages.len(), page.group.next_message, page.group.topic_messages), (1, 2, 4));
}

#[tokio::test]
async fn mutes_of_a_topic_are_its_own_and_those_of_the_group_hold_in_it() {
    let (_world, client) = house(Settings::default()).await;
    create(&client, "one").await;
    create(&client, "two").await;
    let (one, two) = (named("one"), named("two"));
    let mute = |topic: &str, seconds: u64| json!({"GroupId": GROUP, "TopicId": topic, "Members_Account": ["bob"], "MuteTime": seconds});
    let speaks = async |random: u32, topic: &str| say(&client, "bob", random, topic).await["ErrorCode"].clone();
    group_call(&client, "forbid_send_msg", mute(&one, 600)).await;
    assert_eq!([speaks(1, &one).await, speaks(2, &two).await, speaks(3, "").await], [10017, 0, 0]);
    let muted = async |topic: &str| {
        let ask = json!({"GroupId": GROUP, "TopicId": topic});
        group_call(&client, "get_group_muted_account", ask).await["MutedAccountList"].as_array().unwrap().len()
    };
    assert_eq!([muted(&one).await, muted(&two).await, muted("").await], [1, 0, 0]);
    let ask = json!({"GroupId": GROUP, "From_Account": "bob", "TopicIdList": [one]});
    let own = topic_call(&client, "get_topic", ask).await["TopicAndSelfInfo"][0]["SelfInfo"].clone();
    assert!(own["ShutUpTime"].as_u64().unwrap() > 0, "{own}");
    group_call(&client, "forbid_send_msg", mute(&one, 0)).await;
    assert_eq!(speaks(4, &one).await, 0);
    group_call(&client, "forbid_send_msg", mute("", 600)).await;
    assert_eq!([speaks(5, &one).await, speaks(6, "").await], [10017, 10017]);
    group_call(&client, "forbid_send_msg", mute("", 0)).await;
    let all = json!({"GroupId": GROUP, "TopicId": two, "MuteAllMember": "On"});
    topic_call(&client, "modify_topic", all).await;
    assert_eq!([speaks(7, &one).await, speaks(8, &two).await], [0, 10017]);
    assert_eq!(say(&client, "alice", 9, &two).await["ErrorCode"], 0, "the owner may");
}

#[tokio::test]
async fn topics_are_made_changed_listed_and_ended() {
    let (_world, client) = house(Settings::default()).await;
    let minted = topic_call(&client, "create_topic", json!({"GroupId": GROUP, "TopicName": "minted"})).await;
    assert!(minted["TopicId"].as_str().unwrap().starts_with(&named("")), "{minted}");
    create(&client, "one").await;
    let change = json!({"GroupId": GROUP, "TopicId": named("one"), "TopicName": "new", "CustomString": "c"});
    assert_eq!(topic_call(&client, "modify_topic", change).await["ErrorInfo"], "");
    let all = topic_call(&client, "get_topic", json!({"GroupId": GROUP})).await;
    let names: Vec<&Value> =
        all["TopicAndSelfInfo"].as_array().unwrap().iter().map(|one| &one["TopicInfo"]["TopicName"]).collect();
    assert_eq!(names, ["minted", "new"]);
    assert!(all["TopicAndSelfInfo"][0].get("SelfInfo").is_none());
    let end = json!({"GroupId": GROUP, "TopicIdList": [named("one"), named("never"), named("one")]});
    let ended = topic_call(&client, "destroy_topic", end).await;
    let codes: Vec<&Value> =
        ended["DestroyResultItem"].as_array().unwrap().iter().map(|one| &one["ErrorCode"]).collect();
    assert_eq!((codes, &ended["ErrorInfo"]), (vec![&json!(0), &json!(110_003), &json!(110_003)], &json!("ok")));
    let ask = json!({"GroupId": GROUP, "TopicIdList": [named("one"), minted["TopicId"]]});
    let found = topic_call(&client, "get_topic", ask).await["TopicAndSelfInfo"].clone();
    assert_eq!((&found[0]["ErrorCode"], &found[1]["ErrorCode"]), (&json!(110_003), &json!(0)));
    assert_eq!(create(&client, "one").await["ErrorCode"], 10021, "an id is taken for good");
    assert_eq!(say(&client, "bob", 1, &named("one")).await["ErrorCode"], 110_003);
    group_call(&client, "destroy_group", json!({"GroupId": GROUP})).await;
    assert_eq!(topic_call(&client, "get_topic", json!({"GroupId": GROUP})).await["ErrorCode"], 10010);
}

#[tokio::test]
async fn what_a_topic_cannot_be_is_refused_and_changes_nothing() {
    let (world, client) = house(Settings::default()).await;
    create(&client, "one").await;
    Given::new("@TGS#_plain", "Community", "alice").make(&world).await;
    Given::new("public", "Public", "alice").make(&world).await;
    let events = async || world.log.read(0, 1000).await.unwrap().len();
    let before = events().await;
    let (topics, one) = (TOPICS, named("one"));
    let new = |more: Value| {
        let mut body = json!({"GroupId": GROUP, "TopicName": "t"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let create = format!("{topics}/create_topic");
    let modify = format!("{topics}/modify_topic");
    let import = "group_open_http_svc/import_topic".to_owned();
    let rows = [
        (&create, new(json!({"TopicName": ""})), 10004),
        (&create, new(json!({"TopicName": "x".repeat(101)})), 10004),
        (&create, new(json!({"CustomString": "x".repeat(3001)})), 10004),
        (&create, new(json!({"TopicId": "elsewhere"})), 10004),
        (&create, new(json!({"TopicId": named("")})), 10004),
        (&create, new(json!({"TopicId": named(&"x".repeat(90))})), 10004),
        (&create, new(json!({"TopicId": one})), 10021),
        (&create, new(json!({"GroupId": "@TGS#_plain"})), 10007),
        (&create, new(json!({"GroupId": "public"})), 10007),
        (&create, new(json!({"GroupId": "@TGS#_never"})), 10015),
        (&import, new(json!({"CreateTime": 1})), 10004),
        (&import, new(json!({"CreateTime": 4_000_000_000_u64})), 10004),
        (&import, new(json!({"Type": "Public"})), 10004),
        (&modify, json!({"GroupId": GROUP, "TopicName": "x"}), 10004),
        (&modify, json!({"GroupId": GROUP, "TopicId": one, "TopicName": ""}), 10004),
        (&modify, json!({"GroupId": GROUP, "TopicId": named("never"), "TopicName": "x"}), 110_003),
    ];
    for (command, body, code) in rows {
        let answer = call(&client, command, &body).await;
        assert_eq!(answer["ErrorCode"], code, "{command} {body}: {answer}");
    }
    let never = named("never");
    for (command, body) in [
        ("send_group_msg", json!({"Random": 1, "MsgBody": text("x")})),
        ("group_msg_recall", json!({"MsgSeqList": [{"MsgSeq": 1}]})),
        ("group_msg_get_simple", json!({"ReqMsgNumber": 1})),
        ("delete_group_msg_by_sender", json!({"Sender_Account": "bob"})),
        ("import_group_msg", json!({"MsgList": [{"From_Account": "bob", "SendTime": 1, "MsgBody": text("x")}]})),
        ("send_group_system_notification", json!({"Content": "x"})),
        ("forbid_send_msg", json!({"Members_Account": ["bob"], "MuteTime": 1})),
        ("get_group_muted_account", json!({})),
    ] {
        let mut body = body;
        body["GroupId"] = GROUP.into();
        body["TopicId"] = never.as_str().into();
        let answer = group_call(&client, command, body).await;
        assert_eq!(answer["ErrorCode"], 110_003, "{command}: {answer}");
    }
    assert_eq!(events().await, before);
    let (_world, without) = house(Settings { communities: false, ..Settings::default() }).await;
    assert_eq!(call(&without, &create, &new(json!({}))).await["ErrorCode"], 11000);
}

#[tokio::test]
async fn a_topics_messages_count_for_the_groups_rate() {
    let (_world, client) = house(Settings { messages_per_second: 1, ..Settings::default() }).await;
    create(&client, "one").await;
    assert_eq!(say(&client, "bob", 1, &named("one")).await["MsgSeq"], 1);
    assert_eq!(say(&client, "bob", 2, &named("one")).await["ErrorCode"], 10023);
    assert_eq!(say(&client, "bob", 3, "").await["ErrorCode"], 10023);
}
