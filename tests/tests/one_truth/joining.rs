//! Which groups non-members find, who may ask to join, and who may invite.

use http::Method;
use serde_json::{Value, json};

use super::House;

/// Agora's `public`, Tencent's `ApplyJoinOption` and RongCloud's `joinPerm` are one setting, whichever vendor changes it;
/// and the type of a group never changes at Tencent.
#[tokio::test]
async fn who_may_apply_is_one_setting_for_all_vendors() {
    for made in ["agora public", "agora private", "Private", "Public", "ChatRoom", "hosted"] {
        let house = match made {
            "agora public" => House::of_agora("g", true).await,
            "agora private" => House::of_agora("g", false).await,
            "hosted" => House::hosted("g", 1).await,
            kind => House::of_tencent("g", kind).await,
        };
        let kind = house.info("g").await["Type"].clone();
        let mut wanted = None;
        for step in 0..8 {
            match step {
                0 => {
                    house
                        .tencent("modify_group_base_info", json!({"GroupId": "g", "ApplyJoinOption": "FreeAccess"}))
                        .await;
                    wanted = Some((true, false));
                }
                1 => {
                    house.agora(Method::PUT, "/chatgroups/g", json!({"public": false})).await;
                    wanted = Some((false, false));
                }
                2 => {
                    house.rong("entrust/group/profile/update", "groupId=g&permissions={\"joinPerm\":2}").await;
                    wanted = Some((true, true));
                }
                3 => {
                    house
                        .tencent("modify_group_base_info", json!({"GroupId": "g", "ApplyJoinOption": "DisableApply"}))
                        .await;
                    wanted = Some((false, true));
                }
                4 => {
                    house.agora(Method::PUT, "/chatgroups/g", json!({"public": true, "membersonly": false})).await;
                    wanted = Some((true, false));
                }
                5 => {
                    house.rong("entrust/group/profile/update", "groupId=g&permissions={\"joinPerm\":3}").await;
                    wanted = Some((false, false));
                }
                6 => {
                    house.rong("entrust/group/profile/update", "groupId=g&permissions={\"joinPerm\":1}").await;
                    wanted = Some((true, false));
                }
                _ => {}
            }
            let (public, approval) = wanted.unwrap();
            let detail = house.get("/chatgroups/g").await[0].clone();
            let info = house.info("g").await;
            let profile = house.rong("entrust/group/profile/query", "groupIds=g").await["profiles"][0].clone();
            let permissions: Value = serde_json::from_str(profile["permissions"].as_str().unwrap()).unwrap();
            let at = format!("{made}, step {step}");
            assert_eq!(detail["public"], public, "{at}");
            assert_eq!(info["ApplyJoinOption"] != "DisableApply", public, "{at}: {info}");
            assert_eq!(permissions["joinPerm"] != 3, public, "{at}: {permissions}");
            if public {
                assert_eq!(detail["membersonly"], approval, "{at}");
                assert_eq!(info["ApplyJoinOption"] == "NeedPermission", approval, "{at}");
            }
            let listed = house.get("/publicchatgroups").await;
            assert_eq!(listed.as_array().unwrap().len(), usize::from(public), "{at}: the public list");
            let seen = house.as_user("dan", Method::GET, "/chatgroups/g", Value::Null).await;
            assert_eq!(seen == "200", public, "{at}: a stranger reads {seen}");
            assert_eq!(info["Type"], kind, "{at}");
            let asked = house.as_user("dan", Method::POST, "/chatgroups/g/apply", json!({"message": "hi"})).await;
            assert_eq!(asked == "200", public, "{at}: a stranger asks: {asked}");
            house
                .0
                .tencent
                .answer("delete_group_member", &json!({"GroupId": "g", "MemberToDel_Account": ["dan"]}))
                .await;
        }
    }
}

/// The type is fixed when a group is made. Groups made elsewhere are `Public`, however they are changed later.
#[tokio::test]
async fn a_type_is_fixed() {
    let house = House::new().await;
    house.rong("group/create", "groupId=g&groupName=n&userId=ann,ben").await;
    assert_eq!(house.info("g").await["Type"], "Public");
    house.rong("entrust/group/import", "groupId=g&name=n&owner=ann&permissions={\"joinPerm\":3}").await;
    assert_eq!(house.info("g").await["Type"], "Public");
    house.rong("entrust/group/profile/update", "groupId=g&permissions={\"joinPerm\":1}").await;
    assert_eq!(house.info("g").await["Type"], "Public");
}

/// In a group without roles only lists and texts change, through the app: no member could decide about requests.
#[tokio::test]
async fn a_group_without_roles_is_not_opened() {
    let house = House::new().await;
    house.rong("group/create", "groupId=g&groupName=n&userId=ann,ben").await;
    let why = house.refused(Method::PUT, "/chatgroups/g", json!({"public": true})).await;
    assert!(why.contains("has no owner and no roles"), "{why}");
    let code = house.code("modify_group_base_info", json!({"GroupId": "g", "ApplyJoinOption": "FreeAccess"})).await;
    assert_eq!(code, 10007);
    let code = house.code("modify_group_base_info", json!({"GroupId": "g", "InviteJoinOption": "FreeAccess"})).await;
    assert_eq!(code, 10007);
    assert_eq!(house.get("/chatgroups/g").await[0]["public"], false);
    house.agora(Method::PUT, "/chatgroups/g", json!({"maxusers": 10})).await;
    house.tencent("modify_group_base_info", json!({"GroupId": "g", "Name": "m"})).await;
}

/// Invitations that need permission wait for the managers, also where anybody may join; and RongCloud's `joinPerm` changes
/// only who joins by asking.
#[tokio::test]
async fn invitations_wait_where_they_need_permission() {
    let house = House::of_tencent("g", "Public").await;
    let options = json!({"GroupId": "g", "ApplyJoinOption": "FreeAccess", "InviteJoinOption": "NeedPermission"});
    house.tencent("modify_group_base_info", options).await;
    let invited = json!({"usernames": ["dan"]});
    assert_eq!(house.as_user("ben", Method::POST, "/chatgroups/g/invite", invited).await, "200");
    assert_eq!(house.info("g").await["MemberNum"], 3, "dan waits");
    for join in 0..4 {
        let form = format!("groupId=g&permissions={{\"joinPerm\":{join}}}");
        house.rong("entrust/group/profile/update", &form).await;
        assert_eq!(house.info("g").await["InviteJoinOption"], "NeedPermission", "joinPerm {join}");
    }
    let decided = json!({"applicant": "dan", "verifyResult": true});
    house.agora(Method::POST, "/chatgroups/g/apply_verify", decided).await;
    assert_eq!(house.info("g").await["MemberNum"], 4);

    // of a group that RongCloud made, invitations need the approval that requests need
    let house = House::hosted("h", 2).await;
    house.rong("entrust/group/profile/update", "groupId=h&permissions={\"memInvitePerm\":2}").await;
    assert_eq!(house.info("h").await["InviteJoinOption"], "NeedPermission");
    house.tencent("modify_group_base_info", json!({"GroupId": "h", "InviteJoinOption": "FreeAccess"})).await;
    house.rong("entrust/group/profile/update", "groupId=h&permissions={\"joinPerm\":0}").await;
    assert_eq!(house.info("h").await["InviteJoinOption"], "FreeAccess");
}

/// A private group of Agora has admins, mutes and a mute of all; so it reads as a type that has them.
#[tokio::test]
async fn a_private_group_of_agora_is_of_a_type_that_has_what_it_has() {
    let house = House::of_agora("g", false).await;
    let info = house.info("g").await;
    assert_eq!((&info["Type"], &info["ApplyJoinOption"]), (&json!("Public"), &json!("DisableApply")));
    house.tencent("modify_group_member_info", json!({"GroupId": "g", "Member_Account": "ben", "Role": "Admin"})).await;
    assert_eq!(house.get("/chatgroups/g/admin").await, json!(["ben"]));
    house.tencent("modify_group_member_info", json!({"GroupId": "g", "Member_Account": "cy", "MuteTime": 60})).await;
    house.tencent("modify_group_base_info", json!({"GroupId": "g", "MuteAllMember": "On"})).await;
}
