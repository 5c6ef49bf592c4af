//! A vendor brings no more people into a group than its own groups may have, in none of the ways in which users join
//! through it. It reads bigger groups, and those who are members already are not affected.

use conclave_tencent::SignedIn;
use conclave_tests::house::credentials::SDKAPPID;
use conclave_tests::house::{Three, tencent, three_of};
use conclave_tests::story::VendorApi as _;
use conclave_tests::world::user;
use http::Method;
use serde_json::{Value, json};

use super::House;

/// Where each vendor's own groups have three members at most.
struct Narrow {
    agora: Option<u32>,
    tencent: u32,
    rong: u32,
}

impl Default for Narrow {
    fn default() -> Self {
        Self { agora: None, tencent: 6000, rong: 3000 }
    }
}

async fn house(narrow: Narrow) -> House {
    let agora = conclave_agora::Settings { most_maxusers: narrow.agora, ..conclave_agora::Settings::default() };
    let tencent = conclave_tencent::Settings { member_limit: narrow.tencent, ..conclave_tencent::Settings::default() };
    let rong = conclave_rong::Settings { group_capacity: narrow.rong, ..conclave_rong::Settings::default() };
    let house: Three = three_of(agora, tencent, rong).await;
    house.tencent.register(&["ann", "ben", "cy", "dan", "eve"]).await.unwrap();
    House(house)
}

/// The number of members, which must stay three.
async fn is_full(house: &House, id: &str, after: &str) {
    assert_eq!(house.info(id).await["MemberNum"], 3, "{after}");
}

/// A group with ben and cy, into which RongCloud's clients and Tencent's may ask to come.
async fn made_by_rong(house: &House) {
    let permissions = r#"{"joinPerm":1,"memInvitePerm":2}"#;
    let form = format!("groupId=g&name=n&owner=ann&userIds=ben,cy&permissions={permissions}");
    house.rong("entrust/group/create", &form).await;
    is_full(house, "g", "entrust/group/create").await;
}

async fn made_by_agora(house: &House, body: Value) {
    let mut group = json!({"groupid": "g", "groupname": "n", "public": true, "maxusers": 10, "owner": "ann", "members": ["ben", "cy"]});
    group.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    house.agora(Method::POST, "/chatgroups", group).await;
}

#[tokio::test]
async fn agora_does_not_extend_a_bigger_group_in_any_way() {
    let house = house(Narrow { agora: Some(3), ..Narrow::default() }).await;
    made_by_rong(&house).await;
    let full = async |method, path: &str, body: Value, as_user: Option<&str>| {
        let answer = match as_user {
            Some(user) => house.as_user(user, method, path, body).await,
            None => house.refused(method, path, body).await,
        };
        assert_ne!(answer, "200", "{path}");
        is_full(&house, "g", path).await;
    };
    full(Method::POST, "/chatgroups/g/users/dan", Value::Null, None).await;
    full(Method::POST, "/chatgroups/g/users", json!({"usernames": ["dan", "eve"]}), None).await;
    full(Method::POST, "/chatgroups/g/apply", json!({"message": "please"}), Some("dan")).await;
    // an invitation that waits for the invited user
    house.rong("entrust/group/profile/update", "groupId=g&permissions={\"invitePerm\":1}").await;
    house.agora(Method::POST, "/chatgroups/g/invite", json!({"usernames": ["dan"]})).await;
    full(Method::POST, "/chatgroups/g/invite_verify", json!({"invitee": "dan", "verifyResult": true}), Some("dan"))
        .await;
    // a request that waits for the managers
    house.rong("entrust/group/profile/update", "groupId=g&permissions={\"joinPerm\":2}").await;
    assert_eq!(house.as_user("eve", Method::POST, "/chatgroups/g/apply", json!({"message": "please"})).await, "200");
    full(Method::POST, "/chatgroups/g/apply_verify", json!({"applicant": "eve", "verifyResult": true}), Some("ann"))
        .await;
    // the wider vendors still may
    house.rong("entrust/group/join", "groupId=g&userIds=dan").await;
    assert_eq!(house.info("g").await["MemberNum"], 4);
}

#[tokio::test]
async fn tencent_does_not_extend_a_bigger_group_in_any_way() {
    let house = house(Narrow { tencent: 3, ..Narrow::default() }).await;
    let settings = conclave_tencent::Settings { member_limit: 3, ..conclave_tencent::Settings::default() };
    let clients = tencent(&house.0.world, settings);
    let client = async |who: &str, command: &str, body: Value| -> Value {
        let caller =
            SignedIn { user: user(who), device: None, pushed_after: None, root_url: std::sync::Arc::default() };
        let command = format!("group_open_http_svc.{command}");
        let answer = clients.answer_user(SDKAPPID, caller, &command, body.to_string().as_bytes()).await;
        serde_json::from_slice(&answer).unwrap()
    };
    made_by_agora(&house, json!({"membersonly": false, "allowinvites": true})).await;
    let member = json!([{"Member_Account": "dan"}]);
    assert_eq!(house.code("add_group_member", json!({"GroupId": "g", "MemberList": member})).await, 10014);
    is_full(&house, "g", "add_group_member").await;
    let added = client("ben", "add_group_member", json!({"GroupId": "g", "MemberList": member})).await;
    assert_ne!(added["ErrorCode"], 0, "{added}");
    is_full(&house, "g", "an invitation by a member").await;
    let joined = client("dan", "apply_join_group", json!({"GroupId": "g", "ApplyMsg": "please"})).await;
    assert_eq!(joined["ErrorCode"], 10014, "{joined}");
    is_full(&house, "g", "apply_join_group").await;
    // a request that waits for the managers, who approve it through Tencent
    house.agora(Method::PUT, "/chatgroups/g", json!({"membersonly": true})).await;
    assert_eq!(house.as_user("dan", Method::POST, "/chatgroups/g/apply", json!({"message": "please"})).await, "200");
    let pending = client("ann", "get_pendency", json!({"StartTime": 0, "Limit": 10, "Handle_Account": "ann"})).await;
    let entry = &pending["PendencyList"][0];
    let decide = json!({
        "GroupId": "g", "Applicant_Account": "dan", "HandleMsg": "Agree", "MsgKey": entry["AddTime"],
        "Authentication": entry["Authentication"],
    });
    let decided = client("ann", "handle_apply_join_group", decide).await;
    assert_eq!(decided["ErrorCode"], 10014, "{decided}");
    is_full(&house, "g", "handle_apply_join_group").await;
    // the wider vendor still may
    assert_eq!(
        house
            .as_user(
                "ann",
                Method::POST,
                "/chatgroups/g/apply_verify",
                json!({"applicant": "dan", "verifyResult": true})
            )
            .await,
        "200"
    );
    assert_eq!(house.info("g").await["MemberNum"], 4);
}

#[tokio::test]
async fn rong_does_not_extend_a_bigger_group_in_any_way() {
    let house = house(Narrow { rong: 3, ..Narrow::default() }).await;
    made_by_agora(&house, json!({})).await;
    for (path, form) in [
        ("group/join", "groupId=g&userId=dan&groupName=n"),
        ("group/join", "groupId=g&userId=dan,eve&groupName=n"),
        ("entrust/group/join", "groupId=g&userIds=dan"),
        ("group/sync", "userId=dan&group[g]=n"),
    ] {
        assert_ne!(house.rong_code(path, form).await, 200, "{path}");
        is_full(&house, "g", path).await;
    }
    // members already in it may be named
    house.rong("group/join", "groupId=g&userId=ben&groupName=n").await;
    house.agora(Method::POST, "/chatgroups/g/users/dan", Value::Null).await;
    assert_eq!(house.info("g").await["MemberNum"], 4);
}
