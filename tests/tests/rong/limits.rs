//! Every limit the vendor documents, at the limit and one above.

use conclave_rong::Settings;

use super::api::Api;

fn ids(count: usize) -> String {
    (0..count).map(|n| format!("x{n}")).collect::<Vec<_>>().join(",")
}

/// A JSON text with one string of this length.
fn with(key: &str, length: usize) -> String {
    format!("{{\"{key}\":\"{}\"}}", "字".repeat(length))
}

async fn prepared() -> Api {
    let api = Api::with(Settings { ext_keys: vec!["ext_k".to_owned()], ..Settings::default() });
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b").await;
    api.ok("group/create", "groupId=l&groupName=n&userId=a").await;
    api
}

#[tokio::test]
async fn missing_fields_are_named() {
    let api = prepared().await;
    for (path, form, missing) in [
        ("group/create", "userId=1&groupName=n", "groupId"),
        ("group/create", "groupId=x&groupName=n", "userId"),
        ("group/create", "groupId=x&userId=1", "groupName"),
        ("group/create", "groupId=&userId=1&groupName=n", "groupId"),
        ("group/join", "userId=1", "groupId"),
        ("group/quit", "groupId=l", "userId"),
        ("group/dismiss", "groupId=l", "userId"),
        ("group/refresh", "groupId=l", "groupName"),
        ("group/sync", "group[1]=n", "userId"),
        ("group/user/query", "", "groupId"),
        ("user/group/query", "", "userId"),
        ("group/user/gag/add", "userId=a&groupId=l", "minute"),
        ("group/user/gag/rollback", "groupId=l", "userId"),
        ("group/ban/add", "", "groupId"),
        ("group/remarks/set", "userId=a&groupId=l", "remark"),
        ("entrust/group/create", "groupId=x&name=n", "owner"),
        ("entrust/group/import", "groupId=l&name=n", "owner"),
        ("entrust/group/join", "groupId=g", "userIds"),
        ("entrust/group/transfer/owner", "groupId=g", "newOwner"),
        ("entrust/group/profile/query", "", "groupIds"),
        ("entrust/group/member/kick/all", "", "userId"),
        ("entrust/group/member/set", "groupId=g&userId=a", "nickname"),
        ("entrust/group/member/follow", "groupId=g&userId=a", "followUserIds"),
        ("entrust/group/remarkname/set", "groupId=g&userId=a", "remarkName"),
        ("message/group/publish", "fromUserId=a&objectName=o&content=c", "toGroupId"),
    ] {
        let body = api.refused(path, form, 1002).await;
        assert_eq!(body["errorMessage"], format!("Paramer '{missing}' is required"), "{path} {form}");
    }
}

#[tokio::test]
async fn lists_are_as_long_as_documented() {
    let api = prepared().await;
    for (path, form, most, code) in [
        ("group/create", "groupId=x&groupName=n&userId=", 1000, 1002),
        ("group/join", "groupId=l&userId=", 1000, 1002),
        ("group/quit", "groupId=l&userId=", 1000, 1002),
        ("group/user/gag/add", "groupId=l&minute=1&userId=", 20, 1002),
        ("group/user/gag/rollback", "groupId=l&userId=", 20, 1002),
        ("group/user/ban/whitelist/add", "groupId=l&userId=", 20, 1002),
        ("group/user/ban/whitelist/rollback", "groupId=l&userId=", 20, 1002),
        ("group/ban/query", "groupId=", 20, 1002),
        ("user/token/expire", "time=1&userId=", 20, 1002),
        ("entrust/group/create", "groupId=x2&name=n&owner=o&userIds=", 30, 1002),
        ("entrust/group/join", "groupId=g&userIds=", 100, 1002),
        ("entrust/group/member/specific/query", "groupId=g&userIds=", 100, 1002),
        ("entrust/group/member/kick", "groupId=g&userIds=", 100, 1002),
        ("entrust/group/profile/query", "groupIds=", 50, 25422),
    ] {
        api.refused(path, &format!("{form}{}", ids(most + 1)), code).await;
        api.ok(path, &format!("{form}{}", ids(most))).await;
    }
    api.refused("group/ban/add", &format!("groupId={}", ids(21)), 1002).await;
    api.refused("entrust/group/quit", &format!("groupId=g&userIds={}", ids(101)), 1002).await;
    api.refused("entrust/group/manager/add", &format!("groupId=g&userIds={}", ids(11)), 25419).await;
    api.refused("entrust/group/manager/remove", &format!("groupId=g&userIds={}", ids(11)), 1002).await;
    api.refused("entrust/group/member/follow", &format!("groupId=g&userId=a&followUserIds={}", ids(101)), 1002).await;
}

#[tokio::test]
async fn texts_are_as_long_as_documented() {
    let api = prepared().await;
    let long = |length: usize| "字".repeat(length);
    for (path, form, most, code) in [
        ("group/create", "groupId=x&userId=a&groupName=", 64, 1005),
        ("group/join", "groupId=l&userId=a&groupName=", 64, 1005),
        ("group/refresh", "groupId=l&groupName=", 64, 1005),
        ("group/sync", "userId=z&group[l]=", 64, 1005),
        ("entrust/group/create", "groupId=x2&owner=o&name=", 64, 25406),
        ("entrust/group/profile/update", "groupId=g&name=", 64, 25406),
        ("entrust/group/member/set", "groupId=g&userId=a&nickname=", 64, 25406),
        ("entrust/group/member/set", "groupId=g&userId=a&nickname=n&extra=", 128, 25406),
        ("entrust/group/remarkname/set", "groupId=g&userId=a&remarkName=", 64, 25406),
    ] {
        api.refused(path, &format!("{form}{}", long(most + 1)), code).await;
        api.ok(path, &format!("{form}{}", long(most))).await;
    }
    for (key, most) in [("name", 64), ("introduction", 512), ("announcement", 1024), ("portraitUrl", 1024)] {
        let update = |length: usize| format!("groupId=g&groupProfile={}", with(key, length));
        api.refused("entrust/group/profile/update", &update(most + 1), 25406).await;
        api.ok("entrust/group/profile/update", &update(most)).await;
    }
    api.refused("entrust/group/profile/update", &format!("groupId=g&groupExtProfile={}", with("ext_k", 257)), 25406)
        .await;
    api.ok("entrust/group/profile/update", &format!("groupId=g&groupExtProfile={}", with("ext_k", 256))).await;
}

#[tokio::test]
async fn what_is_added_to_a_message_is_as_much_as_documented() {
    let api = prepared().await;
    let many = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|number| format!("\"k{number}\":\"v\"")).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let key = |length: usize| format!("{{\"{}\":\"v\"}}", "字".repeat(length));
    for (fits, too_much) in [(many(300), many(301)), (key(32), key(33)), (with("k", 4096), with("k", 4097))] {
        let form =
            "fromUserId=a&toGroupId=l&objectName=RC:TxtMsg&content={\"content\":\"c\"}&expansion=true&extraContent=";
        api.refused("message/group/publish", &format!("{form}{too_much}"), 1002).await;
        api.ok("message/group/publish", &format!("{form}{fits}")).await;
    }
}

#[tokio::test]
async fn ids_are_as_documented() {
    let api = prepared().await;
    let long = "x".repeat(65);
    for (path, form, code) in [
        ("group/create", format!("groupId={long}&groupName=n&userId=a"), 1005),
        ("group/create", format!("groupId=x&groupName=n&userId={long}"), 1005),
        ("group/create", "groupId=a b&groupName=n&userId=a".to_owned(), 1002),
        ("group/create", "groupId=x&groupName=n&userId=a/b".to_owned(), 1002),
        ("group/sync", "userId=a&group[a b]=n".to_owned(), 1002),
        ("entrust/group/create", format!("groupId={long}&name=n&owner=o"), 25406),
        ("entrust/group/create", format!("groupId=x&name=n&owner={long}"), 25406),
        ("entrust/group/create", "groupId=a/b&name=n&owner=o".to_owned(), 25430),
        ("entrust/group/create", "groupId=x&name=n&owner=a/b".to_owned(), 25407),
        ("entrust/group/create", "groupId=x&name=n&owner=o&userIds=a.b".to_owned(), 25407),
        ("entrust/group/dismiss", "groupId=a%00b".to_owned(), 25430),
    ] {
        api.refused(path, &form, code).await;
    }
    api.ok("entrust/group/create", "groupId=aZ0%2B=-_|:&name=n&owner=aZ0%2B=-_").await;
}

#[tokio::test]
async fn values_are_as_documented() {
    let api = prepared().await;
    for (path, form, code) in [
        ("entrust/group/create", "groupId=x&owner=o", 25423),
        ("entrust/group/create", "groupId=x&owner=o&name=+++", 25423),
        ("entrust/group/import", "groupId=l&owner=o&name=", 25423),
        ("entrust/group/profile/update", "groupId=g&name=++", 25423),
        ("entrust/group/profile/update", "groupId=g&groupProfile={\"name\":\"\"}", 25423),
        ("entrust/group/profile/update", "groupId=g&groupProfile=x", 25407),
        ("entrust/group/profile/update", "groupId=g&permissions=[]", 25407),
        ("entrust/group/profile/update", "groupId=g&permissions={\"joinPerm\":\"a\"}", 25408),
        ("entrust/group/profile/update", "groupId=g&permissions={\"joinPerm\":4}", 25403),
        ("entrust/group/profile/update", "groupId=g&groupExtProfile={\"ext_other\":\"v\"}", 25415),
        ("entrust/group/profile/update", "groupId=g&groupExtProfile={\"k\":\"v\"}", 25415),
        ("entrust/group/remarkname/set", "groupId=g&userId=a&remarkName=++", 25407),
        ("entrust/group/member/query", "groupId=g&size=101", 1002),
        ("entrust/group/member/query", "groupId=g&type=4", 1002),
        ("entrust/group/member/query", "groupId=g&order=2", 1002),
        ("entrust/group/query", "size=1001", 1002),
        ("entrust/joined/group/query", "userId=a&size=101", 1002),
        ("entrust/joined/group/query", "userId=a&role=4", 1002),
        ("entrust/group/quit", "groupId=g&userIds=a&isDelBan=2", 1002),
        ("entrust/group/transfer/owner", "groupId=g&newOwner=a&isQuit=yes", 1002),
        ("group/user/gag/add", "groupId=l&userId=a&minute=-1", 1002),
        ("group/user/gag/add", "groupId=l&userId=a&minute=43201", 1002),
        ("group/ban/query", "size=201", 1002),
        ("group/user/gag/add", "groupId=never&userId=a&minute=1", 1002),
    ] {
        api.refused(path, form, code).await;
    }
}

#[tokio::test]
async fn groups_hold_as_many_as_the_app_may_have() {
    let api = Api::with(Settings { group_capacity: 3, follows: 1, muted_everywhere: 1, ..Settings::default() });
    api.refused("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b,c", 25411).await;
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b").await;
    api.refused("entrust/group/join", "groupId=g&userIds=c", 25411).await;
    api.refused("group/create", "groupId=l&groupName=n&userId=a,b,c,d", 405).await;
    api.ok("group/create", "groupId=l&groupName=n&userId=a,b,c").await;
    api.refused("group/join", "groupId=l&userId=d", 405).await;
    api.refused("entrust/group/member/follow", "groupId=g&userId=o&followUserIds=a,b", 25419).await;
    api.ok("group/user/gag/add", "userId=a&minute=0").await;
    api.refused("group/user/gag/add", "userId=b&minute=0", 1002).await;
}

#[tokio::test]
async fn the_status_of_hosting_codes_is_the_realms_to_say() {
    for status in [200, 400] {
        let api = Api::with(Settings { status_254xx: status, ..Settings::default() });
        let answer = api.post("entrust/group/dismiss", "groupId=never").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &25410.into()));
        let answer = api.post("group/create", "").await;
        assert_eq!(answer.status, 400);
    }
}
