//! Owners, accounts, and groups that end and begin again.

use http::Method;
use serde_json::{Value, json};

use super::House;

/// The owner of a `Private` group leaves through Tencent alone: the others' rules keep owners in.
#[tokio::test]
async fn other_vendors_keep_the_owner_of_a_private_group_in() {
    let house = House::of_tencent("g", "Private").await;
    assert_eq!(house.rong_code("entrust/group/quit", "groupId=g&userIds=ann").await, 25417);
    assert_ne!(house.rong_code("group/quit", "groupId=g&userId=ann").await, 200);
    let refused = house.as_user("ann", Method::DELETE, "/chatgroups/g/quit", Value::Null).await;
    assert!(refused.contains("owner can not quit group"), "{refused}");
    assert_eq!(house.info("g").await["Owner_Account"], "ann");
}

/// Groups that cannot be without an owner end with the owner's account, whichever vendor ends it; Tencent's continue without an owner.
#[tokio::test]
async fn groups_that_need_an_owner_end_with_the_owners_account() {
    let house = House::hosted("r", 1).await;
    house
        .agora(Method::POST, "/chatgroups", json!({"groupid": "a", "groupname": "n", "public": true, "owner": "ann"}))
        .await;
    house.tencent("create_group", json!({"Type": "Public", "Name": "n", "GroupId": "t", "Owner_Account": "ann"})).await;
    let body = json!({"DeleteItem": [{"UserID": "ann"}]});
    house.0.tencent.call("im_open_login_svc/account_delete", &body).await.unwrap();
    for (id, code) in [("r", 10010), ("a", 10010), ("t", 0)] {
        assert_eq!(house.info(id).await["ErrorCode"], code, "{id}");
    }
    assert_eq!(house.info("t").await["Owner_Account"], "");
}

/// A group that takes an id again has nothing of the group that had it before.
#[tokio::test]
async fn a_new_group_has_no_past() {
    for first in ["legacy", "hosted", "agora", "tencent"] {
        for second in ["legacy", "agora", "tencent"] {
            let house = House::new().await;
            make(&house, first).await;
            house.rong("group/user/gag/add", "groupId=g&userId=ben&minute=0").await;
            house.rong("group/user/ban/whitelist/add", "groupId=g&userId=cy").await;
            house.rong("group/ban/add", "groupId=g").await;
            house
                .tencent("ban_group_member", json!({"GroupId": "g", "Members_Account": ["cy"], "Duration": 600}))
                .await;
            let said = "fromUserId=ben&objectName=RC:TxtMsg&content={\"content\":\"before\"}&toGroupId=g";
            house.rong("message/group/publish", said).await;
            house.tencent("destroy_group", json!({"GroupId": "g"})).await;

            make(&house, second).await;
            let at = format!("{second} after {first}");
            let info = house.info("g").await;
            assert_eq!(info["MuteAllMember"], "Off", "{at}");
            assert_eq!(info["LastMsgTime"], 0, "{at}");
            assert_eq!(info["MemberNum"], 3, "{at}: {info}");
            assert!(info["MemberList"].as_array().unwrap().iter().all(|row| row["MuteUntil"] == 0), "{at}: {info}");
            let page = house.tencent("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 20})).await;
            let messages = page["RspMsgList"].as_array().unwrap().iter().filter(|row| row.get("IsSystemMsg").is_none());
            assert_eq!((messages.count(), &page["IsFinished"]), (0, &json!(1)), "{at}");
            assert_eq!(house.get("/chatgroups/g/mute").await, json!([]), "{at}");
            assert_eq!(house.get("/chatgroups/g/blocks/users").await, json!([]), "{at}");
            let allowed = house.rong("group/user/ban/whitelist/query", "groupId=g").await;
            assert_eq!(allowed["userIds"], json!([]), "{at}");
            assert_eq!(house.rong("group/ban/query", "groupId=g").await["groupinfo"][0]["stat"], 0, "{at}");
            let queue = json!({"queue": "g@conference.easemob.com", "start": "-1", "pull_number": 20});
            let roaming = house.agora(Method::POST, "/users/ann/messageroaming", queue).await;
            assert_eq!(roaming["msgs"], json!([]), "{at}");
            for user in ["ben", "cy"] {
                assert_eq!(house.speaks("g", user).await, 0, "{at}: {user}");
            }
        }
    }
}

/// A group "g" of ann, ben and cy.
async fn make(house: &House, how: &str) {
    match how {
        "legacy" => house.rong("group/create", "groupId=g&groupName=n&userId=ann,ben,cy").await,
        "hosted" => house.rong("entrust/group/create", "groupId=g&name=n&owner=ann&userIds=ben,cy").await,
        "agora" => {
            let body =
                json!({"groupid": "g", "groupname": "n", "public": true, "owner": "ann", "members": ["ben", "cy"]});
            house.agora(Method::POST, "/chatgroups", body).await
        }
        _ => {
            let members = json!([{"Member_Account": "ben"}, {"Member_Account": "cy"}]);
            let body =
                json!({"Type": "Public", "Name": "n", "GroupId": "g", "Owner_Account": "ann", "MemberList": members});
            house.tencent("create_group", body).await
        }
    };
}

/// An app token never gets the error for a missing right, or SDKs would fetch new tokens without end.
#[tokio::test]
async fn an_app_token_never_gets_an_authentication_error() {
    for kind in ["AVChatRoom", "Private", "Community"] {
        let id = if kind == "Community" { "@TGS#_g" } else { "g" };
        let house = House::of_tencent(id, kind).await;
        let part = id.replace('@', "%40").replace('#', "%23");
        house.0.agora.call(Method::POST, &format!("/chatgroups/{part}/users/dan"), None).await.unwrap();
        let calls: [(Method, &str, Value); 14] = [
            (Method::PUT, "", json!({"newowner": "dan"})),
            (Method::PUT, "", json!({"groupname": "m", "public": false, "maxusers": 100, "allowinvites": true})),
            (Method::POST, "/admin", json!({"newadmin": "dan"})),
            (Method::DELETE, "/admin/dan", Value::Null),
            (Method::POST, "/mute", json!({"usernames": ["dan"], "mute_duration": 1000})),
            (Method::GET, "/mute", Value::Null),
            (Method::POST, "/ban", Value::Null),
            (Method::POST, "/white/users/dan", Value::Null),
            (Method::GET, "/white/users", Value::Null),
            (Method::POST, "/announcement", json!({"announcement": "a"})),
            (Method::POST, "/blocks/users/dan", Value::Null),
            (Method::DELETE, "/blocks/users/dan", Value::Null),
            (Method::DELETE, "/users/dan", Value::Null),
            (Method::DELETE, "", Value::Null),
        ];
        for (method, path, body) in calls {
            let body = Some(body).filter(|body| !body.is_null());
            let answer = house.0.agora.call(method.clone(), &format!("/chatgroups/{part}{path}"), body).await;
            if let Err(refused) = answer {
                assert!(!refused.0.starts_with("401"), "{kind}: {method} {path}: {refused:?}");
            }
        }
    }
}

/// One call that changes the name and the announcement is one change of the group.
#[tokio::test]
async fn one_call_is_one_change_of_the_profile() {
    let house = House::of_tencent("g", "Public").await;
    let before = house.info("g").await["InfoSeq"].as_u64().unwrap();
    let change = json!({"GroupId": "g", "Name": "m", "Notification": "n", "Introduction": "i"});
    house.tencent("modify_group_base_info", change.clone()).await;
    assert_eq!(house.info("g").await["InfoSeq"], before + 1);
    house.tencent("modify_group_base_info", change).await;
    assert_eq!(house.info("g").await["InfoSeq"], before + 1, "what is so already is no change");
    house.rong("entrust/group/profile/update", "groupId=g&groupProfile={\"name\":\"o\",\"announcement\":\"p\"}").await;
    assert_eq!(house.info("g").await["InfoSeq"], before + 2);
}

/// Official SDKs send 0 for a number that the app has not given.
#[tokio::test]
async fn zero_is_not_given() {
    let house = House::new().await;
    house.rong("group/create", "groupId=g&groupName=n&userId=ann&maxMember=0").await;
    house.rong("group/join", "groupId=g&userId=ben,cy&maxMember=0").await;
    assert_eq!(house.rong_code("group/join", "groupId=g&userId=dan&maxMember=3").await, 405);
    house.tencent("modify_group_base_info", json!({"GroupId": "g", "Name": "m", "MaxMemberNum": 0})).await;
    let import = json!({"Type": "Public", "Name": "n", "GroupId": "i", "Owner_Account": "ann", "CreateTime": 0, "MaxMemberCount": 0});
    house.tencent("import_group", import).await;
    assert_eq!(house.info("i").await["CreateTime"], house.0.world.groups.now().seconds());
    let members = json!([{"Member_Account": "ben", "JoinTime": 0, "UnreadMsgNum": 0}]);
    house.tencent("import_group_member", json!({"GroupId": "i", "MemberList": members})).await;
    assert_eq!(house.info("i").await["MemberNum"], 2);
    // pages and their sizes
    house.rong("group/ban/add", "groupId=g").await;
    for (path, form) in [
        ("user/group/query", "userId=ann&page=0&size=0"),
        ("group/ban/query", "page=0&size=0"),
        ("group/ban/query", "groupId=g&page=0&size=0"),
        ("entrust/group/query", "size=0"),
        ("entrust/joined/group/query", "userId=ann&role=0&size=0"),
        ("entrust/group/member/query", "groupId=i&type=0&size=0"),
        ("v3/message/group/query", "userId=ann&targetId=g&startTime=0&endTime=9&pageSize=0"),
    ] {
        let zero = house.rong(path, form).await;
        let unset: Vec<&str> = form.split('&').filter(|pair| !pair.ends_with("ize=0") && *pair != "page=0").collect();
        assert_eq!(zero, house.rong(path, &unset.join("&")).await, "{path} {form}");
    }
    assert_eq!(house.rong_code("entrust/group/query", "size=1001").await, 1002);
}
