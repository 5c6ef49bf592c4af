//! Messages of Tencent's server API beyond their documented exchanges: edits, receipts, extensions, notices,
//! broadcasts, read marks and rates; their refusals, and what the other vendors read afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod tencent_support;

use conclave_core::event::{Actor, Happening};
use conclave_core::operation::{AddMembers, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet};
use conclave_core::ports::GroupsExt;
use conclave_core::query::Feed;
use conclave_tencent::Settings;
use conclave_tests::client::Client;
use conclave_tests::world::{World, group, user};
use serde_json::{Value, json};
use tencent_support::{Given, call, client, group_call};

async fn house(settings: Settings) -> (World, Client) {
    let world = World::new();
    world.users(&["alice", "bob", "carol", "dave"]).await;
    Given::new("g", "Public", "alice").members(&["bob", "carol"]).make(&world).await;
    let client = client(&world, settings);
    (world, client)
}

fn text(words: &str) -> Value {
    json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": words}}])
}

/// Sends a message with more members of the request; returns its number.
async fn say(client: &Client, group: &str, random: u32, more: Value) -> u64 {
    let mut body = json!({"GroupId": group, "From_Account": "alice", "Random": random, "MsgBody": text("hello")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = group_call(client, "send_group_msg", body).await;
    answer["MsgSeq"].as_u64().unwrap_or_else(|| panic!("{answer}"))
}

async fn history(client: &Client) -> Value {
    group_call(client, "group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 20})).await["RspMsgList"].clone()
}

/// Every request gets its code, and none of them adds an event.
async fn refuse(world: &World, client: &Client, rows: &[(&str, Value, u32)]) {
    let before = log(world).await.len();
    for (command, body, code) in rows {
        let answer = call(client, command, body).await;
        assert_eq!(answer["ErrorCode"], *code, "{command} {body}: {answer}");
    }
    assert_eq!(log(world).await.len(), before);
}

async fn log(world: &World) -> Vec<Happening> {
    let events = world.log.read(0, 1000).await.unwrap();
    events.iter().map(|event| event.what.clone()).collect()
}

async fn received(world: &World, who: &str, is: fn(&Happening) -> bool) -> usize {
    let feed = Feed { user: user(who), after: 0, limit: 1000 };
    let events = world.groups.ask(&Actor::app(), feed).await.unwrap().events;
    events.iter().filter(|event| is(&event.what)).count()
}

// --- changing ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_message_is_changed_in_part_or_as_a_whole() {
    let (world, client) = house(Settings::default()).await;
    say(&client, "g", 1, json!({"CloudCustomData": "old"})).await;
    let change = |more: Value| {
        let mut body = json!({"GroupId": "g", "MsgSeq": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let command = "openim/modify_group_msg";
    let answer = call(&client, command, &change(json!({"CloudCustomData": "new"}))).await;
    assert_eq!(answer["ErrorInfo"], "succeed");
    assert_eq!(history(&client).await[0]["MsgBody"], text("hello"));
    let face = json!([{"MsgType": "TIMFaceElem", "MsgContent": {"Index": 1, "Data": "x"}}]);
    call(&client, command, &change(json!({"MsgBody": face}))).await;
    assert_eq!(history(&client).await[0]["MsgBody"], face);
    call(&client, command, &change(json!({"MsgBody": text("at last")}))).await;
    let now = history(&client).await[0].clone();
    assert_eq!((&now["MsgBody"], &now["From_Account"], &now["MsgSeq"]), (&text("at last"), &json!("alice"), &json!(1)));
    assert_eq!(received(&world, "bob", |what| matches!(what, Happening::MessageChanged { .. })).await, 3);

    Given::new("live", "AVChatRoom", "alice").make(&world).await;
    let large = "x".repeat(13_000);
    refuse(
        &world,
        &client,
        &[
            (command, json!({"MsgSeq": 1, "MsgBody": text("x")}), 20001),
            (command, json!({"GroupId": "g", "MsgBody": text("x")}), 20001),
            (command, change(json!({})), 20001),
            (command, change(json!({"MsgBody": []})), 20001),
            (command, change(json!({"MsgBody": [{"MsgType": "x"}]})), 20001),
            (command, change(json!({"MsgBody": "x"})), 90001),
            (command, change(json!({"MsgBody": text(&large)})), 90055),
            (command, json!({"GroupId": "never", "MsgSeq": 1, "MsgBody": text("x")}), 10015),
            (command, json!({"GroupId": "live", "MsgSeq": 1, "MsgBody": text("x")}), 10007),
            (command, json!({"GroupId": "g", "MsgSeq": 9, "MsgBody": text("x")}), 10030),
        ],
    )
    .await;
    group_call(&client, "group_msg_recall", json!({"GroupId": "g", "MsgSeqList": [{"MsgSeq": 1}]})).await;
    refuse(&world, &client, &[(command, change(json!({"MsgBody": text("x")})), 10030)]).await;
}

// --- receipts ------------------------------------------------------------------------------------------------------

fn seqs(numbers: &[u64]) -> Value {
    numbers.iter().map(|number| json!({"MsgSeq": number})).collect()
}

#[tokio::test]
async fn receipts_are_counted_and_listed_page_by_page() {
    let (world, client) = house(Settings::default()).await;
    let asking = say(&client, "g", 1, json!({"NeedReadReceipt": 1})).await;
    let other = say(&client, "g", 2, json!({"NeedReadReceipt": 0})).await;
    assert_eq!((asking, other), (1, 2));
    for reader in ["bob", "bob", "alice"] {
        let read = json!({"GroupId": "g", "From_Account": reader, "MsgSeqList": seqs(&[1])});
        assert_eq!(group_call(&client, "group_msg_receipt", read).await["ErrorCode"], 0);
    }
    let ask = json!({"GroupId": "g", "MsgSeqList": seqs(&[1, 2, 3, 0])});
    let counts = group_call(&client, "get_group_msg_receipt", ask).await["GroupMsgReceiptList"].clone();
    let wanted = json!([
        {"MsgSeq": 1, "Code": 0, "ReadNum": 1, "UnreadNum": 1},
        {"MsgSeq": 2, "Code": 10062}, {"MsgSeq": 3, "Code": 10062}, {"MsgSeq": 0, "Code": 10061},
    ]);
    assert_eq!(counts, wanted);
    // the sender is notified once, and nobody else
    let is = |what: &Happening| matches!(what, Happening::MessagesRead { .. });
    assert_eq!((received(&world, "alice", is).await, received(&world, "carol", is).await), (1, 0));

    let detail = async |filter: u32, cursor: &str| {
        let ask = json!({"GroupId": "g", "MsgSeq": 1, "Filter": filter, "Cursor": cursor, "Count": 1});
        group_call(&client, "get_group_msg_receipt_detail", ask).await
    };
    let (mut readers, mut cursor) = (Vec::new(), String::new());
    group_call(
        &client,
        "group_msg_receipt",
        json!({"GroupId": "g", "From_Account": "carol", "MsgSeqList": seqs(&[1])}),
    )
    .await;
    loop {
        let page = detail(0, &cursor).await;
        assert_eq!(page["UnreadList"], json!([]));
        readers.push(page["ReadList"][0]["Read_Account"].clone());
        page["Cursor"].as_str().unwrap().clone_into(&mut cursor);
        if page["IsFinished"] == 1 {
            break;
        }
    }
    assert_eq!((readers, cursor.as_str()), (vec![json!("bob"), json!("carol")], ""));
    let none = detail(1, "").await;
    assert_eq!((&none["UnreadList"], &none["IsFinished"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn receipts_are_refused_where_there_are_none() {
    let (world, client) = house(Settings::default()).await;
    say(&client, "g", 1, json!({"NeedReadReceipt": 1})).await;
    say(&client, "g", 2, json!({})).await;
    Given::new("live", "AVChatRoom", "alice").make(&world).await;
    Given::new("@TGS#_c", "Community", "alice").members(&["bob"]).make(&world).await;
    say(&client, "@TGS#_c", 3, json!({"NeedReadReceipt": 1})).await;
    let read = |group: &str, from: &str, numbers: &[u64]| json!({"GroupId": group, "From_Account": from, "MsgSeqList": seqs(numbers)});
    let (receipt, counts) = ("group_open_http_svc/group_msg_receipt", "group_open_http_svc/get_group_msg_receipt");
    let detail = "group_open_http_svc/get_group_msg_receipt_detail";
    let of = |more: Value| {
        let mut body = json!({"GroupId": "g", "MsgSeq": 1, "Filter": 0, "Cursor": "", "Count": 10});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let many: Vec<u64> = (1..=51).collect();
    let rows = [
        (receipt, read("g", "bob", &[1, 2]), 10062),
        (receipt, read("g", "bob", &[9]), 10062),
        (receipt, read("g", "dave", &[1]), 10007),
        (receipt, read("g", "nobody", &[1]), 10019),
        (receipt, read("g", "bob", &[]), 10004),
        (receipt, read("g", "bob", &many), 10004),
        (receipt, json!({"GroupId": "g", "MsgSeqList": seqs(&[1])}), 10004),
        (receipt, read("live", "bob", &[1]), 10061),
        (receipt, read("@TGS#_c", "bob", &[1]), 10060),
        (receipt, read("never", "bob", &[1]), 10015),
        (counts, json!({"GroupId": "g"}), 10004),
        (counts, json!({"GroupId": "live", "MsgSeqList": seqs(&[1])}), 10061),
        (counts, json!({"GroupId": "@TGS#_c", "MsgSeqList": seqs(&[1])}), 10060),
        (counts, json!({"GroupId": "g", "MsgSeqList": seqs(&many)}), 10004),
        (detail, of(json!({"MsgSeq": 2})), 10062),
        (detail, of(json!({"MsgSeq": null})), 10004),
        (detail, of(json!({"Filter": 2})), 10004),
        (detail, of(json!({"Count": 0})), 10004),
        (detail, of(json!({"Count": 201})), 10004),
        (detail, of(json!({"Cursor": "no place"})), 10004),
        (detail, of(json!({"GroupId": "live"})), 10061),
    ];
    refuse(&world, &client, &rows).await;
    let answer = group_call(&client, "get_group_msg_receipt", json!({"GroupId": "g", "MsgSeqList": seqs(&[1])})).await;
    assert_eq!(answer["GroupMsgReceiptList"][0]["ReadNum"], 0, "what was refused left no trace");
}

#[tokio::test]
async fn receipts_end_where_a_group_outgrows_them() {
    let (world, client) = house(Settings::default()).await;
    say(&client, "g", 1, json!({"NeedReadReceipt": 1})).await;
    let crowd: Vec<String> = (0..198).map(|at| format!("m{at}")).collect();
    let add = AddMembers {
        group: group("g"),
        members: crowd.iter().map(|name| NewMember::now(user(name))).collect(),
        ask: false,
        message: String::new(),
        quiet: Quiet::Everybody,
        on_unknown: OnUnknown::Register,
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Partial,
        most: None,
    };
    // 200 is the most the group of these suites holds
    world.run(add.clone()).await;
    let ask = json!({"GroupId": "g", "MsgSeqList": seqs(&[1])});
    assert_eq!(group_call(&client, "get_group_msg_receipt", ask.clone()).await["ErrorCode"], 0);
    group_call(&client, "modify_group_base_info", json!({"GroupId": "g", "MaxMemberNum": 300})).await;
    world.run(AddMembers { members: vec![NewMember::now(user("dave"))], ..add }).await;
    let read = json!({"GroupId": "g", "From_Account": "bob", "MsgSeqList": seqs(&[1])});
    let rows = [
        ("group_open_http_svc/get_group_msg_receipt", ask, 10060),
        ("group_open_http_svc/group_msg_receipt", read, 10060),
    ];
    refuse(&world, &client, &rows).await;
}

// --- extensions ----------------------------------------------------------------------------------------------------

const READ: &str = "openim_msg_ext_http_svc/group_get_key_values";
const WRITE: &str = "openim_msg_ext_http_svc/group_set_key_values";

fn write(kind: u32, list: Value) -> Value {
    json!({"GroupId": "g", "MsgSeq": 1, "OperateType": kind, "ExtensionList": list})
}

#[tokio::test]
async fn the_second_writer_of_an_extension_gets_the_current_value() {
    let (world, client) = house(Settings::default()).await;
    say(&client, "g", 1, json!({"SupportMessageExtension": 1})).await;
    let one = |value: &str, seq: u64| json!([{"Key": "k", "Value": value, "Seq": seq}]);
    let first = call(&client, WRITE, &write(1, one("first", 0))).await;
    assert_eq!(
        first["ExtensionList"],
        json!([{"ErrorCode": 0, "Extension": {"Key": "k", "Value": "first", "Seq": 1}}])
    );
    let second = call(&client, WRITE, &write(1, one("second", 0))).await;
    let wanted = json!([{"ErrorCode": 23001, "Extension": {"Key": "k", "Value": "first", "Seq": 1}}]);
    assert_eq!(second["ExtensionList"], wanted);
    let again = call(&client, WRITE, &write(1, one("second", 1))).await;
    assert_eq!(again["ExtensionList"][0]["Extension"], json!({"Key": "k", "Value": "second", "Seq": 2}));
    call(&client, WRITE, &write(1, json!([{"Key": "l", "Value": "x"}]))).await;
    let from = call(&client, READ, &json!({"GroupId": "g", "MsgSeq": 1, "StartSeq": 3})).await;
    assert_eq!((&from["ExtensionList"][0]["Key"], &from["LatestSeq"]), (&json!("l"), &json!(3)));
    let gone = call(&client, WRITE, &write(2, json!([{"Key": "l", "Seq": 3}]))).await;
    assert_eq!(gone["ExtensionList"], json!([{"ErrorCode": 0, "Extension": {"Key": "l", "Value": "", "Seq": 4}}]));
    let cleared = call(&client, WRITE, &json!({"GroupId": "g", "MsgSeq": 1, "OperateType": 3})).await;
    assert_eq!(cleared["ExtensionList"], json!([]));
    let now = call(&client, READ, &json!({"GroupId": "g", "MsgSeq": 1})).await;
    assert_eq!((&now["ExtensionList"], &now["LatestSeq"], &now["ClearSeq"]), (&json!([]), &json!(5), &json!(5)));
    assert_eq!(received(&world, "bob", |what| matches!(what, Happening::ExtensionsChanged { .. })).await, 5);
}

#[tokio::test]
async fn a_message_has_up_to_three_hundred_extensions_in_pages() {
    let (_world, client) = house(Settings::default()).await;
    say(&client, "g", 1, json!({"SupportMessageExtension": 1})).await;
    for part in 0..16 {
        let list: Vec<Value> = (0..20).map(|at| json!({"Key": format!("k{part}.{at}"), "Value": "v"})).collect();
        let answer = call(&client, WRITE, &write(1, Value::from(list))).await;
        let code = if part < 15 { 0 } else { 10004 };
        assert!(answer["ExtensionList"].as_array().unwrap().iter().all(|one| one["ErrorCode"] == code), "{answer}");
    }
    let page = call(&client, READ, &json!({"GroupId": "g", "MsgSeq": 1})).await;
    let list = page["ExtensionList"].as_array().unwrap();
    assert_eq!((list.len(), &page["CompleteFlag"], &page["LatestSeq"]), (200, &json!(0), &json!(15)));
    let next = list[199]["Seq"].as_u64().unwrap() + 1;
    let rest = call(&client, READ, &json!({"GroupId": "g", "MsgSeq": 1, "StartSeq": next})).await;
    assert_eq!((rest["ExtensionList"].as_array().unwrap().len(), &rest["CompleteFlag"]), (100, &json!(1)));
}

#[tokio::test]
async fn extensions_are_refused_where_nobody_asked_for_them() {
    let (world, client) = house(Settings::default()).await;
    say(&client, "g", 1, json!({"SupportMessageExtension": 1})).await;
    say(&client, "g", 2, json!({})).await;
    Given::new("live", "AVChatRoom", "alice").make(&world).await;
    let pair = |key: &str, value: &str| json!([{"Key": key, "Value": value, "Seq": 0}]);
    let many: Vec<Value> = (0..21).map(|at| json!({"Key": format!("k{at}"), "Value": "v"})).collect();
    let at = |group: &str, number: u64| json!({"GroupId": group, "MsgSeq": number, "OperateType": 1, "ExtensionList": [{"Key": "k", "Value": "v"}]});
    let rows = [
        (WRITE, at("g", 2), 10004),
        (WRITE, at("g", 9), 10030),
        (WRITE, at("live", 1), 10007),
        (WRITE, at("never", 1), 10015),
        (WRITE, write(4, pair("k", "v")), 10004),
        (WRITE, write(1, json!([])), 10004),
        (WRITE, write(1, Value::from(many)), 10004),
        (WRITE, write(1, json!([{"Value": "v"}])), 10004),
        (WRITE, write(1, json!([{"Key": "k"}])), 10004),
        (WRITE, write(1, pair("", "v")), 10004),
        (WRITE, write(1, pair(&"k".repeat(101), "v")), 10004),
        (WRITE, write(1, pair("k", &"v".repeat(1025))), 10004),
        (WRITE, json!({"GroupId": "g", "MsgSeq": 1}), 10004),
        (READ, json!({"GroupId": "g", "MsgSeq": 2}), 10004),
        (READ, json!({"GroupId": "g", "MsgSeq": 9}), 10030),
        (READ, json!({"GroupId": "g"}), 10004),
        (READ, json!({"GroupId": "live", "MsgSeq": 1}), 10007),
    ];
    refuse(&world, &client, &rows).await;
    group_call(&client, "group_msg_recall", json!({"GroupId": "g", "MsgSeqList": seqs(&[1])})).await;
    refuse(&world, &client, &[(READ, json!({"GroupId": "g", "MsgSeq": 1}), 10030), (WRITE, at("g", 1), 10030)]).await;
}

// --- notices and broadcasts ----------------------------------------------------------------------------------------

#[tokio::test]
async fn a_notice_reaches_all_or_some_and_is_in_no_history() {
    let (world, client) = house(Settings::default()).await;
    let notify = |more: Value| {
        let mut body = json!({"GroupId": "g", "Content": "closing"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let command = "send_group_system_notification";
    assert_eq!(group_call(&client, command, notify(json!({}))).await["ErrorCode"], 0);
    let some = notify(json!({"ToMembers_Account": ["carol", "dave"]}));
    assert_eq!(group_call(&client, command, some).await["ErrorCode"], 0);
    let is = |what: &Happening| matches!(what, Happening::Noticed { .. });
    for (who, number) in [("alice", 1), ("bob", 1), ("carol", 2), ("dave", 0)] {
        assert_eq!(received(&world, who, is).await, number, "{who}");
    }
    assert_eq!(history(&client).await, json!([]));
    Given::new("live", "AVChatRoom", "alice").members(&["bob"]).make(&world).await;
    assert_eq!(group_call(&client, command, notify(json!({"GroupId": "live"}))).await["ErrorCode"], 0);
    let path = "group_open_http_svc/send_group_system_notification";
    let crowd: Vec<String> = (0..501).map(|at| format!("m{at}")).collect();
    let rows = [
        (path, notify(json!({"Content": ""})), 10004),
        (path, notify(json!({"Content": null})), 10004),
        (path, notify(json!({"Content": "x".repeat(12_289)})), 80002),
        (path, notify(json!({"ToMembers_Account": ["dave"]})), 10004),
        (path, notify(json!({"ToMembers_Account": [7]})), 60015),
        (path, notify(json!({"ToMembers_Account": crowd})), 10005),
        (path, notify(json!({"GroupId": "live", "ToMembers_Account": ["bob"]})), 10007),
        (path, notify(json!({"GroupId": "never"})), 10015),
    ];
    refuse(&world, &client, &rows).await;
}

#[tokio::test]
async fn a_broadcast_is_received_in_every_live_room_and_nowhere_else() {
    let (world, client) = house(Settings::default()).await;
    // more than one page of groups
    for at in 0..300 {
        let kind = if at % 2 == 0 { "AVChatRoom" } else { "Public" };
        Given::new(&format!("room{at}"), kind, "alice").make(&world).await;
    }
    let broadcast = |random: u32, from: &str| json!({"From_Account": from, "Random": random, "MsgBody": text("hear")});
    let command = "send_broadcast_msg";
    assert_eq!(group_call(&client, command, broadcast(1, "bob")).await["MsgSeq"], 1);
    assert_eq!(group_call(&client, command, broadcast(1, "bob")).await["MsgSeq"], 1, "the same once more");
    let delivered = |log: Vec<Happening>| log.iter().filter(|what| matches!(what, Happening::MessagePassed(_))).count();
    let events = world.log.read(0, 5000).await.unwrap();
    assert_eq!(delivered(events.iter().map(|event| event.what.clone()).collect()), 150);
    assert_eq!(group_call(&client, command, broadcast(2, "bob")).await["MsgSeq"], 2);
    assert_eq!(history(&client).await, json!([]));

    let path = "group_open_http_svc/send_broadcast_msg";
    let rows = [
        (path, broadcast(3, "nobody"), 10019),
        (path, json!({"From_Account": "bob", "MsgBody": text("x")}), 10004),
        (path, json!({"From_Account": "bob", "Random": 1, "MsgBody": []}), 10004),
        (path, json!({"From_Account": "bob", "Random": 1, "MsgBody": text(&"x".repeat(13_000))}), 80002),
    ];
    refuse(&world, &client, &rows).await;
}

// --- read marks ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_is_unread_is_set_as_the_type_has_it() {
    let (world, client) = house(Settings::default()).await;
    for random in 0..4 {
        say(&client, "g", random, json!({})).await;
    }
    let seen = async |id: &str| {
        let ask = json!({"GroupId": id, "Member_List_Account": ["bob"], "MemberInfoFilter": ["MsgSeq"]});
        let member = group_call(&client, "get_specified_group_member_info", ask).await["MemberList"][0].clone();
        let ask = json!({"Member_Account": "bob", "ResponseFilter": {"SelfInfoFilter": ["MsgSeq"]}});
        let joined = group_call(&client, "get_joined_group_list", ask).await["GroupIdList"].clone();
        let own = joined.as_array().unwrap().iter().find(|one| one["GroupId"] == id).unwrap();
        assert_eq!(own["SelfInfo"]["MsgSeq"], member["MsgSeq"]);
        member["MsgSeq"].clone()
    };
    let unread = |id: &str, number: u64| json!({"GroupId": id, "Member_Account": "bob", "UnreadMsgNum": number});
    for (number, wanted) in [(0, 4), (3, 1), (99, 0)] {
        assert_eq!(group_call(&client, "set_unread_msg_num", unread("g", number)).await["ErrorCode"], 0);
        assert_eq!(seen("g").await, wanted);
    }
    Given::new("meeting", "ChatRoom", "alice").members(&["bob"]).make(&world).await;
    say(&client, "meeting", 1, json!({})).await;
    assert_eq!(group_call(&client, "set_unread_msg_num", unread("meeting", 0)).await["ErrorCode"], 0);
    assert_eq!(seen("meeting").await, 0, "no error, no effect");
    let path = "group_open_http_svc/set_unread_msg_num";
    let rows = [
        (path, json!({"GroupId": "g", "Member_Account": "dave", "UnreadMsgNum": 1}), 10004),
        (path, json!({"GroupId": "g", "UnreadMsgNum": 1}), 10004),
        (path, json!({"GroupId": "g", "Member_Account": "bob"}), 10004),
        (path, json!({"GroupId": "g", "Member_Account": "bob", "UnreadMsgNum": -1}), 10004),
        (path, unread("never", 1), 10015),
    ];
    refuse(&world, &client, &rows).await;

    let import = json!({"GroupId": "g", "MemberList": [{"Member_Account": "dave", "UnreadMsgNum": 3}]});
    group_call(&client, "import_group_member", import).await;
    let ask = json!({"GroupId": "g", "Member_List_Account": ["dave"], "MemberInfoFilter": ["MsgSeq"]});
    let found = group_call(&client, "get_specified_group_member_info", ask).await["MemberList"][0].clone();
    assert_eq!(found["MsgSeq"], 1);
}

// --- rates ---------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_group_has_a_rate_only_where_the_app_wants_one() {
    let (_world, client) = house(Settings::default()).await;
    for random in 0..100 {
        say(&client, "g", random, json!({})).await;
    }
    let (world, client) = house(Settings { messages_per_second: 2, ..Settings::default() }).await;
    Given::new("other", "Public", "alice").make(&world).await;
    let send = |group: &str, random: u32, priority: &str| json!({"GroupId": group, "From_Account": "alice", "Random": random, "MsgPriority": priority, "MsgBody": text("hi")});
    for random in 0..2 {
        say(&client, "g", random, json!({})).await;
    }
    let path = "group_open_http_svc/send_group_msg";
    refuse(&world, &client, &[(path, send("g", 2, "Normal"), 10023), (path, send("g", 3, "High"), 10023)]).await;
    let dropped = group_call(&client, "send_group_msg", send("g", 4, "Low")).await;
    assert_eq!((&dropped["ErrorCode"], &dropped["MsgDropReason"]), (&json!(0), &json!("MsgFreqCtrl")));
    assert_eq!(history(&client).await.as_array().unwrap().len(), 2);
    assert_eq!(group_call(&client, "send_group_msg", send("other", 5, "Normal")).await["ErrorCode"], 0);
    world.clock.step(1000);
    assert_eq!(group_call(&client, "send_group_msg", send("g", 6, "Normal")).await["MsgSeq"], 3);
}
