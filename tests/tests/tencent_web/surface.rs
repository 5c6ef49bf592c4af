//! Which client commands the SDK calls.

use std::time::Duration;

use conclave_tests::client::Client;
use conclave_tests::sdk::driven::Driver;
use conclave_tests::vendor::Vendor;
use http::Method;
use serde_json::json;

use crate::stage::Stage;

/// How long a command is waited for that the SDK calls by itself.
const PATIENCE: Duration = Duration::from_mins(1);

impl Stage {
    /// Waits for the reply to a command that the SDK calls by itself.
    pub(crate) async fn answers(&self, command: &str) {
        let admin = self.served.running.addresses.admin.expect("an admin listener");
        let client = Client::at(admin, "");
        let is_answered = |line: &str| {
            let labels = [r#"vendor="tencent""#, &format!("operation=\"{command}\""), r#"class="answered""#];
            line.starts_with("conclave_requests")
                && labels.iter().all(|label| line.contains(label))
                && !line.ends_with(" 0")
        };
        let wait = async {
            loop {
                let answer = client.send(Method::GET, "/metrics", &[], "").await;
                if String::from_utf8_lossy(&answer.body).lines().any(is_answered) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{command} is not asked"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_asks_nothing_that_is_not_served() {
    let mut stage = Stage::with(&["alice", "bob", "carol"]).await;
    let options = json!([{
        "name": "First", "type": "Public", "groupID": "g1", "joinOption": "NeedPermission",
        "inviteOption": "NeedPermission", "memberList": [{"userID": "bob"}],
    }]);
    stage.does("alice", "createGroup", options, &[("bob", 2)]).await;
    stage.does("carol", "searchGroupByID", json!(["g1"]), &[]).await;
    // an application, decided from its notice, which the SDK then deletes
    stage.on("carol").call("joinGroup", json!([{"groupID": "g1"}])).await;
    let (_, notice) = stage.on("alice").take(1, |event| event == "MESSAGE_RECEIVED").await.remove(0);
    let decision = json!([notice[0]["ID"], {"handleAction": "Reject", "handleMessage": "no"}]);
    stage.on("alice").call("handleNotice", decision).await;
    stage.answers("deletemsg").await;
    // an invitation by a member, decided from the list
    stage.on("bob").call("addGroupMember", json!([{"groupID": "g1", "userIDList": ["carol"]}])).await;
    let list = stage.on("alice").call("getGroupApplicationList", json!([])).await;
    let decision = json!([{"handleAction": "Agree", "application": list["data"]["applicationList"][0]}]);
    let answer = stage.on("alice").call("handleGroupApplication", decision).await;
    assert_eq!(answer["code"], 0, "{list} {answer}");
    stage.on("bob").call("sendText", json!(["g1", "hello"])).await;
    stage.on("alice").take(1, |event| event == "MESSAGE_RECEIVED").await;
    let list = stage.on("alice").call("history", json!(["g1"])).await;
    let said = &list.as_array().unwrap().last().unwrap()["ID"];
    for is_pinned in [true, false] {
        stage.on("alice").call("pin", json!(["g1", said, is_pinned])).await;
    }
    stage.on("alice").call("pinned", json!(["g1"])).await;
    // a visitor watches a live room
    stage.on("alice").call("createGroup", json!([{"name": "Live", "type": "AVChatRoom", "groupID": "r1"}])).await;
    let visitor = stage.page().await;
    visitor.call("joinGroup", json!([{"groupID": "r1", "type": "AVChatRoom"}])).await;
    stage.answers("get_msg").await;
    stage.on("alice").call("setMessageRead", json!([{"conversationID": "GROUPg1"}])).await;
    stage.on("bob").call("setAllMessageRead", json!([{"scope": "readAllGroupMessage"}])).await;
    stage.on("alice").call("quitGroup", json!(["nothing"])).await;
    stage.on("bob").call("quitGroup", json!(["g1"])).await;
    // with everything received, the SDK asks what was recalled while it was away, and for no history
    while stage.on("alice").event("MESSAGE_RECEIVED").await[0]["payload"]["operationType"] != 2 {}
    stage.on("alice").call("cut", json!([])).await;
    for command in [
        "fetch_imsdk_purchase_bitsv2",
        "batch_get_group_notify",
        "msg_read_report",
        "read_all_unread_msg",
        "group_msg_get",
    ] {
        stage.answers(command).await;
    }
    stage.on("carol").call("logout", json!([])).await;
    let sdk = "@tencentcloud/chat 3.6.6 (npm)";
    Driver::client(Vendor::Tencent, sdk, "tencent-chat").check(&stage.served, "tencent_web").await;
}
