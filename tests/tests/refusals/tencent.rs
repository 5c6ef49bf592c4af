//! The rows of Tencent.

use conclave_tencent::Settings;
use conclave_tests::client::Client;
use conclave_tests::refused::{Refused, happenings};
use conclave_tests::world::World;
use http::Method;
use serde_json::json;

use super::tencent_support::{client, group_call, query};

/// alice owns all groups, and bob is in all except the live one; carol has an account, ghost has none. `Full` is full,
/// `Gone` was dissolved, `Never` never existed; the custom keys G and M are configured.
async fn presupposed(client: &Client) {
    let bob = json!([{"Member_Account": "bob"}]);
    for (id, kind) in [
        ("Work", "Private"),
        ("Public", "Public"),
        ("Live", "AVChatRoom"),
        ("@TGS#_C", "Community"),
        ("Full", "Public"),
    ] {
        let mut body = json!({"Type": kind, "Name": "n", "GroupId": id, "Owner_Account": "alice"});
        if id != "Live" {
            body["MemberList"] = bob.clone();
        }
        if id == "Full" {
            body["MaxMemberCount"] = json!(2);
        }
        assert_eq!(group_call(client, "create_group", body).await["ErrorCode"], 0, "{id}");
    }
    let gone = json!({"Type": "Public", "Name": "n", "GroupId": "Gone"});
    assert_eq!(group_call(client, "create_group", gone).await["ErrorCode"], 0);
    assert_eq!(group_call(client, "destroy_group", json!({"GroupId": "Gone"})).await["ErrorCode"], 0);
    let mute = json!({"GroupId": "Public", "Members_Account": ["bob"], "MuteTime": 600});
    assert_eq!(group_call(client, "forbid_send_msg", mute).await["ErrorCode"], 0);
}

#[tokio::test]
async fn documented_errors_are_returned() {
    let settings =
        Settings { group_keys: vec!["G".to_owned()], member_keys: vec!["M".to_owned()], ..Settings::default() };
    let world = World::new();
    world.users(&["alice", "bob", "carol"]).await;
    let client = client(&world, settings);
    presupposed(&client).await;
    let (mut pinned, mut failed) = (Vec::new(), Vec::new());
    for refused in Refused::all("tencent") {
        let before = happenings(&world).await;
        let target = format!("{}?{}", refused.target(), query());
        let answer = client.send(Method::POST, &target, &[], super::repeated(&refused.body)).await;
        match refused.check(&answer, &[]) {
            Ok(row) => pinned.push(row),
            Err(failure) => failed.push(failure),
        }
        if happenings(&world).await != before {
            failed.push(format!("{} {} left something behind", refused.call, refused.body));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    insta::assert_snapshot!("tencent", pinned.join("\n"));
}
