//! Clients that were offline receive everything once, in order.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;

fn text(content: &str) -> Value {
    json!({"$text": {"content": content}})
}

/// The texts of the received messages, once there are so many.
async fn said(page: &conclave_tests::sdk::page::Page, count: usize) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    while said.len() < count {
        let event = page.event("MESSAGES").await;
        let messages = event["messages"].as_array().unwrap();
        said.extend(messages.iter().map(|message| message["content"]["content"].as_str().unwrap().to_owned()));
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn events_during_a_network_failure_are_delivered_after_it() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    let info = json!({"groupId": "g1", "groupName": "First", "joinPermission": 1});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    stage.does("alice", "sendMessage", json!([to_group, text("before")]), &[("bob", 1)]).await;

    for round in 1..=2 {
        stage.on("bob").call("cut", json!([])).await;
        for number in 1..=3 {
            let content = format!("{round}.{number}");
            stage.on("alice").call("sendMessage", json!([to_group, text(&content)])).await;
            let change = json!([{"groupId": "g1", "introduction": content}]);
            assert_eq!(stage.on("alice").call("updateGroupInfo", change).await["code"], 0);
        }
        let messages = said(stage.on("bob"), 3).await;
        assert_eq!(messages, [1, 2, 3].map(|number| format!("{round}.{number}")));
        let changes = stage.on("bob").take(3, |name| name == "GROUP_INFO_CHANGED").await;
        let changes: Vec<_> =
            changes.iter().map(|(_, change)| change["changedGroupInfo"]["introduction"].clone()).collect();
        assert_eq!(changes, [1, 2, 3].map(|number| Value::from(format!("{round}.{number}"))));
        stage.on("alice").take(3, |name| name == "GROUP_INFO_CHANGED").await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let more = stage.on("bob").take_all(|name| name == "MESSAGES" || name.starts_with("GROUP_"));
    assert!(more.is_empty(), "{more:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reloaded_page_continues_where_it_was() {
    let mut stage = Stage::with(&["alice"]).await;
    let folder = tempfile::tempdir().unwrap();
    let storage = folder.path().join("storage.json");
    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    let info = json!({"groupId": "g1", "groupName": "First"});
    let token = stage.token("bob").await;
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2)]).await;
    let first = stage.page(Some(&storage)).await;
    assert_eq!(first.call("connect", json!([token])).await["code"], 0);
    first.event("PULL_OFFLINE_MESSAGE_FINISHED").await;
    stage.does("alice", "sendMessage", json!([to_group, text("one")]), &[]).await;
    assert_eq!(said(&first, 1).await, ["one"]);
    // the page stores its position a moment later
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(first);
    for number in 0..150 {
        stage.on("alice").call("sendMessage", json!([to_group, text(&number.to_string())])).await;
    }
    for number in 0..3 {
        let change = json!([{"groupId": "g1", "introduction": number.to_string()}]);
        assert_eq!(stage.on("alice").call("updateGroupInfo", change).await["code"], 0);
    }
    let again = stage.page(Some(&storage)).await;
    assert_eq!(again.call("connect", json!([token])).await["code"], 0);
    let expected: Vec<String> = (0..150).map(|number| number.to_string()).collect();
    assert_eq!(said(&again, 150).await, expected);
    again.event("PULL_OFFLINE_MESSAGE_FINISHED").await;
    assert!(again.take_all(|name| name == "MESSAGES").is_empty());
    // a reloaded page is a new device; it continues where the user's others were
    let changes = again.take(3, |name| name == "GROUP_INFO_CHANGED").await;
    let changes: Vec<_> =
        changes.iter().map(|(_, change)| change["changedGroupInfo"]["introduction"].clone()).collect();
    assert_eq!(changes, ["0", "1", "2"].map(Value::from));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let more = again.take_all(|name| name == "MESSAGES" || name.starts_with("GROUP_"));
    assert!(more.is_empty(), "{more:#?}");
}
