//! Members: adding, removing, roles, mutes, custom fields.

use crate::tencent_support::{group_call, with_custom_keys};
use crate::{house, info, made, text};
use conclave_tencent::Settings;
use conclave_tests::world::BEGINNING;
use serde_json::{Value, json};

#[tokio::test]
async fn each_added_user_gets_its_own_result() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let list: Vec<Value> =
        ["carol", "bob", "nobody", "carol", "nobody"].iter().map(|id| json!({"Member_Account": id})).collect();
    let answer = group_call(&client, "add_group_member", json!({"GroupId": id, "MemberList": list})).await;
    let results: Vec<&Value> = answer["MemberList"].as_array().unwrap().iter().map(|row| &row["Result"]).collect();
    assert_eq!(results, [1, 2, 0, 2, 0]);

    let ban = json!({"GroupId": id, "Members_Account": ["bob"], "Duration": 60});
    assert_eq!(group_call(&client, "ban_group_member", ban).await["ErrorCode"], 0);
    let bob = json!({"GroupId": id, "MemberList": [{"Member_Account": "bob"}]});
    assert_eq!(group_call(&client, "add_group_member", bob).await["MemberList"][0]["Result"], 0, "banned");
}

#[tokio::test]
async fn the_owner_is_beyond_removal_and_roles() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    for (command, body) in [
        ("delete_group_member", json!({"MemberToDel_Account": ["bob", "alice"]})),
        ("modify_group_member_info", json!({"Member_Account": "alice", "Role": "Member", "NameCard": "x"})),
        ("ban_group_member", json!({"Members_Account": ["bob", "alice"], "Duration": 60})),
    ] {
        let mut body = body;
        body["GroupId"] = json!(id);
        assert_eq!(group_call(&client, command, body).await["ErrorCode"], 10007, "{command}");
    }
    let read = info(&client, &id).await;
    assert_eq!(read["MemberNum"], 2, "what was refused changed nothing");
    assert_eq!(read["MemberList"][0]["NameCard"], "");
}

#[tokio::test]
async fn what_a_members_change_cannot_be_is_refused_and_what_it_leaves_empty_stays() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let modify = |more: Value| {
        let mut body = json!({"GroupId": id, "Member_Account": "bob"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let client = client.clone();
        async move { group_call(&client, "modify_group_member_info", body).await["ErrorCode"].clone() }
    };
    assert_eq!(modify(json!({"Role": "Admin", "MsgFlag": "Discard", "MuteTime": 60})).await, 0);
    for wrong in [
        json!({"NameCard": "x", "MuteTime": 4_294_967_296_u64}),
        json!({"NameCard": "x", "ShutUpTime": 4_294_967_296_u64}),
        json!({"NameCard": "x", "MuteTime": -1}),
        json!({"NameCard": "x", "Role": "Owner"}),
        json!({"NameCard": "x", "Role": "Boss"}),
        json!({"NameCard": "x", "MsgFlag": "Loud"}),
        json!({"MuteTime": 0, "NameCard": "x".repeat(51)}),
    ] {
        assert_eq!(modify(wrong.clone()).await, 10004, "{wrong}");
    }
    // old clients send empty texts for missing values
    assert_eq!(modify(json!({"Role": "", "MsgFlag": "", "NameCard": "y"})).await, 0);
    let bob = info(&client, &id).await["MemberList"][1].clone();
    assert_eq!((&bob["Role"], &bob["MsgFlag"], &bob["NameCard"]), (&json!("Admin"), &json!("Discard"), &json!("y")));
    assert_eq!(bob["MuteUntil"], BEGINNING.seconds() + 60);
}

#[tokio::test]
async fn an_imported_group_has_a_limit_and_a_past_of_its_own() {
    let (_world, client) = house(Settings::default()).await;
    let import = |more: Value| {
        let mut body = json!({"Type": "Public", "Name": "g", "Owner_Account": "alice"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let client = client.clone();
        async move { group_call(&client, "import_group", body).await }
    };
    for (more, most) in [
        (json!({}), 2000),
        (json!({"MaxMemberCount": 0}), 2000),
        (json!({"MaxMemberCount": 6000}), 6000),
        (json!({"Type": "Community"}), 100_000),
    ] {
        let id = text(&import(more.clone()).await["GroupId"]);
        assert_eq!(info(&client, &id).await["MaxMemberNum"], most, "{more}");
    }
    for (more, code) in [
        (json!({"MaxMemberCount": 6001}), 10004),
        (json!({"CreateTime": BEGINNING.seconds() + 1}), 10004),
        (json!({"Type": "AVChatRoom"}), 10007),
        (json!({"Owner_Account": "nobody"}), 10019),
    ] {
        assert_eq!(import(more.clone()).await["ErrorCode"], code, "{more}");
    }
    let past = BEGINNING.seconds() - 1000;
    let id = text(&import(json!({"CreateTime": past})).await["GroupId"]);
    assert_eq!(info(&client, &id).await["CreateTime"], past);
    let join = |at: u64| json!({"GroupId": id, "MemberList": [{"Member_Account": "bob", "JoinTime": at}]});
    for (at, result) in [(past - 1, 0), (BEGINNING.seconds() + 1, 0), (past, 1), (past, 2)] {
        let answer = group_call(&client, "import_group_member", join(at)).await;
        assert_eq!(answer["MemberList"][0]["Result"], result, "{at}");
    }
}

#[tokio::test]
async fn a_mute_is_notified_and_kept_after_leaving() {
    let (world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let mute = json!({"GroupId": id, "Members_Account": ["bob"], "ShutUpTime": 100});
    assert_eq!(group_call(&client, "forbid_send_msg", mute).await["ErrorCode"], 0);
    let until = json!(BEGINNING.seconds() + 100);
    assert_eq!(info(&client, &id).await["MemberList"][1]["MuteUntil"], until);
    assert_eq!(info(&client, &id).await["MemberList"][1]["ShutUpUntil"], until);
    group_call(&client, "delete_group_member", json!({"GroupId": id, "MemberToDel_Account": ["bob"]})).await;
    let old = group_call(&client, "get_group_shutted_uin", json!({"GroupId": id})).await;
    assert_eq!(old["ShuttedUinList"], json!([{"Member_Account": "bob", "ShuttedUntil": until}]));
    world.clock.step(101_000);
    let new = group_call(&client, "get_group_muted_account", json!({"GroupId": id})).await;
    assert_eq!(new["MutedAccountList"], json!([]));
}

#[tokio::test]
async fn custom_fields_come_and_go_with_their_keys() {
    let (_world, client) = house(with_custom_keys()).await;
    let pair = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let body = json!({
        "Type": "Public", "Name": "g", "Owner_Account": "alice",
        "AppDefinedData": [pair("GroupTestData1", "a"), pair("GroupTestData2", "b")],
        "MemberList": [{"Member_Account": "bob", "AppMemberDefinedData": [pair("MemberDefined1", "m")]}],
    });
    let id = text(&group_call(&client, "create_group", body).await["GroupId"]);
    let read = info(&client, &id).await;
    assert_eq!(read["AppDefinedData"], json!([pair("GroupTestData1", "a"), pair("GroupTestData2", "b")]));
    assert_eq!(read["MemberList"][1]["AppMemberDefinedData"], json!([pair("MemberDefined1", "m")]));
    let change = json!({"GroupId": id, "AppDefinedData": [pair("GroupTestData1", "")]});
    assert_eq!(group_call(&client, "modify_group_base_info", change).await["ErrorCode"], 0);
    assert_eq!(info(&client, &id).await["AppDefinedData"], json!([pair("GroupTestData2", "b")]));
}
