//! Paging, filters, and the fields asked for.

use crate::tencent_support::{group_call, with_custom_keys};
use crate::{house, made, text};
use conclave_tencent::Settings;
use serde_json::{Value, json};

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

/// Each documented field by itself: a requested field is returned, and no other.
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
