//! Read marks: rows of their own that conflict with nothing in the group.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::Arc;

use common::{World, add, by, group, log, story, text, user, users};
use conclave_core::event::{Actor, Happening};
use conclave_core::model::{Key, Member, Policy, ReadMark, Row};
use conclave_core::operation::{Cleanup, DeleteUser, Disband, Leave, MarkRead, OnOutsider, OwnedGroups, SetUnread};
use conclave_core::ports::{Batch, Change, GroupsExt, Store};
use conclave_core::query::{GroupById, ReadMarks, ReadMarksFound};
use conclave_core::refusal::{Needs, Refusal};

fn mark(who: &str, sequence: u64) -> MarkRead {
    MarkRead { group: group("g"), user: user(who), sequence }
}

async fn read(world: &World, who: &str) -> Option<u64> {
    world.ask(ReadMarks { of: vec![(group("g"), user(who))] }).await.unwrap().0[0]
}

async fn say(world: &World, count: usize) {
    for _ in 0..count {
        world.run(&by("ann"), text("ann", "hi")).await.unwrap();
    }
}

async fn row(world: &World, key: Key) -> Option<Row> {
    world.store.fetch(&[key]).await.unwrap().pop().unwrap()
}

async fn member(world: &World, who: &str) -> Member {
    Member::clone(row(world, Key::Member(group("g"), user(who))).await.unwrap().member().unwrap())
}

#[test]
fn a_mark_moves_forward_only_and_not_beyond_the_last_message() {
    story(Policy::standard(), async |world| {
        say(world, 5).await;
        assert_eq!(read(world, "ben").await, Some(0));
        for (sequence, seen) in [(2, 2), (1, 2), (2, 2), (4, 4), (99, 5), (u64::MAX, 5), (0, 5)] {
            world.run(&by("ben"), mark("ben", sequence)).await.unwrap();
            assert_eq!(read(world, "ben").await, Some(seen), "after {sequence}");
        }
        assert_eq!(read(world, "cy").await, Some(0));
        let emitted: Vec<_> = log(world).await.into_iter().filter_map(marked).collect();
        assert_eq!(emitted, [2, 4, 5].map(|sequence| (user("ben"), sequence)), "only moved marks emit events");
    });
}

fn marked(what: Happening) -> Option<(conclave_core::model::UserId, u64)> {
    match what {
        Happening::ReadMarkChanged { user, sequence } => Some((user, sequence)),
        _ => None,
    }
}

#[test]
fn only_members_have_marks_and_only_they_and_the_app_move_them() {
    story(Policy::standard(), async |world| {
        say(world, 1).await;
        assert_eq!(world.run(&by("cy"), mark("ben", 1)).await.unwrap_err(), Refusal::AppOnly);
        let outside = Refusal::NotMembers { group: group("g"), users: users(&["dan"]) };
        assert_eq!(world.run(&by("dan"), mark("dan", 1)).await.unwrap_err(), outside);
        assert_eq!(world.app(mark("dan", 1)).await.unwrap_err(), outside);
        world.app(mark("ben", 1)).await.unwrap();

        let of = |names: &[&str]| ReadMarks { of: users(names).into_iter().map(|user| (group("g"), user)).collect() };
        let found = world.engine.ask(&by("cy"), of(&["ben", "cy", "dan"])).await.unwrap();
        assert_eq!(found, ReadMarksFound(vec![Some(1), Some(0), None]));
        let denied = Refusal::NotPermitted { group: group("g"), needs: Needs::Membership };
        assert_eq!(world.engine.ask(&by("dan"), of(&["ben"])).await.unwrap_err(), denied);
        assert_eq!(world.engine.ask(&by("dan"), of(&["dan"])).await.unwrap(), ReadMarksFound(vec![None]));
    });
}

#[test]
fn reading_touches_neither_the_header_nor_the_membership() {
    story(Policy::standard(), async |world| {
        say(world, 3).await;
        let header = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        let before = member(world, "ben").await;
        world.run(&by("ben"), mark("ben", 2)).await.unwrap();
        world.app(SetUnread { group: group("g"), users: vec![(user("ben"), 3)] }).await.unwrap();
        assert_eq!(world.ask(GroupById { group: group("g") }).await.unwrap().group, header);
        assert_eq!(member(world, "ben").await, before);
    });
}

#[test]
fn devices_that_read_at_once_end_at_the_furthest() {
    story(Policy::standard(), async |world| {
        say(world, 20).await;
        let engine = &world.engine;
        let reading = (1..=20).rev().map(|sequence| {
            let engine = Arc::clone(engine);
            tokio::spawn(async move {
                let device = Actor::User { user: user("ben"), device: Some(format!("d{}", sequence % 3)) };
                engine.run(&device, mark("ben", sequence)).await.unwrap();
            })
        });
        for reader in reading.collect::<Vec<_>>() {
            reader.await.unwrap();
        }
        assert_eq!(read(world, "ben").await, Some(20));
    });
}

#[test]
fn a_mark_ends_with_its_membership() {
    story(Policy::standard(), async |world| {
        say(world, 3).await;
        world.run(&by("ben"), mark("ben", 3)).await.unwrap();
        let kept = row(world, Key::ReadMark(user("ben"), group("g"))).await.unwrap();
        let leave = Leave {
            group: group("g"),
            users: users(&["ben"]),
            cleanup: Cleanup::default(),
            on_outsider: OnOutsider::Refuse,
            keep_owner: false,
        };
        world.run(&by("ben"), leave).await.unwrap();
        assert_eq!(row(world, Key::ReadMark(user("ben"), group("g"))).await, None);
        world.app(add(&["ben"])).await.unwrap();
        assert_eq!(read(world, "ben").await, Some(0));

        // a mark that was written while its membership ended does not apply to the next one
        let late = vec![Change::Put(Key::ReadMark(user("ben"), group("g")), kept)];
        world.store.commit(Batch { changes: late, ..Batch::default() }).await.unwrap();
        assert_eq!(read(world, "ben").await, Some(0));
        world.run(&by("ben"), mark("ben", 2)).await.unwrap();
        assert_eq!(read(world, "ben").await, Some(2));

        world.app(DeleteUser { user: user("ben"), owned: OwnedGroups::Disband }).await.unwrap();
        assert_eq!(row(world, Key::ReadMark(user("ben"), group("g"))).await, None);
        world.run(&by("cy"), mark("cy", 2)).await.unwrap();
        world.app(Disband { group: group("g") }).await.unwrap();
        assert_eq!(row(world, Key::ReadMark(user("cy"), group("g"))).await, None);
    });
}

#[test]
fn marks_kept_in_memberships_hold_until_there_are_others() {
    story(Policy::standard(), async |world| {
        say(world, 4).await;
        let old = Row::from(Member { read: 3, ..member(world, "ben").await });
        let seat = old.member().unwrap().seat;
        let changes = [Key::Member(group("g"), user("ben")), Key::Seat(group("g"), seat)]
            .map(|key| Change::Put(key, old.clone()))
            .to_vec();
        world.store.commit(Batch { changes, ..Batch::default() }).await.unwrap();
        assert_eq!(read(world, "ben").await, Some(3));
        world.run(&by("ben"), mark("ben", 2)).await.unwrap();
        assert_eq!(read(world, "ben").await, Some(3), "never back");
        assert_eq!(row(world, Key::ReadMark(user("ben"), group("g"))).await, None);
        world.app(SetUnread { group: group("g"), users: vec![(user("ben"), 4)] }).await.unwrap();
        assert_eq!(read(world, "ben").await, Some(0), "the app's word overrides it");
        let kept = row(world, Key::ReadMark(user("ben"), group("g"))).await.unwrap();
        assert_eq!(kept.read_mark().map(|mark| ReadMark::clone(mark).sequence), Some(0));
    });
}
