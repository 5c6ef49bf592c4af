//! Where what one vendor's group is does not exist at another: a test for each line of the table of clashes in the
//! semantics.

use std::collections::BTreeSet;

use conclave_tests::story::{Refused, VendorApi as _};
use http::Method;
use serde_json::{Value, json};

use super::House;

const SEMANTICS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/semantics.md");

/// The lines of the table name the tests in this file, and all of them.
#[test]
fn each_clash_has_its_test() {
    let semantics = std::fs::read_to_string(SEMANTICS).unwrap();
    let (_, section) = semantics.split_once("\n## Clashes\n").expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let named = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| clash"));
    let named: BTreeSet<&str> = named.filter_map(|line| line.rsplit('`').nth(1)).collect();
    let here: BTreeSet<&str> = include_str!("clashes.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("async fn ")?.strip_suffix("() {"))
        .collect();
    assert_eq!(named, here);
}

/// The permissions of a group at `RongCloud`.
async fn permissions(house: &House, id: &str) -> Value {
    let profile = house.rong("entrust/group/profile/query", &format!("groupIds={id}")).await["profiles"][0].clone();
    serde_json::from_str(profile["permissions"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_work_group_of_tencent_at_agora() {
    let house = House::of_tencent("g", "Private").await;
    let detail = house.get("/chatgroups/g").await[0].clone();
    assert_eq!((&detail["public"], &detail["allowinvites"]), (&json!(false), &json!(true)), "{detail}");
    // strangers neither find it nor ask
    assert_eq!(house.get("/publicchatgroups").await, json!([]));
    assert_ne!(house.as_user("dan", Method::POST, "/chatgroups/g/apply", json!({"message": ""})).await, "200");
    // every member adds, and edits the profile
    let invited = json!({"usernames": ["dan"]});
    assert_eq!(house.as_user("ben", Method::POST, "/chatgroups/g/invite", invited).await, "200");
    assert_eq!(house.info("g").await["MemberNum"], 4);
    assert_eq!(house.as_user("ben", Method::PUT, "/chatgroups/g", json!({"groupname": "ours"})).await, "200");
    assert_eq!(house.info("g").await["Name"], "ours");
    // its owner may leave at Tencent alone
    assert_ne!(house.as_user("ann", Method::DELETE, "/chatgroups/g/quit", Value::Null).await, "200");
    assert_eq!(permissions(&house, "g").await["joinPerm"], 3);
}

#[tokio::test]
async fn a_private_group_of_agora_with_invitations_at_rongcloud() {
    let house = House::new().await;
    let group = json!({"groupid": "g", "groupname": "n", "public": false, "owner": "ann", "members": ["ben"],
        "allowinvites": true, "invite_need_confirm": true});
    house.agora(Method::POST, "/chatgroups", group).await;
    let found = permissions(&house, "g").await;
    let shown = ["joinPerm", "memInvitePerm", "invitePerm"].map(|key| found[key].as_u64().unwrap());
    assert_eq!(shown, [3, 2, 1], "nobody applies, every member invites, the invited user accepts: {found}");
    // and RongCloud's change of it is Agora's
    house.rong("entrust/group/profile/update", "groupId=g&permissions={\"invitePerm\":0,\"memInvitePerm\":1}").await;
    let detail = house.get("/chatgroups/g").await[0].clone();
    assert_eq!((&detail["invite_need_confirm"], &detail["allowinvites"]), (&json!(false), &json!(false)), "{detail}");
}

#[tokio::test]
async fn names_longer_than_another_vendor_allows() {
    let house = House::of_agora("g", true).await;
    // 120 characters and 360 bytes: Agora's limit is 128 characters, Tencent's 100 bytes, RongCloud's 64 characters
    let name = "名".repeat(120);
    house.agora(Method::PUT, "/chatgroups/g", json!({"groupname": name})).await;
    assert_eq!(house.info("g").await["Name"], name);
    assert_eq!(house.0.rong.truth("g").await.unwrap().name, name);
    // a change of something else leaves it as it is
    house.tencent("modify_group_base_info", json!({"GroupId": "g", "Introduction": "about"})).await;
    house.rong("entrust/group/profile/update", "groupId=g&groupProfile={\"introduction\":\"more\"}").await;
    assert_eq!(house.get("/chatgroups/g").await[0]["name"], name);
    // the others' limits apply to their own calls
    assert_eq!(house.code("modify_group_base_info", json!({"GroupId": "g", "Name": name})).await, 10004);
    assert_ne!(house.rong_code("entrust/group/profile/update", &format!("groupId=g&name={name}")).await, 200);
}

#[tokio::test]
async fn more_admins_than_another_vendor_allows() {
    let house = House::of_agora("g", true).await;
    let users: Vec<String> = (0..11).map(|number| format!("u{number}")).collect();
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    house.0.tencent.register(&named).await.unwrap();
    house.0.agora.add("g", &named).await.unwrap();
    for user in &named {
        house.0.agora.promote("g", user).await.unwrap();
    }
    // all eleven are shown at RongCloud, whose limit is ten, and no further one is added there
    let truth = house.0.rong.truth("g").await.unwrap();
    assert_eq!(Some(&truth), house.0.agora.truth("g").await.as_ref());
    assert_ne!(house.rong_code("entrust/group/manager/add", "groupId=g&userIds=ben").await, 200);
    house.0.tencent.promote("g", "ben").await.unwrap();
}

#[tokio::test]
async fn a_cap_set_at_one_vendor() {
    let house = House::of_agora("g", true).await;
    house.agora(Method::PUT, "/chatgroups/g", json!({"maxusers": 3})).await;
    assert_eq!(house.info("g").await["MaxMemberNum"], 3);
    let Refused(why) = house.0.agora.add("g", &["dan"]).await.unwrap_err();
    assert!(why.contains("403"), "{why}");
    let list = json!({"GroupId": "g", "MemberList": [{"Member_Account": "dan"}]});
    assert_eq!(house.code("add_group_member", list).await, 10014);
    assert_eq!(house.rong_code("entrust/group/join", "groupId=g&userIds=dan").await, 25411);
    assert_eq!(house.info("g").await["MemberNum"], 3, "nobody was added");
}

#[tokio::test]
async fn ids_that_need_encoding() {
    let house = House::new().await;
    let (group, user) = ("a/b#c?d e&f=%41", "x/y#z?w&v=%42");
    house.0.tencent.register(&[user]).await.unwrap();
    let body = json!({"Type": "Public", "Name": "n", "GroupId": group, "Owner_Account": "ann",
        "MemberList": [{"Member_Account": user}]});
    house.tencent("create_group", body).await;
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let detail = house.get(&format!("/chatgroups/{}", encoded(group))).await[0].clone();
    assert_eq!(detail["id"], group);
    assert!(detail["affiliations"].as_array().unwrap().iter().any(|one| one["member"] == user), "{detail}");
    assert!(house.0.rong.truth(group).await.unwrap().members.contains_key(user));
    let removed = format!("/chatgroups/{}/users/{}", encoded(group), encoded(user));
    house.agora(Method::DELETE, &removed, Value::Null).await;
    assert_eq!(house.info(group).await["MemberNum"], 1);
}

#[tokio::test]
async fn user_ids_that_differ_by_case() {
    let house = House::new().await;
    house.0.tencent.register(&["Eve", "eve"]).await.unwrap();
    let members = json!([{"Member_Account": "Eve"}, {"Member_Account": "eve"}]);
    let body = json!({"Type": "Public", "Name": "n", "GroupId": "g", "Owner_Account": "ann", "MemberList": members});
    house.tencent("create_group", body).await;
    assert_eq!(house.info("g").await["MemberNum"], 3);
    assert_eq!(house.0.rong.truth("g").await.unwrap().members.len(), 3);
    // Agora shows both under one name, and means the one that is spelled so; then the other, which is a member
    let rows = house.get("/chatgroups/g").await[0]["affiliations"].as_array().unwrap().clone();
    assert_eq!(rows.iter().filter(|row| row["member"] == "eve").count(), 2, "{rows:?}");
    house.agora(Method::DELETE, "/chatgroups/g/users/eve", Value::Null).await;
    let left: Vec<String> = house.0.rong.truth("g").await.unwrap().members.into_keys().collect();
    assert_eq!(left, ["Eve", "ann"]);
    house.agora(Method::DELETE, "/chatgroups/g/users/eve", Value::Null).await;
    assert_eq!(house.info("g").await["MemberNum"], 1);
}

#[tokio::test]
async fn announcement_notification_and_notice_are_one_text() {
    let house = House::hosted("g", 1).await;
    house.agora(Method::POST, "/chatgroups/g/announcement", json!({"announcement": "from Agora"})).await;
    let notice = async |house: &House| {
        let profile = house.rong("entrust/group/profile/query", "groupIds=g").await["profiles"][0].clone();
        let texts: Value = serde_json::from_str(profile["groupProfile"].as_str().unwrap()).unwrap();
        let agora = house.get("/chatgroups/g/announcement").await["announcement"].clone();
        [agora, house.info("g").await["Notification"].clone(), texts["announcement"].clone()]
    };
    assert_eq!(notice(&house).await, ["from Agora"; 3].map(Value::from));
    house.tencent("modify_group_base_info", json!({"GroupId": "g", "Notification": "from Tencent"})).await;
    assert_eq!(notice(&house).await, ["from Tencent"; 3].map(Value::from));
    let changed = "groupId=g&groupProfile={\"announcement\":\"from RongCloud\"}";
    house.rong("entrust/group/profile/update", changed).await;
    assert_eq!(notice(&house).await, ["from RongCloud"; 3].map(Value::from));
}

#[tokio::test]
async fn mute_times_in_each_vendors_units() {
    let house = House::of_agora("g", true).await;
    let now = house.0.world.groups.now();
    let until = async |house: &House| {
        let agora = house.get("/chatgroups/g/mute").await[0]["expire"].as_u64();
        let muted = house.tencent("get_group_muted_account", json!({"GroupId": "g"})).await;
        let tencent = muted["MutedAccountList"][0]["MutedUntil"].as_u64();
        let rong = house.rong("group/user/gag/list", "groupId=g").await["users"][0]["time"].as_str().map(str::len);
        (agora, tencent, rong)
    };
    // milliseconds from now; the list has the end in milliseconds, Tencent's in seconds, RongCloud's as a date
    house.agora(Method::POST, "/chatgroups/g/mute", json!({"usernames": ["ben"], "mute_duration": 120_000})).await;
    let date = Some("2026-11-30 12:00:00".len());
    assert_eq!(until(&house).await, (Some(now.0 + 120_000), Some(now.seconds() + 120), date));
    // seconds from now
    house.tencent("forbid_send_msg", json!({"GroupId": "g", "Members_Account": ["ben"], "MuteTime": 90})).await;
    assert_eq!(until(&house).await.1, Some(now.seconds() + 90));
    // minutes from now
    house.rong("group/user/gag/add", "groupId=g&userId=ben&minute=3").await;
    assert_eq!(until(&house).await.1, Some(now.seconds() + 180));
    // for ever: -1, 32 bits of ones, 0
    let forever = Some(u64::from(u32::MAX));
    house.agora(Method::POST, "/chatgroups/g/mute", json!({"usernames": ["ben"], "mute_duration": -1})).await;
    assert_eq!(until(&house).await.1, forever);
    house.tencent("forbid_send_msg", json!({"GroupId": "g", "Members_Account": ["ben"], "MuteTime": 0})).await;
    house.rong("group/user/gag/add", "groupId=g&userId=ben&minute=0").await;
    assert_eq!(until(&house).await.1, forever);
    let agora = until(&house).await.0;
    house.tencent("forbid_send_msg", json!({"GroupId": "g", "Members_Account": ["ben"], "MuteTime": u32::MAX})).await;
    assert_eq!(until(&house).await.0, agora, "for ever is one value at Agora");
}

#[tokio::test]
async fn a_live_room_at_the_others() {
    let house = House::of_tencent("g", "AVChatRoom").await;
    let detail = house.get("/chatgroups/g").await[0].clone();
    assert_eq!((&detail["public"], &detail["membersonly"]), (&json!(true), &json!(false)), "{detail}");
    assert_eq!(house.as_user("dan", Method::POST, "/chatgroups/g/apply", json!({"message": ""})).await, "200");
    assert_eq!(house.0.rong.truth("g").await.unwrap().count, 2);
    // it keeps no history for anybody
    assert_eq!(house.speaks("g", "dan").await, 0);
    assert_eq!(house.code("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 20})).await, 10044);
    let queue = json!({"queue": "g@conference.easemob.com", "start": -1, "pull_number": 20, "is_positive": false});
    let kept = house.agora(Method::POST, "/users/dan/messageroaming", queue).await;
    assert_eq!(kept["msgs"], json!([]), "{kept}");
}

#[tokio::test]
async fn a_topic_at_the_others() {
    let house = House::new().await;
    let group =
        json!({"Type": "Community", "Name": "n", "GroupId": "@TGS#_g", "Owner_Account": "ann", "SupportTopic": 1});
    house.tencent("create_group", group).await;
    let topic = json!({"GroupId": "@TGS#_g", "TopicName": "t"});
    let made = house.0.tencent.call("million_group_open_http_svc/create_topic", &topic).await.unwrap();
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "in the topic"}}]);
    let said =
        json!({"GroupId": "@TGS#_g", "TopicId": made["TopicId"], "Random": 1, "From_Account": "ann", "MsgBody": body});
    house.tencent("send_group_msg", said).await;
    // the group's own history has nothing of it, and no vendor lists the topic as a group
    let stored = house.tencent("group_msg_get_simple", json!({"GroupId": "@TGS#_g", "ReqMsgNumber": 20})).await;
    assert_eq!(stored["RspMsgList"].as_array().map_or(0, Vec::len), 0, "{stored}");
    for joined in [house.0.agora.joined("ann").await, house.0.rong.joined("ann").await] {
        assert_eq!(joined, ["@TGS#_g".to_owned()].into());
    }
}
