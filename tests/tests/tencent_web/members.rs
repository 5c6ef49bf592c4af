//! The neighbours of "Group Management": members, their fields and mutes, attributes, counters and marks.

use conclave_tests::vendor::Sections as _;
use serde_json::{Value, json};

use crate::stage::{Stage, is_message};

fn named(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|member| member["userID"].as_str().expect("a name")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_added_listed_and_removed_with_a_result_for_each() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    let vendor_api = stage.served.vendor_apis().await.tencent;
    for user in ["carol", "dave"] {
        assert!(vendor_api.call("im_open_login_svc/account_import", &json!({"UserID": user})).await.is_ok());
    }
    let members = json!([{"userID": "bob", "role": "Admin"}]);
    stage.group("alice", json!({"name": "Work", "type": "Private", "groupID": "w1"})).await;
    stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "inviteOption": "FreeAccess", "memberList": members})).await;
    let users = json!([{"groupID": "g1", "userIDList": ["bob", "carol", "nobody"]}]);
    let added = stage.calls("alice", "addGroupMember", users).await;
    assert_eq!(added["data"]["successUserIDList"], json!(["carol"]), "{added}");
    assert_eq!(added["data"]["existedUserIDList"], json!(["bob"]));
    assert_eq!(added["data"]["failureUserIDList"], json!(["nobody"]));
    assert_eq!(stage.messages("bob", 1).await[0]["payload"]["userIDList"], json!(["carol"]));
    let page = stage.calls("bob", "getGroupMemberList", json!([{"groupID": "g1", "count": 2, "offset": 0}])).await;
    assert_eq!((named(&page["data"]["memberList"]), &page["data"]["offset"]), (vec!["alice", "bob"], &json!(2)));
    let page = stage.calls("bob", "getGroupMemberList", json!([{"groupID": "g1", "count": 2, "offset": 2}])).await;
    assert_eq!((named(&page["data"]["memberList"]), &page["data"]["offset"]), (vec!["carol"], &json!(0)));
    let admins = stage.calls("bob", "getGroupMemberList", json!([{"groupID": "g1", "role": "Admin"}])).await;
    assert_eq!(named(&admins["data"]["memberList"]), ["bob"]);
    let online = stage.calls("alice", "getGroupOnlineMemberCount", json!(["g1"])).await;
    assert_eq!(online["data"]["memberCount"], 2);

    stage.refused("bob", "deleteGroupMember", json!([{"groupID": "g1", "userIDList": ["alice"]}]), 10007).await;
    stage.calls("bob", "deleteGroupMember", json!([{"groupID": "g1", "userIDList": ["carol"], "reason": "no"}])).await;
    let tip = stage.messages("alice", 2).await;
    assert_eq!(tip[1]["payload"]["memberList"][0]["reason"], "no", "{tip:#?}");
    stage
        .refused("bob", "setGroupMemberRole", json!([{"groupID": "g1", "userID": "alice", "role": "Member"}]), 2681)
        .await;
    stage.calls("alice", "setGroupMemberRole", json!([{"groupID": "g1", "userID": "bob", "role": "Member"}])).await;
    let received = stage.messages("bob", 3).await;
    let kinds: Vec<&Value> = received.iter().map(|message| &message["payload"]["operationType"]).collect();
    assert_eq!(kinds, [3, 10, 5], "the tip of the removal, the notice and the tip");
    // a group of friends has no admins and no mutes
    stage.calls("alice", "addGroupMember", json!([{"groupID": "w1", "userIDList": ["bob"]}])).await;
    stage
        .refused("alice", "setGroupMemberRole", json!([{"groupID": "w1", "userID": "bob", "role": "Admin"}]), 10007)
        .await;
    stage
        .refused("alice", "setGroupMemberMuteTime", json!([{"groupID": "w1", "userID": "bob", "muteTime": 9}]), 10007)
        .await;
    stage.refused("alice", "dismissGroup", json!(["w1"]), 10007).await;
    // and lives on without its owner
    stage.calls("alice", "quitGroup", json!(["w1"])).await;
    let left = stage.calls("bob", "getGroupProfile", json!([{"groupID": "w1"}])).await;
    assert_eq!((&left["data"]["group"]["ownerID"], &left["data"]["group"]["memberCount"]), (&json!(""), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_fields_and_mutes_are_found_with_the_members() {
    let mut stage = Stage::of(&["alice", "bob"], |config| {
        let settings = &mut config.realms[0].tencent().settings;
        settings.member_keys = vec!["rank".to_owned()];
        settings.group_keys = vec!["color".to_owned()];
    })
    .await;
    let fields = json!([{"key": "color", "value": "red"}]);
    let members = json!([{"userID": "bob", "memberCustomField": [{"key": "rank", "value": "1"}]}]);
    let options =
        json!({"name": "First", "type": "Public", "groupID": "g1", "groupCustomField": fields, "memberList": members});
    stage.group("alice", options).await;
    let profile =
        stage.calls("bob", "getGroupProfile", json!([{"groupID": "g1", "groupCustomFieldFilter": ["color"]}])).await;
    assert_eq!(profile["data"]["group"]["groupCustomField"], fields);
    stage.calls("bob", "setGroupMemberNameCard", json!([{"groupID": "g1", "nameCard": "Bobby"}])).await;
    let rank = json!([{"groupID": "g1", "userID": "bob", "memberCustomField": [{"key": "rank", "value": "2"}]}]);
    stage.calls("bob", "setGroupMemberCustomField", rank).await;
    stage.calls("alice", "setGroupMemberMuteTime", json!([{"groupID": "g1", "userID": "bob", "muteTime": 600}])).await;
    let received = stage.messages("bob", 2).await;
    assert_eq!(received[1]["payload"]["memberList"][0]["muteTime"], 600, "{received:#?}");
    stage.messages("alice", 1).await;
    let asked = json!([{"groupID": "g1", "userIDList": ["bob"], "memberCustomFieldFilter": ["rank"]}]);
    let found = stage.calls("alice", "getGroupMemberProfile", asked).await;
    let member = &found["data"]["memberList"][0];
    assert_eq!(member["nameCard"], "Bobby", "{found}");
    assert_eq!(member["memberCustomField"], json!([{"key": "rank", "value": "2"}]));
    assert!(member["muteUntil"].as_u64().unwrap() > 1_500_000_000);
    // the card is shown with what is said
    stage.calls("alice", "setGroupMemberMuteTime", json!([{"groupID": "g1", "userID": "bob", "muteTime": 0}])).await;
    stage.messages("alice", 1).await;
    stage.calls("bob", "sendText", json!(["g1", "hello"])).await;
    assert_eq!(stage.messages("alice", 1).await[0]["nameCard"], "Bobby");
    // custom fields alone are a tip that is no part of the history
    stage.on("bob").take_all(is_message);
    let change = json!([{"groupID": "g1", "groupCustomField": [{"key": "color", "value": "blue"}]}]);
    stage.calls("alice", "updateGroupProfile", change).await;
    let tip = stage.messages("bob", 1).await.remove(0);
    assert_eq!(
        (&tip["sequence"], &tip["payload"]["newGroupProfile"]["groupCustomField"][0]["value"]),
        (&json!(0), &json!("blue"))
    );
    stage
        .refused(
            "alice",
            "updateGroupProfile",
            json!([{"groupID": "g1", "groupCustomField": [{"key": "size", "value": "1"}]}]),
            10004,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_and_counters_are_pushed_as_they_change() {
    let stage = Stage::with(&["alice", "bob"]).await;
    let members = json!([{"userID": "bob"}]);
    stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "memberList": members})).await;
    let pushed = async |user: &str| stage.on(user).event("GROUP_ATTRIBUTES_UPDATED").await["groupAttributes"].clone();
    for (method, args, expected) in [
        (
            "initGroupAttributes",
            json!({"groupID": "g1", "groupAttributes": {"a": "1", "b": "2"}}),
            json!({"a": "1", "b": "2"}),
        ),
        ("setGroupAttributes", json!({"groupID": "g1", "groupAttributes": {"a": "3"}}), json!({"a": "3", "b": "2"})),
        ("deleteGroupAttributes", json!({"groupID": "g1", "keyList": ["b"]}), json!({"a": "3"})),
    ] {
        stage.calls("alice", method, json!([args])).await;
        assert_eq!(pushed("alice").await, expected, "{method}");
        assert_eq!(pushed("bob").await, expected, "{method}");
        let read = stage.calls("bob", "getGroupAttributes", json!([{"groupID": "g1", "keyList": []}])).await;
        assert_eq!(read["data"]["groupAttributes"], expected, "{method}");
    }
    // both write, each after what the other has written
    stage.calls("bob", "setGroupAttributes", json!([{"groupID": "g1", "groupAttributes": {"a": "4"}}])).await;
    assert_eq!(pushed("alice").await, json!({"a": "4"}));
    stage.calls("alice", "deleteGroupAttributes", json!([{"groupID": "g1", "keyList": []}])).await;
    let read = stage.calls("alice", "getGroupAttributes", json!([{"groupID": "g1", "keyList": []}])).await;
    assert_eq!(read["data"]["groupAttributes"], json!({}));

    for (method, args, value) in [
        ("setGroupCounters", json!({"groupID": "g1", "counters": {"likes": 5}}), 5),
        ("increaseGroupCounter", json!({"groupID": "g1", "key": "likes", "value": 2}), 7),
        ("decreaseGroupCounter", json!({"groupID": "g1", "key": "likes", "value": 4}), 3),
    ] {
        let answer = stage.calls("alice", method, json!([args])).await;
        assert_eq!(answer["data"]["counters"]["likes"], value, "{method} {answer}");
        let pushed = stage.on("bob").event("GROUP_COUNTER_UPDATED").await;
        assert_eq!(pushed, json!({"groupID": "g1", "key": "likes", "value": value}), "{method}");
    }
    let read = stage.calls("bob", "getGroupCounters", json!([{"groupID": "g1"}])).await;
    assert_eq!(read["data"]["counters"], json!({"likes": 3}));
    assert!(stage.on("bob").take_all(is_message).is_empty(), "none of it is a message");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_are_tips_where_the_console_has_it_so() {
    let change = json!([{"groupID": "g1", "muteAllMembers": true, "joinOption": "DisableApply", "inviteOption": "NeedPermission"}]);
    for is_on in [false, true] {
        let stage =
            Stage::of(&["alice", "bob"], |config| config.realms[0].tencent().settings.option_tips = is_on).await;
        let members = json!([{"userID": "bob"}]);
        stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "memberList": members})).await;
        let group = stage.calls("alice", "updateGroupProfile", change.clone()).await["data"]["group"].clone();
        assert_eq!((&group["muteAllMembers"], &group["joinOption"]), (&json!(true), &json!("DisableApply")));
        stage.calls("alice", "sendText", json!(["g1", "end"])).await;
        let mut changed = json!({});
        loop {
            let message = stage.messages("bob", 1).await.remove(0);
            if message["payload"]["text"] == "end" {
                break;
            }
            assert_eq!((&message["payload"]["operationType"], &message["sequence"]), (&json!(6), &json!(0)));
            let new = message["payload"]["newGroupProfile"].as_object().unwrap().clone();
            changed.as_object_mut().unwrap().extend(new);
        }
        let all = json!({"muteAllMembers": true, "joinOption": "DisableApply", "inviteOption": "NeedPermission"});
        assert_eq!(changed, if is_on { all } else { json!({}) });
        // a query returns it in any case
        let group = stage.calls("bob", "getGroupProfile", json!([{"groupID": "g1"}])).await["data"]["group"].clone();
        assert_eq!((&group["muteAllMembers"], &group["inviteOption"]), (&json!(true), &json!("NeedPermission")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_live_rooms_are_marked() {
    let stage = Stage::with(&["alice", "bob"]).await;
    stage.group("alice", json!({"name": "Live", "type": "AVChatRoom", "groupID": "r1"})).await;
    for user in ["alice", "bob"] {
        stage.calls(user, "joinGroup", json!([{"groupID": "r1"}])).await;
    }
    let mark = json!([{"groupID": "r1", "userIDList": ["bob", "nobody"], "markType": 1000, "enableMark": true}]);
    let marked = stage.calls("alice", "markGroupMemberList", mark).await;
    assert_eq!(marked["data"], json!({"successUserIDList": ["bob"], "failureUserIDList": ["nobody"]}));
    let found = stage.calls("alice", "getGroupMemberList", json!([{"groupID": "r1", "filter": 1000}])).await;
    assert_eq!(named(&found["data"]["memberList"]), ["bob"], "{found}");
}
