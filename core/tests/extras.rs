//! Edits, receipts and extensions of messages, and items beside messages.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{World, add, block_on, by, group, log, story, text, user, users};
use conclave_core::event::{Event, Happening};
use conclave_core::model::{Body, Labels, Policy, Sender, Settings, Traits};
use conclave_core::operation::{
    Broadcast, BroadcastSent, ChangeMessage, DeleteMessagesBySender, DropMessage, ExtensionChange, ExtensionsWritten,
    GiveNotice, PinMessage, ReadMessages, RecallMessages, SendMessage, SetUnread, SpeakCheck, WriteExtensions,
};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{
    Cursor, Feed, GroupById, MessageExtensions, Messages, ReadCount, ReadMarks, ReadMarksFound, Readers, ReceiptLists,
    Receipts, Start,
};
use conclave_core::refusal::{Limit, Refusal};
use proptest::prelude::*;

fn change(sequence: u64, words: &str) -> ChangeMessage {
    let body = Some(Body::Text(words.to_owned()));
    ChangeMessage { group: group("g"), sequence, body, labels: BTreeMap::new(), edits: None }
}

async fn history(world: &World) -> Vec<(Body, Labels, bool)> {
    let page = Messages { group: group("g"), start: Start::Edge, newest_first: false, limit: 10 };
    let messages = world.ask(page).await.unwrap().messages;
    messages.iter().map(|one| (one.body.clone(), one.labels.clone(), one.traits.changed)).collect()
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_changed_message_says_the_new_thing_in_every_surfaces_words() {
    story(Policy::standard(), async |world| {
        let kept = labels(&[("a.body", "{\"old\"}"), ("b.content", "old"), ("a.push", "p")]);
        world.run(&by("ben"), SendMessage { labels: kept, ..text("ben", "old") }).await.unwrap();
        let custom = BTreeMap::from([("a.custom".to_owned(), Some("x".to_owned()))]);
        world.app(ChangeMessage { labels: custom, ..change(1, "new") }).await.unwrap();
        let now = (Body::Text("new".to_owned()), labels(&[("a.custom", "x"), ("a.push", "p")]), true);
        assert_eq!(history(world).await, std::slice::from_ref(&now));
        let emitted =
            log(world).await.into_iter().filter(|what| matches!(what, Happening::MessageChanged { .. })).count();
        assert_eq!(emitted, 1);

        let events = log(world).await.len();
        world.app(change(1, "new")).await.unwrap();
        assert_eq!(log(world).await.len(), events, "an unchanged value emits no event");
        assert_eq!(history(world).await, [now]);
    });
}

#[test]
fn senders_change_their_own_and_nobody_changes_what_is_gone() {
    story(Policy::standard(), async |world| {
        world.run(&by("ben"), text("ben", "mine")).await.unwrap();
        world.run(&by("ben"), change(1, "still mine")).await.unwrap();
        assert!(matches!(world.run(&by("ann"), change(1, "x")).await, Err(Refusal::NotPermitted { .. })));
        assert!(matches!(world.run(&by("dan"), change(1, "x")).await, Err(Refusal::NotPermitted { .. })));
        let missing = Refusal::MessageNotFound { group: group("g"), sequence: 2 };
        assert_eq!(world.app(change(2, "x")).await.unwrap_err(), missing);
        let recall = RecallMessages { group: group("g"), sequences: vec![1], reason: String::new() };
        world.app(recall).await.unwrap();
        assert!(matches!(world.app(change(1, "x")).await, Err(Refusal::MessageNotFound { .. })));
        assert_eq!(history(world).await[0].0, Body::Text(String::new()));
    });
}

fn asking(sender: &str) -> SendMessage {
    SendMessage { traits: Traits { receipts: true, ..Traits::default() }, ..text(sender, "read this") }
}

fn read(who: &str, sequences: &[u64]) -> ReadMessages {
    ReadMessages {
        group: group("g"),
        user: user(who),
        sequences: sequences.to_vec(),
        note: "done".to_owned(),
        most_members: Some(200),
    }
}

fn counts(sequences: &[u64]) -> Receipts {
    Receipts { group: group("g"), sequences: sequences.to_vec(), most_members: Some(200) }
}

#[test]
fn receipts_count_those_who_were_there() {
    story(Policy::standard(), async |world| {
        world.run(&by("ann"), asking("ann")).await.unwrap();
        world.run(&by("ann"), text("ann", "whatever")).await.unwrap();
        world.step(1);
        world.app(add(&["dan"])).await.unwrap();
        for _ in 0..2 {
            world.run(&by("ben"), read("ben", &[1])).await.unwrap();
        }
        world.run(&by("ann"), read("ann", &[1])).await.unwrap();
        let emitted: Vec<Happening> =
            log(world).await.into_iter().filter(|what| matches!(what, Happening::MessagesRead { .. })).collect();
        assert_eq!(
            emitted,
            [Happening::MessagesRead { sequences: vec![1], user: user("ben"), note: "done".to_owned() }]
        );
        let found = world.ask(counts(&[1, 2, 9])).await.unwrap().0;
        assert_eq!(found[0], (1, Ok(ReadCount { read: 1, unread: 1 })), "dan came later, ann said it");
        assert_eq!(found[1].1, Err(Refusal::NoReceipts { group: group("g"), sequence: 2 }));
        assert_eq!(found[2].1, Err(Refusal::MessageNotFound { group: group("g"), sequence: 9 }));

        let page = |read, after, limit| Readers {
            group: group("g"),
            sequence: 1,
            read,
            after,
            limit,
            most_members: Some(200),
        };
        assert_eq!(world.ask(page(true, None, 10)).await.unwrap().users, users(&["ben"]));
        assert_eq!(world.ask(page(false, None, 10)).await.unwrap().users, users(&["cy"]));
        assert!(matches!(world.engine.ask(&by("ben"), page(true, None, 9)).await, Err(Refusal::NotPermitted { .. })));
        let lists = || ReceiptLists { group: group("g"), sequence: 1, most_members: Some(200) };
        let found = world.engine.ask(&by("ann"), lists()).await.unwrap();
        let read: Vec<&str> = found.read.iter().map(|receipt| receipt.user.as_str()).collect();
        assert_eq!((read, found.unread), (vec!["ben"], users(&["cy"])));
        assert!(matches!(world.engine.ask(&by("ben"), lists()).await, Err(Refusal::NotPermitted { .. })));
        assert!(world.engine.ask(&by("ann"), page(true, None, 9)).await.is_ok());
    });
}

#[test]
fn receipts_are_given_by_members_for_what_they_can_read() {
    story(Policy::standard(), async |world| {
        world.run(&by("ann"), SendMessage { targets: users(&["cy"]), ..asking("ann") }).await.unwrap();
        world.run(&by("ann"), text("ann", "whatever")).await.unwrap();
        let refused = async |who: &str, read: ReadMessages| world.run(&by(who), read).await.unwrap_err();
        assert!(matches!(refused("ben", read("ben", &[1])).await, Refusal::MessageNotFound { .. }));
        assert!(matches!(refused("cy", read("cy", &[1, 2])).await, Refusal::NoReceipts { .. }));
        assert!(matches!(refused("dan", read("dan", &[1])).await, Refusal::NotMembers { .. }));
        assert_eq!(refused("ben", read("cy", &[1])).await, Refusal::AppOnly);
        let narrow = ReadMessages { most_members: Some(2), ..read("cy", &[1]) };
        assert_eq!(refused("cy", narrow).await, Refusal::LimitReached { limit: Limit::Readers, most: 2, now: 3 });
        let untouched = world.ask(counts(&[1])).await.unwrap().0;
        assert_eq!(untouched[0].1, Ok(ReadCount { read: 0, unread: 1 }));
    });
}

#[test]
fn lists_of_readers_are_cut_into_pages() {
    block_on(async {
        let names: Vec<String> = (0..7).map(|at| format!("m{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = World::peopled(&[&["ann"], &names[..]].concat()).await;
        world.group("g", "ann", &names, Policy::standard()).await;
        world.run(&by("ann"), asking("ann")).await.unwrap();
        for name in &names[..3] {
            world.run(&by(name), read(name, &[1])).await.unwrap();
        }
        for (wanted, read) in [(&names[..3], true), (&names[3..], false)] {
            let (mut users, mut after): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
            loop {
                let page = Readers { group: group("g"), sequence: 1, read, after, limit: 2, most_members: None };
                let page = world.ask(page).await.unwrap();
                assert_eq!(page.total, 3);
                users.extend(page.users);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(users, wanted.iter().map(|name| user(name)).collect::<Vec<_>>());
        }
    });
}

#[test]
fn what_is_unread_can_grow_again_by_the_apps_word_alone() {
    story(Policy::standard(), async |world| {
        for _ in 0..3 {
            world.run(&by("ann"), text("ann", "hi")).await.unwrap();
        }
        let set = |unread| SetUnread { group: group("g"), users: vec![(user("ben"), unread)] };
        for (unread, seen) in [(0, 3), (2, 1), (99, 0)] {
            world.app(set(unread)).await.unwrap();
            let of = vec![(group("g"), user("ben"))];
            assert_eq!(world.ask(ReadMarks { of }).await.unwrap(), ReadMarksFound(vec![Some(seen)]));
        }
        assert_eq!(world.run(&by("ben"), set(1)).await.unwrap_err(), Refusal::AppOnly);
        let outside = SetUnread { users: vec![(user("ben"), 1), (user("dan"), 1)], ..set(1) };
        assert!(matches!(world.app(outside).await, Err(Refusal::NotMembers { .. })));
    });
}

fn open(sender: &str) -> SendMessage {
    SendMessage { traits: Traits { extensible: true, ..Traits::default() }, ..text(sender, "vote") }
}

fn write(changes: &[(&str, Option<&str>, Option<u64>)]) -> WriteExtensions {
    let change = |(key, value, seen): &(&str, Option<&str>, Option<u64>)| ExtensionChange {
        key: (*key).to_owned(),
        value: value.map(str::to_owned),
        seen: *seen,
    };
    let changes = changes.iter().map(change).collect();
    WriteExtensions { group: group("g"), sequence: 1, clear: false, changes, most: Some(3), check: SpeakCheck::Skipped }
}

fn outcomes(written: &ExtensionsWritten) -> Vec<Result<u64, Refusal>> {
    written.outcomes.iter().map(|(_, outcome)| outcome.clone()).collect()
}

#[test]
fn of_two_who_write_one_key_the_first_wins() {
    story(Policy::standard(), async |world| {
        world.run(&by("ann"), open("ann")).await.unwrap();
        let first = world.run(&by("ben"), write(&[("k", Some("ben"), Some(0)), ("l", Some("x"), Some(0))])).await;
        assert_eq!(outcomes(&first.unwrap()), [Ok(1), Ok(1)]);
        let second = world.run(&by("cy"), write(&[("k", Some("cy"), Some(0)), ("m", Some("y"), None)])).await.unwrap();
        let conflict = Refusal::VersionConflict { group: group("g"), current: 1 };
        assert_eq!(outcomes(&second), [Err(conflict), Ok(2)]);
        assert_eq!(second.now.entries["k"], ("ben".to_owned(), 1));
        let full = world.app(write(&[("n", Some("z"), None), ("k", Some("again"), None)])).await.unwrap();
        let limit = Refusal::LimitReached { limit: Limit::Extensions, most: 3, now: 4 };
        assert_eq!(outcomes(&full), [Err(limit), Ok(3)]);
        let cleared = world.app(WriteExtensions { clear: true, ..write(&[]) }).await.unwrap().now;
        assert_eq!((cleared.entries.len(), cleared.version, cleared.cleared), (0, 4, 4));
        let events = log(world).await;
        let last = Happening::ExtensionsChanged {
            sequence: 1,
            version: 4,
            set: BTreeMap::new(),
            removed: ["k", "l", "m"].map(str::to_owned).to_vec(),
            cleared: true,
        };
        assert_eq!(events.last(), Some(&last));
        world.app(WriteExtensions { clear: true, ..write(&[]) }).await.unwrap();
        let nothing = world.app(write(&[("k", None, None)])).await.unwrap();
        assert_eq!((outcomes(&nothing), nothing.now.version), (vec![Ok(4)], 4), "a version that is not kept");
        assert_eq!(log(world).await.len(), events.len(), "nothing was there to be cleared");
    });
}

#[test]
fn only_who_gets_a_message_that_takes_them_adds_extensions() {
    story(Policy::standard(), async |world| {
        let words = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let send = SendMessage { targets: users(&["ben"]), extensions: words, ..open("ann") };
        world.run(&by("ann"), send).await.unwrap();
        world.run(&by("ann"), text("ann", "plain")).await.unwrap();
        let one = || write(&[("x", Some("y"), None)]);
        assert!(matches!(world.run(&by("cy"), one()).await, Err(Refusal::MessageNotFound { .. })));
        assert!(matches!(world.run(&by("dan"), one()).await, Err(Refusal::NotPermitted { .. })));
        let plain = WriteExtensions { sequence: 2, ..one() };
        assert!(matches!(world.app(plain).await, Err(Refusal::NotExtensible { .. })));
        let ask = MessageExtensions { group: group("g"), sequences: vec![1, 2, 3] };
        let found = world.ask(ask.clone()).await.unwrap().0;
        assert_eq!(found[0].as_ref().unwrap().entries["k"], ("v".to_owned(), 1));
        assert!(matches!(found[1], Err(Refusal::NotExtensible { .. })));
        assert!(matches!(found[2], Err(Refusal::MessageNotFound { .. })));
        assert!(world.engine.ask(&by("cy"), ask.clone()).await.unwrap().0[0].is_err());

        let delete = DeleteMessagesBySender { group: group("g"), sender: user("ann"), among: 1000 };
        world.app(delete).await.unwrap();
        assert!(matches!(world.ask(ask).await.unwrap().0[0], Err(Refusal::MessageNotFound { .. })));
    });
}

#[test]
fn a_notice_reaches_its_recipients_and_is_not_stored() {
    story(Policy::standard(), async |world| {
        let give =
            |targets: &[&str]| GiveNotice { group: group("g"), content: "closing".to_owned(), targets: users(targets) };
        world.app(give(&[])).await.unwrap();
        world.app(give(&["cy", "dan", "cy"])).await.unwrap();
        assert!(matches!(world.app(give(&["dan"])).await, Err(Refusal::NotMembers { .. })));
        assert_eq!(world.run(&by("ann"), give(&[])).await.unwrap_err(), Refusal::AppOnly);
        assert!(history(world).await.is_empty());
        for (who, received) in [("ben", 1), ("cy", 2), ("dan", 0)] {
            let events = world.ask(Feed { user: user(who), after: 0, limit: 100 }).await.unwrap().events;
            let is_notice = |event: &&std::sync::Arc<Event>| matches!(event.what, Happening::Noticed { .. });
            assert_eq!(events.iter().filter(is_notice).count(), received, "{who}");
        }
    });
}

#[test]
fn a_broadcast_has_one_number_wherever_it_is_received() {
    story(Policy::standard(), async |world| {
        world.group("h", "ann", &[], Policy::standard()).await;
        let at = |part: &str| Some(Cursor(part.as_bytes().to_vec()));
        let part = |token: &str, groups: &[&str], part, next| Broadcast {
            groups: groups.iter().map(|id| group(id)).collect(),
            sender: Sender::User(user("ann")),
            body: Body::Text("all hear".to_owned()),
            token: token.to_owned(),
            labels: Labels::new(),
            part,
            next,
        };
        let broadcast = |token: &str, groups: &[&str]| part(token, groups, None, None);
        let aired = |number, repeated, next| BroadcastSent { number, repeated, next };
        assert!(world.app(part("t", &["h"], at("h"), None)).await.is_err(), "nothing has begun");
        let first = world.app(part("t", &["g", "gone"], None, at("h"))).await.unwrap();
        assert_eq!(first, aired(1, false, at("h")));
        // interrupted here: a retry gets the resume cursor, and nobody receives it twice
        let again = world.app(part("t", &["g", "gone"], None, at("h"))).await.unwrap();
        assert_eq!(again, aired(1, true, at("h")));
        assert_eq!(world.app(part("t", &["h"], at("h"), at("i"))).await.unwrap(), aired(1, false, at("i")));
        assert_eq!(world.app(part("t", &["h"], at("h"), at("i"))).await.unwrap(), aired(1, true, at("i")));
        assert_eq!(world.app(part("t", &[], at("i"), None)).await.unwrap(), aired(1, false, None));
        assert_eq!(world.app(broadcast("t", &["g"])).await.unwrap(), aired(1, true, None));
        assert_eq!(world.app(broadcast("u", &[])).await.unwrap().number, 2);
        let events = log(world).await;
        let passed = |what: &&Happening| matches!(what, Happening::MessagePassed(message) if message.sequence == 0);
        assert_eq!(events.iter().filter(passed).count(), 2);
        world.step(Settings::default().dedupe_window);
        assert_eq!(world.app(broadcast("t", &["g"])).await.unwrap().number, 3);
        assert_eq!(world.run(&by("ann"), broadcast("v", &["g"])).await.unwrap_err(), Refusal::AppOnly);
    });
}

#[test]
fn a_dropped_message_is_the_apps_servers_affair() {
    story(Policy::standard(), async |world| {
        world.app(DropMessage { message: text("ben", "too many") }).await.unwrap();
        assert!(history(world).await.is_empty());
        assert!(
            matches!(log(world).await.last(), Some(Happening::MessageDropped { message, .. }) if message.sequence == 0)
        );
        let received = world.ask(Feed { user: user("cy"), after: 0, limit: 100 }).await.unwrap().events;
        assert!(!received.iter().any(|event| matches!(event.what, Happening::MessageDropped { .. })));
    });
}

/// A model of message extensions with plain maps.
#[derive(Default)]
struct Added {
    pairs: BTreeMap<String, (String, u64)>,
    version: u64,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn extensions_are_as_the_reference_says(
        writes in proptest::collection::vec(
            (any::<bool>(), proptest::collection::vec((0..4_u8, proptest::option::of(0..3_u8), proptest::option::of(0..3_u64)), 0..4)),
            1..20,
        )
    ) {
        block_on(async {
            let world = World::peopled(&["ann"]).await;
            world.group("g", "ann", &[], Policy::standard()).await;
            world.run(&by("ann"), open("ann")).await.unwrap();
            let mut wanted = Added::default();
            for (clear, changes) in writes {
                let before = wanted.pairs.clone();
                let mut next = before.clone();
                if clear {
                    next.clear();
                }
                let version = wanted.version + 1;
                for (key, value, seen) in &changes {
                    let key = format!("k{key}");
                    let current = next.get(&key).map_or(0, |(_, version)| *version);
                    if seen.is_some_and(|seen| seen != current) {
                        continue;
                    }
                    match value {
                        Some(_) if current == 0 && next.len() == 3 => {}
                        Some(value) => drop(next.insert(key, (value.to_string(), version))),
                        None => drop(next.remove(&key)),
                    }
                }
                if next != before {
                    wanted = Added { pairs: next, version };
                }
                let changes = changes.into_iter().map(|(key, value, seen)| ExtensionChange {
                    key: format!("k{key}"),
                    value: value.map(|value| value.to_string()),
                    seen,
                });
                let all = WriteExtensions { clear, changes: changes.collect(), ..write(&[]) };
                let now = world.app(all).await.unwrap().now;
                assert_eq!((&now.entries, now.version), (&wanted.pairs, wanted.version));
            }
            assert_eq!(world.broken().await, None);
        });
    }

    #[test]
    fn receipts_are_as_the_reference_says(reads in proptest::collection::vec((0..4_usize, 0..3_usize), 0..20)) {
        block_on(async {
            let names = ["ann", "ben", "cy", "dan"];
            let world = World::peopled(&names).await;
            world.group("g", "ann", &names[1..], Policy::standard()).await;
            for sender in &names[..3] {
                world.run(&by(sender), asking(sender)).await.unwrap();
            }
            let mut wanted: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
            for (who, said) in reads {
                let sequence = said as u64 + 1;
                world.run(&by(names[who]), read(names[who], &[sequence])).await.unwrap();
                if who != said {
                    wanted.entry(sequence).or_default().insert(names[who]);
                }
            }
            for (sequence, count) in world.ask(counts(&[1, 2, 3])).await.unwrap().0 {
                let read = wanted.get(&sequence).map_or(0, BTreeSet::len);
                assert_eq!(count, Ok(ReadCount { read, unread: 3 - read }));
            }
            assert_eq!(world.broken().await, None);
        });
    }
}

#[test]
fn an_edit_of_a_version_that_was_changed_meanwhile_is_in_conflict() {
    story(Policy::standard(), async |world| {
        world.run(&by("ben"), text("ben", "one")).await.unwrap();
        let of = |edits, words: &str| ChangeMessage { edits, ..change(1, words) };
        assert_eq!(world.run(&by("ben"), of(Some(0), "two")).await.unwrap().edits, 1);
        let refused = Err(Refusal::VersionConflict { group: group("g"), current: 1 });
        assert_eq!(world.run(&by("ben"), of(Some(0), "three")).await, refused);
        assert_eq!(history(world).await[0].0, Body::Text("two".to_owned()));
        assert_eq!(world.run(&by("ben"), of(Some(1), "three")).await.unwrap().edits, 2);
        assert_eq!(world.app(of(None, "four")).await.unwrap().edits, 3, "without a version it is changed as it is");
    });
}

#[test]
fn members_pin_messages_up_to_a_limit() {
    story(Policy::standard(), async |world| {
        for words in ["one", "two", "three"] {
            world.run(&by("ben"), text("ben", words)).await.unwrap();
        }
        let aside = SendMessage { targets: vec![user("cy")], ..text("ben", "aside") };
        world.run(&by("ben"), aside).await.unwrap();
        let pin = |sequence, pinned| PinMessage { group: group("g"), sequence, pinned, most: 2 };
        assert!(world.run(&by("cy"), pin(1, true)).await.unwrap().changed);
        assert!(!world.run(&by("ben"), pin(1, true)).await.unwrap().changed, "it is pinned already");
        assert!(world.app(pin(2, true)).await.unwrap().changed);
        let full = Refusal::LimitReached { limit: Limit::Pins, most: 2, now: 2 };
        assert_eq!(world.run(&by("ben"), pin(3, true)).await, Err(full));
        assert!(!world.run(&by("ben"), pin(3, false)).await.unwrap().changed);
        assert!(world.run(&by("dan"), pin(1, false)).await.is_err(), "only members");
        // a pin goes with its message, and may be taken away afterwards
        let recall = RecallMessages { group: group("g"), sequences: vec![1], reason: String::new() };
        world.app(recall).await.unwrap();
        assert!(world.run(&by("ben"), pin(1, false)).await.unwrap().changed);
        for gone in [1, 4, 9] {
            let refused = Err(Refusal::MessageNotFound { group: group("g"), sequence: gone });
            assert_eq!(world.run(&by("ben"), pin(gone, true)).await, refused, "{gone}");
        }
        let header = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        let pins: Vec<_> = header.pins.iter().map(|pin| (pin.sequence, pin.by.clone())).collect();
        assert_eq!(pins, [(2, None)]);
        let changes = log(world).await.into_iter().filter_map(|what| match what {
            Happening::PinChanged { sequence, pinned } => Some((sequence, pinned)),
            _ => None,
        });
        assert_eq!(changes.collect::<Vec<_>>(), [(1, true), (2, true), (1, false)]);
    });
}
