//! People who are admins whenever they are in, and members with marks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{World, add, by, group, log, story, user, users};
use conclave_core::event::{Actor, Happening};
use conclave_core::model::{Circle, Join, Policy, Role};
use conclave_core::operation::{
    Apply, Appoint, Cleanup, DeleteUser, Demote, Disband, Dismiss, Leave, MarkMembers, OnOutsider, OnUnknown,
    OwnedGroups, RemoveMembers, Transfer,
};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{Admins, GroupById, MarkedMembers, MembersNamed};
use conclave_core::refusal::{Limit, Refusal};

/// A room that anyone may join and without a way to promote members.
fn room() -> Policy {
    Policy { promote: Circle::Nobody, join: Join::Open, ..Policy::standard() }
}

fn appoint(names: &[&str]) -> Appoint {
    Appoint { group: group("g"), users: users(names), on_unknown: OnUnknown::Refuse, most: Some(2) }
}

fn dismiss(names: &[&str]) -> Dismiss {
    Dismiss { group: group("g"), users: users(names) }
}

fn leave(name: &str) -> Leave {
    let (users, cleanup) = (users(&[name]), Cleanup::default());
    Leave { group: group("g"), users, cleanup, on_outsider: OnOutsider::Refuse, keep_owner: false }
}

async fn admins(world: &World) -> Vec<String> {
    let found = world.ask(Admins { group: group("g") }).await.unwrap().0;
    found.iter().map(ToString::to_string).collect()
}

async fn last(world: &World, count: usize) -> Vec<Happening> {
    let log = log(world).await;
    log[log.len() - count..].to_vec()
}

#[test]
fn the_appointed_are_admins_whenever_they_are_in() {
    story(room(), async |world| {
        world.app(appoint(&["ben", "dan"])).await.unwrap();
        assert_eq!(admins(world).await, ["ben"], "who is not in is no admin yet");
        let events = last(world, 2).await;
        let appointed = Happening::AppointedChanged { added: users(&["ben", "dan"]), removed: vec![] };
        assert_eq!(events, [appointed, Happening::AdminsAdded(users(&["ben"]))]);

        world
            .run(
                &by("dan"),
                Apply {
                    group: group("g"),
                    user: None,
                    message: String::new(),
                    labels: conclave_core::model::Labels::new(),
                    most: None,
                },
            )
            .await
            .unwrap();
        assert_eq!(admins(world).await, ["ben", "dan"]);
        let events = last(world, 2).await;
        assert!(matches!(&events[0], Happening::MembersJoined { users, .. } if *users == [user("dan")]));
        assert_eq!(events[1], Happening::AdminsAdded(users(&["dan"])));

        world.run(&by("ben"), leave("ben")).await.unwrap();
        assert_eq!(admins(world).await, ["dan"]);
        world.app(add(&["ben"])).await.unwrap();
        assert_eq!(admins(world).await, ["ben", "dan"], "it outlasts leaving");

        let events = log(world).await.len();
        world.app(appoint(&["ben"])).await.unwrap();
        assert_eq!(log(world).await.len(), events, "no event is emitted");
    });
}

#[test]
fn appointments_end_as_they_began() {
    story(room(), async |world| {
        world.app(appoint(&["ben", "dan"])).await.unwrap();
        world.app(dismiss(&["ben", "dan", "cy"])).await.unwrap();
        assert_eq!(admins(world).await, <[&str; 0]>::default());
        let events = last(world, 2).await;
        let gone = Happening::AppointedChanged { added: vec![], removed: users(&["ben", "dan"]) };
        assert_eq!(events, [gone, Happening::AdminsRemoved(users(&["ben"]))]);
        world.app(add(&["dan"])).await.unwrap();
        assert_eq!(admins(world).await, <[&str; 0]>::default());
    });
}

#[test]
fn only_the_app_appoints_and_not_too_many() {
    story(room(), async |world| {
        assert_eq!(world.run(&by("ann"), appoint(&["ben"])).await, Err(Refusal::AppOnly));
        assert_eq!(world.run(&by("ann"), dismiss(&["ben"])).await, Err(Refusal::AppOnly));
        let owner = world.app(appoint(&["ann"])).await;
        assert!(matches!(owner, Err(Refusal::OwnerProtected { .. })), "{owner:?}");
        assert_eq!(world.app(appoint(&["eve"])).await, Err(Refusal::UserNotFound(user("eve"))));
        world.app(appoint(&["ben"])).await.unwrap();
        let events = log(world).await.len();
        let refused = Refusal::LimitReached { limit: Limit::Admins, most: 2, now: 1 };
        assert_eq!(world.app(appoint(&["cy", "dan"])).await, Err(refused));
        assert_eq!((admins(world).await, log(world).await.len()), (vec!["ben".to_owned()], events));
    });
}

#[test]
fn an_appointment_goes_with_the_role_the_account_and_the_group() {
    story(Policy::standard(), async |world| {
        world.app(Appoint { most: None, ..appoint(&["ben", "cy", "dan"]) }).await.unwrap();
        world.run(&by("ann"), Demote { group: group("g"), users: users(&["ben"]), skip_others: false }).await.unwrap();
        world.app(leave("ben")).await.unwrap();
        world.app(add(&["ben"])).await.unwrap();
        assert_eq!(admins(world).await, ["cy"], "unmade by the owner");
        world.run(&by("ann"), Transfer { group: group("g"), to: user("cy"), leave: None }).await.unwrap();
        world.app(DeleteUser { user: user("dan"), owned: OwnedGroups::Disband }).await.unwrap();
        let found = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        assert_eq!(found.appointed, []);
        world.app(appoint(&["ben"])).await.unwrap();
        world.app(Disband { group: group("g") }).await.unwrap();
    });
}

#[test]
fn an_owner_who_transfers_and_leaves_is_shown_as_a_member() {
    story(Policy::standard(), async |world| {
        let transfer = Transfer { group: group("g"), to: user("ben"), leave: Some(Cleanup::default()) };
        world.run(&by("ann"), transfer).await.unwrap();
        let events = log(world).await;
        let Some([Happening::OwnerChanged { was: Some(was), .. }, Happening::MembersLeft { were, .. }]) =
            events.last_chunk()
        else {
            panic!("{events:?}")
        };
        assert_eq!((was.role, were[0].role), (Role::Member, Role::Member));
        let found = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        assert_eq!(found.owner, Some(user("ben")));
    });
}

#[test]
fn no_appointment_outlives_its_account_whenever_it_was_made() {
    for steps in 0..12 {
        story(Policy::standard(), async |world| {
            let delete = DeleteUser { user: user("dan"), owned: OwnedGroups::Disband };
            let delete = world.engine.run(&Actor::System, delete);
            tokio::pin!(delete);
            for _ in 0..steps {
                tokio::select! {
                    biased;
                    _ = &mut delete => return,
                    () = std::future::ready(()) => {}
                }
            }
            world.app(appoint(&["dan"])).await.unwrap();
            delete.await.unwrap();
            assert_eq!(world.ask(GroupById { group: group("g") }).await.unwrap().group.appointed, []);
        });
    }
}

fn mark(names: &[&str], marks: &[u32], on: bool) -> MarkMembers {
    let members = names.iter().map(|name| (user(name), marks.to_vec())).collect();
    MarkMembers { group: group("g"), members, on, most_kinds: Some(2) }
}

async fn marked(world: &World, mark: u32) -> Vec<String> {
    let found = world.ask(MarkedMembers { group: group("g"), mark, limit: 10 }).await.unwrap().0;
    found.iter().map(|member| member.user.to_string()).collect()
}

#[test]
fn marks_list_members_and_go_with_them() {
    story(room(), async |world| {
        let outside = world.app(mark(&["ben", "cy", "dan"], &[1, 2, 1], true)).await.unwrap().outsiders;
        assert_eq!(outside, [user("dan")]);
        assert_eq!((marked(world, 1).await, marked(world, 2).await), (names(&["cy", "ben"]), names(&["cy", "ben"])));
        world.run(&by("ann"), mark(&["cy", "ann"], &[2], false)).await.unwrap();
        assert_eq!((marked(world, 1).await, marked(world, 2).await), (names(&["cy", "ben"]), names(&["ben"])));
        let header = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        assert_eq!(header.marks, [(1, 2), (2, 1)].into());

        let (group, users) = (group("g"), users(&["ben"]));
        let (on_outsider, cleanup) = (OnOutsider::Refuse, Cleanup::default());
        let quiet = conclave_core::operation::Quiet::Nobody;
        let reason = String::new();
        let remove = RemoveMembers { group, users, reason, cleanup, quiet, on_outsider, skip_owner: false };
        world.app(remove).await.unwrap();
        assert_eq!((marked(world, 1).await, marked(world, 2).await), (names(&["cy"]), names(&[])));
        world.app(add(&["ben"])).await.unwrap();
        assert_eq!(marked(world, 1).await, ["cy"], "a user who joins again has no marks");
        // so one more kind has room
        world.app(mark(&["ben"], &[3], true)).await.unwrap();
    });
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn marks_are_the_owners_and_the_apps_and_of_few_kinds() {
    story(room(), async |world| {
        for who in ["ben", "dan"] {
            let refused = world.run(&by(who), mark(&["ben"], &[1], true)).await;
            assert!(matches!(refused, Err(Refusal::NotPermitted { .. })), "{who}: {refused:?}");
        }
        world.app(mark(&["ben"], &[1, 2], true)).await.unwrap();
        let events = log(world).await.len();
        let refused = Refusal::LimitReached { limit: Limit::Marks, most: 2, now: 2 };
        assert_eq!(world.app(mark(&["cy"], &[3], true)).await.unwrap_err(), refused);
        world.app(mark(&["ben"], &[1], true)).await.unwrap();
        world.app(mark(&["ben"], &[9], false)).await.unwrap();
        assert_eq!(log(world).await.len(), events, "nothing has changed");
        let found = world.ask(MembersNamed { group: group("g"), users: users(&["ben"]) }).await.unwrap();
        assert_eq!(found.members[0].as_ref().unwrap().role, Role::Member);
    });
}
