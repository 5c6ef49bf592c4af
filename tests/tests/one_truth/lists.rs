//! Lists of people: blocks, the allowlist, members.

use conclave_tests::story::VendorApi as _;
use http::Method;
use serde_json::{Value, json};

use super::House;

/// Entries of the lists can be removed after the user's account was deleted.
#[tokio::test]
async fn entries_without_an_account_are_removed() {
    let house = House::of_agora("g", true).await;
    house.agora(Method::POST, "/chatgroups/g/blocks/users/ben", Value::Null).await;
    house.agora(Method::POST, "/chatgroups/g/mute", json!({"usernames": ["cy"], "mute_duration": -1})).await;
    house.tencent("delete_group_member", json!({"GroupId": "g", "MemberToDel_Account": ["cy"]})).await;
    house.rong("group/user/ban/whitelist/add", "groupId=g&userId=cy").await;
    for user in ["ben", "cy"] {
        house.agora(Method::DELETE, &format!("/users/{user}"), Value::Null).await;
    }
    assert_eq!(house.get("/chatgroups/g/blocks/users").await, json!(["ben"]));
    let row = house.agora(Method::DELETE, "/chatgroups/g/blocks/users/ben", Value::Null).await;
    assert_eq!(row["result"], true);
    assert_eq!(house.get("/chatgroups/g/blocks/users").await, json!([]));
    assert_eq!(house.get("/chatgroups/g/mute").await[0]["user"], "cy");
    house.agora(Method::DELETE, "/chatgroups/g/mute/cy,nobody", Value::Null).await;
    assert_eq!(house.get("/chatgroups/g/mute").await, json!([]));
    house.agora(Method::DELETE, "/chatgroups/g/white/users/cy", Value::Null).await;
    let allowed = house.rong("group/user/ban/whitelist/query", "groupId=g").await;
    assert_eq!(allowed["userIds"], json!([]));
}

/// An entry whose id is spelled in another case than the account that Agora takes for it.
#[tokio::test]
async fn entries_are_found_as_they_are_shown() {
    let house = House::of_agora("g", true).await;
    house.0.tencent.register(&["Eve", "eve"]).await.unwrap();
    house.tencent("add_group_member", json!({"GroupId": "g", "MemberList": [{"Member_Account": "Eve"}]})).await;
    house.tencent("ban_group_member", json!({"GroupId": "g", "Members_Account": ["Eve"], "Duration": 60})).await;
    house.tencent("forbid_send_msg", json!({"GroupId": "g", "Members_Account": ["Eve"], "MuteTime": 60})).await;
    house.agora(Method::DELETE, "/chatgroups/g/blocks/users/eve", Value::Null).await;
    house.agora(Method::DELETE, "/chatgroups/g/mute/eve", Value::Null).await;
    assert_eq!(house.get("/chatgroups/g/blocks/users").await, json!([]));
    assert_eq!(house.get("/chatgroups/g/mute").await, json!([]));
}

/// Of two accounts whose ids differ only in case, calls about a group mean the one that is in the group.
#[tokio::test]
async fn a_member_is_found_by_the_id_that_the_list_shows() {
    let house = House::of_agora("g", true).await;
    house.0.tencent.register(&["Eve", "eve"]).await.unwrap();
    let both = json!([{"Member_Account": "Eve"}, {"Member_Account": "eve"}]);
    house.tencent("add_group_member", json!({"GroupId": "g", "MemberList": both})).await;
    house.tencent("delete_group_member", json!({"GroupId": "g", "MemberToDel_Account": ["eve"]})).await;
    let members = house.get("/chatgroups/g").await[0]["affiliations"].clone();
    assert!(members.as_array().unwrap().contains(&json!({"member": "eve"})), "{members}");
    assert_eq!(house.get("/chatgroups/g/user/eve/is_joined").await, true);
    house.agora(Method::POST, "/chatgroups/g/admin", json!({"newadmin": "eve"})).await;
    house.agora(Method::DELETE, "/chatgroups/g/users/eve", Value::Null).await;
    assert_eq!(house.get("/chatgroups/g/user/eve/is_joined").await, false);
    assert_eq!(house.info("g").await["MemberNum"], 3);
}

/// Agora's allowlist is one of members, though RongCloud keeps the places of those who have left.
#[tokio::test]
async fn agoras_allowlist_names_members_only() {
    let house = House::of_agora("g", true).await;
    for user in ["ben", "cy"] {
        house.agora(Method::POST, &format!("/chatgroups/g/white/users/{user}"), Value::Null).await;
    }
    house.tencent("delete_group_member", json!({"GroupId": "g", "MemberToDel_Account": ["ben"]})).await;
    assert_eq!(house.get("/chatgroups/g/white/users").await, json!(["ann", "cy"]));
    house.rong("group/quit", "groupId=g&userId=cy").await;
    assert_eq!(house.get("/chatgroups/g/white/users").await, json!(["ann"]));
    let allowed = house.rong("group/user/ban/whitelist/query", "groupId=g").await;
    assert_eq!(allowed["userIds"], json!(["cy"]), "RongCloud keeps it for when they come back");
    let asked = house.0.agora.call_as("ann", Method::GET, "/chatgroups/g/white/users/cy", None).await.unwrap();
    assert_eq!(asked["data"]["white"], false);
}

/// Members are listed in the order of joining, also those whose joining is imported later.
#[tokio::test]
async fn imported_members_are_where_they_joined() {
    let house = House::new().await;
    let now = house.0.world.groups.now().seconds();
    let import =
        json!({"Type": "Public", "Name": "n", "GroupId": "g", "Owner_Account": "ann", "CreateTime": now - 1000});
    house.tencent("import_group", import).await;
    house.tencent("add_group_member", json!({"GroupId": "g", "MemberList": [{"Member_Account": "ben"}]})).await;
    let old = json!([{"Member_Account": "cy", "JoinTime": now - 10}, {"Member_Account": "dan", "JoinTime": now - 500}]);
    house.tencent("import_group_member", json!({"GroupId": "g", "MemberList": old})).await;
    let tencent = house.info("g").await["MemberList"].clone();
    let ids: Vec<&str> =
        tencent.as_array().unwrap().iter().map(|row| row["Member_Account"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ann", "dan", "cy", "ben"]);
    let times: Vec<u64> = tencent.as_array().unwrap().iter().map(|row| row["JoinTime"].as_u64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let agora = house.get("/chatgroups/g/users?pagenum=1&pagesize=10").await;
    assert_eq!(agora, json!([{"member": "ben"}, {"member": "cy"}, {"member": "dan"}, {"owner": "ann"}]));
    let rong = house.rong("group/user/query", "groupId=g").await;
    assert_eq!(rong["users"].as_array().unwrap().len(), 4);
}

/// A group without a limit never shows fewer places than members.
#[tokio::test]
async fn a_group_without_a_limit_shows_room_for_all_its_members() {
    let house = House::of_tencent("g", "AVChatRoom").await;
    for at in 0..3001 {
        house.rong("user/getToken", &format!("userId=u{at}&name=n")).await;
    }
    for part in 0..31 {
        let users: Vec<String> = (part * 97..((part + 1) * 97).min(3001)).map(|at| format!("u{at}")).collect();
        house.agora(Method::POST, "/chatgroups/g/users", json!({"usernames": users})).await;
    }
    let detail = house.get("/chatgroups/g").await[0].clone();
    let count = detail["affiliations_count"].as_u64().unwrap();
    assert!(count > 3000);
    assert_eq!(detail["maxusers"], count);
}

/// A vendor does not add more members to a group than its own groups may have, but reads bigger ones.
#[tokio::test]
async fn a_narrower_vendor_does_not_extend_a_bigger_group() {
    let tencent = conclave_tencent::Settings { member_limit: 4, ..conclave_tencent::Settings::default() };
    let house = House(conclave_tests::house::three_with(tencent).await);
    house.0.tencent.register(&["ann", "ben", "cy", "dan", "Eve", "fay"]).await.unwrap();
    let members = ["ben", "cy"];
    let body =
        json!({"groupid": "g", "groupname": "n", "public": true, "maxusers": 10, "owner": "ann", "members": members});
    house.agora(Method::POST, "/chatgroups", body).await;
    let add = |user: &str| json!({"GroupId": "g", "MemberList": [{"Member_Account": user}]});
    house.tencent("add_group_member", add("dan")).await;
    assert_eq!(house.code("add_group_member", add("fay")).await, 10014);
    // a user who is a member already is not added
    assert_eq!(house.tencent("add_group_member", add("dan")).await["MemberList"][0]["Result"], 2);
    house.agora(Method::POST, "/chatgroups/g/users/fay", Value::Null).await;
    assert_eq!(house.info("g").await["MemberNum"], 5);
}
