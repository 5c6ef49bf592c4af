//! Tencent's server API beyond its documented exchanges: what it tolerates, the order of its checks, what each type of
//! group does and does not do, paging, revocation, and what settings switch.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod tencent_support;

use conclave_core::model::Policy;
use conclave_core::operation::CreateGroup;
use conclave_kit::{Fault, Surface};
use conclave_tencent::{Settings, SetupError, Tencent, user_sig};
use conclave_tests::client::Client;
use conclave_tests::house::credentials::{ADMIN, SDKAPPID, SECRET_KEY};
use conclave_tests::world::{BEGINNING, World, group};
use http::Method;
use serde_json::{Value, json};
use tencent_support::{Given, call, client, group_call, query, realm, told, with_custom_keys};

const KINDS: [&str; 5] = ["Private", "Public", "ChatRoom", "AVChatRoom", "Community"];

async fn house(settings: Settings) -> (World, Client) {
    let world = World::new();
    world.users(&["alice", "bob", "carol", "dave"]).await;
    let client = client(&world, settings);
    (world, client)
}

/// A group of this type with alice as owner and bob as member, as far as the type has any.
async fn made(client: &Client, kind: &str) -> String {
    let mut body = json!({"Type": kind, "Name": "g", "Owner_Account": "alice"});
    if kind != "AVChatRoom" {
        body["MemberList"] = json!([{"Member_Account": "bob"}]);
    }
    text(&group_call(client, "create_group", body).await["GroupId"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn info(client: &Client, id: &str) -> Value {
    group_call(client, "get_group_info", json!({"GroupIdList": [id]})).await["GroupInfo"][0].clone()
}

async fn send(client: &Client, method: Method, target: &str, body: impl Into<bytes::Bytes>) -> Value {
    told(&client.send(method, target, &[], body).await)
}

// --- the envelope and what is tolerated ----------------------------------------------------------------------------

#[tokio::test]
async fn get_without_and_with_a_body_is_served() {
    let (_world, client) = house(Settings::default()).await;
    let list = format!("/v4/group_open_http_svc/get_appid_group_list?{}", query());
    assert_eq!(send(&client, Method::GET, &list, "").await["TotalCount"], 0);
    let check = format!("/v4/im_open_login_svc/account_check?{}", query());
    let answer = send(&client, Method::GET, &check, r#"{"CheckItem":[{"UserID":"bob"}]}"#).await;
    assert_eq!(answer["ResultItem"][0]["AccountStatus"], "Imported");
}

#[tokio::test]
async fn signatures_may_be_percent_encoded_and_fields_null_or_unknown() {
    let (_world, client) = house(Settings::default()).await;
    let encoded = query().replace('*', "%2A").replace('_', "%5F");
    let target = format!("/v4/group_open_http_svc/get_appid_group_list?{encoded}");
    let body = r#"{"Limit":null,"GroupType":null,"Unheard":{"of":[1]}}"#;
    assert_eq!(send(&client, Method::POST, &target, body).await["ErrorCode"], 0);
}

#[tokio::test]
async fn what_is_no_json_object_is_60003() {
    let (_world, client) = house(Settings::default()).await;
    let target = format!("/v4/group_open_http_svc/destroy_group?{}", query());
    let deep = format!("{{\"GroupId\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_unknown = format!("{{\"x\":{}", "[".repeat(100_000));
    let bodies: [&[u8]; 8] = [
        b"{not json",
        b"[]",
        b"1",
        b"\"x\"",
        b"{\"GroupId\":\"\xff\"}",
        b"{} x",
        deep.as_bytes(),
        deep_unknown.as_bytes(),
    ];
    for body in bodies {
        let answer = send(&client, Method::POST, &target, body.to_vec()).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        assert!(answer["ErrorCode"] == 60003 || (body == deep.as_bytes() && answer["ErrorCode"] == 10004), "{shown}");
    }
}

#[tokio::test]
async fn checks_come_in_the_vendors_order() {
    let (_world, client) = house(Settings::default()).await;
    let sig = |who: &str| user_sig(SDKAPPID, SECRET_KEY, who, BEGINNING.seconds(), 60);
    let good = format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={}", sig(ADMIN));
    let command = "/v4/group_open_http_svc/destroy_group";
    for (target, body, code) in [
        ("/v4/group_open_http_svc/no_such_command?".to_owned(), "{not json", 60009),
        ("/v4/no_such_service/create_group?".to_owned(), "{}", 60009),
        ("/".to_owned(), "{}", 60009),
        (format!("{command}?identifier={ADMIN}"), "{not json", 60012),
        (format!("{command}?sdkappid=&identifier={ADMIN}"), "{not json", 60012),
        (format!("{command}?sdkappid=abc"), "{not json", 60006),
        (format!("{command}?sdkappid=99999999999999999999"), "{not json", 60006),
        (format!("{command}?sdkappid=1"), "{not json", 70020),
        (format!("{command}?sdkappid={SDKAPPID}&identifier={ADMIN}"), "{not json", 70002),
        (format!("{command}?sdkappid={SDKAPPID}&identifier={ADMIN}&usersig=x"), "{not json", 70003),
        (format!("{command}?sdkappid={SDKAPPID}&usersig={}", sig(ADMIN)), "{not json", 70013),
        (format!("{command}?sdkappid={SDKAPPID}&identifier=bob&usersig={}", sig("bob")), "{not json", 60010),
        (format!("{command}?{good}"), "{not json", 60003),
        (format!("{command}?{good}"), "{}", 10004),
        (format!("{command}?{good}"), r#"{"GroupId":7}"#, 10004),
        (format!("{command}?{good}"), r#"{"GroupId":"never"}"#, 10015),
    ] {
        assert_eq!(send(&client, Method::POST, &target, body).await["ErrorCode"], code, "{target} {body}");
    }
    let put = send(&client, Method::PUT, &format!("{command}?{good}"), "{}").await;
    assert_eq!(put["ErrorCode"], 60009);
}

#[tokio::test]
async fn faults_around_the_surface_are_the_vendors() {
    let tencent = Tencent::new(vec![realm(&World::new(), SDKAPPID, Settings::default())]).unwrap();
    for (fault, code) in
        [(Fault::TooLarge, 60002), (Fault::TimedOut, 60008), (Fault::Broken, 10002), (Fault::Busy, 60018)]
    {
        let response = tencent.fault(fault);
        assert_eq!(response.status(), 200);
        let body: Value = serde_json::from_slice(response.body().bytes().unwrap()).unwrap();
        assert_eq!((&body["ErrorCode"], &body["ActionStatus"]), (&json!(code), &json!("FAIL")));
    }
}

#[test]
fn realms_that_cannot_be_told_apart_are_refused() {
    let world = World::new();
    let twice = vec![realm(&world, SDKAPPID, Settings::default()), realm(&world, SDKAPPID, Settings::default())];
    assert!(matches!(Tencent::new(twice), Err(SetupError::SameApp { sdkappid: SDKAPPID, .. })));
    let bad = Settings { group_keys: vec!["not a key".to_owned()], ..Settings::default() };
    assert!(matches!(Tencent::new(vec![realm(&world, SDKAPPID, bad)]), Err(SetupError::Setting { .. })));
}

// --- accounts -------------------------------------------------------------------------------------------------------

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

// --- types ----------------------------------------------------------------------------------------------------------

/// What each command answers for a group of each type: the columns are [`KINDS`].
#[tokio::test]
async fn each_type_does_what_the_vendor_says() {
    let table: [(&str, Value, [u32; 5]); 20] = [
        ("add_group_member", json!({"MemberList": [{"Member_Account": "carol"}]}), [0, 0, 0, 10007, 0]),
        ("delete_group_member", json!({"MemberToDel_Account": ["bob"]}), [0, 0, 0, 10004, 0]),
        ("get_group_member_info", json!({}), [0, 0, 0, 10007, 0]),
        ("get_specified_group_member_info", json!({}), [0, 0, 0, 10007, 0]),
        ("get_role_in_group", json!({"User_Account": ["bob"]}), [0, 0, 0, 10007, 0]),
        ("change_group_owner", json!({"NewOwner_Account": "bob"}), [0, 0, 0, 10007, 0]),
        ("modify_group_member_info", json!({"Member_Account": "bob", "Role": "Admin"}), [10007, 0, 0, 10007, 0]),
        ("modify_group_member_info", json!({"Member_Account": "bob", "MuteTime": 9}), [10007, 0, 0, 10007, 0]),
        ("modify_group_member_info", json!({"Member_Account": "bob", "NameCard": "b"}), [0, 0, 0, 10007, 0]),
        ("modify_group_base_info", json!({"MuteAllMember": "On"}), [10007, 0, 0, 0, 0]),
        ("modify_group_base_info", json!({"ApplyJoinOption": "FreeAccess"}), [0, 0, 0, 10007, 0]),
        ("modify_group_base_info", json!({"InviteJoinOption": "FreeAccess"}), [0, 0, 0, 10007, 0]),
        ("modify_group_base_info", json!({"MaxMemberNum": 50}), [0, 0, 0, 0, 0]),
        ("forbid_send_msg", json!({"Members_Account": ["bob"], "MuteTime": 9}), [10007, 0, 0, 0, 0]),
        ("get_group_muted_account", json!({}), [10007, 0, 0, 0, 0]),
        ("ban_group_member", json!({"Members_Account": ["bob"], "Duration": 9}), [0, 0, 0, 0, 10007]),
        ("get_group_counter", json!({}), [0, 0, 0, 0, 10007]),
        ("clear_group_attr", json!({}), [0, 0, 0, 0, 10007]),
        ("group_msg_get_simple", json!({"ReqMsgNumber": 9}), [0, 0, 0, 10044, 0]),
        ("destroy_group", json!({}), [0, 0, 0, 0, 0]),
    ];
    for (command, body, codes) in table {
        for (kind, code) in KINDS.into_iter().zip(codes) {
            let (_world, client) = house(Settings::default()).await;
            let mut body = body.clone();
            body["GroupId"] = json!(made(&client, kind).await);
            let answer = group_call(&client, command, body.clone()).await;
            assert_eq!(answer["ErrorCode"], code, "{command} {body} in {kind}: {answer}");
        }
    }
}

#[tokio::test]
async fn groups_read_as_they_were_made() {
    let (_world, client) = house(with_custom_keys()).await;
    for kind in KINDS {
        let id = made(&client, kind).await;
        assert_eq!(id.starts_with("@TGS#_"), kind == "Community", "{id}");
        let read = info(&client, &id).await;
        assert_eq!((&read["Type"], &read["ErrorCode"]), (&json!(kind), &json!(0)));
        assert_eq!(read["MemberList"].is_array(), kind != "AVChatRoom");
        assert_eq!(read["MuteAllMember"], "Off");
        if kind != "AVChatRoom" {
            let flag = if kind == "ChatRoom" { "AcceptNotNotify" } else { "AcceptAndNotify" };
            assert_eq!(read["MemberList"][0]["MsgFlag"], flag, "{kind}");
        }
        assert_eq!(read["ShutUpAllMember"], "Off");
        let most = json!(match kind {
            "AVChatRoom" => 0,
            "Community" => 100_000,
            _ => 6000,
        });
        assert_eq!(read["MaxMemberNum"], most);
    }
    for option in ["FreeAccess", "NeedPermission", "DisableApply"] {
        let body = json!({"Type": "Public", "Name": "g", "ApplyJoinOption": option});
        let id = text(&group_call(&client, "create_group", body).await["GroupId"]);
        assert_eq!(info(&client, &id).await["ApplyJoinOption"], option);
        assert_eq!(info(&client, &id).await["Owner_Account"], "");
    }
}

#[tokio::test]
async fn creation_refuses_what_the_vendor_refuses() {
    let (_world, client) = house(Settings::default()).await;
    let many: Vec<Value> = (0..101).map(|index| json!({"Member_Account": format!("u{index}")})).collect();
    for (more, code) in [
        (json!({"Type": "Work"}), 10004),
        (json!({"Type": null}), 10004),
        (json!({"Name": ""}), 10004),
        (json!({"Name": "n".repeat(101)}), 10004),
        (json!({"Introduction": "n".repeat(401)}), 10004),
        (json!({"Notification": "n".repeat(401)}), 10004),
        (json!({"FaceUrl": "n".repeat(501)}), 10004),
        (json!({"MaxMemberCount": 6001}), 10004),
        (json!({"MaxMemberCount": -1}), 10004),
        (json!({"ApplyJoinOption": "DisableInvite"}), 10004),
        (json!({"GroupId": "@TGS#mine"}), 10004),
        (json!({"GroupId": "g".repeat(49)}), 10004),
        (json!({"Type": "Community", "GroupId": "mine"}), 10004),
        (json!({"AppDefinedData": [{"Key": "K", "Value": "v"}]}), 10004),
        (json!({"MemberList": many}), 10005),
        (json!({"MemberList": [{"Member_Account": "bob", "Role": "Owner"}]}), 10004),
        (json!({"MemberList": [{"Member_Account": 7}]}), 60015),
        (json!({"MemberList": [{"Member_Account": "nobody"}]}), 10019),
        (json!({"Type": "AVChatRoom", "MemberList": [{"Member_Account": "bob"}]}), 10007),
        (json!({"MaxMemberCount": 2, "MemberList": [{"Member_Account": "bob"}, {"Member_Account": "carol"}]}), 10038),
    ] {
        let mut body = json!({"Type": "Public", "Name": "g", "Owner_Account": "alice"});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        assert_eq!(group_call(&client, "create_group", body).await["ErrorCode"], code, "{more}");
    }
    let all = group_call(&client, "get_appid_group_list", json!({})).await;
    assert_eq!(all["TotalCount"], 0, "what was refused left no trace");
}

#[tokio::test]
async fn settings_switch_what_the_console_switches() {
    let off = Settings {
        communities: false,
        bans: false,
        attributes: false,
        counters: false,
        reuse_group_ids: false,
        ..Settings::default()
    };
    let (_world, client) = house(off).await;
    let community = json!({"Type": "Community", "Name": "g"});
    assert_eq!(group_call(&client, "create_group", community).await["ErrorCode"], 11000);
    let id = made(&client, "Public").await;
    let ban = json!({"GroupId": id, "Members_Account": ["bob"], "Duration": 9});
    assert_eq!(group_call(&client, "ban_group_member", ban).await["ErrorCode"], 10007);
    let set = json!({"GroupId": id, "GroupAttr": [{"key": "k", "value": "v"}]});
    assert_eq!(group_call(&client, "set_group_attr", set).await["ErrorCode"], 10059);
    assert_eq!(group_call(&client, "get_group_counter", json!({"GroupId": id})).await["ErrorCode"], 10059);

    let mine = json!({"Type": "Public", "Name": "g", "GroupId": "mine"});
    assert_eq!(group_call(&client, "create_group", mine.clone()).await["ErrorCode"], 0);
    assert_eq!(group_call(&client, "destroy_group", json!({"GroupId": "mine"})).await["ErrorCode"], 0);
    assert_eq!(group_call(&client, "create_group", mine).await["ErrorCode"], 10021);
}

#[tokio::test]
async fn a_private_group_waits_for_its_first_message() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Private").await;
    let joined = |user: &'static str, all: u32| {
        let body = json!({"Member_Account": user, "WithNoActiveGroups": all});
        let client = client.clone();
        async move { group_call(&client, "get_joined_group_list", body).await["TotalCount"].clone() }
    };
    assert_eq!(
        (joined("alice", 0).await, joined("bob", 0).await, joined("bob", 1).await),
        (json!(1), json!(0), json!(1))
    );
    let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
    let sent = group_call(&client, "send_group_msg", json!({"GroupId": id, "Random": 1, "MsgBody": said})).await;
    assert_eq!(sent["MsgSeq"], 1);
    assert_eq!(joined("bob", 0).await, 1);
}

// --- lists ----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn all_groups_are_listed_page_by_page_whatever_was_made_at_once() {
    let (world, client) = house(Settings::default()).await;
    let mut all = Vec::new();
    for index in 0..7 {
        all.push(made(&client, if index % 2 == 0 { "Public" } else { "ChatRoom" }).await);
        world.clock.step(if index == 3 { 1500 } else { 0 });
    }
    all.sort();
    for (kind, wanted) in [(json!(null), 7), (json!("Public"), 4)] {
        let mut found: Vec<String> = Vec::new();
        let mut next = json!(0);
        loop {
            let body = json!({"Limit": 2, "Next": next, "GroupType": kind});
            let page = group_call(&client, "get_appid_group_list", body).await;
            assert_eq!(page["TotalCount"], wanted);
            found.extend(page["GroupIdList"].as_array().unwrap().iter().map(|row| text(&row["GroupId"])));
            next = page["Next"].clone();
            assert!(next.as_u64().unwrap() < 1 << 53, "JavaScript holds it");
            if next == 0 {
                break;
            }
        }
        assert_eq!(found.len(), wanted);
        found.sort();
        found.dedup();
        assert_eq!(found.len(), wanted, "each once");
        assert!(found.iter().all(|id| all.contains(id)));
    }
}

#[tokio::test]
async fn members_are_listed_by_offset_and_in_communities_by_cursor() {
    let (_world, client) = house(Settings::default()).await;
    for kind in ["Public", "Community"] {
        let id = made(&client, kind).await;
        let more = json!([{"Member_Account": "carol"}, {"Member_Account": "dave"}]);
        group_call(&client, "add_group_member", json!({"GroupId": id, "MemberList": more})).await;
        let mut found: Vec<String> = Vec::new();
        let mut next = json!("");
        loop {
            let body = json!({"GroupId": id, "Limit": 3, "Offset": found.len(), "Next": next});
            let page = group_call(&client, "get_group_member_info", body).await;
            assert_eq!(page["MemberNum"], 4);
            let rows = page["MemberList"].as_array().unwrap();
            found.extend(rows.iter().map(|row| text(&row["Member_Account"])));
            next = page["Next"].clone();
            assert_eq!(next.is_string(), kind == "Community");
            if rows.len() < 3 {
                assert!(next == "" || next.is_null());
                break;
            }
        }
        assert_eq!(found, ["alice", "bob", "carol", "dave"], "{kind}");
        let managers = json!({"GroupId": id, "MemberRoleFilter": ["Owner", "Admin"], "Next": 0});
        let page = group_call(&client, "get_group_member_info", managers).await;
        assert_eq!(page["MemberList"].as_array().unwrap().len(), 1);
        assert_eq!(page["MemberList"][0]["Role"], "Owner");
    }
}

#[tokio::test]
async fn filters_leave_only_what_they_name() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let filter =
        json!({"GroupBaseInfoFilter": ["Name", "ShutUpAllMember"], "MemberInfoFilter": ["Account", "ShutUpUntil"]});
    let body = json!({"GroupIdList": [id], "ResponseFilter": filter});
    let answer = group_call(&client, "get_group_info", body).await;
    let of = |account: &str| json!({"Member_Account": account, "ShutUpUntil": 0});
    let wanted = json!({
        "GroupId": id, "ErrorCode": 0, "ErrorInfo": "", "Name": "g", "ShutUpAllMember": "Off",
        "MemberList": [of("alice"), of("bob")],
    });
    assert_eq!(answer["GroupInfo"][0], wanted);
}

/// Each documented field by itself: what is asked for comes back, and nothing beside it.
#[tokio::test]
async fn each_field_can_be_asked_for_by_itself() {
    let (_world, client) = house(with_custom_keys()).await;
    let id = made(&client, "Community").await;
    let keys = |value: &Value| {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.retain(|key| !matches!(key.as_str(), "GroupId" | "ErrorCode" | "ErrorInfo" | "Member_Account"));
        keys
    };
    for field in [
        "Type",
        "Name",
        "Appid",
        "Introduction",
        "Notification",
        "FaceUrl",
        "Owner_Account",
        "CreateTime",
        "LastInfoTime",
        "LastMsgTime",
        "NextMsgSeq",
        "InfoSeq",
        "MemberNum",
        "MaxMemberNum",
        "ApplyJoinOption",
        "InviteJoinOption",
        "MuteAllMember",
        "ShutUpAllMember",
        "SupportTopic",
        "EnablePermission",
        "DefaultPermission",
    ] {
        let filter = json!({"GroupBaseInfoFilter": [field]});
        let body = json!({"GroupIdList": [id], "ResponseFilter": filter});
        assert_eq!(keys(&group_call(&client, "get_group_info", body).await["GroupInfo"][0]), [field]);
        let body = json!({"Member_Account": "bob", "ResponseFilter": filter});
        assert_eq!(keys(&group_call(&client, "get_joined_group_list", body).await["GroupIdList"][0]), [field]);
    }
    for field in ["Role", "JoinTime", "MsgSeq", "MsgFlag", "LastSendMsgTime", "MuteUntil", "ShutUpUntil", "NameCard"] {
        let body = json!({"GroupId": id, "MemberInfoFilter": [field]});
        assert_eq!(keys(&group_call(&client, "get_group_member_info", body).await["MemberList"][0]), [field]);
        let body = json!({"GroupId": id, "Member_List_Account": ["bob"], "MemberInfoFilter": [field]});
        let named = group_call(&client, "get_specified_group_member_info", body).await;
        assert_eq!(keys(&named["MemberList"][0]), [field]);
        let body = json!({"GroupIdList": [id], "ResponseFilter": {"MemberInfoFilter": [field]}});
        let group = group_call(&client, "get_group_info", body).await["GroupInfo"][0].clone();
        assert_eq!(
            (keys(&group), keys(&group["MemberList"][0])),
            (vec!["MemberList".to_owned()], vec![field.to_owned()])
        );
    }
    for field in ["Role", "JoinTime", "MsgFlag", "MsgSeq"] {
        let body = json!({"Member_Account": "bob", "ResponseFilter": {"SelfInfoFilter": [field]}});
        let joined = group_call(&client, "get_joined_group_list", body).await["GroupIdList"][0].clone();
        assert_eq!((keys(&joined), keys(&joined["SelfInfo"])), (vec!["SelfInfo".to_owned()], vec![field.to_owned()]));
    }
}

// --- members --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn each_added_user_gets_its_own_result() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let list: Vec<Value> =
        ["carol", "bob", "nobody", "carol", "nobody"].iter().map(|id| json!({"Member_Account": id})).collect();
    let answer = group_call(&client, "add_group_member", json!({"GroupId": id, "MemberList": list})).await;
    let results: Vec<&Value> = answer["MemberList"].as_array().unwrap().iter().map(|row| &row["Result"]).collect();
    assert_eq!(results, [1, 2, 0, 2, 0]);

    let ban = json!({"GroupId": id, "Members_Account": ["bob"], "Duration": 60});
    assert_eq!(group_call(&client, "ban_group_member", ban).await["ErrorCode"], 0);
    let bob = json!({"GroupId": id, "MemberList": [{"Member_Account": "bob"}]});
    assert_eq!(group_call(&client, "add_group_member", bob).await["MemberList"][0]["Result"], 0, "banned");
}

#[tokio::test]
async fn the_owner_is_beyond_removal_and_roles() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    for (command, body) in [
        ("delete_group_member", json!({"MemberToDel_Account": ["bob", "alice"]})),
        ("modify_group_member_info", json!({"Member_Account": "alice", "Role": "Member", "NameCard": "x"})),
        ("ban_group_member", json!({"Members_Account": ["bob", "alice"], "Duration": 60})),
    ] {
        let mut body = body;
        body["GroupId"] = json!(id);
        assert_eq!(group_call(&client, command, body).await["ErrorCode"], 10007, "{command}");
    }
    let read = info(&client, &id).await;
    assert_eq!(read["MemberNum"], 2, "what was refused changed nothing");
    assert_eq!(read["MemberList"][0]["NameCard"], "");
}

#[tokio::test]
async fn what_a_members_change_cannot_be_is_refused_and_what_it_leaves_empty_stays() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let modify = |more: Value| {
        let mut body = json!({"GroupId": id, "Member_Account": "bob"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let client = client.clone();
        async move { group_call(&client, "modify_group_member_info", body).await["ErrorCode"].clone() }
    };
    assert_eq!(modify(json!({"Role": "Admin", "MsgFlag": "Discard", "MuteTime": 60})).await, 0);
    for wrong in [
        json!({"NameCard": "x", "MuteTime": 4_294_967_296_u64}),
        json!({"NameCard": "x", "ShutUpTime": 4_294_967_296_u64}),
        json!({"NameCard": "x", "MuteTime": -1}),
        json!({"NameCard": "x", "Role": "Owner"}),
        json!({"NameCard": "x", "Role": "Boss"}),
        json!({"NameCard": "x", "MsgFlag": "Loud"}),
        json!({"MuteTime": 0, "NameCard": "x".repeat(51)}),
    ] {
        assert_eq!(modify(wrong.clone()).await, 10004, "{wrong}");
    }
    // old clients send empty words for what they do not say
    assert_eq!(modify(json!({"Role": "", "MsgFlag": "", "NameCard": "y"})).await, 0);
    let bob = info(&client, &id).await["MemberList"][1].clone();
    assert_eq!((&bob["Role"], &bob["MsgFlag"], &bob["NameCard"]), (&json!("Admin"), &json!("Discard"), &json!("y")));
    assert_eq!(bob["MuteUntil"], BEGINNING.seconds() + 60);
}

#[tokio::test]
async fn an_imported_group_has_a_limit_and_a_past_of_its_own() {
    let (_world, client) = house(Settings::default()).await;
    let import = |more: Value| {
        let mut body = json!({"Type": "Public", "Name": "g", "Owner_Account": "alice"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let client = client.clone();
        async move { group_call(&client, "import_group", body).await }
    };
    for (more, most) in [
        (json!({}), 2000),
        (json!({"MaxMemberCount": 0}), 2000),
        (json!({"MaxMemberCount": 6000}), 6000),
        (json!({"Type": "Community"}), 100_000),
    ] {
        let id = text(&import(more.clone()).await["GroupId"]);
        assert_eq!(info(&client, &id).await["MaxMemberNum"], most, "{more}");
    }
    for (more, code) in [
        (json!({"MaxMemberCount": 6001}), 10004),
        (json!({"CreateTime": BEGINNING.seconds() + 1}), 10004),
        (json!({"Type": "AVChatRoom"}), 10007),
        (json!({"Owner_Account": "nobody"}), 10019),
    ] {
        assert_eq!(import(more.clone()).await["ErrorCode"], code, "{more}");
    }
    let past = BEGINNING.seconds() - 1000;
    let id = text(&import(json!({"CreateTime": past})).await["GroupId"]);
    assert_eq!(info(&client, &id).await["CreateTime"], past);
    let join = |at: u64| json!({"GroupId": id, "MemberList": [{"Member_Account": "bob", "JoinTime": at}]});
    for (at, result) in [(past - 1, 0), (BEGINNING.seconds() + 1, 0), (past, 1), (past, 2)] {
        let answer = group_call(&client, "import_group_member", join(at)).await;
        assert_eq!(answer["MemberList"][0]["Result"], result, "{at}");
    }
}

#[tokio::test]
async fn a_mute_is_told_and_outlives_membership() {
    let (world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let mute = json!({"GroupId": id, "Members_Account": ["bob"], "ShutUpTime": 100});
    assert_eq!(group_call(&client, "forbid_send_msg", mute).await["ErrorCode"], 0);
    let until = json!(BEGINNING.seconds() + 100);
    assert_eq!(info(&client, &id).await["MemberList"][1]["MuteUntil"], until);
    assert_eq!(info(&client, &id).await["MemberList"][1]["ShutUpUntil"], until);
    group_call(&client, "delete_group_member", json!({"GroupId": id, "MemberToDel_Account": ["bob"]})).await;
    let old = group_call(&client, "get_group_shutted_uin", json!({"GroupId": id})).await;
    assert_eq!(old["ShuttedUinList"], json!([{"Member_Account": "bob", "ShuttedUntil": until}]));
    world.clock.step(101_000);
    let new = group_call(&client, "get_group_muted_account", json!({"GroupId": id})).await;
    assert_eq!(new["MutedAccountList"], json!([]));
}

#[tokio::test]
async fn custom_fields_come_and_go_with_their_keys() {
    let (_world, client) = house(with_custom_keys()).await;
    let pair = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let body = json!({
        "Type": "Public", "Name": "g", "Owner_Account": "alice",
        "AppDefinedData": [pair("GroupTestData1", "a"), pair("GroupTestData2", "b")],
        "MemberList": [{"Member_Account": "bob", "AppMemberDefinedData": [pair("MemberDefined1", "m")]}],
    });
    let id = text(&group_call(&client, "create_group", body).await["GroupId"]);
    let read = info(&client, &id).await;
    assert_eq!(read["AppDefinedData"], json!([pair("GroupTestData1", "a"), pair("GroupTestData2", "b")]));
    assert_eq!(read["MemberList"][1]["AppMemberDefinedData"], json!([pair("MemberDefined1", "m")]));
    let change = json!({"GroupId": id, "AppDefinedData": [pair("GroupTestData1", "")]});
    assert_eq!(group_call(&client, "modify_group_base_info", change).await["ErrorCode"], 0);
    assert_eq!(info(&client, &id).await["AppDefinedData"], json!([pair("GroupTestData2", "b")]));
}

// --- messages -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_repeated_message_is_one_message_and_muted_users_do_not_speak() {
    let (_world, client) = house(Settings::default()).await;
    let id = made(&client, "Public").await;
    let message = |random: u32, words: &str, from: Value| {
        let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": words}}]);
        json!({"GroupId": id, "Random": random, "MsgBody": body, "From_Account": from})
    };
    let said = |body: Value| {
        let client = client.clone();
        async move { group_call(&client, "send_group_msg", body).await }
    };
    assert_eq!(said(message(1, "a", json!("bob"))).await["MsgSeq"], 1);
    assert_eq!(said(message(1, "a", json!("bob"))).await["MsgSeq"], 1, "the same again");
    assert_eq!(said(message(1, "b", json!("bob"))).await["MsgSeq"], 2, "another text under the same number");
    assert_eq!(said(message(1, "a", Value::Null)).await["MsgSeq"], 3, "another sender");
    assert_eq!(said(message(2, "a", json!("carol"))).await["ErrorCode"], 10007, "no member");
    assert_eq!(said(message(2, "a", json!("nobody"))).await["ErrorCode"], 10019);
    group_call(&client, "modify_group_base_info", json!({"GroupId": id, "MuteAllMember": "On"})).await;
    assert_eq!(said(message(2, "a", json!("bob"))).await["ErrorCode"], 10017);
    assert_eq!(said(message(2, "a", json!("alice"))).await["MsgSeq"], 4, "the owner speaks on");

    let page = group_call(&client, "group_msg_get_simple", json!({"GroupId": id, "ReqMsgNumber": 3})).await;
    let numbers: Vec<&Value> = page["RspMsgList"].as_array().unwrap().iter().map(|row| &row["MsgSeq"]).collect();
    assert_eq!((numbers, &page["IsFinished"]), (vec![&json!(4), &json!(3), &json!(2)], &json!(0)));
    assert_eq!(page["RspMsgList"][1]["From_Account"], ADMIN);
}

// --- groups made elsewhere ------------------------------------------------------------------------------------------

#[tokio::test]
async fn groups_without_roles_have_only_members() {
    let (world, client) = house(Settings::default()).await;
    let hidden = Policy { discoverable: false, ..Policy::standard() };
    let mut make = CreateGroup::new(None, hidden);
    make.id = Some(group("plain"));
    make.governed = false;
    make.members = vec![conclave_core::operation::NewMember::now(conclave_tests::world::user("bob"))];
    world.run(make).await;
    let read = info(&client, "plain").await;
    assert_eq!((&read["Type"], &read["Owner_Account"]), (&json!("Private"), &json!("")));
    assert_eq!(read["MemberList"][0]["Role"], "Member");
    let owner = json!({"GroupId": "plain", "NewOwner_Account": "bob"});
    assert_eq!(group_call(&client, "change_group_owner", owner).await["ErrorCode"], 10007);
    let admin = json!({"GroupId": "plain", "Member_Account": "bob", "Role": "Admin"});
    assert_eq!(group_call(&client, "modify_group_member_info", admin).await["ErrorCode"], 10007);
    let add = json!({"GroupId": "plain", "MemberList": [{"Member_Account": "carol"}]});
    assert_eq!(group_call(&client, "add_group_member", add).await["MemberList"][0]["Result"], 1);
    Given::new("other", "Public", "alice").make(&world).await;
}
