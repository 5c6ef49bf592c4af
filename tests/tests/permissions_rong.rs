//! Permissions at RongCloud. The server API has no operator and checks no role, but the state of a group matters:
//! hosted or not, member or not, owner or not; each command with each kind of group and user, compared with the
//! vendor's table. Then what `permissions` let each role do, through the core: the rules for clients' calls. A refusal
//! has the vendor's code, and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

#[path = "rong/api.rs"]
#[allow(dead_code, unreachable_pub, reason = "each suite uses its own part")]
mod api;

use api::Api;
use conclave_core::event::{Actor, ProfileChange};
use conclave_core::model::{Body, Circle, Sender};
use conclave_core::operation::{
    AddMembers, Apply, DecideRequest, Demote, Disband, Follow, Leave, NewMember, Operation, PolicyChange, Promote,
    RemoveMembers, SendMessage, SetRemark, Transfer, UpdateGroup, UpdateMember,
};
use conclave_core::operation::{Cleanup, OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, Quiet};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{ListMembers, Query};
use conclave_core::refusal::{Needs, Refusal};
use conclave_tests::world::{group, user};

/// A group of each kind: `h` is hosted, with the owner o, the managers m and k and the members a and b; `u` is not,
/// with a and b; x is in neither. No group has the id `n`.
async fn api() -> Api {
    let api = Api::new();
    api.ok("entrust/group/create", "groupId=h&name=H&owner=o&userIds=m,k,a,b").await;
    api.ok("entrust/group/manager/add", "groupId=h&userIds=m,k").await;
    api.ok("group/create", "userId=a&userId=b&groupId=u&groupName=U").await;
    api.ok("group/create", "userId=x&groupId=elsewhere&groupName=E").await;
    api
}

struct Row {
    path: &'static str,
    form: &'static str,
    /// By group: hosted, not hosted, not there.
    codes: [u64; 3],
}

/// `groupId` (or `groupIds`) is added before every form.
fn row(path: &'static str, form: &'static str, codes: [u64; 3]) -> Row {
    Row { path, form, codes }
}

/// Only hosted groups have it.
const HOSTED: [u64; 3] = [200, 25429, 25410];
/// Every id is accepted: a missing group is created, or there is nothing to remove.
const ANY: [u64; 3] = [200, 200, 200];
/// Mutes need an existing group; the vendor's response for others is not published.
const THERE: [u64; 3] = [200, 200, 1002];

#[rustfmt::skip]
fn table() -> Vec<Row> {
    let refused = |code| [code, 25429, 25410];
    vec![
        row("entrust/group/profile/update", "groupProfile={\"name\":\"N\"}", HOSTED),
        row("entrust/group/profile/update", "permissions={\"joinPerm\":3}", HOSTED),
        row("entrust/group/join", "userIds=x", HOSTED),
        row("entrust/group/join", "userIds=a", refused(25412)),
        row("entrust/group/quit", "userIds=a", HOSTED),
        row("entrust/group/quit", "userIds=m", HOSTED),
        row("entrust/group/quit", "userIds=o", refused(25417)),
        row("entrust/group/quit", "userIds=x", refused(25418)),
        row("entrust/group/member/kick", "userIds=a", HOSTED),
        row("entrust/group/member/kick", "userIds=m", HOSTED),
        row("entrust/group/member/kick", "userIds=o", refused(25417)),
        row("entrust/group/member/kick", "userIds=x", refused(25418)),
        row("entrust/group/member/query", "", HOSTED),
        row("entrust/group/member/specific/query", "userIds=a", HOSTED),
        row("entrust/group/member/set", "userId=a&nickname=A", HOSTED),
        row("entrust/group/member/set", "userId=x&nickname=X", refused(25418)),
        row("entrust/group/manager/add", "userIds=a", HOSTED),
        row("entrust/group/manager/add", "userIds=o", refused(25425)),
        row("entrust/group/manager/remove", "userIds=m", HOSTED),
        row("entrust/group/manager/remove", "userIds=a", refused(25420)),
        row("entrust/group/transfer/owner", "newOwner=a", HOSTED),
        row("entrust/group/transfer/owner", "newOwner=m&isQuit=1", HOSTED),
        row("entrust/group/transfer/owner", "newOwner=x", refused(25418)),
        row("entrust/group/member/follow", "userId=a&followUserIds=b", HOSTED),
        row("entrust/group/member/follow", "userId=x&followUserIds=b", refused(25418)),
        row("entrust/group/member/unfollow", "userId=a&followUserIds=b", HOSTED),
        row("entrust/group/member/followed/get", "userId=a", HOSTED),
        row("entrust/group/dismiss", "", HOSTED),
        row("entrust/group/create", "name=G&owner=x", [25409, 25409, 200]),
        row("entrust/group/import", "name=G&owner=a", [25409, 200, 25410]),

        row("group/join", "userId=x&groupName=G", ANY),
        row("group/quit", "userId=a", ANY),
        row("group/refresh", "groupName=G", ANY),
        row("group/dismiss", "userId=x", ANY),
        row("group/user/query", "", ANY),
        row("group/user/gag/add", "userId=a&minute=1", THERE),
        row("group/user/gag/rollback", "userId=a", THERE),
        row("group/user/gag/list", "", THERE),
        row("group/ban/add", "", THERE),
        row("group/ban/rollback", "", THERE),
        row("group/user/ban/whitelist/add", "userId=a", THERE),
        row("group/user/ban/whitelist/rollback", "userId=a", THERE),
        row("group/user/ban/whitelist/query", "", THERE),
    ]
}

async fn state(api: &Api) -> u64 {
    api.world.log.last().await.unwrap()
}

#[tokio::test]
async fn a_groups_structure_is_enforced_for_all_callers() {
    let mut failed = Vec::new();
    for row in table() {
        for (id, code) in ["h", "u", "n"].into_iter().zip(row.codes) {
            let api = api().await;
            let before = state(&api).await;
            let answer = api.post(row.path, format!("groupId={id}&{}", row.form)).await.json();
            let failure = format!("{} {id} {}: {answer}, not {code}", row.path, row.form);
            if answer["code"] != code {
                failed.push(failure);
            } else if code != 200 && state(&api).await != before {
                failed.push(format!("{failure}: and yet something changed"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The server API is the app's: without its secret every call is refused.
#[tokio::test]
async fn nobody_without_the_secret_does_anything() {
    let api = api().await;
    let before = state(&api).await;
    for row in table() {
        let headers = [
            ("app-key", conclave_tests::house::credentials::APP_KEY),
            ("nonce", "1"),
            ("timestamp", "2"),
            ("signature", "0"),
        ];
        let target = format!("/{}.json", row.path);
        let answer = api.client.send(http::Method::POST, &target, &headers, format!("groupId=h&{}", row.form)).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_u64()), (401, Some(1004)), "{}", row.path);
    }
    assert_eq!(state(&api).await, before);
}

// --- what `permissions` let each role do --------------------------------------------------------------------------

/// The callers, in the order of a row's outcomes: owner, manager, member, non-member.
const ROLES: [&str; 4] = ["o", "m", "a", "x"];

/// The reason of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wall {
    None,
    /// 25405: requires a manager, or the owner.
    Management,
    Ownership,
    /// 25405: requires the app.
    App,
    /// 25418: requires a member.
    Membership,
    /// 25426: may not invite.
    Inviting,
    /// 25414: joining is closed.
    Closed,
    /// 25417: owners cannot leave.
    Owner,
}

use Wall::{App, Closed, Inviting, Management, Membership, None as Open, Owner, Ownership};

fn wall(outcome: Result<(), Refusal>) -> Wall {
    match outcome {
        Ok(()) => Wall::None,
        Err(Refusal::NotPermitted { needs, .. }) => match needs {
            Needs::Management => Wall::Management,
            Needs::Ownership => Wall::Ownership,
            Needs::App => Wall::App,
            Needs::Membership => Wall::Membership,
            Needs::Inviting => Wall::Inviting,
        },
        Err(Refusal::NotMembers { .. }) => Wall::Membership,
        Err(Refusal::JoinClosed(_)) => Wall::Closed,
        Err(Refusal::OwnerProtected { .. } | Refusal::OwnerCannotLeave(_)) => Wall::Owner,
        Err(other) => panic!("{other}"),
    }
}

fn rename() -> Operation {
    let profile = ProfileChange { name: Some("new".to_owned()), ..ProfileChange::default() };
    UpdateGroup { profile, ..UpdateGroup::of(group("h")) }.into()
}

fn invite() -> Operation {
    AddMembers {
        group: group("h"),
        members: vec![NewMember::now(user("new"))],
        ask: true,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    }
    .into()
}

fn kick(who: &str) -> Operation {
    RemoveMembers {
        group: group("h"),
        users: vec![user(who)],
        reason: String::new(),
        cleanup: Cleanup::default(),
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::Refuse,
        skip_owner: false,
    }
    .into()
}

fn card(who: &str) -> Operation {
    UpdateMember { card: Some("card".to_owned()), ..UpdateMember::of(group("h"), user(who)) }.into()
}

fn promote() -> Operation {
    Promote { group: group("h"), users: vec![user("b")], most: None, on_outsider: OnOutsider::Refuse }.into()
}

fn apply() -> Operation {
    Apply {
        group: group("h"),
        user: None,
        message: String::new(),
        labels: conclave_core::model::Labels::new(),
        most: None,
    }
    .into()
}

/// A user has applied.
fn decide() -> Operation {
    let (user, reason) = (user("asks"), String::new());
    DecideRequest { group: group("h"), user, inviter: None, accept: true, reason, most: None }.into()
}

fn permit(policy: PolicyChange) -> Operation {
    UpdateGroup { policy, ..UpdateGroup::of(group("h")) }.into()
}

#[tokio::test]
async fn permissions_let_each_role_do_what_they_say() {
    type Asked = fn() -> Operation;
    let rows: [(&str, &str, Asked, [Wall; 4]); 31] = [
        ("profilePerm", "0", rename, [Open, Ownership, Ownership, Membership]),
        ("profilePerm", "1", rename, [Open, Open, Management, Membership]),
        ("profilePerm", "2", rename, [Open, Open, Open, Membership]),
        ("memInvitePerm", "0", invite, [Open, Inviting, Inviting, Membership]),
        ("memInvitePerm", "1", invite, [Open, Open, Inviting, Membership]),
        ("memInvitePerm", "2", invite, [Open, Open, Open, Membership]),
        ("removePerm", "0", || kick("b"), [Open, Ownership, Ownership, Membership]),
        ("removePerm", "1", || kick("b"), [Open, Open, Management, Membership]),
        ("removePerm", "2", || kick("b"), [Open, Open, Open, Membership]),
        ("removePerm", "2", || kick("o"), [Owner, Owner, Owner, Membership]),
        ("memProfilePerm", "0", || card("b"), [Open, Open, Management, Membership]),
        ("memProfilePerm", "1", || card("b"), [Open, Ownership, Ownership, Membership]),
        ("memProfilePerm", "2", || card("b"), [App, App, App, Membership]),
        ("memProfilePerm", "2", || card("a"), [App, App, Open, Membership]),
        ("joinPerm", "0", apply, [Open, Open, Open, Open]),
        ("joinPerm", "1", apply, [Open, Open, Open, Open]),
        ("joinPerm", "2", apply, [Open, Open, Open, Open]),
        ("joinPerm", "3", apply, [Open, Open, Open, Closed]),
        ("joinPerm", "0", promote, [Open, Ownership, Ownership, Membership]),
        (
            "joinPerm",
            "0",
            || Transfer { group: group("h"), to: user("b"), leave: None }.into(),
            [Open, Ownership, Ownership, Membership],
        ),
        ("joinPerm", "0", || Disband { group: group("h") }.into(), [Open, Ownership, Ownership, Membership]),
        ("joinPerm", "0", || card("x"), [Membership, Membership, Management, Membership]),
        ("joinPerm", "0", decide, [Open, Ownership, Management, Membership]),
        ("joinPerm", "2", decide, [Open, Open, Management, Membership]),
        ("removePerm", "1", || kick("k"), [Open, Ownership, Management, Membership]),
        ("removePerm", "2", || kick("k"), [Open, Ownership, Ownership, Membership]),
        (
            "joinPerm",
            "0",
            || Demote { group: group("h"), users: vec![user("k")], skip_others: false }.into(),
            [Open, Ownership, Ownership, Membership],
        ),
        (
            "profilePerm",
            "0",
            || permit(PolicyChange { remove: Some(Circle::Members), ..PolicyChange::default() }),
            [Open, Ownership, Ownership, Membership],
        ),
        (
            "profilePerm",
            "1",
            || permit(PolicyChange { remove: Some(Circle::Members), ..PolicyChange::default() }),
            [Open, Open, Management, Membership],
        ),
        (
            "profilePerm",
            "2",
            || permit(PolicyChange { remove: Some(Circle::Members), ..PolicyChange::default() }),
            [Open, Open, Open, Membership],
        ),
        // only the owner changes who may edit, even if others may edit
        (
            "profilePerm",
            "2",
            || permit(PolicyChange { edit_profile: Some(Circle::Owner), ..PolicyChange::default() }),
            [Open, Ownership, Ownership, Membership],
        ),
    ];
    let mut failed = Vec::new();
    for (key, value, asked, walls) in rows {
        for (role, wanted) in ROLES.into_iter().zip(walls) {
            let api = api().await;
            api.world.users(&["new", "asks"]).await;
            let permissions = format!("groupId=h&permissions={{\"{key}\":{value}}}");
            api.ok("entrust/group/profile/update", &permissions).await;
            if (key, value) != ("joinPerm", "3") {
                let asks = Apply {
                    group: group("h"),
                    user: Some(user("asks")),
                    message: String::new(),
                    labels: conclave_core::model::Labels::new(),
                    most: None,
                };
                api.world.run(asks).await;
            }
            let before = state(&api).await;
            let operation = asked();
            let name = operation.name();
            let found = wall(api.world.groups.perform(&Actor::user(user(role)), operation).await.map(drop));
            if found != wanted {
                failed.push(format!("{key} {value}: {name} by {role}: {found:?}, not {wanted:?}"));
            } else if found != Open && state(&api).await != before {
                failed.push(format!("{key} {value}: {name} by {role} was refused, and yet something changed"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// What each role may do for itself, whatever the permissions say.
#[tokio::test]
async fn everybody_keeps_what_is_their_own() {
    type Own = fn(&str) -> Operation;
    let leave: Own = |me| {
        let (users, cleanup) = (vec![user(me)], Cleanup::default());
        Leave { group: group("h"), users, cleanup, on_outsider: OnOutsider::Refuse, keep_owner: false }.into()
    };
    let follow: Own = |me| {
        let others = ["b", "k"].into_iter().filter(|other| *other != me).map(user).collect();
        Follow { group: group("h"), user: user(me), users: others, most: None }.into()
    };
    let remark: Own = |me| SetRemark { group: group("h"), user: user(me), text: "mine".to_owned() }.into();
    let own_card: Own = card;
    for (own, walls) in [
        (leave, [Owner, Open, Open, Membership]),
        (follow, [Open, Open, Open, Membership]),
        // a name for a group is private to its user, member or not
        (remark, [Open; 4]),
        (own_card, [Open, Open, Open, Membership]),
    ] {
        for (role, wanted) in ROLES.into_iter().zip(walls) {
            let api = api().await;
            // the strictest permissions
            let hard = r#"groupId=h&permissions={"profilePerm":0,"memProfilePerm":1,"removePerm":0}"#;
            api.ok("entrust/group/profile/update", hard).await;
            let operation = own(role);
            let name = operation.name();
            let found = wall(api.world.groups.perform(&Actor::user(user(role)), operation).await.map(drop));
            assert_eq!(found, wanted, "{name} by {role}");
        }
    }
    let api = api().await;
    for (role, wanted) in ROLES.into_iter().zip([Open, Open, Open, Membership]) {
        let members: Query = ListMembers::all(group("h")).into();
        let found = wall(api.world.groups.read(&Actor::user(user(role)), members).await.map(drop));
        assert_eq!(found, wanted, "members read by {role}");
    }
}

/// A mute of one's own holds whatever the role. Owner and managers speak while everybody is muted, as the other vendors
/// document, and so do those on the allowlist.
#[tokio::test]
async fn nobody_is_above_a_mute_of_their_own() {
    let api = api().await;
    let speaks = async |who: &str| {
        let said = SendMessage::new(group("h"), Sender::User(user(who)), Body::Text("hi".to_owned()));
        match api.world.groups.run(&Actor::user(user(who)), said).await {
            Ok(_) => true,
            Err(Refusal::Muted { .. } | Refusal::NotMembers { .. } | Refusal::NotPermitted { .. }) => false,
            Err(other) => panic!("{other}"),
        }
    };
    let all = async || [speaks("o").await, speaks("m").await, speaks("a").await, speaks("x").await];
    assert_eq!(all().await, [true, true, true, false]);
    api.ok("group/ban/add", "groupId=h").await;
    assert_eq!(all().await, [true, true, false, false]);
    api.ok("group/user/ban/whitelist/add", "groupId=h&userId=o,a").await;
    assert_eq!(all().await, [true, true, true, false]);
    api.ok("group/user/gag/add", "groupId=h&userId=a&minute=1").await;
    api.ok("group/user/gag/add", "userId=o&minute=0").await;
    assert_eq!(all().await, [false, true, false, false]);
    api.ok("group/ban/rollback", "groupId=h").await;
    assert_eq!(all().await, [false, true, false, false]);
    api.ok("group/user/gag/rollback", "userId=o").await;
    api.world.clock.step(60_000);
    assert_eq!(all().await, [true, true, true, false]);
    // the server may send in any user's name
    api.ok("group/user/gag/add", "groupId=h&userId=a&minute=0").await;
    api.ok("message/group/publish", "fromUserId=a&toGroupId=h&objectName=RC:TxtMsg&content={\"content\":\"hi\"}").await;
}
