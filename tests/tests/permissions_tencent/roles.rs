//! What each type lets each role do, for calls by users.

use conclave_core::event::{Actor, ProfileChange};
use conclave_core::model::{Body, Circle, GroupId, Join, Receive, Sender, Until};
use conclave_core::operation::{
    AddMembers, Apply, Cleanup, DecideRequest, Demote, Disband, Leave, Mute, NewMember, OnBlocked, OnFull, OnMember,
    OnOutsider, OnUnknown, Operation, PolicyChange, Promote, Quiet, RemoveMembers, SendMessage, Transfer, UpdateGroup,
    UpdateMember,
};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{GroupById, ListMembers, Query};
use conclave_tencent::Settings;
use conclave_tests::world::{BEGINNING, World, group, user};
use serde_json::json;

use super::KINDS;
use crate::tencent_support::{client, group_call};

/// The callers, by the letters of the vendor's table: owner, admin, member, non-member.
const ROLES: [(char, &str); 4] = [('O', "alice"), ('A', "ada"), ('M', "bob"), ('N', "dave")];

/// The caller, and the group.
struct At {
    group: GroupId,
    me: &'static str,
}

/// The attempted call.
enum Tried {
    Operation(Operation),
    Query(Query),
}

impl<T: Into<Operation>> From<T> for Tried {
    fn from(operation: T) -> Self {
        Self::Operation(operation.into())
    }
}

/// A row of the vendor's table: the attempted call, and which roles may make it, by type.
type Cells = (&'static str, fn(&At) -> Tried, [&'static str; 5]);

/// Only the app.
const NOBODY: [&str; 5] = [""; 5];

fn profile(at: &At) -> UpdateGroup {
    let profile = ProfileChange { name: Some("new".to_owned()), ..ProfileChange::default() };
    UpdateGroup { profile, ..UpdateGroup::of(at.group.clone()) }
}

fn options(at: &At, policy: PolicyChange) -> Tried {
    UpdateGroup { policy, ..UpdateGroup::of(at.group.clone()) }.into()
}

fn invite(at: &At) -> AddMembers {
    AddMembers {
        group: at.group.clone(),
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
}

fn kick(at: &At, who: &str) -> Tried {
    RemoveMembers {
        group: at.group.clone(),
        users: vec![user(who)],
        reason: String::new(),
        cleanup: Cleanup::default(),
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::Refuse,
        skip_owner: false,
    }
    .into()
}

fn mute(at: &At, who: &str) -> Tried {
    let until = Until::At(BEGINNING.plus(60_000));
    Mute { group: at.group.clone(), users: vec![user(who)], until, members_only: true, spare_owner: false }.into()
}

fn card(at: &At, who: &str) -> UpdateMember {
    UpdateMember { card: Some("card".to_owned()), ..UpdateMember::of(at.group.clone(), user(who)) }
}

/// The vendor's table of permissions; "A" does not exist in types without admins.
#[rustfmt::skip]
fn cells() -> Vec<Cells> {
    let members = ["OM", "OAM", "OAM", "OM", "OAM"];
    let managers = ["", "OA", "OA", "O", "OA"];
    vec![
        ("read the profile", |at| Tried::Query(GroupById { group: at.group.clone() }.into()), ["OM", "OAMN", "OAMN", "OMN", "OAMN"]),
        ("list the members", |at| Tried::Query(ListMembers::all(at.group.clone()).into()), members),
        ("change the profile", |at| profile(at).into(), ["OM", "OA", "OA", "O", "OA"]),
        ("change the notification", |at| UpdateGroup { announcement: Some("n".to_owned()), ..UpdateGroup::of(at.group.clone()) }.into(), ["OM", "OA", "OA", "O", "OA"]),
        ("change who joins", |at| options(at, PolicyChange { join: Some(Join::Approval(Circle::Owner)), ..PolicyChange::default() }), ["O", "OA", "", "", "OA"]),
        ("change who invites", |at| options(at, PolicyChange { invite: Some(Circle::Owner), ..PolicyChange::default() }), ["O", "OA", "OA", "", ""]),
        ("change how many fit", |at| options(at, PolicyChange { capacity: Some(Some(100)), ..PolicyChange::default() }), NOBODY),
        ("mute all", |at| UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(at.group.clone()) }.into(), managers),
        ("invite", |at| invite(at).into(), ["OM", "", "", "", "OAM"]),
        ("remove a member", |at| kick(at, "carol"), ["O", "OA", "OA", "", "OA"]),
        ("remove an admin", |at| kick(at, "abe"), ["O", "O", "O", "", "O"]),
        ("remove the owner", |at| kick(at, "alice"), NOBODY),
        ("make an admin", |at| Promote { group: at.group.clone(), users: vec![user("carol")], most: None, on_outsider: OnOutsider::Refuse }.into(), ["", "O", "O", "", "O"]),
        ("unmake an admin", |at| Demote { group: at.group.clone(), users: vec![user("abe")], skip_others: true }.into(), ["", "O", "O", "", "O"]),
        ("mute a member", |at| mute(at, "carol"), managers),
        ("mute an admin", |at| mute(at, "abe"), ["", "O", "O", "O", "O"]),
        ("mute the owner", |at| mute(at, "alice"), NOBODY),
        ("change one's own card", |at| card(at, at.me).into(), ["OM", "OAM", "OAM", "OM", "OAM"]),
        ("change one's own message option", |at| UpdateMember { receive: Some(Receive::Silent), ..UpdateMember::of(at.group.clone(), user(at.me)) }.into(), members),
        ("change a member's card", |at| card(at, "carol").into(), ["O", "OA", "OA", "", "OA"]),
        ("change an admin's card", |at| card(at, "abe").into(), ["O", "O", "O", "", "O"]),
        ("hand the group over", |at| Transfer { group: at.group.clone(), to: user("carol"), leave: None }.into(), ["O", "O", "O", "", "O"]),
        ("dissolve", |at| Disband { group: at.group.clone() }.into(), ["", "O", "O", "O", "O"]),
        ("leave", |at| Leave { group: at.group.clone(), users: vec![user(at.me)], cleanup: Cleanup::default(), on_outsider: OnOutsider::Refuse, keep_owner: false }.into(), ["OM", "AM", "AM", "M", "AM"]),
        ("speak", |at| SendMessage::new(at.group.clone(), Sender::User(user(at.me)), Body::Text("hi".to_owned())).into(), members),
        ("speak for another", |at| SendMessage::new(at.group.clone(), Sender::User(user("carol")), Body::Text("hi".to_owned())).into(), NOBODY),
    ]
}

/// A group of this type, created through the vendor's API, with everyone that the cells are about.
async fn populated(kind: &str, change: PolicyChange) -> (World, GroupId) {
    let world = World::new();
    world.users(&["alice", "ada", "abe", "bob", "carol", "dave", "asks", "new"]).await;
    let client = client(&world, Settings::default());
    let made = group_call(&client, "create_group", json!({"Type": kind, "Name": "g", "Owner_Account": "alice"})).await;
    let at = At { group: group(made["GroupId"].as_str().expect("an id")), me: "" };
    let members = ["ada", "abe", "bob", "carol"].map(|id| NewMember::now(user(id))).to_vec();
    world.run(AddMembers { members, ask: false, ..invite(&at) }).await;
    if !matches!(kind, "Private" | "AVChatRoom") {
        let users = vec![user("ada"), user("abe")];
        let promote = Promote { group: at.group.clone(), users, most: None, on_outsider: OnOutsider::Refuse };
        world.run(promote).await;
    }
    if change != PolicyChange::default() {
        world.run(UpdateGroup { policy: change, ..UpdateGroup::of(at.group.clone()) }).await;
    }
    (world, at.group)
}

async fn state_of(world: &World, id: &GroupId) -> (Option<u64>, u64) {
    let found = world.groups.ask(&Actor::app(), GroupById { group: id.clone() }).await;
    let last = world.log.last().await.unwrap();
    (found.ok().map(|found| found.group.revision), last)
}

/// Tries one cell in a world of its own, as every role that the type has.
async fn try_cell(kind: &str, change: &PolicyChange, name: &str, tried: fn(&At) -> Tried, may: &str) -> Vec<String> {
    let mut failed = Vec::new();
    for (role, me) in ROLES {
        if role == 'A' && matches!(kind, "Private" | "AVChatRoom") {
            continue;
        }
        let (world, id) = populated(kind, change.clone()).await;
        let before = state_of(&world, &id).await;
        let actor = Actor::user(user(me));
        let outcome = match tried(&At { group: id.clone(), me }) {
            Tried::Operation(operation) => world.groups.perform(&actor, operation).await.map(drop),
            Tried::Query(query) => world.groups.read(&actor, query).await.map(drop),
        };
        if outcome.is_ok() != may.contains(role) {
            failed.push(format!("{kind}: {name} by {role}: {outcome:?}"));
        } else if outcome.is_err() && state_of(&world, &id).await != before {
            failed.push(format!("{kind}: {name} by {role} was refused, and yet something changed"));
        }
    }
    failed
}

#[tokio::test]
async fn each_type_lets_each_role_do_what_the_vendor_says() {
    let mut failed = Vec::new();
    for (name, tried, may) in cells() {
        for (kind, may) in KINDS.into_iter().zip(may) {
            failed.extend(try_cell(kind, &PolicyChange::default(), name, tried, may).await);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The effect of a group's options on the table.
#[tokio::test]
async fn options_open_and_close_what_they_say() {
    let none = PolicyChange::default;
    let join = |join| PolicyChange { join: Some(join), ..PolicyChange::default() };
    let apply: fn(&At) -> Tried = |at| {
        Apply {
            group: at.group.clone(),
            user: None,
            message: String::new(),
            labels: conclave_core::model::Labels::new(),
            most: None,
        }
        .into()
    };
    // members are refused because they are members
    let strangers = "OAMN";
    let approving = join(Join::Approval(Circle::Managers));
    let inviting = PolicyChange { invite: Some(Circle::Members), ..PolicyChange::default() };
    let closed = PolicyChange { invite: Some(Circle::Nobody), ..PolicyChange::default() };
    let mut failed = Vec::new();
    for (name, tried, change, may) in [
        ("ask to join", apply, none(), ["OAM", strangers, strangers, strangers, strangers]),
        ("ask to join what is closed", apply, join(Join::Closed), ["OAM"; 5]),
        ("ask to join what is open", apply, join(Join::Open), [strangers; 5]),
        ("ask to join what decides", apply, approving, [strangers; 5]),
        ("invite where members may", |at| invite(at).into(), inviting, ["OM", "OAM", "OAM", "OM", "OAM"]),
        ("invite where nobody may", |at| invite(at).into(), closed, NOBODY),
    ] {
        for (kind, may) in KINDS.into_iter().zip(may) {
            failed.extend(try_cell(kind, &change, name, tried, may).await);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Applications are decided by owner and admins, where there are any.
#[tokio::test]
async fn managers_decide_who_joins() {
    let approving = PolicyChange { join: Some(Join::Approval(Circle::Managers)), ..PolicyChange::default() };
    let mut failed = Vec::new();
    for (kind, may) in KINDS.into_iter().zip(["O", "OA", "OA", "O", "OA"]) {
        for (role, me) in ROLES {
            if role == 'A' && matches!(kind, "Private" | "AVChatRoom") {
                continue;
            }
            let (world, id) = populated(kind, approving.clone()).await;
            world
                .run(Apply {
                    group: id.clone(),
                    user: Some(user("asks")),
                    message: String::new(),
                    labels: conclave_core::model::Labels::new(),
                    most: None,
                })
                .await;
            let decide = DecideRequest {
                group: id,
                user: user("asks"),
                inviter: None,
                accept: true,
                reason: String::new(),
                most: None,
            };
            let outcome = world.groups.run(&Actor::user(user(me)), decide).await;
            if outcome.is_ok() != may.contains(role) {
                failed.push(format!("{kind}: decide by {role}: {outcome:?}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
