//! What each type of group supports, and groups created elsewhere.

use crate::tencent_support::{Given, group_call, with_custom_keys};
use crate::{KINDS, house, info, made, text};
use conclave_core::model::{Join, Policy};
use conclave_core::operation::CreateGroup;
use conclave_tencent::Settings;
use conclave_tests::world::group;
use serde_json::{Value, json};

/// The code of each command for a group of each type: the columns are [`KINDS`].
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

#[tokio::test]
async fn groups_without_roles_have_only_members() {
    let (world, client) = house(Settings::default()).await;
    let hidden = Policy { join: Join::Closed, ..Policy::standard() };
    let mut make = CreateGroup::new(None, hidden);
    make.id = Some(group("plain"));
    make.governed = false;
    make.members = vec![conclave_core::operation::NewMember::now(conclave_tests::world::user("bob"))];
    world.run(make).await;
    let read = info(&client, "plain").await;
    assert_eq!((&read["Type"], &read["Owner_Account"]), (&json!("Public"), &json!("")));
    assert_eq!(read["MemberList"][0]["Role"], "Member");
    let owner = json!({"GroupId": "plain", "NewOwner_Account": "bob"});
    assert_eq!(group_call(&client, "change_group_owner", owner).await["ErrorCode"], 10007);
    let admin = json!({"GroupId": "plain", "Member_Account": "bob", "Role": "Admin"});
    assert_eq!(group_call(&client, "modify_group_member_info", admin).await["ErrorCode"], 10007);
    let add = json!({"GroupId": "plain", "MemberList": [{"Member_Account": "carol"}]});
    assert_eq!(group_call(&client, "add_group_member", add).await["MemberList"][0]["Result"], 1);
    Given::new("other", "Public", "alice").make(&world).await;
}
