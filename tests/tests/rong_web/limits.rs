//! Limits: those of the gateway, refused with the vendor's codes and without an effect; and those of the SDK itself.

use conclave_tests::vendor::Sections as _;
use serde_json::{Value, json};

use crate::stage::{LATEST, Stage};

/// Users by number.
fn users(count: usize) -> Value {
    (0..count).map(|number| Value::from(format!("user{number}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_managers_and_follows_have_an_end() {
    let mut stage = Stage::of(LATEST, &["alice", "bob", "carol"], |config| {
        let settings = &mut config.realms[0].rong().settings;
        (settings.group_capacity, settings.managers, settings.follows) = (3, 1, 1);
    })
    .await;
    let info = json!({"groupId": "g1", "groupName": "First", "joinPermission": 1, "invitePermission": 2});
    stage.refused("alice", "createGroup", json!([info, ["bob", "dave", "erin"]]), 25411).await;
    stage.does("alice", "createGroup", json!([info, ["bob", "dave"]]), &[("alice", 2), ("bob", 1)]).await;
    stage.refused("carol", "joinGroup", json!(["g1"]), 25411).await;
    stage.refused("bob", "inviteUsersToGroup", json!(["g1", ["carol"]]), 25411).await;
    stage.refused("alice", "addGroupManagers", json!(["g1", ["bob", "dave"]]), 25419).await;
    stage.does("alice", "addGroupManagers", json!(["g1", ["bob"]]), &[("alice", 1), ("bob", 1)]).await;
    stage.refused("alice", "addGroupManagers", json!(["g1", ["dave"]]), 25419).await;
    stage.refused("alice", "addGroupFollows", json!(["g1", ["bob", "dave"]]), 25419).await;
    stage.does("alice", "addGroupFollows", json!(["g1", ["bob"]]), &[]).await;
    stage.refused("alice", "addGroupFollows", json!(["g1", ["dave"]]), 25419).await;
    // one leaves, and there is room
    stage.does("alice", "kickGroupMembers", json!(["g1", ["dave"]]), &[("alice", 1), ("bob", 1)]).await;
    let all = [("alice", 1), ("bob", 1), ("carol", 1)];
    stage.does("carol", "joinGroup", json!(["g1"]), &all).await;
    stage.records().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_over_their_rate_are_refused() {
    let mut stage = Stage::of(LATEST, &["alice", "bob"], |config| {
        let settings = &mut config.realms[0].rong().settings;
        (settings.client_queries, settings.client_messages) = (5, 5);
    })
    .await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    let text = json!({"$text": {"content": "hi"}});
    // too many for two or three seconds; the group was the first query of its second
    let (mut asked, mut said) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        asked.push(stage.on("alice").call("getGroupsInfo", json!([["g1"]])).await["code"].clone());
        said.push(stage.on("alice").call("sendMessage", json!([to_group, text])).await["code"].clone());
    }
    for (answers, refused) in [(&asked, 25416), (&said, 20604)] {
        let taken = answers.iter().filter(|code| **code == 0).count();
        assert!(answers.iter().all(|code| *code == 0 || *code == refused), "{answers:?}");
        assert!((4..=15).contains(&taken), "{answers:?}");
    }
    // refused messages were not delivered; another connection has its own limit
    let received = said.iter().filter(|code| **code == 0).count();
    let mut messages = 0;
    while messages < received {
        messages += stage.on("bob").event("MESSAGES").await["messages"].as_array().unwrap().len();
    }
    assert_eq!(messages, received);
    assert_eq!(stage.on("bob").call("getGroupsInfo", json!([["g1"]])).await["code"], 0);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(stage.on("alice").call("getGroupsInfo", json!([["g1"]])).await["code"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sdk_refuses_by_itself_never_gets_here() {
    let stage = Stage::with(&["alice", "bob"]).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    assert_eq!(stage.on("alice").call("createGroup", json!([info, ["bob"]])).await["code"], 0);
    let long = |length: usize| "x".repeat(length);
    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    let big: Value =
        (0..11).map(|number| (format!("ext_{number}"), Value::from("x"))).collect::<serde_json::Map<_, _>>().into();
    let rows: Vec<(&str, Value, i64)> = vec![
        ("updateGroupInfo", json!([{"groupId": "g1", "joinPermission": 9}]), 34318),
        ("updateGroupInfo", json!([{"groupId": "g1", "extProfile": big}]), 34318),
        ("createGroup", json!([{"groupId": "bad id!", "groupName": "x"}]), 34319),
        ("createGroup", json!([{"groupId": long(65), "groupName": "x"}]), 34319),
        ("createGroup", json!([{"groupId": "g2"}]), 34320),
        ("createGroup", json!([{"groupId": "g2", "groupName": long(65)}]), 34320),
        ("getGroupsInfo", json!([(0..21).map(|n| format!("g{n}")).collect::<Vec<_>>()]), 34321),
        ("getJoinedGroups", json!([[]]), 34321),
        ("createGroup", json!([{"groupId": "g2", "groupName": "x"}, users(31)]), 34215),
        ("kickGroupMembers", json!(["g1", users(101)]), 34215),
        ("inviteUsersToGroup", json!(["g1", users(31)]), 34215),
        ("addGroupManagers", json!(["g1", users(11)]), 34215),
        ("addGroupFollows", json!(["g1", users(101)]), 34215),
        ("getGroupMembers", json!(["g1", users(101)]), 34215),
        ("kickGroupMembers", json!(["g1", []]), 34215),
        ("transferGroupOwner", json!(["g1", ""]), 34214),
        ("getGroupMembersByRole", json!(["g1", 9, {"count": 10}]), 34322),
        ("getGroupMembersByRole", json!(["g1", 0, {"count": 101}]), 34232),
        ("getJoinedGroupsByRole", json!([{"count": 0}, 0]), 34232),
        ("setGroupMemberInfo", json!(["g1", "alice", long(65), ""]), 34325),
        ("setGroupMemberInfo", json!(["g1", "alice", "Al", long(129)]), 34314),
        ("refuseGroupInvite", json!(["g1", "bob", long(129)]), 34326),
        ("setGroupRemark", json!(["g1", long(65)]), 34327),
        ("searchGroupMembers", json!(["g1", "x", {"count": 10}]), 35004),
        ("searchJoinedGroups", json!(["x", {"count": 10}]), 35004),
        ("sendMessage", json!([to_group, {"$text": {"content": long(131_073)}}]), 30016),
    ];
    let before = stage.happenings().await;
    let mut wrong = Vec::new();
    for (method, args, code) in rows {
        let answer = stage.on("alice").try_call(method, &args).await;
        if !answer.as_ref().is_ok_and(|answer| answer["code"] == code) {
            let args: String = args.to_string().chars().take(60).collect();
            wrong.push(format!("{method} {args}: {code} expected, {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(stage.happenings().await, before);
    let page = stage.page(None).await;
    assert_eq!(page.call("getGroupsInfo", json!([["g1"]])).await["code"], 30002);
}
