//! Random histories of a small realm, compared step by step with the reference, and checked for invariants.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;
mod reference;

use std::collections::{BTreeMap, BTreeSet};

use common::{World, block_on, by, group, user};
use conclave_core::event::Actor;
use conclave_core::model::{Body, Circle, Join, Policy, Role, Sender, Stage, Until, UserId};
use conclave_core::operation::{
    AddMembers, Allow, AnswerInvitation, Apply, AttributeChange, Block, Cleanup, CreateGroup, DecideRequest,
    DeleteUser, Demote, Disallow, Disband, Leave, Mute, NewMember, NewUser, OnBlocked, OnExisting, OnFull, OnMember,
    OnOutsider, OnUnknown, OwnedGroups, Promote, Quiet, RegisterUsers, RemoveMembers, SendMessage, SetDisabled,
    Transfer, Unblock, Unmute, UpdateGroup, WriteAttributes,
};
use conclave_core::query::{
    Allowlist, Blocklist, FindUsers, GroupAttributes, GroupById, ListMembers, Mutes, Requests, RequestsOf,
};
use conclave_core::refusal::Refusal;
use proptest::prelude::*;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use reference::{GroupNo, Kind, Rank, ReferenceRealm, Step, User, Wait, Who};

const USERS: User = 6;
const GROUPS: GroupNo = 3;

struct Lives;

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Strict), Just(Kind::Loose), Just(Kind::Careful), Just(Kind::Private)]
}

fn creation(no: impl Strategy<Value = GroupNo>) -> impl Strategy<Value = Step> {
    (no, 0..USERS, proptest::collection::vec(0..USERS, 0..5), kind())
        .prop_map(|(no, owner, members, kind)| Step::Create(no, owner, members, kind))
}

/// Mostly a group that is there.
fn place(realm: &ReferenceRealm) -> BoxedStrategy<GroupNo> {
    let there: Vec<GroupNo> = realm.groups.keys().copied().collect();
    if there.is_empty() {
        return (0..GROUPS).boxed();
    }
    prop_oneof![12 => proptest::sample::select(there), 1 => 0..GROUPS].boxed()
}

/// Often the app or a manager, so that much is permitted.
fn who(realm: &ReferenceRealm, no: GroupNo) -> BoxedStrategy<Who> {
    let people = realm.groups.get(&no).map(|group| group.people.clone()).unwrap_or_default();
    let managers: Vec<User> = people.iter().filter(|(_, rank)| **rank > Rank::Member).map(|(no, _)| *no).collect();
    let anybody = (0..USERS).prop_map(Some);
    if managers.is_empty() {
        return prop_oneof![2 => Just(None), 3 => anybody].boxed();
    }
    prop_oneof![2 => Just(None), 3 => proptest::sample::select(managers).prop_map(Some), 3 => anybody].boxed()
}

type Spot = (GroupNo, Who, User);

fn spot(realm: &ReferenceRealm) -> impl Strategy<Value = Spot> + use<> {
    let realm = realm.clone();
    place(&realm).prop_flat_map(move |no| (Just(no), who(&realm, no), 0..USERS))
}

/// Often a request that there is; its group, its user and its inviter.
fn asking(realm: &ReferenceRealm) -> BoxedStrategy<(GroupNo, User, Option<User>)> {
    let all: Vec<_> = realm
        .groups
        .iter()
        .flat_map(|(no, group)| group.asking.iter().map(move |(key, one)| (*no, key.0, key.1, one.wait)))
        .filter(|(.., wait)| *wait != Wait::Over)
        .map(|(no, user, inviter, _)| (no, user, inviter))
        .collect();
    let anything = (place(realm), 0..USERS, proptest::option::of(0..USERS));
    if all.is_empty() {
        return anything.boxed();
    }
    let known = (proptest::sample::select(all), any::<bool>())
        .prop_map(|((no, user, inviter), exact)| (no, user, inviter.filter(|_| exact)));
    prop_oneof![5 => known, 1 => anything].boxed()
}

impl ReferenceStateMachine for Lives {
    type State = ReferenceRealm;
    type Transition = Step;

    /// Most accounts are there, and most groups.
    fn init_state() -> BoxedStrategy<ReferenceRealm> {
        (creation(Just(0)), creation(Just(1)), creation(Just(2)))
            .prop_map(|(first, second, third)| {
                let mut realm = ReferenceRealm::default();
                for user in 0..USERS {
                    let _ = realm.take(&Step::Register(user));
                }
                for step in [first, second, third] {
                    let _ = realm.take(&step);
                }
                realm
            })
            .boxed()
    }

    fn transitions(realm: &ReferenceRealm) -> BoxedStrategy<Step> {
        let on = |make: fn(Spot) -> Step| spot(realm).prop_map(make);
        let at = |make: fn((GroupNo, User)) -> Step| (place(realm), 0..USERS).prop_map(make);
        let about = || {
            let realm = realm.clone();
            asking(&realm).prop_flat_map(move |(no, user, inviter)| (Just((no, user, inviter)), who(&realm, no)))
        };
        let people = prop_oneof![
            2 => (0..USERS).prop_map(Step::Register),
            1 => (0..USERS, any::<bool>()).prop_map(|(user, orphan)| Step::DeleteUser(user, orphan)),
            2 => creation(0..GROUPS),
        ];
        let groups = prop_oneof![
            1 => on(|(no, who, _)| Step::Disband(no, who)),
            2 => (place(realm), prop_oneof![4 => Just(false), 1 => Just(true)])
                .prop_map(|(no, on)| Step::Disable(no, on)),
            3 => (spot(realm), any::<bool>()).prop_map(|((no, who, to), leave)| Step::Transfer(no, who, to, leave)),
            3 => on(|(no, who, user)| Step::Promote(no, who, user)),
            2 => on(|(no, who, user)| Step::Demote(no, who, user)),
            2 => (place(realm), proptest::option::of(0..3_u64)).prop_map(|(no, seen)| Step::Attributes(no, seen)),
        ];
        let coming = prop_oneof![
            6 => on(|(no, who, user)| Step::Add(no, who, user)),
            2 => on(|(no, who, user)| Step::Remove(no, who, user)),
            2 => at(|(no, user)| Step::Leave(no, user)),
            4 => at(|(no, user)| Step::Apply(no, user)),
            4 => (about(), any::<bool>())
                .prop_map(|(((no, user, inviter), who), accept)| Step::Decide(no, who, user, inviter, accept)),
            4 => (asking(realm), any::<bool>())
                .prop_map(|((no, user, inviter), accept)| Step::Answer(no, user, inviter, accept)),
        ];
        let speaking = prop_oneof![
            2 => on(|(no, who, user)| Step::Mute(no, who, user)),
            2 => on(|(no, who, user)| Step::Unmute(no, who, user)),
            2 => (spot(realm), any::<bool>()).prop_map(|((no, who, _), on)| Step::MuteAll(no, who, on)),
            2 => on(|(no, who, user)| Step::Allow(no, who, user)),
            1 => on(|(no, who, user)| Step::Disallow(no, who, user)),
            2 => on(|(no, who, user)| Step::Block(no, who, user)),
            2 => on(|(no, who, user)| Step::Unblock(no, who, user)),
            6 => at(|(no, user)| Step::Send(no, user)),
        ];
        prop_oneof![1 => people, 2 => groups, 4 => coming, 3 => speaking].boxed()
    }

    fn apply(mut realm: ReferenceRealm, step: &Step) -> ReferenceRealm {
        let _ = realm.take(step);
        realm
    }
}

/// The realm under test, with a reference of its own: the framework shows the state after a step only, and the
/// reference's result of the step itself is needed too.
struct Life {
    world: World,
    realm: ReferenceRealm,
}

impl StateMachineTest for Lives {
    type SystemUnderTest = Life;
    type Reference = Self;

    fn init_test(realm: &ReferenceRealm) -> Life {
        let world = World::new();
        block_on(async {
            for user in &realm.users {
                perform(&world, &Step::Register(*user)).await.unwrap();
            }
            for (no, group) in &realm.groups {
                let owner = group.people.iter().find(|(_, rank)| **rank == Rank::Owner).map(|(user, _)| *user);
                let members = group.people.keys().copied().collect();
                perform(&world, &Step::Create(*no, owner.unwrap(), members, group.kind)).await.unwrap();
            }
        });
        Life { world, realm: realm.clone() }
    }

    fn apply(mut life: Life, _: &ReferenceRealm, step: Step) -> Life {
        block_on(async {
            let wanted = life.realm.take(&step);
            let outcome = perform(&life.world, &step).await;
            assert_eq!(outcome.as_ref().map_err(name_of).copied(), wanted, "{step:?}: {outcome:?}");
            agrees(&life.world, &life.realm).await;
            assert_eq!(life.world.broken().await, None, "{step:?}");
        });
        life
    }
}

prop_state_machine! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() })]
    #[test]
    fn a_realm_lives_as_the_reference_says(sequential 1..120 => Lives);
}

fn name(no: User) -> UserId {
    user(&format!("u{no}"))
}

fn actor(who: Who) -> Actor {
    who.map_or_else(Actor::app, |no| by(&format!("u{no}")))
}

fn policy(kind: Kind) -> Policy {
    let usual = Policy::standard();
    match kind {
        Kind::Strict => Policy { capacity: Some(4), ..usual },
        Kind::Loose => Policy {
            join: Join::Open,
            invite: Circle::Members,
            invitee_consent: true,
            owner_may_leave: true,
            found_while_closed: false,
            ..usual
        },
        Kind::Careful => {
            Policy { invite: Circle::Members, invitee_consent: true, invite_approval: Some(Circle::Managers), ..usual }
        }
        Kind::Private => Policy { join: Join::Closed, invite: Circle::Members, ..usual },
    }
}

/// Does a step to the realm under test.
#[allow(clippy::too_many_lines, reason = "one arm for each kind of step")]
async fn perform(world: &World, step: &Step) -> Result<(), Refusal> {
    let id = |no: GroupNo| group(&format!("g{no}"));
    match step.clone() {
        Step::Register(no) => {
            let users = vec![NewUser::of(name(no))];
            world.app(RegisterUsers { users, on_existing: OnExisting::Refuse, folded: true }).await.map(drop)
        }
        Step::DeleteUser(no, orphan) => {
            let owned = if orphan { OwnedGroups::Orphan } else { OwnedGroups::Disband };
            world.app(DeleteUser { user: name(no), owned }).await.map(drop)
        }
        Step::Create(no, owner, members, kind) => {
            let create = CreateGroup {
                id: Some(id(no)),
                members: members.into_iter().map(|no| NewMember::now(name(no))).collect(),
                on_unknown_member: OnUnknown::Skip,
                on_full: OnFull::Partial,
                ..CreateGroup::new(Some(name(owner)), policy(kind))
            };
            world.app(create).await.map(drop)
        }
        Step::Disband(no, who) => world.run(&actor(who), Disband { group: id(no) }).await.map(drop),
        Step::Disable(no, disabled) => world.app(SetDisabled { group: id(no), disabled }).await,
        Step::Add(no, who, user) => {
            let add = AddMembers {
                group: id(no),
                members: vec![NewMember::now(name(user))],
                ask: false,
                message: String::new(),
                quiet: Quiet::Nobody,
                on_unknown: OnUnknown::Refuse,
                on_member: OnMember::Refuse,
                on_blocked: OnBlocked::Refuse,
                on_full: OnFull::Refuse,
                most: None,
            };
            world.run(&actor(who), add).await.map(drop)
        }
        Step::Remove(no, who, user) => {
            let remove = RemoveMembers {
                group: id(no),
                users: vec![name(user)],
                reason: String::new(),
                cleanup: Cleanup::default(),
                quiet: Quiet::Nobody,
                on_outsider: OnOutsider::Refuse,
                skip_owner: false,
            };
            world.run(&actor(who), remove).await.map(drop)
        }
        Step::Leave(no, user) => {
            let (users, on_outsider) = (vec![name(user)], OnOutsider::Refuse);
            let leave = Leave { group: id(no), users, cleanup: Cleanup::default(), on_outsider, keep_owner: false };
            world.run(&actor(Some(user)), leave).await.map(drop)
        }
        Step::Transfer(no, who, to, leave) => {
            let leave = leave.then(Cleanup::default);
            world.run(&actor(who), Transfer { group: id(no), to: name(to), leave }).await
        }
        Step::Promote(no, who, user) => {
            let (users, on_outsider) = (vec![name(user)], OnOutsider::Refuse);
            world.run(&actor(who), Promote { group: id(no), users, most: None, on_outsider }).await.map(drop)
        }
        Step::Demote(no, who, user) => {
            world.run(&actor(who), Demote { group: id(no), users: vec![name(user)], skip_others: false }).await
        }
        Step::Mute(no, who, user) => {
            let mute = Mute {
                group: id(no),
                users: vec![name(user)],
                until: Until::Forever,
                members_only: false,
                spare_owner: false,
            };
            world.run(&actor(who), mute).await.map(drop)
        }
        Step::Unmute(no, who, user) => {
            world.run(&actor(who), Unmute { group: id(no), users: vec![name(user)] }).await.map(drop)
        }
        Step::MuteAll(no, who, on) => {
            world.run(&actor(who), UpdateGroup { all_muted: Some(on), ..UpdateGroup::of(id(no)) }).await
        }
        Step::Allow(no, who, user) => {
            let allow = Allow { group: id(no), users: vec![name(user)], members_only: true };
            world.run(&actor(who), allow).await.map(drop)
        }
        Step::Disallow(no, who, user) => {
            world.run(&actor(who), Disallow { group: id(no), users: vec![name(user)] }).await.map(drop)
        }
        Step::Block(no, who, user) => {
            let block = Block {
                group: id(no),
                users: vec![name(user)],
                until: Until::Forever,
                reason: String::new(),
                members_only: false,
                cleanup: Cleanup::default(),
            };
            world.run(&actor(who), block).await.map(drop)
        }
        Step::Unblock(no, who, user) => {
            world.run(&actor(who), Unblock { group: id(no), users: vec![name(user)] }).await.map(drop)
        }
        Step::Apply(no, user) => {
            let apply = Apply {
                group: id(no),
                user: None,
                message: "please".to_owned(),
                labels: conclave_core::model::Labels::new(),
                most: None,
            };
            world.run(&actor(Some(user)), apply).await.map(drop)
        }
        Step::Decide(no, who, user, inviter, accept) => {
            let inviter = inviter.map(name);
            let decide =
                DecideRequest { group: id(no), user: name(user), inviter, accept, reason: String::new(), most: None };
            world.run(&actor(who), decide).await.map(drop)
        }
        Step::Answer(no, user, inviter, accept) => {
            let inviter = inviter.map(name);
            let answer = AnswerInvitation {
                group: id(no),
                user: name(user),
                inviter,
                accept,
                reason: String::new(),
                most: None,
            };
            world.run(&actor(Some(user)), answer).await.map(drop)
        }
        Step::Send(no, user) => {
            let send = SendMessage::new(id(no), Sender::User(name(user)), Body::Text("hello".to_owned()));
            world.run(&actor(Some(user)), send).await.map(drop)
        }
        Step::Attributes(no, expected) => {
            let change = AttributeChange::Set(BTreeMap::from([("k".to_owned(), "v".to_owned())]));
            let write = WriteAttributes { group: id(no), change, expected, most: None, most_bytes: None };
            world.app(write).await.map(drop)
        }
    }
}

/// A refusal, as the reference names it.
fn name_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::GroupNotFound { .. } => "no group",
        Refusal::GroupExists { .. } => "group exists",
        Refusal::UserNotFound(_) => "no user",
        Refusal::UserExists(_) => "user exists",
        Refusal::NotPermitted { .. } => "not permitted",
        Refusal::NotMembers { .. } => "not members",
        Refusal::AlreadyMembers { .. } => "already",
        Refusal::OwnerProtected { .. } => "owner",
        Refusal::OwnerCannotLeave(_) => "owner stays",
        Refusal::SameOwner { .. } => "same owner",
        Refusal::NotAdmin { .. } => "not admin",
        Refusal::GroupFull { .. } => "full",
        Refusal::GroupDisabled(_) => "disabled",
        Refusal::Blocked { .. } => "blocked",
        Refusal::Muted { .. } => "muted",
        Refusal::JoinClosed(_) => "closed",
        Refusal::RequestNotFound(_) => "no request",
        Refusal::RequestDecided(_) => "decided",
        Refusal::VersionConflict { .. } => "version",
        other => panic!("the reference has no word for {other:?}"),
    }
}

/// Compares all queries with the reference.
async fn agrees(world: &World, realm: &ReferenceRealm) {
    let ids: Vec<UserId> = (0..USERS).map(name).collect();
    let found = world.ask(FindUsers { ids, folded: false }).await.unwrap().0;
    for (no, found) in (0..USERS).zip(found) {
        assert_eq!(found.is_some(), realm.users.contains(&no), "account {no}");
    }
    for no in 0..GROUPS {
        let id = group(&format!("g{no}"));
        let Some(wanted) = realm.groups.get(&no) else {
            let refused = world.ask(GroupById { group: id.clone() }).await.unwrap_err();
            assert_eq!(refused, Refusal::GroupNotFound { group: id, disbanded: realm.gone.contains_key(&no) });
            continue;
        };
        let header = world.ask(GroupById { group: id.clone() }).await.unwrap().group;
        let flags = (header.disabled, header.all_muted, header.next_message);
        assert_eq!(flags, (wanted.disabled, wanted.all_muted, wanted.next));

        let members = world.ask(ListMembers::all(id.clone())).await.unwrap().members;
        let members: BTreeMap<UserId, Role> = members.iter().map(|one| (one.user.clone(), one.role)).collect();
        let people: BTreeMap<UserId, Role> = wanted.people.iter().map(|(no, rank)| (name(*no), role(*rank))).collect();
        assert_eq!(members, people);

        let named = |set: &BTreeSet<User>| set.iter().map(|no| name(*no)).collect::<BTreeSet<_>>();
        let mutes = world.ask(Mutes::all(id.clone())).await.unwrap().entries;
        assert_eq!(mutes.iter().map(|one| one.user.clone()).collect::<BTreeSet<_>>(), named(&wanted.mutes));
        let allowed = world.ask(Allowlist::all(id.clone())).await.unwrap().entries;
        assert_eq!(allowed.iter().map(|one| one.user.clone()).collect::<BTreeSet<_>>(), named(&wanted.allowed));
        let blocked = world.ask(Blocklist::all(id.clone())).await.unwrap().entries;
        assert_eq!(blocked.iter().map(|one| one.user.clone()).collect::<BTreeSet<_>>(), named(&wanted.blocked));

        let requests = world.ask(Requests::all(RequestsOf::Group(id.clone()))).await.unwrap().requests;
        let requests: BTreeMap<_, _> =
            requests.iter().map(|one| ((one.user.clone(), one.inviter.clone()), wait(one.stage))).collect();
        let asking: BTreeMap<_, _> =
            wanted.asking.iter().map(|((user, inviter), one)| ((name(*user), inviter.map(name)), one.wait)).collect();
        assert_eq!(requests, asking);
        assert_eq!(world.ask(GroupAttributes { group: id }).await.unwrap().0.version, wanted.version);
    }
}

fn role(rank: Rank) -> Role {
    match rank {
        Rank::Member => Role::Member,
        Rank::Admin => Role::Admin,
        Rank::Owner => Role::Owner,
    }
}

fn wait(stage: Stage) -> Wait {
    match stage {
        Stage::AwaitsManagers => Wait::Managers,
        Stage::AwaitsInvitee => Wait::Invitee,
        Stage::RefusedByManagers | Stage::Declined | Stage::Joined => Wait::Over,
    }
}
