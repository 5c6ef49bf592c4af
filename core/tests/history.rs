//! A group's history: messages and events of the group share one sequence of numbers without gaps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{World, add, block_on, by, group, story, text, user, users};
use conclave_core::event::{Actor, Event, Happening, ProfileChange};
use conclave_core::model::{KeptEvents, Policy, TopicId, Until};
use conclave_core::operation::{
    Appoint, Block, Cleanup, CreateGroup, Demote, Disallow, Leave, MakeTopic, Mute, OnOutsider, OnUnknown, Promote,
    Quiet, RemoveMembers, Transfer, Unblock, Unmute, UpdateGroup, UpdateMember,
};
use conclave_core::ports::{GroupsExt, Log};
use conclave_core::query::{GroupById, History, HistoryPage, Messages, Numbered, Start};

fn update() -> UpdateGroup {
    UpdateGroup::of(group("g"))
}

fn named(name: &str) -> UpdateGroup {
    UpdateGroup { profile: ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() }, ..update() }
}

fn mute(name: &str) -> Mute {
    let until = Until::Forever;
    Mute { group: group("g"), users: users(&[name]), until, members_only: true, spare_owner: false }
}

fn promote(name: &str) -> Promote {
    Promote { group: group("g"), users: users(&[name]), most: None, on_outsider: OnOutsider::Refuse }
}

fn remove(name: &str, quiet: Quiet) -> RemoveMembers {
    RemoveMembers {
        group: group("g"),
        users: users(&[name]),
        reason: String::new(),
        cleanup: Cleanup::default(),
        quiet,
        on_outsider: OnOutsider::Refuse,
        skip_owner: false,
    }
}

async fn page(world: &World, from: Option<u64>, limit: usize) -> HistoryPage {
    world.ask(History { group: group("g"), from, limit }).await.unwrap()
}

/// The history, oldest first: what each number is.
async fn history(world: &World) -> Vec<(u64, String)> {
    let entries = page(world, None, 1000).await.entries;
    let shown = |(number, entry): (u64, Numbered)| match entry {
        Numbered::Message(message) => (number, format!("{:?}", message.body)),
        Numbered::Events(events) => {
            let kinds = events.iter().map(|event| format!("{:?}", event.what.kept_as().unwrap()));
            (number, kinds.collect::<Vec<_>>().join("+"))
        }
    };
    entries.into_iter().rev().map(shown).collect()
}

async fn next_number(world: &World) -> u64 {
    world.ask(GroupById { group: group("g") }).await.unwrap().group.next_message
}

async fn events(world: &World) -> Vec<std::sync::Arc<Event>> {
    Log::read(&*world.engine, 0, 1000).await.unwrap()
}

#[test]
fn messages_and_what_happens_to_the_group_share_one_sequence() {
    story(Policy::standard(), async |world| {
        assert_eq!((next_number(world).await, history(world).await.len()), (1, 0), "a new group has no history yet");
        world.run(&by("ann"), text("ann", "one")).await.unwrap();
        world.app(add(&["dan"])).await.unwrap();
        world.run(&by("ann"), text("ann", "three")).await.unwrap();
        world.app(UpdateGroup { announcement: Some("hi".to_owned()), ..named("four") }).await.unwrap();
        world.app(promote("ben")).await.unwrap();
        world.app(mute("cy")).await.unwrap();
        world.app(Unmute { group: group("g"), users: users(&["cy"]) }).await.unwrap();
        world.app(Demote { group: group("g"), users: users(&["ben"]), skip_others: false }).await.unwrap();
        world.app(Transfer { group: group("g"), to: user("ben"), leave: None }).await.unwrap();
        world.run(&by("cy"), text("cy", "ten")).await.unwrap();
        world.app(remove("dan", Quiet::Nobody)).await.unwrap();
        let expected = [
            (1, "Text(\"one\")"),
            (2, "Membership"),
            (3, "Text(\"three\")"),
            (4, "Profile+Profile"),
            (5, "Roles"),
            (6, "Roles"),
            (7, "Roles"),
            (8, "Roles"),
            (9, "Profile"),
            (10, "Text(\"ten\")"),
            (11, "Membership"),
        ];
        let found = history(world).await;
        assert_eq!(found, expected.map(|(number, what)| (number, what.to_owned())));
        assert_eq!(next_number(world).await, 12);
        // messages are found by their numbers, without the events in between
        let messages = Messages { group: group("g"), start: Start::Edge, newest_first: false, limit: 10 };
        let messages = world.ask(messages).await.unwrap().messages;
        assert_eq!(messages.iter().map(|message| message.sequence).collect::<Vec<_>>(), [1, 3, 10]);
    });
}

#[test]
fn what_is_no_part_of_the_history_takes_no_number() {
    story(Policy::standard(), async |world| {
        let fields = ProfileChange { fields: [("k".to_owned(), "v".to_owned())].into(), ..ProfileChange::default() };
        world.app(UpdateGroup { profile: fields, ..update() }).await.unwrap();
        world.app(UpdateGroup { all_muted: Some(true), ..update() }).await.unwrap();
        let card = UpdateMember { card: Some("B".to_owned()), ..UpdateMember::of(group("g"), user("ben")) };
        world.app(card).await.unwrap();
        world.app(remove("cy", Quiet::Everybody)).await.unwrap();
        world.app(conclave_core::operation::AddMembers { quiet: Quiet::Clients, ..add(&["dan"]) }).await.unwrap();
        let block = Block {
            group: group("g"),
            users: users(&["dan"]),
            until: Until::Forever,
            reason: String::new(),
            members_only: true,
            cleanup: Cleanup::default(),
        };
        world.app(block).await.unwrap();
        world.app(Unblock { group: group("g"), users: users(&["dan"]) }).await.unwrap();
        // a topic numbers its own messages, and nothing but messages
        let topic = TopicId::new("t").unwrap();
        let make = MakeTopic {
            group: group("g"),
            id: Some(topic.clone()),
            prefix: String::new(),
            profile: conclave_core::model::Profile::default(),
            announcement: String::new(),
            created: None,
        };
        world.app(make).await.unwrap();
        let app = Actor::app();
        world.engine.run_in(&app, &topic, mute("ben")).await.unwrap();
        assert!(world.engine.run_in(&by("ben"), &topic, text("ben", "hi")).await.is_err(), "muted in the topic");
        assert_eq!((next_number(world).await, history(world).await), (1, Vec::new()));
    });
}

#[test]
fn which_events_are_kept_is_the_groups_to_say() {
    let meeting = KeptEvents { membership: false, profile: true, roles: false };
    for (policy, kept) in [
        (Policy::standard(), 4),
        (Policy { history: false, ..Policy::standard() }, 0),
        (Policy { kept_events: Some(meeting), ..Policy::standard() }, 1),
    ] {
        story(policy, async |world| {
            world.app(named("one")).await.unwrap();
            world.app(add(&["dan"])).await.unwrap();
            world.app(promote("dan")).await.unwrap();
            world.app(mute("ben")).await.unwrap();
            assert_eq!(next_number(world).await, kept + 1);
        });
    }
}

#[test]
fn before_its_first_message_a_group_that_waits_for_one_has_no_history() {
    block_on(async {
        let world = World::peopled(&["ann", "ben"]).await;
        let create = CreateGroup {
            id: Some(group("g")),
            active: false,
            ..CreateGroup::new(Some(user("ann")), Policy::standard())
        };
        world.app(create).await.unwrap();
        world.app(add(&["ben"])).await.unwrap();
        assert_eq!(next_number(&world).await, 1);
        world.run(&by("ann"), text("ann", "first")).await.unwrap();
        world.app(named("second")).await.unwrap();
        assert_eq!(history(&world).await.len(), 2);
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn pages_of_any_size_hold_every_number_once() {
    story(Policy::standard(), async |world| {
        for round in 0..12 {
            world
                .app(UpdateGroup { announcement: Some(format!("a{round}")), ..named(&format!("n{round}")) })
                .await
                .unwrap();
            for _ in 0..round % 3 {
                world.run(&by("ann"), text("ann", "hi")).await.unwrap();
            }
        }
        let last = next_number(world).await - 1;
        for limit in 1..9 {
            let (mut from, mut numbers) = (None, Vec::new());
            loop {
                let found = page(world, from, limit).await;
                assert!(found.entries.len() <= limit);
                for (number, entry) in &found.entries {
                    if let Numbered::Events(events) = entry {
                        assert_eq!(events.len(), 2, "{number} is complete in pages of {limit}");
                        assert!(events[0].sequence < events[1].sequence);
                    }
                    numbers.push(*number);
                }
                from = found.next;
                if from.is_none() {
                    break;
                }
            }
            assert_eq!(numbers, (1..=last).rev().collect::<Vec<_>>(), "pages of {limit}");
        }
        // from a number beyond the last, and from the first
        assert_eq!(page(world, Some(last + 100), 3).await.entries[0].0, last);
        assert_eq!(page(world, Some(1), 3).await.entries.len(), 1);
    });
}

#[test]
fn members_see_the_history_since_they_came() {
    for before in [false, true] {
        story(Policy { history_before_join: before, ..Policy::standard() }, async |world| {
            world.app(named("before")).await.unwrap();
            world.app(add(&["dan"])).await.unwrap();
            world.app(named("after")).await.unwrap();
            let ask = History { group: group("g"), from: None, limit: 9 };
            let seen = world.engine.ask(&by("dan"), ask).await.unwrap().entries.len();
            assert_eq!(seen, if before { 3 } else { 2 });
        });
    }
}

#[test]
fn an_event_names_everybody_it_is_about() {
    story(Policy::standard(), async |world| {
        let names = |event: &Event| event.audience.users.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let mut last = 0;
        let mut check = async |what: &str, expected: &str| {
            let all = events(world).await;
            let new = all.iter().filter(|event| event.sequence > last);
            let found: Vec<String> = new.map(|event| names(event)).collect();
            last = all.last().unwrap().sequence;
            assert!(found.iter().any(|found| found == expected), "{what}: {found:?}");
        };
        world.app(promote("ben")).await.unwrap();
        check("promoted", "ben").await;
        world.app(Demote { group: group("g"), users: users(&["ben"]), skip_others: false }).await.unwrap();
        check("demoted", "ben").await;
        world
            .app(Appoint { group: group("g"), users: users(&["dan"]), on_unknown: OnUnknown::Refuse, most: None })
            .await
            .unwrap();
        check("appointed without being a member", "dan").await;
        world.app(Mute { members_only: false, ..mute("dan") }).await.unwrap();
        check("muted without being a member", "dan").await;
        world.app(Unmute { group: group("g"), users: users(&["dan"]) }).await.unwrap();
        check("unmuted without being a member", "dan").await;
        let block = Block {
            group: group("g"),
            users: users(&["dan"]),
            until: Until::Forever,
            reason: String::new(),
            members_only: false,
            cleanup: Cleanup::default(),
        };
        world.app(block).await.unwrap();
        check("blocked without being a member", "dan").await;
        world.app(Unblock { group: group("g"), users: users(&["dan"]) }).await.unwrap();
        check("unblocked without being a member", "dan").await;
        world.app(Disallow { group: group("g"), users: users(&["dan"]) }).await.unwrap();
        let card = UpdateMember { card: Some("C".to_owned()), ..UpdateMember::of(group("g"), user("cy")) };
        world.app(card).await.unwrap();
        check("a card", "cy").await;
        world.app(Transfer { group: group("g"), to: user("ben"), leave: None }).await.unwrap();
        check("transferred", "ann ben").await;
        let leave = Leave {
            group: group("g"),
            users: users(&["cy"]),
            cleanup: Cleanup::default(),
            on_outsider: OnOutsider::Refuse,
            keep_owner: false,
        };
        world.app(leave).await.unwrap();
        check("gone", "cy").await;
        let everything = events(world).await;
        for event in everything.iter().filter(|event| !matches!(event.what, Happening::GroupGoverned { .. })) {
            for user in event.what.about() {
                assert!(event.audience.users.contains(user), "{user} is not notified: {event:?}");
            }
        }
    });
}
