//! Topics of a community: created, talked in and ended, with pushes to the community's other members.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_talked_in_and_ended() {
    let stage = Stage::with(&["alice", "bob"]).await;
    let members = json!([{"userID": "bob"}]);
    let options = json!([{"name": "Town", "type": "Community", "isSupportTopic": true, "memberList": members}]);
    let created = stage.calls("alice", "createGroup", options).await;
    let group = created["data"]["group"]["groupID"].as_str().unwrap().to_owned();
    assert!(group.starts_with("@TGS#_"), "{group}");
    assert_eq!(stage.messages("bob", 1).await[0]["payload"]["operationType"], 7);

    let options = json!([{"groupID": group, "topicName": "News", "introduction": "what is new"}]);
    let topic = stage.calls("alice", "createTopicInCommunity", options).await["data"]["topicID"].clone();
    let pushed = stage.on("bob").event("TOPIC_CREATED").await;
    assert_eq!(pushed, json!({"groupID": group, "topicID": topic}));
    for user in ["alice", "bob"] {
        let list = stage.calls(user, "getTopicList", json!([{"groupID": group}])).await;
        let found = &list["data"]["successTopicList"][0];
        assert_eq!((&found["topicID"], &found["topicName"]), (&topic, &json!("News")), "{user} {list}");
    }

    // what is said in a topic is of the topic, and not of the community
    let sent = stage.calls("alice", "sendText", json!([topic, "hello"])).await;
    let received = stage.messages("bob", 1).await.remove(0);
    assert_eq!((&received["to"], &received["payload"]["text"]), (&topic, &json!("hello")));
    assert_eq!((&received["ID"], &received["sequence"]), (&sent["ID"], &sent["sequence"]));
    stage.calls("alice", "edit", json!([sent["ID"], "hello again"])).await;
    let modified = stage.on("bob").event("MESSAGE_MODIFIED").await;
    assert_eq!((&modified[0]["ID"], &modified[0]["payload"]["text"]), (&sent["ID"], &json!("hello again")));
    stage.calls("alice", "recall", json!([sent["ID"]])).await;
    let revoked = stage.on("bob").event("MESSAGE_REVOKED").await;
    assert_eq!((&revoked[0]["ID"], &revoked[0]["sequence"]), (&sent["ID"], &sent["sequence"]));

    let change = json!([{"groupID": group, "topicID": topic, "topicName": "Old news", "muteAllMembers": true}]);
    stage.calls("alice", "updateTopicProfile", change).await;
    let is_renamed = |event: &serde_json::Value| event["topic"]["topicName"] == "Old news";
    let mut updated = stage.on("bob").event("TOPIC_UPDATED").await;
    while !is_renamed(&updated) {
        updated = stage.on("bob").event("TOPIC_UPDATED").await;
    }
    assert_eq!(updated["topic"]["muteAllMembers"], true, "{updated}");
    let refused = stage.on("bob").call("sendText", json!([topic, "hm"])).await;
    assert_eq!(refused["refused"]["code"], 10017, "{refused}");

    let ended =
        stage.calls("alice", "deleteTopicFromCommunity", json!([{"groupID": group, "topicIDList": [topic]}])).await;
    assert_eq!(ended["data"]["successTopicList"], json!([{"topicID": topic}]), "{ended}");
    let pushed = stage.on("bob").event("TOPIC_DELETED").await;
    assert_eq!(pushed, json!({"groupID": group, "topicIDList": [topic]}));
}
