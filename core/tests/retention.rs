//! Old events and old messages are deleted, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{World, block_on, by, group, text, user, users};
use conclave_core::model::{Key, MessageId, Policy, Queue, Settings};
use conclave_core::operation::{Cleanup, Disband, Leave, OnOutsider, PinMessage, ReadMessages};
use conclave_core::ports::{GroupsExt, Log, Maintenance, Store};
use conclave_core::query::{Cursor, GroupById, History, MessageById, ReadQueue};
use conclave_core::retention::{LogCut, LogTrimmed};

const HOUR: u64 = 3_600_000;

fn settings() -> Settings {
    Settings { event_lifetime: Some(HOUR), ..Settings::default() }
}

/// A group "g" of ann, ben and cy, in which membership is part of the history.
async fn world(settings: Settings) -> World {
    let world = World::with(settings);
    world.register(&["ann", "ben", "cy"]).await;
    world.group("g", "ann", &["ben", "cy"], Policy::standard()).await;
    world
}

async fn says(world: &World, words: &str) -> u64 {
    world.run(&by("ann"), text("ann", words)).await.unwrap().message.sequence
}

/// Deletes all that may be deleted, a few events at a time.
async fn trim_log(world: &World, delivered: u64) -> LogTrimmed {
    let (mut deleted, mut after) = (0, 0);
    loop {
        let trimmed = world.engine.trim_log(LogCut { after, delivered, limit: 2 }).await.unwrap();
        (deleted, after) = (deleted + trimmed.deleted, trimmed.last);
        if !trimmed.more {
            return LogTrimmed { deleted, ..trimmed };
        }
    }
}

async fn trim_messages(world: &World, limit: usize) -> usize {
    let (mut deleted, mut after) = (0, None::<Cursor>);
    loop {
        let trimmed = world.engine.trim_messages(after, limit).await.unwrap();
        deleted += trimmed.deleted;
        after = trimmed.next;
        if after.is_none() {
            return deleted;
        }
    }
}

async fn numbers(world: &World) -> Vec<u64> {
    Log::read(&*world.engine, 0, 1000).await.unwrap().iter().map(|event| event.sequence).collect()
}

async fn waiting(world: &World, name: &str) -> Vec<u64> {
    let queue = Queue::Group(group("g"));
    let read = ReadQueue { user: user(name), queue, after: 0, limit: 100, bytes: 1 << 20 };
    let page = world.engine.ask(&by(name), read).await.unwrap();
    page.items.iter().map(|item| item.event.sequence).collect()
}

async fn history(world: &World) -> Vec<u64> {
    let query = History { group: group("g"), from: None, limit: 100 };
    world.ask(query).await.unwrap().entries.iter().map(|(number, _)| *number).collect()
}

#[test]
fn old_events_leave_the_log_and_the_queues() {
    block_on(async {
        let world = world(settings()).await;
        says(&world, "old").await;
        let old = *numbers(&world).await.last().unwrap();
        world.step(HOUR);
        says(&world, "new").await;
        assert_eq!(waiting(&world, "ben").await.len(), 2);

        let trimmed = trim_log(&world, u64::MAX).await;
        assert_eq!(trimmed, LogTrimmed { deleted: usize::try_from(old).unwrap(), last: old, ..LogTrimmed::default() });
        assert_eq!(numbers(&world).await, [old + 1]);
        assert_eq!(waiting(&world, "ben").await, [old + 1]);
        assert_eq!(history(&world).await.len(), 2, "messages have a lifetime of their own");
        assert_eq!(trim_log(&world, u64::MAX).await.deleted, 0);
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn the_newest_event_stays_so_that_no_number_is_used_twice() {
    block_on(async {
        let world = world(settings()).await;
        let last = *numbers(&world).await.last().unwrap();
        world.step(10 * HOUR);
        assert_eq!(trim_log(&world, u64::MAX).await.last, last - 1);
        assert_eq!(numbers(&world).await, [last]);
        says(&world, "next").await;
        assert_eq!(numbers(&world).await, [last, last + 1]);
    });
}

#[test]
fn what_was_not_delivered_stays() {
    block_on(async {
        let world = world(settings()).await;
        for words in ["one", "two", "three"] {
            says(&world, words).await;
        }
        let all = numbers(&world).await;
        let delivered = all[all.len() - 3];
        world.step(2 * HOUR);
        let trimmed = trim_log(&world, delivered).await;
        assert!(trimmed.undelivered && trimmed.last == delivered, "{trimmed:?}");
        assert_eq!(numbers(&world).await, all[all.len() - 2..]);
        assert_eq!(trim_log(&world, 0).await, LogTrimmed { undelivered: true, ..LogTrimmed::default() });
        assert!(!trim_log(&world, u64::MAX).await.undelivered);
    });
}

#[test]
fn a_number_of_events_is_kept_however_young_they_are() {
    block_on(async {
        let world = world(Settings { event_lifetime: None, events: Some(3), ..Settings::default() }).await;
        for words in ["one", "two", "three"] {
            says(&world, words).await;
        }
        let all = numbers(&world).await;
        assert!(trim_log(&world, u64::MAX).await.deleted > 0);
        assert_eq!(numbers(&world).await, all[all.len() - 3..]);
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn without_a_lifetime_nothing_is_deleted() {
    block_on(async {
        let world = world(Settings { event_lifetime: None, ..Settings::default() }).await;
        says(&world, "hi").await;
        world.step(1_000_000 * HOUR);
        let all = numbers(&world).await;
        assert_eq!(trim_log(&world, u64::MAX).await.deleted, 0);
        assert_eq!(trim_messages(&world, 10).await, 0);
        assert_eq!(numbers(&world).await, all);
    });
}

#[test]
fn events_of_a_history_stay_as_long_as_its_messages() {
    block_on(async {
        let world = world(Settings { message_lifetime: Some(10 * HOUR), ..settings() }).await;
        says(&world, "hi").await;
        world
            .run(
                &by("cy"),
                Leave {
                    group: group("g"),
                    users: users(&["cy"]),
                    cleanup: Cleanup::default(),
                    on_outsider: OnOutsider::Refuse,
                    keep_owner: false,
                },
            )
            .await
            .unwrap();
        says(&world, "bye").await;
        let before = history(&world).await;
        assert_eq!(before.len(), 3, "two messages, and that cy left");
        world.step(2 * HOUR);
        assert!(trim_log(&world, u64::MAX).await.deleted > 0);
        assert_eq!(history(&world).await, before);
        assert_eq!(world.broken().await, None);

        world.step(10 * HOUR);
        trim_log(&world, u64::MAX).await;
        assert_eq!(trim_messages(&world, 10).await, 2);
        assert_eq!(history(&world).await, [0; 0]);
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn old_messages_are_deleted_with_everything_that_refers_to_them() {
    for limit in [1, 2, 100] {
        block_on(async {
            let world = world(Settings { message_lifetime: Some(HOUR), ..Settings::default() }).await;
            let mut send = text("ann", "read and extended");
            (send.traits.receipts, send.traits.extensible, send.id) = (true, true, Some(MessageId::new("m").unwrap()));
            let old = world.run(&by("ann"), send).await.unwrap().message.sequence;
            let read = ReadMessages {
                group: group("g"),
                user: user("ben"),
                sequences: vec![old],
                note: String::new(),
                most_members: None,
            };
            world.run(&by("ben"), read).await.unwrap();
            let pinned = says(&world, "pinned").await;
            let pin = PinMessage { group: group("g"), sequence: pinned, pinned: true, most: 10 };
            world.run(&by("ann"), pin).await.unwrap();
            let changed = world.ask(GroupById { group: group("g") }).await.unwrap().group.changed;
            world.step(HOUR);
            let new = says(&world, "new").await;

            assert_eq!(trim_messages(&world, limit).await, 1);
            assert_eq!(history(&world).await, [new, pinned]);
            assert!(world.ask(MessageById { message: MessageId::new("m").unwrap() }).await.is_err());
            let receipt = Key::Receipt(group("g"), old, user("ben"));
            assert_eq!(world.store.fetch(&[receipt]).await.unwrap(), [None]);
            assert_eq!(world.broken().await, None);
            let after = world.ask(GroupById { group: group("g") }).await.unwrap().group;
            assert!(after.changed >= changed && after.next_message > new);
            assert_eq!(trim_messages(&world, limit).await, 0);
        });
    }
}

#[test]
fn deleting_old_messages_is_no_change_of_the_group() {
    block_on(async {
        let world = world(Settings { message_lifetime: Some(HOUR), ..Settings::default() }).await;
        says(&world, "old").await;
        world.step(2 * HOUR);
        let before = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        let events = numbers(&world).await;
        assert_eq!(trim_messages(&world, 10).await, 1);
        let after = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        assert_eq!((after.changed, after.revision), (before.changed, before.revision + 1));
        assert_eq!(numbers(&world).await, events);
    });
}

#[test]
fn messages_of_disbanded_groups_are_deleted_too() {
    block_on(async {
        let world = world(Settings { message_lifetime: Some(HOUR), ..Settings::default() }).await;
        says(&world, "old").await;
        world.app(Disband { group: group("g") }).await.unwrap();
        world.step(2 * HOUR);
        assert_eq!(trim_messages(&world, 10).await, 1);
        assert_eq!(world.broken().await, None);
    });
}
