//! Messages, and their delivery.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::{World, add, block_on, by, group, log, story, text, user, users};
use conclave_core::event::Happening;
use conclave_core::model::{Body, MessageId, MessageState, Millis, Policy, Sender, Settings};
use conclave_core::operation::{
    CreateGroup, DeleteMessagesBySender, ImportMessages, OldMessage, RecallMessages, SendMessage, UpdateUser,
};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{Feed, GroupById, Messages, Start};
use conclave_core::refusal::Refusal;

#[test]
fn one_token_is_one_message_while_it_is_remembered() {
    story(Policy::standard(), async |world| {
        let send = SendMessage { token: Some("t".to_owned()), ..text("ben", "hi") };
        let first = world.run(&by("ben"), send.clone()).await.unwrap();
        let second = world.run(&by("ben"), send.clone()).await.unwrap();
        assert!(second.repeated && !first.repeated);
        assert_eq!(first.message, second.message);
        world.step(Settings::default().dedupe_window);
        let third = world.run(&by("ben"), send).await.unwrap();
        assert_eq!((third.repeated, third.message.sequence), (false, 2));
    });
}

#[test]
fn what_is_not_stored_takes_no_number_and_leaves_no_history() {
    story(Policy::standard(), async |world| {
        let posted = world.run(&by("ben"), SendMessage { stored: false, ..text("ben", "psst") }).await.unwrap();
        assert_eq!(posted.message.sequence, 0);
        world.run(&by("ben"), text("ben", "hi")).await.unwrap();
        let page = Messages { group: group("g"), start: Start::Edge, newest_first: true, limit: 10 };
        let page = world.ask(page).await.unwrap();
        assert_eq!(page.messages.iter().map(|message| message.sequence).collect::<Vec<_>>(), [1]);
        assert!(log(world).await.iter().any(|what| matches!(what, Happening::MessagePassed(_))));
    });
}

#[test]
fn the_first_message_makes_a_group_known_to_its_members() {
    block_on(async {
        let world = World::peopled(&["ann"]).await;
        let quiet = CreateGroup {
            id: Some(group("g")),
            active: false,
            ..CreateGroup::new(Some(user("ann")), Policy::standard())
        };
        world.app(quiet).await.unwrap();
        assert!(!world.ask(GroupById { group: group("g") }).await.unwrap().group.active);
        world.run(&by("ann"), text("ann", "hi")).await.unwrap();
        world.run(&by("ann"), text("ann", "hi again")).await.unwrap();
        assert!(world.ask(GroupById { group: group("g") }).await.unwrap().group.active);
        let activations = log(&world).await.into_iter().filter(|what| *what == Happening::GroupActivated).count();
        assert_eq!(activations, 1);
    });
}

#[test]
fn members_read_what_was_said_to_them_since_they_came() {
    story(Policy::standard(), async |world| {
        world.run(&by("ben"), text("ben", "early")).await.unwrap();
        world.app(add(&["dan"])).await.unwrap();
        world.run(&by("ben"), text("ben", "late")).await.unwrap();
        world.run(&by("ben"), SendMessage { targets: users(&["cy"]), ..text("ben", "secret") }).await.unwrap();
        let seen = async |name: &str| {
            let page = Messages { group: group("g"), start: Start::Edge, newest_first: false, limit: 10 };
            let page = world.engine.ask(&by(name), page).await.unwrap();
            page.messages.iter().map(|message| message.sequence).collect::<Vec<_>>()
        };
        // that dan has come is number two
        assert_eq!(seen("dan").await, [3]);
        assert_eq!(seen("cy").await, [1, 3, 4]);
        assert_eq!(seen("ben").await, [1, 3, 4]);
        assert_eq!(seen("ann").await, [1, 3]);
    });
}

#[test]
fn history_is_found_by_number_and_by_time() {
    story(Policy::standard(), async |world| {
        let mut times = Vec::new();
        for _ in 0..20 {
            world.step(100);
            times.push(world.app(text("ben", "hi")).await.unwrap().message.at);
        }
        let read = async |start, newest_first, limit| {
            let page = Messages { group: group("g"), start, newest_first, limit };
            let page = world.ask(page).await.unwrap();
            (page.messages.iter().map(|message| message.sequence).collect::<Vec<_>>(), page.next)
        };
        assert_eq!(read(Start::Sequence(5), false, 3).await, (vec![5, 6, 7], Some(8)));
        assert_eq!(read(Start::Sequence(5), true, 3).await, (vec![5, 4, 3], Some(2)));
        assert_eq!(read(Start::Sequence(2), true, 3).await, (vec![2, 1], None));
        assert_eq!(read(Start::Time(times[9]), false, 2).await, (vec![10, 11], Some(12)));
        assert_eq!(read(Start::Time(times[9].plus(1)), false, 1).await, (vec![11], Some(12)));
        assert_eq!(read(Start::Time(times[9].plus(1)), true, 1).await, (vec![10], Some(9)));
        assert_eq!(read(Start::Time(times[9]), true, 1).await, (vec![10], Some(9)));
        assert_eq!(read(Start::Time(Millis(0)), true, 1).await, (vec![], None));
        assert_eq!(read(Start::Time(Millis(0)), false, 1).await, (vec![1], Some(2)));
        assert_eq!(read(Start::Time(world.now().plus(1)), false, 1).await, (vec![], None));
        assert_eq!(read(Start::Edge, false, 1000).await.0.len(), 20);
    });
}

#[test]
fn a_sender_takes_back_their_own_in_time_and_the_app_anything_ever() {
    story(Policy::standard(), async |world| {
        world.run(&by("ben"), text("ben", "one")).await.unwrap();
        world.run(&by("ben"), text("ben", "two")).await.unwrap();
        let recall = |sequences: &[u64]| RecallMessages {
            group: group("g"),
            sequences: sequences.to_vec(),
            reason: "typo".to_owned(),
        };
        let foreign = world.run(&by("cy"), recall(&[1])).await.unwrap();
        assert!(matches!(foreign.outcomes[0].1, Err(Refusal::NotPermitted { .. })));
        world.run(&by("ben"), recall(&[1])).await.unwrap().outcomes[0].1.clone().unwrap();
        world.step(Settings::default().recall_window);
        let late = world.run(&by("ben"), recall(&[1, 2, 9])).await.unwrap();
        assert!(matches!(late.outcomes[0].1, Err(Refusal::MessageRecalled { .. })));
        assert!(matches!(late.outcomes[1].1, Err(Refusal::RecallTooLate { .. })));
        assert!(matches!(late.outcomes[2].1, Err(Refusal::MessageNotFound { .. })));
        world.app(recall(&[2])).await.unwrap().outcomes[0].1.clone().unwrap();
        let page = Messages { group: group("g"), start: Start::Edge, newest_first: false, limit: 10 };
        for message in world.ask(page).await.unwrap().messages {
            assert!(matches!(message.state, MessageState::Recalled { .. }));
            assert_eq!(message.body, Body::Text(String::new()));
        }
        world.app(text("ben", "three")).await.unwrap();
        let delete = DeleteMessagesBySender { group: group("g"), sender: user("ben"), among: 1000 };
        assert_eq!(world.app(delete).await.unwrap().sequences, [3]);
    });
}

#[test]
fn imported_messages_are_in_the_order_of_their_times() {
    block_on(async {
        let world = World::peopled(&["ann"]).await;
        let past = Millis(world.now().0 - 1000);
        let create = CreateGroup {
            id: Some(group("g")),
            created: Some(past),
            ..CreateGroup::new(Some(user("ann")), Policy::standard())
        };
        world.app(create).await.unwrap();
        let old = |at| OldMessage {
            sender: Sender::User(user("stranger")),
            at,
            body: Body::Text("old".to_owned()),
            labels: BTreeMap::new(),
        };
        let messages = vec![
            old(past.plus(10)),
            old(past.plus(5)),
            old(Millis(past.0 - 1)),
            old(world.now().plus(1000)),
            old(past.plus(10)),
        ];
        let imported = world.app(ImportMessages { group: group("g"), messages }).await.unwrap();
        let numbers: Vec<Option<u64>> = imported.outcomes.into_iter().map(Result::ok).collect();
        assert_eq!(numbers, [Some(1), None, None, None, Some(2)]);
        assert!(log(&world).await.iter().all(|what| !matches!(what, Happening::MessageSent { .. })));
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn a_feed_holds_what_its_reader_may_receive() {
    story(Policy::standard(), async |world| {
        world.run(&by("ben"), text("ben", "before dan")).await.unwrap();
        world.app(add(&["dan"])).await.unwrap();
        world.run(&by("ben"), text("ben", "for all")).await.unwrap();
        world.run(&by("ben"), SendMessage { targets: users(&["cy"]), ..text("ben", "for cy") }).await.unwrap();
        world.app(UpdateUser { nick: Some("Dan".to_owned()), ..UpdateUser::of(user("dan")) }).await.unwrap();
        let feed = Feed { user: user("dan"), after: 0, limit: 100 };
        let page = world.engine.ask(&by("dan"), feed.clone()).await.unwrap();
        let kinds: Vec<_> = page.events.iter().map(|event| event.what.clone()).collect();
        assert!(matches!(&kinds[..], [Happening::MembersJoined { .. }, Happening::MessageSent { sequence: 3, .. }]));
        assert!(!page.more);
        let first = world.ask(Feed { limit: 1, ..feed.clone() }).await.unwrap();
        assert!(first.more);
        let rest = world.ask(Feed { after: page.last, ..feed.clone() }).await.unwrap();
        assert!(rest.events.is_empty() && rest.last == page.last);
        assert_eq!(world.engine.ask(&by("cy"), feed).await.unwrap_err(), Refusal::AppOnly);
    });
}

#[test]
fn an_id_that_was_given_out_is_kept_once() {
    story(Policy::standard(), async |world| {
        let id = MessageId::new("7700").unwrap();
        let send = || SendMessage { id: Some(id.clone()), ..text("ben", "hi") };
        let first = world.run(&by("ben"), send()).await.unwrap().message;
        let second = world.run(&by("ben"), send()).await.unwrap().message;
        assert_eq!(first.id, id);
        assert!(second.id != id && second.sequence == 2, "{second:?}");
    });
}
