//! Older SDKs of the vendor, and its light one: the life of a group between two of their users and one of the latest SDK.

use serde_json::json;

use crate::stage::{Sdk, Stage};

async fn a_group_lives(sdk: Sdk) {
    let mut stage = Stage::by(sdk, &["alice", "bob"], |_| {}).await;
    let options = json!({"name": "First", "type": "Public", "groupID": "g1", "joinOption": "NeedPermission"});
    let created = stage.calls("alice", "createGroup", json!([options])).await;
    assert_eq!(created["data"]["group"]["groupID"], "g1", "{created}");
    let asked =
        stage.calls("bob", "joinGroup", json!([{"groupID": "g1", "applyMessage": "please", "type": "Public"}])).await;
    assert_eq!(asked["data"]["status"], "WaitAdminApproval");
    let notice = stage.messages("alice", 1).await.remove(0);
    assert_eq!(notice["payload"]["operationType"], 1, "{notice}");
    let decision = json!([notice["ID"], {"handleAction": "Agree", "handleMessage": "welcome"}]);
    stage.calls("alice", "handleNotice", decision).await;
    let accepted = stage.messages("bob", 2).await;
    assert_eq!(
        (&accepted[0]["payload"]["operationType"], &accepted[1]["payload"]["operationType"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(stage.messages("alice", 1).await[0]["payload"]["userIDList"], json!(["bob"]));
    let sent = stage.calls("bob", "sendText", json!(["g1", "hello"])).await;
    let received = stage.messages("alice", 1).await.remove(0);
    assert_eq!((&received["payload"]["text"], &received["sequence"]), (&json!("hello"), &sent["sequence"]));
    stage.calls("alice", "updateGroupProfile", json!([{"groupID": "g1", "name": "Second"}])).await;
    for user in ["alice", "bob"] {
        assert_eq!(stage.messages(user, 1).await[0]["payload"]["operationType"], 6, "{user}");
    }
    stage.calls("alice", "setGroupMemberMuteTime", json!([{"groupID": "g1", "userID": "bob", "muteTime": 60}])).await;
    stage.refused("bob", "sendText", json!(["g1", "hm"]), 10017).await;
    stage.messages("bob", 2).await;
    stage.calls("alice", "setGroupMemberRole", json!([{"groupID": "g1", "userID": "bob", "role": "Admin"}])).await;
    stage.messages("bob", 2).await;
    let list = stage.calls("bob", "getGroupList", json!([])).await;
    assert_eq!(list["data"]["groupList"][0]["name"], "Second", "{list}");
    stage.calls("alice", "changeGroupOwner", json!([{"groupID": "g1", "newOwnerID": "bob"}])).await;
    assert_eq!(stage.messages("bob", 1).await[0]["payload"]["newGroupProfile"]["ownerID"], "bob");
    stage.calls("bob", "dismissGroup", json!(["g1"])).await;
    while stage.messages("alice", 1).await[0]["payload"]["operationType"] != 5 {}
    for user in ["alice", "bob"] {
        let rejected = stage.on(user).take_all(|event| event == "UNHANDLED_REJECTION");
        assert!(rejected.is_empty(), "{user}: {rejected:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tim_js_sdk_2_27_6() {
    a_group_lives(Sdk { folder: "tim-js-sdk/2.27.6", module: "tim-js-sdk", is_mapped: false }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tim_js_sdk_2_18_2() {
    a_group_lives(Sdk { folder: "tim-js-sdk/2.18.2", module: "tim-js-sdk", is_mapped: false }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tim_js_sdk_2_16_3() {
    a_group_lives(Sdk { folder: "tim-js-sdk/2.16.3", module: "tim-js-sdk", is_mapped: false }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lite_chat_4_2_1() {
    a_group_lives(Sdk { folder: "lite-chat/4.2.1", module: "@tencentcloud/lite-chat", is_mapped: true }).await;
}
