//! Hosted groups: behaviour that the documented samples do not cover.

use std::collections::BTreeMap;

use conclave_core::model::{Policy, Profile};
use conclave_core::operation::{CreateGroup, OnUnknown};
use conclave_rong::Settings;
use conclave_tests::world::{group, user};
use serde_json::{Value, json};

use super::api::{Api, inner, text, texts};

fn ext() -> Settings {
    Settings { ext_keys: vec!["ext_k".to_owned(), "ext_l".to_owned()], ..Settings::default() }
}

#[tokio::test]
async fn what_is_given_changes_and_the_rest_stays() {
    let api = Api::with(ext());
    let all = r#"groupProfile={"introduction":"i","announcement":"a","portraitUrl":"p"}&groupExtProfile={"ext_k":"k","ext_l":"l"}&permissions={"joinPerm":3,"memProfilePerm":2}"#;
    api.ok("entrust/group/create", &format!("groupId=g&name=One&owner=o&{all}")).await;
    let profile = api.profile("g").await;
    assert_eq!(inner(&profile["groupProfile"]), json!({"introduction":"i","announcement":"a","portraitUrl":"p"}));
    assert_eq!(inner(&profile["groupExtProfile"]), json!({"ext_k":"k","ext_l":"l"}));
    let wanted =
        json!({"joinPerm":3,"removePerm":0,"memInvitePerm":0,"invitePerm":0,"profilePerm":0,"memProfilePerm":2});
    assert_eq!(inner(&profile["permissions"]), wanted);

    let some = r#"name=Three&groupProfile={"name":"Two","announcement":""}&groupExtProfile={"ext_k":""}&permissions={"joinPerm":1}"#;
    api.ok("entrust/group/profile/update", &format!("groupId=g&{some}")).await;
    let profile = api.profile("g").await;
    assert_eq!(profile["groupName"], "Two");
    assert_eq!(inner(&profile["groupProfile"]), json!({"introduction":"i","announcement":"","portraitUrl":"p"}));
    assert_eq!(inner(&profile["groupExtProfile"]), json!({"ext_l":"l"}));
    assert_eq!(inner(&profile["permissions"])["joinPerm"], 1);
    assert_eq!(inner(&profile["permissions"])["memProfilePerm"], 2);

    api.ok("entrust/group/profile/update", "groupId=g&name=Three").await;
    assert_eq!(api.profile("g").await["groupName"], "Three");
}

#[tokio::test]
async fn groups_created_elsewhere_are_returned_correctly() {
    let api = Api::new();
    api.world.users(&["o"]).await;
    let fields = BTreeMap::from([("elsewhere".to_owned(), "x".to_owned()), ("ext_k".to_owned(), "k".to_owned())]);
    let made = CreateGroup {
        id: Some(group("@TGS#elsewhere")),
        profile: Profile { name: "n".to_owned(), fields, ..Profile::default() },
        ..CreateGroup::new(Some(user("o")), Policy::standard())
    };
    api.world.run(made).await;
    let ownerless = CreateGroup { id: Some(group("free")), ..CreateGroup::new(None, Policy::standard()) };
    api.world.run(ownerless).await;

    let profile = api.profile("%40TGS%23elsewhere").await;
    assert_eq!(profile["groupId"], "@TGS#elsewhere");
    assert_eq!(inner(&profile["groupExtProfile"]), json!({"ext_k":"k"}));
    let wanted =
        json!({"joinPerm":2,"removePerm":1,"memInvitePerm":1,"invitePerm":0,"profilePerm":1,"memProfilePerm":0});
    assert_eq!(inner(&profile["permissions"]), wanted);
    assert_eq!(api.profile("free").await["owner"], "");
    // an existing id is found in any spelling, a missing one is invalid
    api.ok("entrust/group/join", "groupId=%40TGS%23elsewhere&userIds=u").await;
    api.refused("entrust/group/join", "groupId=%40TGS%23nowhere&userIds=u", 25430).await;
    api.refused("entrust/group/join", "groupId=nowhere&userIds=u", 25410).await;
}

#[tokio::test]
async fn invitees_may_have_to_agree() {
    let api = Api::new();
    api.ok("entrust/group/create", r#"groupId=g&name=n&owner=o&userIds=a,b&permissions={"invitePerm":1}"#).await;
    assert_eq!(api.roles("g").await, [("o".to_owned(), 3)]);
    // the server adds users at once
    api.ok("entrust/group/join", "groupId=g&userIds=a,b").await;
    assert_eq!(api.profile("g").await["memberCount"], 3);
}

#[tokio::test]
async fn members_come_and_go() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a&userIds=b,o").await;
    let joined = api.ok("entrust/group/join", "groupId=g&userIds=a,c,d").await;
    assert_eq!((&joined["memberCount"], &joined["owner"]), (&5.into(), &"o".into()));
    api.refused("entrust/group/join", "groupId=g&userIds=a,c", 25412).await;
    api.ok("entrust/group/member/kick", "groupId=g&userIds=a,stranger").await;
    api.refused("entrust/group/member/kick", "groupId=g&userIds=b,o", 25417).await;
    api.refused("entrust/group/member/kick", "groupId=g&userIds=a,stranger", 25418).await;
    api.ok("entrust/group/quit", "groupId=g&userIds=b&userIds=stranger").await;
    api.refused("entrust/group/quit", "groupId=g&userIds=c,o", 25417).await;
    let named = api.ok("entrust/group/member/specific/query", "groupId=g&userIds=d,stranger,o").await;
    assert_eq!(texts(&named["members"], "userId"), ["d", "o"]);
    let mut left = api.members("g").await;
    left.sort();
    assert_eq!(left, ["c", "d", "o"]);
}

#[tokio::test]
async fn leaving_deletes_what_the_request_names() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b,c").await;
    let lists = async || {
        let muted = texts(&api.ok("group/user/gag/list", "groupId=g").await["users"], "userId");
        let allowed = api.ok("group/user/ban/whitelist/query", "groupId=g").await["userIds"].clone();
        (muted, allowed)
    };
    for leave in ["entrust/group/quit", "entrust/group/member/kick"] {
        api.ok("group/user/gag/add", "groupId=g&userId=a&minute=0").await;
        api.ok("group/user/ban/whitelist/add", "groupId=g&userId=a").await;
        api.ok(leave, "groupId=g&userIds=a&isDelBan=0&isDelWhite=0&isDelFollowed=0").await;
        assert_eq!(lists().await, (vec!["a".to_owned()], json!(["a"])));
        api.ok("entrust/group/join", "groupId=g&userIds=a").await;
        api.ok(leave, "groupId=g&userIds=a").await;
        assert_eq!(lists().await, (Vec::new(), json!([])));
        api.ok("entrust/group/join", "groupId=g&userIds=a").await;
    }
}

#[tokio::test]
async fn whom_one_followed_goes_along_unless_it_is_kept() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b").await;
    let followed =
        async || texts(&api.ok("entrust/group/member/followed/get", "groupId=g&userId=a").await["members"], "userId");
    for (leave, flag, kept) in [
        ("entrust/group/quit", "&isDelFollowed=0", true),
        ("entrust/group/quit", "&isDelFollowed=1", false),
        ("entrust/group/member/kick", "&isDelFollowed=0", true),
        ("entrust/group/member/kick", "", false),
    ] {
        api.ok("entrust/group/member/follow", "groupId=g&userId=a&followUserIds=b").await;
        api.ok(leave, &format!("groupId=g&userIds=a{flag}")).await;
        api.ok("entrust/group/join", "groupId=g&userIds=a").await;
        assert_eq!(followed().await.len(), usize::from(kept), "{leave} {flag}");
    }
    // an owner who transfers the group and leaves has the same data deleted
    for (flag, kept) in [("&isDelBan=0&isDelWhite=0&isDelFollowed=0", true), ("", false)] {
        api.ok("entrust/group/transfer/owner", "groupId=g&newOwner=a").await;
        api.ok("entrust/group/member/follow", "groupId=g&userId=a&followUserIds=b").await;
        api.ok("group/user/gag/add", "groupId=g&userId=a&minute=0").await;
        api.ok("group/user/ban/whitelist/add", "groupId=g&userId=a").await;
        api.ok("entrust/group/transfer/owner", &format!("groupId=g&newOwner=o&isQuit=1{flag}")).await;
        assert_eq!(api.members("g").await.iter().filter(|member| *member == "a").count(), 0);
        let muted = texts(&api.ok("group/user/gag/list", "groupId=g").await["users"], "userId");
        let allowed = api.ok("group/user/ban/whitelist/query", "groupId=g").await["userIds"].clone();
        assert_eq!((muted.len(), allowed.as_array().map(Vec::len)), (kept.into(), Some(kept.into())), "{flag}");
        api.ok("entrust/group/join", "groupId=g&userIds=a").await;
        assert_eq!(followed().await.len(), usize::from(kept), "{flag}");
        api.ok("group/user/gag/rollback", "groupId=g&userId=a").await;
    }
}

#[tokio::test]
async fn a_user_is_put_out_of_all_groups_but_their_own() {
    let api = Api::new();
    for (id, owner) in [("g1", "o"), ("g2", "u"), ("g3", "o")] {
        api.ok("entrust/group/create", &format!("groupId={id}&name=n&owner={owner}&userIds=u,o")).await;
    }
    api.ok("entrust/group/manager/add", "groupId=g3&userIds=u").await;
    api.ok("group/create", "groupId=legacy&groupName=n&userId=u").await;
    api.ok("entrust/group/member/kick/all", "userId=u").await;
    assert_eq!(texts(&api.ok("entrust/joined/group/query", "userId=u").await["groups"], "groupId"), ["g2"]);
    assert_eq!(api.members("legacy").await, ["u"]);
    api.ok("entrust/group/member/kick/all", "userId=nobody").await;
}

#[tokio::test]
async fn managers_are_made_from_members() {
    let api = Api::with(Settings { managers: 2, ..Settings::default() });
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b,c").await;
    let added = api.ok("entrust/group/manager/add", "groupId=g&userIds=a,stranger").await;
    assert_eq!(added["userIds"], json!(["stranger"]));
    assert_eq!(api.ok("entrust/group/manager/add", "groupId=g&userIds=stranger").await["userIds"], json!(["stranger"]));
    api.refused("entrust/group/manager/add", "groupId=g&userIds=b,o", 25425).await;
    assert_eq!(api.refused("entrust/group/manager/add", "groupId=g&userIds=b,c", 25419).await["managerCount"], 1);
    assert_eq!(api.refused("entrust/group/manager/add", "groupId=g&userIds=a,b,c", 25419).await["managerCount"], 1);
    api.ok("entrust/group/manager/add", "groupId=g&userIds=a,b").await;
    api.refused("entrust/group/manager/remove", "groupId=g&userIds=a,c", 25420).await;
    api.ok("entrust/group/manager/remove", "groupId=g&userIds=a").await;
    let mut roles = api.roles("g").await;
    roles.sort();
    assert_eq!(roles, [("a", 1), ("b", 2), ("c", 1), ("o", 3)].map(|(id, role)| (id.to_owned(), role)));
}

#[tokio::test]
async fn a_group_is_handed_to_a_member() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b").await;
    api.ok("entrust/group/manager/add", "groupId=g&userIds=a").await;
    api.refused("entrust/group/transfer/owner", "groupId=g&newOwner=stranger", 25418).await;
    api.refused("entrust/group/transfer/owner", "groupId=g&newOwner=o", 25403).await;
    api.ok("entrust/group/transfer/owner", "groupId=g&newOwner=a").await;
    let mut roles = api.roles("g").await;
    roles.sort();
    assert_eq!(roles, [("a", 3), ("b", 1), ("o", 1)].map(|(id, role)| (id.to_owned(), role)));
    // a manager is not a manager any more after transferring the group
    api.ok("entrust/group/transfer/owner", "groupId=g&newOwner=b&isQuit=1").await;
    let mut roles = api.roles("g").await;
    roles.sort();
    assert_eq!(roles, [("b", 3), ("o", 1)].map(|(id, role)| (id.to_owned(), role)));
}

#[tokio::test]
async fn cards_aliases_and_followed_members() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a,b,c").await;
    api.ok("entrust/group/member/set", "groupId=g&userId=a&nickname=Ann&extra=x").await;
    api.ok("entrust/group/member/set", "groupId=g&userId=a&extra=y").await;
    let named = api.ok("entrust/group/member/specific/query", "groupId=g&userIds=a").await["members"][0].clone();
    assert_eq!((&named["nickname"], &named["extra"]), (&"Ann".into(), &"y".into()));
    api.refused("entrust/group/member/set", "groupId=g&userId=stranger&nickname=n", 25418).await;

    api.ok("entrust/group/remarkname/set", "groupId=g&userId=a&remarkName=Mine").await;
    assert_eq!(api.ok("entrust/group/remarkname/query", "groupId=g&userId=a").await["remarkName"], "Mine");
    assert_eq!(api.ok("entrust/joined/group/query", "userId=a").await["groups"][0]["remarkName"], "Mine");
    api.ok("entrust/group/remarkname/delete", "groupId=g&userId=a").await;
    assert_eq!(api.ok("entrust/group/remarkname/query", "groupId=g&userId=a").await["remarkName"], "");

    let followed =
        async || texts(&api.ok("entrust/group/member/followed/get", "groupId=g&userId=a").await["members"], "userId");
    api.ok("entrust/group/member/follow", "groupId=g&userId=a&followUserIds=b,c").await;
    assert_eq!(followed().await, ["b", "c"]);
    api.ok("entrust/group/member/unfollow", "groupId=g&userId=a&followUserIds=b,stranger").await;
    assert_eq!(followed().await, ["c"]);
    api.refused("entrust/group/member/follow", "groupId=g&userId=a&followUserIds=stranger", 25418).await;
    api.refused("entrust/group/member/follow", "groupId=g&userId=stranger&followUserIds=a", 25418).await;
}

/// Reads all pages of a list.
async fn pages(api: &Api, path: &str, form: &str, list: &str, id: &str) -> Vec<String> {
    let (mut all, mut token) = (Vec::new(), String::new());
    for _ in 0..20 {
        let page = api.ok(path, &format!("{form}&pageToken={token}")).await;
        all.extend(texts(&page[list], id));
        token = text(&page["pageToken"]);
        if token.is_empty() {
            return all;
        }
    }
    panic!("{path} {form} has no end: {all:?}");
}

#[tokio::test]
async fn members_come_in_pages() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o").await;
    for n in 0..5 {
        api.world.clock.step(1);
        api.ok("entrust/group/join", &format!("groupId=g&userIds=u{n}")).await;
    }
    api.ok("entrust/group/manager/add", "groupId=g&userIds=u1,u2,u3").await;
    let read = async |form: &str| {
        pages(&api, "entrust/group/member/query", &format!("groupId=g&{form}"), "members", "userId").await
    };
    for size in 1..=7 {
        assert_eq!(read(&format!("size={size}")).await, ["u4", "u3", "u2", "u1", "u0", "o"], "{size}");
        assert_eq!(read(&format!("size={size}&order=0")).await, ["o", "u0", "u1", "u2", "u3", "u4"], "{size}");
        assert_eq!(read(&format!("size={size}&order=0&type=1")).await, ["u0", "u4"], "{size}");
        assert_eq!(read(&format!("size={size}&type=2")).await, ["u3", "u2", "u1"], "{size}");
        assert_eq!(read(&format!("size={size}&type=3")).await, ["o"], "{size}");
    }
    let total = async |form: &str| {
        api.ok("entrust/group/member/query", &format!("groupId=g&{form}")).await["totalCount"].clone()
    };
    assert_eq!(
        (total("type=0").await, total("type=1").await, total("type=2").await, total("type=3").await),
        (json!(6), json!(2), json!(3), json!(1))
    );
}

#[tokio::test]
async fn groups_come_in_pages() {
    let api = Api::new();
    for n in 0..4 {
        api.world.clock.step(1);
        api.ok("entrust/group/create", &format!("groupId=g{n}&name=n&owner=o{}&userIds=u", n % 2)).await;
        api.ok("group/create", &format!("groupId=legacy{n}&groupName=n&userId=u")).await;
    }
    api.ok("entrust/group/manager/add", "groupId=g1&userIds=u").await;
    api.ok("entrust/group/transfer/owner", "groupId=g2&newOwner=u").await;
    for size in 1..=5 {
        let all = pages(&api, "entrust/group/query", &format!("size={size}"), "groups", "groupId").await;
        assert_eq!(all, ["g3", "g2", "g1", "g0"], "{size}");
        let all = pages(&api, "entrust/group/query", &format!("size={size}&order=0"), "groups", "groupId").await;
        assert_eq!(all, ["g0", "g1", "g2", "g3"], "{size}");
        let read = async |form: &str| {
            pages(&api, "entrust/joined/group/query", &format!("userId=u&size={size}&{form}"), "groups", "groupId")
                .await
        };
        assert_eq!(read("").await, ["g3", "g2", "g1", "g0"], "{size}");
        assert_eq!(read("order=0").await, ["g0", "g1", "g2", "g3"], "{size}");
        assert_eq!(read("order=0&role=1").await, ["g0", "g3"], "{size}");
        assert_eq!(read("role=2").await, ["g1"], "{size}");
        assert_eq!(read("role=3").await, ["g2"], "{size}");
    }
    assert_eq!(api.ok("entrust/joined/group/query", "userId=u&role=1&size=1").await["totalCount"], 2);
}

#[tokio::test]
async fn the_filter_of_joined_groups_can_count_the_other_way() {
    let api = Api::with(Settings { joined_role_owner_first: true, ..Settings::default() });
    api.ok("entrust/group/create", "groupId=mine&name=n&owner=u").await;
    api.ok("entrust/group/create", "groupId=theirs&name=n&owner=o&userIds=u").await;
    let read =
        async |role: u8| api.ok("entrust/joined/group/query", &format!("userId=u&role={role}")).await["groups"].clone();
    assert_eq!(texts(&read(1).await, "groupId"), ["mine"]);
    assert_eq!(texts(&read(3).await, "groupId"), ["theirs"]);
    assert_eq!(read(1).await[0]["role"], 3);
}

#[tokio::test]
async fn page_tokens_are_good_for_their_own_list() {
    let api = Api::new();
    for id in ["g", "h"] {
        api.ok("entrust/group/create", &format!("groupId={id}&name=n&owner=o&userIds=a,b")).await;
    }
    let token = text(&api.ok("entrust/group/member/query", "groupId=g&size=1").await["pageToken"]);
    api.ok("entrust/group/member/query", &format!("groupId=g&pageToken={token}")).await;
    for (path, form) in [
        ("entrust/group/member/query", "groupId=h"),
        ("entrust/group/member/query", "groupId=g&type=1"),
        ("entrust/group/query", ""),
        ("entrust/joined/group/query", "userId=o"),
    ] {
        api.refused(path, &format!("{form}&pageToken={token}"), 25432).await;
    }
}

#[tokio::test]
async fn accounts_come_into_being_with_their_membership() {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=g&name=n&owner=o&userIds=a").await;
    for id in ["o", "a"] {
        assert_eq!(api.ok("user/info", &format!("userId={id}")).await["userName"], Value::from(""));
    }
    api.refused("entrust/group/join", "groupId=g&userIds=a b", 25407).await;
    api.world.users(&["a b"]).await;
    api.ok("entrust/group/join", "groupId=g&userIds=a b").await;
    let full = CreateGroup {
        id: Some(group("full")),
        on_unknown_owner: OnUnknown::Register,
        ..CreateGroup::new(Some(user("o")), Policy { capacity: Some(2), ..Policy::standard() })
    };
    api.world.run(full).await;
    api.refused("entrust/group/join", "groupId=full&userIds=x,y", 25411).await;
    api.refused("group/join", "groupId=full&userId=x,y", 405).await;
}
