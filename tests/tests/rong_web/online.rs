//! A user connected here is online at all vendors, and each vendor can disconnect them.

use conclave_tests::sdk::gateway::VendorApis;
use http::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

/// The online members of `g1`, and whether carol is online, as each vendor returns it.
async fn online_status(stage: &Stage, vendor_apis: &VendorApis) -> Value {
    let rows = vendor_apis.agora.call(Method::GET, "/chatgroups/g1/roles", None).await.expect("an answer");
    let rows: Vec<Value> = rows["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| json!([row["username"], row["role"], row["online"]]))
        .collect();
    let count = vendor_apis.agora.call(Method::GET, "/presence/online/g1/type/1", None).await.expect("an answer");
    let command = "openim/query_online_status";
    let asked = json!({"To_Account": ["alice", "bob", "carol"], "IsNeedDetail": 1});
    let statuses = vendor_apis.tencent.call(command, &asked).await.expect("an answer");
    let command = "group_open_http_svc/get_online_member_num";
    let number = vendor_apis.tencent.call(command, &json!({"GroupId": "g1"})).await.expect("an answer");
    let command = "group_open_http_svc/get_group_member_info";
    let filter = json!({"GroupId": "g1", "MemberInfoFilter": ["Role", "OnlineStatus"]});
    let members = vendor_apis.tencent.call(command, &filter).await.expect("an answer");
    let mut checked = Vec::new();
    for user in ["alice", "bob", "carol", "stranger"] {
        checked.push(stage.api("user/checkOnline", &format!("userId={user}")).await);
    }
    json!({
        "agora": {"roles": rows, "count": count},
        "tencent": {"statuses": statuses["QueryResult"], "number": number["OnlineMemberNum"], "members": members["MemberList"]},
        "rong": checked,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_truth_about_who_is_online() {
    let mut stage = Stage::with(&["alice", "bob", "bob.pad", "carol"]).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    let received = [("alice", 2), ("bob", 1), ("bob.pad", 1)];
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &received).await;
    let vendor_apis = stage.served.vendor_apis().await;
    let all = online_status(&stage, &vendor_apis).await;

    // one device disconnects: still online; both: offline
    stage.on("bob").call("disconnect", json!([])).await;
    let one_less = online_status(&stage, &vendor_apis).await;
    stage.on("bob.pad").call("disconnect", json!([])).await;
    let mut none = online_status(&stage, &vendor_apis).await;
    for _ in 0..200 {
        if none["tencent"]["number"] == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        none = online_status(&stage, &vendor_apis).await;
    }
    insta::assert_json_snapshot!(json!({"all": all, "one device less": one_less, "bob has gone": none}));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vendor_can_end_a_session() {
    let mut stage = Stage::with(&["alice", "bob", "carol", "dave", "erin", "frank"]).await;
    let vendor_apis = stage.served.vendor_apis().await;
    vendor_apis.tencent.call("im_open_login_svc/kick", &json!({"UserID": "alice"})).await.expect("a kick");
    vendor_apis.agora.call(Method::POST, "/users/bob/disconnect", None).await.expect("a disconnection");
    vendor_apis.agora.call(Method::POST, "/users/carol/deactivate", None).await.expect("a ban");
    vendor_apis.agora.call(Method::DELETE, "/users/dave", None).await.expect("a deletion");
    let delete = json!({"DeleteItem": [{"UserID": "erin"}]});
    vendor_apis.tencent.call("im_open_login_svc/account_delete", &delete).await.expect("a deletion");
    for (user, code) in [("alice", 31020), ("bob", 31020), ("carol", 31011), ("dave", 31029), ("erin", 31029)] {
        assert_eq!(stage.on(user).event("DISCONNECT").await, code, "{user}");
        assert_eq!(stage.api("user/checkOnline", &format!("userId={user}")).await["status"], "0", "{user}");
    }
    assert_eq!(stage.api("user/checkOnline", "userId=frank").await["status"], "1");
    // a user who was only disconnected returns with a new token; a blocked or deleted one does not
    stage.enter("alice").await;
    stage.enter("bob").await;
}
