//! Groups without hosting, and these calls on hosted groups.

use serde_json::json;

use super::api::{Api, text, texts};

#[tokio::test]
async fn a_group_is_created_by_its_first_call() {
    let api = Api::new();
    api.ok("group/create", "userId=a&userId=b&groupId=g&groupName=One").await;
    api.ok("group/create", "userId=c&userId=a&groupId=g&groupName=Two").await;
    assert_eq!(api.members("g").await, ["a", "b", "c"]);
    api.ok("group/join", "userId=d,e&groupId=g").await;
    assert_eq!(api.members("g").await, ["a", "b", "c", "d", "e"]);
    let groups = api.ok("user/group/query", "userId=d").await;
    assert_eq!(
        (texts(&groups["groups"], "id"), texts(&groups["groups"], "name")),
        (vec!["g".into()], vec!["Two".into()])
    );

    api.ok("group/join", "userId=a&groupId=h&groupName=undefined").await;
    let groups = api.ok("user/group/query", "userId=a").await;
    assert_eq!(texts(&groups["groups"], "id"), ["g", "h"]);
    assert_eq!(texts(&groups["groups"], "name"), ["Two", ""]);
}

#[tokio::test]
async fn leaving_ignores_who_is_not_in() {
    let api = Api::new();
    api.ok("group/create", "userId=a&userId=b&groupId=g&groupName=One").await;
    api.ok("group/quit", "userId=b&userId=nobody&groupId=g").await;
    assert_eq!(api.members("g").await, ["a"]);
    api.ok("group/quit", "userId=a&groupId=g").await;
    assert!(api.members("g").await.is_empty());
    // an empty group still exists, and an unknown one has no members
    api.ok("group/refresh", "groupId=g&groupName=Empty").await;
    api.ok("group/join", "userId=a&groupId=g").await;
    assert_eq!(texts(&api.ok("user/group/query", "userId=a").await["groups"], "name"), ["Empty"]);
    api.ok("group/quit", "userId=a&groupId=never").await;
    api.ok("group/refresh", "groupId=never&groupName=n").await;
    api.ok("group/dismiss", "userId=a&groupId=never").await;
    assert!(api.members("never").await.is_empty());
}

#[tokio::test]
async fn a_group_with_a_reused_id_starts_empty() {
    let api = Api::new();
    let speak = "fromUserId=a&toGroupId=g&objectName=RC:TxtMsg&content={\"content\":\"hi\"}";
    api.ok("group/create", "userId=a&groupId=g&groupName=One").await;
    api.ok("group/ban/add", "groupId=g").await;
    api.ok("group/user/gag/add", "userId=a&groupId=g&minute=0").await;
    api.ok("group/user/ban/whitelist/add", "userId=a&groupId=g").await;
    let first = api.ok("message/group/publish", speak).await;
    api.ok("group/dismiss", "userId=anybody&groupId=g").await;
    let banned = api.ok("group/ban/query", "groupId=g&groupId=never").await["groupinfo"].clone();
    assert_eq!(banned, json!([{"groupId":"g","stat":0},{"groupId":"never","stat":0}]));
    api.ok("group/create", "userId=b&groupId=g&groupName=Two").await;
    assert_eq!(api.members("g").await, ["b"]);
    assert_eq!(api.ok("group/ban/query", "groupId=g").await["groupinfo"][0]["stat"], 0);
    assert_eq!(api.ok("group/user/gag/list", "groupId=g").await["users"], json!([]));
    assert_eq!(api.ok("group/user/ban/whitelist/query", "groupId=g").await["userIds"], json!([]));
    assert_ne!(api.ok("message/group/publish", speak).await["messageUIDs"], first["messageUIDs"]);
}

#[tokio::test]
async fn the_groups_sent_become_all_of_a_users_groups() {
    let api = Api::new();
    api.ok("group/create", "userId=a&userId=b&groupId=g1&groupName=One").await;
    api.ok("group/create", "userId=a&groupId=g2&groupName=Two").await;
    api.ok("entrust/group/create", "groupId=h1&name=Mine&owner=a").await;
    api.ok("entrust/group/create", "groupId=h2&name=Theirs&owner=b&userIds=a").await;
    api.ok("group/sync", "userId=a&group[g2]=Renamed&group%5Bg3%5D=Three").await;
    let groups = api.ok("user/group/query", "userId=a").await["groups"].clone();
    let mut names: Vec<(String, String)> = texts(&groups, "id").into_iter().zip(texts(&groups, "name")).collect();
    names.sort();
    let wanted = [("g2", "Renamed"), ("g3", "Three"), ("h1", "Mine")];
    assert_eq!(names, wanted.map(|(id, name)| (id.to_owned(), name.to_owned())));
    assert_eq!(api.members("g1").await, ["b"]);
    api.ok("group/sync", "userId=a").await;
    assert_eq!(texts(&api.ok("user/group/query", "userId=a").await["groups"], "id"), ["h1"]);
}

#[tokio::test]
async fn the_groups_of_a_user_come_in_pages() {
    let api = Api::new();
    for n in 0..5 {
        api.ok("group/join", &format!("userId=a&groupId=g{n}&groupName=n")).await;
        api.world.clock.step(1);
    }
    let page = async |form: &str| texts(&api.ok("user/group/query", form).await["groups"], "id");
    assert_eq!(page("userId=a").await.len(), 5);
    assert_eq!(page("userId=a&page=0&size=2").await.len(), 5);
    assert_eq!(page("userId=a&page=1&size=2").await, ["g0", "g1"]);
    assert_eq!(page("userId=a&page=3&size=2").await, ["g4"]);
    assert!(page("userId=a&page=4&size=2").await.is_empty());
    assert!(page("userId=nobody").await.is_empty());
    api.refused("user/group/query", "userId=a&page=1&size=1001", 1002).await;
}

#[tokio::test]
async fn hosted_groups_keep_their_owner_and_roles() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=h&name=Hosted&owner=o&userIds=m,n").await;
    api.ok("entrust/group/manager/add", "groupId=h&userIds=m").await;
    api.refused("group/quit", "userId=o&userId=n&groupId=h", 25417).await;
    api.ok("group/join", "userId=p&groupId=h&groupName=Other").await;
    assert_eq!(api.profile("h").await["groupName"], "Hosted");
    assert_eq!(api.profile("h").await["memberCount"], 4);
    api.ok("group/quit", "userId=m&groupId=h").await;
    api.ok("entrust/group/join", "groupId=h&userIds=m").await;
    assert!(api.roles("h").await.contains(&("m".to_owned(), 1)));
    api.ok("group/dismiss", "userId=anybody&groupId=h").await;
    api.refused("entrust/group/dismiss", "groupId=h", 25410).await;
}

#[tokio::test]
async fn groups_have_to_be_imported_before_they_are_hosted() {
    let api = Api::new();
    api.ok("group/create", "userId=a&userId=b&groupId=g&groupName=Old").await;
    for (path, form) in [
        ("entrust/group/profile/update", "groupId=g&name=n"),
        ("entrust/group/dismiss", "groupId=g"),
        ("entrust/group/transfer/owner", "groupId=g&newOwner=a"),
        ("entrust/group/join", "groupId=g&userIds=c"),
        ("entrust/group/quit", "groupId=g&userIds=a"),
        ("entrust/group/member/kick", "groupId=g&userIds=a"),
        ("entrust/group/member/query", "groupId=g"),
        ("entrust/group/member/specific/query", "groupId=g&userIds=a"),
        ("entrust/group/member/set", "groupId=g&userId=a&nickname=n"),
        ("entrust/group/member/follow", "groupId=g&userId=a&followUserIds=b"),
        ("entrust/group/manager/add", "groupId=g&userIds=a"),
        ("entrust/group/manager/remove", "groupId=g&userIds=a"),
        ("entrust/group/remarkname/set", "groupId=g&userId=a&remarkName=n"),
    ] {
        api.refused(path, form, 25429).await;
    }
    assert!(
        api.ok("entrust/group/profile/query", "groupIds=g").await["profiles"].as_array().expect("a list").is_empty()
    );
    assert!(api.ok("entrust/group/query", "").await["groups"].as_array().expect("a list").is_empty());
    assert_eq!(api.ok("entrust/joined/group/query", "userId=a").await["totalCount"], 0);

    api.ok("entrust/group/import", "groupId=g&name=New&owner=c").await;
    assert_eq!(api.profile("g").await["owner"], "c");
    assert_eq!(api.profile("g").await["memberCount"], 3);
    api.refused("entrust/group/import", "groupId=g&name=New&owner=c", 25409).await;
    api.refused("entrust/group/import", "groupId=never&name=New&owner=c", 25410).await;
}

#[tokio::test]
async fn a_bound_message_is_sent_with_the_operation() {
    let api = Api::new();
    let bound = "bindNotifyMsg=true&fromUserId=a&objectName=RC:GrpNtf&content={\"operation\":\"Add\"}";
    let created = api.ok("group/create", &format!("userId=a&userId=b&groupId=g&groupName=n&{bound}")).await;
    assert_eq!(created["memberCount"], 2);
    let again = api.ok("group/join", &format!("userId=c&groupId=g&{bound}&maxMember=3")).await;
    assert_eq!(again["memberCount"], 3);
    assert_ne!(created["messageUID"], again["messageUID"]);
    assert_eq!(api.ok("group/quit", &format!("userId=c&groupId=g&{bound}")).await["memberCount"], 2);
    assert_eq!(api.ok("group/refresh", &format!("groupId=g&groupName=m&{bound}")).await["memberCount"], 2);

    // its fields are required, and no one is added above its limit
    api.refused("group/join", "userId=d&groupId=g&bindNotifyMsg=true&fromUserId=a&objectName=RC:GrpNtf", 1002).await;
    api.refused("group/join", &format!("userId=c&userId=d&groupId=g&{bound}&maxMember=3"), 405).await;
    api.refused("group/create", &format!("userId=c&userId=d&groupId=new&groupName=n&{bound}&maxMember=1"), 405).await;
    api.ok("group/join", &format!("userId=a&groupId=g&{bound}&maxMember=1")).await;

    assert_eq!(api.ok("group/dismiss", &format!("userId=a&groupId=g&{bound}")).await["memberCount"], 0);
}

#[tokio::test]
async fn messages_go_to_groups_that_are_there() {
    let api = Api::new();
    let said = "fromUserId=stranger&objectName=RC:TxtMsg&content={\"content\":\"hi\"}";
    for id in ["g1", "g2", "g3", "g4"] {
        api.ok("group/create", &format!("userId=a&groupId={id}&groupName=n")).await;
    }
    let sent = api.ok("message/group/publish", &format!("{said}&toGroupId=g1&toGroupId=g2,g3")).await;
    assert_eq!(texts(&sent["messageUIDs"], "groupId"), ["g1", "g2", "g3"]);
    api.ok("message/group/publish", &format!("{said}&toGroupId=g1&toUserId=a&toUserId=nobody")).await;
    api.ok("statusmessage/group/publish", &format!("{said}&toGroupId=g1")).await;
    for (more, code) in [
        ("toGroupId=g1,g2,g3,g4", 1002),
        ("toGroupId=g1,never", 1002),
        ("toGroupId=g1,g2&toUserId=a", 1002),
        ("toGroupId=g1&toUserId=nobody", 1002),
        ("", 1002),
    ] {
        api.refused("message/group/publish", &format!("{said}&{more}"), code).await;
    }
    let long = format!("fromUserId=a&toGroupId=g1&content=c&objectName={}", "o".repeat(33));
    api.refused("message/group/publish", &long, 1005).await;
    let long = format!("fromUserId=a&toGroupId=g1&objectName=app:x&content={}", "c".repeat(128 * 1024 + 1));
    api.refused("message/group/publish", &long, 1005).await;
}

#[tokio::test]
async fn mutes_are_of_one_group_or_of_all() {
    let api = Api::new();
    api.ok("group/create", "userId=a&userId=b&groupId=g&groupName=n").await;
    api.ok("group/user/gag/add", "userId=a&userId=outsider&groupId=g&minute=1").await;
    api.ok("group/user/gag/add", "userId=b&minute=0").await;
    assert_eq!(texts(&api.ok("group/user/gag/list", "groupId=g").await["users"], "userId"), ["a", "outsider"]);
    let everywhere = api.ok("group/user/gag/list", "").await["users"].clone();
    assert_eq!(
        (texts(&everywhere, "userId"), texts(&everywhere, "time")),
        (vec!["b".into()], vec!["9999-12-31 23:59:59".into()])
    );
    api.world.clock.step(60_000);
    assert!(api.ok("group/user/gag/list", "groupId=g").await["users"].as_array().expect("a list").is_empty());
    api.ok("group/user/gag/rollback", "userId=b").await;
    assert!(api.ok("group/user/gag/list", "").await["users"].as_array().expect("a list").is_empty());
    // a mute is kept when the user leaves and returns
    api.ok("group/user/gag/add", "userId=a&groupId=g&minute=43200").await;
    api.ok("group/quit", "userId=a&groupId=g").await;
    api.ok("group/join", "userId=a&groupId=g").await;
    assert_eq!(texts(&api.ok("group/user/gag/list", "groupId=g").await["users"], "userId"), ["a"]);
}

#[tokio::test]
async fn groups_in_which_everybody_is_muted_come_in_pages() {
    let api = Api::new();
    for n in 0..3 {
        api.ok("group/create", &format!("userId=a&groupId=g{n}&groupName=n")).await;
    }
    api.ok("group/ban/add", "groupId=g0&groupId=g2").await;
    let query = async |form: &str| api.ok("group/ban/query", form).await["groupinfo"].clone();
    assert_eq!(query("groupId=g0&groupId=g1").await, json!([{"groupId":"g0","stat":1},{"groupId":"g1","stat":0}]));
    assert_eq!(texts(&query("").await, "groupId"), ["g0", "g2"]);
    assert_eq!(texts(&query("page=2&size=1&groupId=g1").await, "groupId"), ["g2"]);
    // with paging the ids are ignored, however many or invalid they are
    let odd = (0..21).map(|n| format!("x{n}")).collect::<Vec<_>>().join(",");
    assert_eq!(texts(&query(&format!("page=1&groupId={odd},{}", "y".repeat(65))).await, "groupId"), ["g0", "g2"]);
    api.refused("group/ban/add", "groupId=g1&groupId=never", 1002).await;
    assert_eq!(query("groupId=g1").await[0]["stat"], 0);
}

#[tokio::test]
async fn messages_are_recalled_by_their_senders() {
    let api = Api::new();
    api.ok("group/create", "userId=a&userId=b&groupId=g1&groupName=A").await;
    api.ok("group/create", "userId=a&groupId=g2&groupName=B").await;
    let sent = api.ok("message/group/publish", "fromUserId=a&toGroupId=g1&objectName=o&content=c").await;
    let uid = text(&sent["messageUIDs"][0]["messageUID"]);
    let about = format!("messageUID={uid}&sentTime=1700000000000");
    for wrong in [
        format!("fromUserId=b&conversationType=3&targetId=g1&{about}"),
        format!("fromUserId=a&conversationType=3&targetId=g2&{about}"),
        format!("fromUserId=a&conversationType=1&targetId=g1&{about}"),
        "fromUserId=a&conversationType=3&targetId=g1&messageUID=5FGT-7VA9-G4DD-4V5P&sentTime=1".to_owned(),
        "fromUserId=a&conversationType=3&targetId=g1&messageUID=x&sentTime=1".to_owned(),
        format!("fromUserId=a&conversationType=3&targetId=g1&messageUID={uid}&sentTime=soon"),
        format!("fromUserId=a&conversationType=3&targetId=g1&messageUID={uid}"),
    ] {
        api.refused("message/recall", &wrong, 1002).await;
    }
    let right = format!("fromUserId=a&conversationType=3&targetId=g1&{about}&extra=typo");
    for _ in 0..2 {
        api.ok("message/recall", &right).await;
    }
}
