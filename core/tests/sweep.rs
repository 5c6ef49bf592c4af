//! Expired rows are deleted, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{World, block_on, by, group, story, text, user, users};
use conclave_core::invariants::everything;
use conclave_core::model::{Circle, FileId, Join, Key, Millis, Policy, Until};
use conclave_core::operation::{
    AddFile, Apply, Block, Cleanup, CreateGroup, DecideRequest, Disband, Mute, SendMessage, Unmute,
};
use conclave_core::ports::Maintenance;
use conclave_core::query::{Cursor, ExpiredRows, GroupById};
use proptest::prelude::*;

const MINUTE: u64 = 60_000;
const WEEK: u64 = 7 * 24 * 60 * MINUTE;

async fn mute(world: &World, who: &str, until: Until) {
    let users = users(&[who]);
    world.app(Mute { group: group("g"), users, until, members_only: false, spare_owner: false }).await.unwrap();
}

async fn block(world: &World, who: &str, until: Until) {
    let (users, cleanup) = (users(&[who]), Cleanup::default());
    let block = Block { group: group("g"), users, until, reason: String::new(), members_only: false, cleanup };
    world.app(block).await.unwrap();
}

async fn share(world: &World, id: &str, expires: Option<Millis>) {
    let add = AddFile {
        group: group("g"),
        id: Some(FileId::new(id).unwrap()),
        name: id.to_owned(),
        media_type: String::new(),
        size: 1,
        expires,
        secret: None,
        blob: format!("bytes of {id}"),
        most: None,
    };
    world.app(add).await.unwrap();
}

/// Reads all places that are expired, by so many rows at a time.
async fn expired(world: &World, limit: usize) -> Vec<Key> {
    let (mut places, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let ExpiredRows { places: more, next } = world.engine.expired(after, limit).await.unwrap();
        assert!(more.len() <= limit);
        places.extend(more);
        match next {
            Some(next) => after = Some(next),
            None => return places,
        }
    }
}

async fn rows(world: &World) -> BTreeSet<Vec<u8>> {
    everything(&*world.store).await.unwrap().into_keys().collect()
}

/// A group in which something of every kind is over in a minute, and something of every kind is not.
async fn furnished(world: &World) {
    let soon = Until::At(world.now().plus(MINUTE));
    mute(world, "ben", soon).await;
    mute(world, "cat", Until::Forever).await;
    block(world, "eve", soon).await;
    block(world, "fay", Until::Forever).await;
    share(world, "gone", Some(world.now().plus(MINUTE))).await;
    share(world, "kept", None).await;
    let said = SendMessage { token: Some("a\0\u{1}b".to_owned()), ..text("ann", "hi") };
    world.run(&by("ann"), said).await.unwrap();
    for (who, accept) in [("dan", Some(false)), ("gil", None)] {
        let apply = Apply {
            group: group("g"),
            user: Some(user(who)),
            message: String::new(),
            labels: conclave_core::model::Labels::new(),
            most: None,
        };
        world.app(apply).await.unwrap();
        if let Some(accept) = accept {
            let reason = String::new();
            let decide =
                DecideRequest { group: group("g"), user: user(who), inviter: None, accept, reason, most: None };
            world.app(decide).await.unwrap();
        }
    }
}

fn asking() -> Policy {
    Policy { join: Join::Approval(Circle::Managers), ..Policy::standard() }
}

#[test]
fn what_is_over_goes_and_what_is_not_stays() {
    story(asking(), async |world| {
        world.register(&["eve", "fay", "gil"]).await;
        furnished(world).await;
        assert_eq!(expired(world, 100).await, []);
        let everything_is_fresh: Vec<Key> = vec![
            Key::Mute(group("g"), user("ben")),
            Key::Block(group("g"), user("eve")),
            Key::File(group("g"), FileId::new("gone").unwrap()),
        ];
        let ended = world.sweep(everything_is_fresh).await.unwrap();
        assert_eq!(ended.blobs, Vec::<String>::new(), "what still counts is not taken away");

        let before = (rows(world).await, world.ask(GroupById { group: group("g") }).await.unwrap().group);
        world.step(5 * MINUTE);
        let places = expired(world, 100).await;
        let wanted = [
            Key::Mute(group("g"), user("ben")),
            Key::Block(group("g"), user("eve")),
            Key::File(group("g"), FileId::new("gone").unwrap()),
            Key::Sent(group("g"), "ann".to_owned(), "a\0\u{1}b".to_owned()),
        ];
        assert_eq!(places, wanted);
        for limit in 1..8 {
            assert_eq!(expired(world, limit).await, wanted, "by {limit}");
        }
        let ended = world.sweep(places).await.unwrap();
        assert_eq!(ended.blobs, ["bytes of gone"]);
        assert_eq!(expired(world, 100).await, []);
        let gone: BTreeSet<Vec<u8>> = wanted.iter().map(Key::encode).collect();
        let after = (rows(world).await, world.ask(GroupById { group: group("g") }).await.unwrap().group);
        assert_eq!(after.0, &before.0 - &gone, "nothing else was deleted, and no event emitted");
        assert_eq!(after.1, before.1, "the group counts as unchanged");

        // requests, decided or not, are still listed for one more lifetime
        world.step(WEEK);
        let dan = Key::Request(group("g"), user("dan"), String::new());
        assert_eq!(expired(world, 100).await, std::slice::from_ref(&dan));
        world.sweep(vec![dan]).await.unwrap();
        world.step(WEEK);
        let gil = Key::Request(group("g"), user("gil"), String::new());
        assert_eq!(expired(world, 100).await, std::slice::from_ref(&gil));
        world.sweep(vec![gil]).await.unwrap();
        assert_eq!(expired(world, 100).await, []);
    });
}

#[test]
fn a_row_that_counts_again_by_then_stays() {
    story(asking(), async |world| {
        mute(world, "ben", Until::At(world.now().plus(MINUTE))).await;
        world.step(2 * MINUTE);
        let places = expired(world, 10).await;
        mute(world, "ben", Until::Forever).await;
        let before = rows(world).await;
        world.sweep(places.clone()).await.unwrap();
        assert_eq!(rows(world).await, before);
        // rows that are already deleted are skipped
        world.app(Unmute { group: group("g"), users: users(&["ben"]) }).await.unwrap();
        world.sweep(places).await.unwrap();
    });
}

#[test]
fn tokens_are_swept_despite_concurrent_changes() {
    story(Policy::standard(), async |world| {
        let said = SendMessage { token: Some("t".to_owned()), ..text("ann", "hi") };
        world.run(&by("ann"), said).await.unwrap();
        world.step(5 * MINUTE);
        let places = expired(world, 10).await;
        assert_eq!(places, [Key::Sent(group("g"), "ann".to_owned(), "t".to_owned())]);
        // another change of the group at each of the sweep's steps
        let sweep = world.engine.sweep(places);
        tokio::pin!(sweep);
        for step in 0.. {
            tokio::select! {
                biased;
                swept = &mut sweep => {
                    swept.unwrap();
                    break;
                }
                () = std::future::ready(()) => {}
            }
            assert!(step < 50, "the sweep waits for the group to be quiet");
            mute(world, "ben", if step % 2 == 0 { Until::Forever } else { Until::At(world.now().plus(MINUTE)) }).await;
        }
    });
}

#[test]
fn the_lists_of_a_group_end_with_it() {
    block_on(async {
        let world = World::peopled(&["ann"]).await;
        let create =
            CreateGroup { id: Some(group("g")), governed: false, ..CreateGroup::new(None, Policy::standard()) };
        world.app(create).await.unwrap();
        mute(&world, "ann", Until::At(world.now().plus(MINUTE))).await;
        world.app(Disband { group: group("g") }).await.unwrap();
        world.step(2 * MINUTE);
        assert_eq!(expired(&world, 10).await, []);
        assert!(!rows(&world).await.contains(&Key::Mute(group("g"), user("ann")).encode()));
    });
}

#[test]
fn only_what_can_be_outdated_is_swept() {
    story(asking(), async |world| {
        let member = vec![Key::Member(group("g"), user("ben"))];
        let before = rows(world).await;
        world.sweep(member).await.unwrap();
        assert_eq!(rows(world).await, before);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However many rows are checked at a time, and whatever happens concurrently, nothing valid is lost.
    #[test]
    fn sweeping_beside_everything_else_loses_nothing(limit in 1_usize..5, extend in proptest::collection::vec(any::<bool>(), 6)) {
        block_on(async {
            let world = World::peopled(&["ann", "u0", "u1", "u2", "u3", "u4", "u5"]).await;
            world.group("g", "ann", &["u0", "u1", "u2", "u3", "u4", "u5"], Policy::standard()).await;
            let soon = Until::At(world.now().plus(MINUTE));
            for n in 0..6 {
                mute(&world, &format!("u{n}"), soon).await;
            }
            world.step(2 * MINUTE);
            let places = expired(&world, limit).await;
            prop_assert_eq!(places.len(), 6);
            let again = async {
                for (n, _) in extend.iter().enumerate().filter(|(_, again)| **again) {
                    mute(&world, &format!("u{n}"), Until::Forever).await;
                }
            };
            let sweep = async {
                for place in &places {
                    world.engine.sweep(vec![place.clone()]).await.unwrap();
                }
            };
            tokio::join!(again, sweep);
            let muted = rows(&world).await;
            for (n, again) in extend.iter().enumerate() {
                let key = Key::Mute(group("g"), user(&format!("u{n}"))).encode();
                prop_assert_eq!(muted.contains(&key), *again);
            }
            Ok(())
        })?;
    }
}
