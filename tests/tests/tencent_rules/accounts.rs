//! Accounts: kicking, importing, deleting.

use crate::tencent_support::{call, group_call};
use crate::{house, info, made, send};
use conclave_tencent::{Settings, user_sig};
use conclave_tests::house::credentials::{ADMIN, SDKAPPID, SECRET_KEY};
use conclave_tests::world::BEGINNING;
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_kicked_admin_needs_a_new_signature() {
    let (world, client) = house(Settings::default()).await;
    assert_eq!(call(&client, "im_open_login_svc/kick", &json!({"Identifier": "nobody"})).await["ErrorCode"], 70107);
    world.clock.step(10);
    assert_eq!(call(&client, "im_open_login_svc/kick", &json!({"UserID": ADMIN})).await["ErrorCode"], 0);
    let list = "group_open_http_svc/get_appid_group_list";
    assert_eq!(call(&client, list, &json!({})).await["ErrorCode"], 70001);
    world.clock.step(2000);
    let sig = user_sig(SDKAPPID, SECRET_KEY, ADMIN, BEGINNING.seconds() + 1, 60);
    let target = format!("/v4/{list}?sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={sig}");
    assert_eq!(send(&client, Method::POST, &target, "{}").await["ErrorCode"], 0);
}

#[tokio::test]
async fn account_commands_have_their_own_codes_and_limits() {
    let (_world, client) = house(Settings::default()).await;
    let many: Vec<Value> = (0..101).map(|index| json!({"UserID": format!("u{index}")})).collect();
    let long = "u".repeat(33);
    for (command, body, code) in [
        ("account_import", json!({}), 70402),
        ("account_import", json!({"UserID": ""}), 70402),
        ("account_import", json!({"UserID": long}), 70402),
        ("account_import", json!({"UserID": 7}), 60015),
        ("multiaccount_import", json!({}), 70402),
        ("multiaccount_import", json!({"AccountList": many}), 70402),
        ("account_check", json!({"CheckItem": many}), 70402),
        ("account_delete", json!({"DeleteItem": []}), 70402),
        ("kick", json!({}), 70402),
    ] {
        let answer = call(&client, &format!("im_open_login_svc/{command}"), &body).await;
        assert_eq!(answer["ErrorCode"], code, "{command} {body}");
    }
    let some = json!({"Accounts": ["new", long]});
    assert_eq!(call(&client, "im_open_login_svc/multiaccount_import", &some).await["FailAccounts"], json!([long]));
}

#[tokio::test]
async fn a_deleted_owner_leaves_the_group_without_one() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    call(&client, "im_open_login_svc/account_delete", &json!({"DeleteItem": [{"UserID": "alice"}]})).await;
    let left = info(&client, &id).await;
    assert_eq!((&left["Owner_Account"], &left["MemberNum"]), (&json!(""), &json!(1)));
    let owner = json!({"GroupId": id, "NewOwner_Account": "bob"});
    assert_eq!(group_call(&client, "change_group_owner", owner).await["ErrorCode"], 0);
    assert_eq!(info(&client, &id).await["Owner_Account"], "bob");
}

#[tokio::test]
async fn unknown_accounts_are_refused_or_made_as_set() {
    let body = json!({"Type": "Public", "Name": "g", "Owner_Account": "stranger"});
    let (_world, client) = house(Settings::default()).await;
    assert_eq!(group_call(&client, "create_group", body.clone()).await["ErrorCode"], 10019);
    let admin = json!({"Type": "Public", "Name": "g", "Owner_Account": ADMIN});
    assert_eq!(group_call(&client, "create_group", admin).await["ErrorCode"], 0, "admins are accounts");
    let (_world, client) = house(Settings { auto_import: true, ..Settings::default() }).await;
    assert_eq!(group_call(&client, "create_group", body).await["ErrorCode"], 0);
}
