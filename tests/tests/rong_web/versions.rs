//! Older versions of the SDK, in a shorter scenario.

use serde_json::json;

use crate::stage::Stage;

async fn an_older_version(version: &'static str) {
    let mut stage = Stage::of(version, &["alice", "bob"], |_| {}).await;
    let all = [("alice", 1), ("bob", 1)];
    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    let info = json!({"groupId": "g1", "groupName": "First", "joinPermission": 1});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    stage.does("alice", "updateGroupInfo", json!([{"groupId": "g1", "introduction": "about us"}]), &all).await;
    stage.does("bob", "sendMessage", json!([to_group, {"$text": {"content": "hi"}}]), &[("alice", 1)]).await;
    stage.does("alice", "getHistoryMessages", json!([to_group, {"timestamp": 0, "count": 5}]), &[]).await;
    // it fetches from the beginning, and still gets what it missed
    stage.on("bob").call("cut", json!([])).await;
    stage.does("alice", "setGroupMemberInfo", json!(["g1", "alice", "Al", ""]), &all).await;
    stage.does("bob", "quitGroup", json!(["g1"]), &all).await;
    stage.does("bob", "joinGroup", json!(["g1"]), &all).await;
    stage.does("alice", "getGroupMembersByRole", json!(["g1", 0, {"count": 10}]), &[]).await;
    stage.does("alice", "dismissGroup", json!(["g1"]), &all).await;
    insta::assert_json_snapshot!(format!("version_{}", version.replace('.', "_")), stage.records().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_36_7() {
    an_older_version("5.36.7").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_28_0() {
    an_older_version("5.28.0").await;
}
