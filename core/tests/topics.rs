//! Topics: strands of one group's conversation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{World, block_on, by, group, log, story, text, user, users};
use conclave_core::event::{Actor, Happening, ProfileChange};
use conclave_core::model::{Body, KeptEvents, Millis, Policy, Prefix, Profile, TopicId, Traits, Until};
use conclave_core::operation::{
    ChangeMessage, DeleteMessagesBySender, DeleteUser, Disband, EndTopics, GiveNotice, InTopic, MakeTopic, Mute,
    Operation, OwnedGroups, RecallMessages, SendMessage, Transfer, Unmute, UpdateGroup, UpdateTopic,
};
use conclave_core::ports::{Groups, GroupsExt, Store, Typed};
use conclave_core::query::{GroupById, Messages, Start, TopicMessages, TopicMutes, Topics};
use conclave_core::refusal::Refusal;
use proptest::prelude::*;

fn topic(name: &str) -> TopicId {
    TopicId::new(name).unwrap()
}

fn make(id: &str) -> MakeTopic {
    MakeTopic {
        group: group("g"),
        id: Some(topic(id)),
        prefix: String::new(),
        profile: Profile { name: id.to_owned(), ..Profile::default() },
        announcement: String::new(),
        created: None,
    }
}

async fn within<O: Typed>(world: &World, actor: &Actor, id: &str, what: O) -> Result<O::Reply, Refusal> {
    world.step(1);
    world.engine.run_in(actor, &topic(id), what).await
}

async fn said(world: &World, id: &str) -> Vec<(u64, Body)> {
    let ask = TopicMessages { group: group("g"), topic: topic(id), from: None, limit: 100 };
    let page = world.ask(ask).await.unwrap();
    page.messages.iter().map(|message| (message.sequence, message.body.clone())).collect()
}

#[test]
fn each_topic_counts_for_itself_and_the_group_knows_nothing_of_it() {
    story(Policy::standard(), async |world| {
        for id in ["t", "u"] {
            world.run(&by("ann"), make(id)).await.unwrap();
        }
        world.run(&by("ben"), text("ben", "to all")).await.unwrap();
        for id in ["t", "u", "t"] {
            let token = Some("the same".to_owned());
            within(world, &by("ben"), id, SendMessage { token, ..text("ben", id) }).await.unwrap();
        }
        let own = |id: &str| vec![(1, Body::Text(id.to_owned()))];
        assert_eq!(
            (said(world, "t").await, said(world, "u").await),
            (own("t"), own("u")),
            "a token is one of its topic"
        );
        let page = Messages { group: group("g"), start: Start::Edge, newest_first: false, limit: 10 };
        let page = world.ask(page).await.unwrap();
        assert_eq!(page.messages.len(), 1);
        assert_eq!((page.group.next_message, page.group.topic_messages, page.group.topics), (2, 2, 2));
        let emitted = log(world).await.into_iter().filter_map(|what| match what {
            Happening::InTopic { topic, what } => Some((topic, *what)),
            _ => None,
        });
        let emitted: Vec<_> = emitted.collect();
        assert_eq!(emitted.len(), 2);
        assert!(matches!(&emitted[0], (id, Happening::MessageSent { sequence: 1, .. }) if *id == topic("t")));
    });
}

#[test]
fn topics_are_in_the_hand_of_those_who_edit_the_group() {
    story(Policy::standard(), async |world| {
        assert!(matches!(world.run(&by("ben"), make("t")).await, Err(Refusal::NotPermitted { .. })));
        assert!(matches!(world.run(&by("dan"), make("t")).await, Err(Refusal::NotPermitted { .. })));
        world.run(&by("ann"), make("t")).await.unwrap();
        let taken = Refusal::TopicExists { group: group("g"), topic: topic("t") };
        assert_eq!(world.app(make("t")).await.unwrap_err(), taken);
        let change = UpdateTopic {
            group: group("g"),
            topic: topic("t"),
            profile: ProfileChange { name: Some("new".to_owned()), ..ProfileChange::default() },
            announcement: Some(String::new()),
            all_muted: Some(true),
        };
        assert!(matches!(world.run(&by("ben"), change.clone()).await, Err(Refusal::NotPermitted { .. })));
        world.run(&by("ann"), change.clone()).await.unwrap();
        let events = log(world).await;
        let last = Happening::TopicChanged {
            topic: topic("t"),
            profile: change.profile.clone(),
            announcement: None,
            all_muted: Some(true),
        };
        assert_eq!(events.last(), Some(&last));
        world.app(change).await.unwrap();
        assert_eq!(log(world).await.len(), events.len(), "an unchanged value emits no event");

        let end = EndTopics { group: group("g"), topics: vec![topic("t"), topic("v"), topic("t")] };
        let ended = world.app(end).await.unwrap().outcomes;
        let gone = |id: &str, ended| Err(Refusal::TopicNotFound { group: group("g"), topic: topic(id), ended });
        assert_eq!(ended, [(topic("t"), Ok(())), (topic("v"), gone("v", false)), (topic("t"), gone("t", true))]);
        assert_eq!(world.app(make("t")).await.unwrap_err(), taken, "an id is taken for good");
        assert!(world.ask(Topics { group: group("g"), topics: None }).await.unwrap().0.is_empty());
        assert!(within(world, &by("ben"), "t", text("ben", "x")).await.is_err());
        let minted = MakeTopic { id: None, prefix: "g@".to_owned(), ..make("x") };
        assert!(world.app(minted.clone()).await.unwrap().topic.as_str().starts_with("g@"));
        let early = MakeTopic { created: Some(Millis(1)), ..minted };
        assert!(matches!(world.app(early).await, Err(Refusal::InvalidValue(_))));
    });
}

#[test]
fn who_is_silent_in_the_group_is_silent_in_its_topics_and_not_the_other_way_round() {
    story(Policy::standard(), async |world| {
        for id in ["t", "u"] {
            world.run(&by("ann"), make(id)).await.unwrap();
        }
        let mute = Mute {
            group: group("g"),
            users: users(&["ben"]),
            until: Until::Forever,
            members_only: true,
            spare_owner: true,
        };
        within(world, &by("ann"), "t", mute.clone()).await.unwrap();
        let speak = async |id: &str| within(world, &by("ben"), id, text("ben", "hi")).await.map(drop);
        assert!(matches!(speak("t").await, Err(Refusal::Muted { .. })));
        speak("u").await.unwrap();
        world.run(&by("ben"), text("ben", "hi")).await.unwrap();
        let ask = TopicMutes { group: group("g"), topic: topic("t") };
        assert_eq!(world.ask(ask.clone()).await.unwrap().0[0].user, user("ben"));
        within(world, &by("ann"), "t", Unmute { group: group("g"), users: users(&["ben"]) }).await.unwrap();
        assert!(world.ask(ask).await.unwrap().0.is_empty());
        speak("t").await.unwrap();

        world.run(&by("ann"), mute).await.unwrap();
        assert!(matches!(speak("u").await, Err(Refusal::Muted { .. })));
        world.run(&by("ann"), Unmute { group: group("g"), users: users(&["ben"]) }).await.unwrap();
        world.run(&by("ann"), UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(group("g")) }).await.unwrap();
        assert!(matches!(speak("u").await, Err(Refusal::Muted { everybody: true, .. })));
        within(world, &by("ann"), "u", text("ann", "the owner may")).await.unwrap();
        assert!(world.ask(GroupById { group: group("g") }).await.unwrap().group.all_muted);
    });
}

#[test]
fn mutes_in_topics_end_with_the_topic_and_with_the_account() {
    story(Policy::standard(), async |world| {
        for id in ["t", "u"] {
            world.run(&by("ann"), make(id)).await.unwrap();
            let mute = Mute {
                group: group("g"),
                users: users(&["ben", "cy"]),
                until: Until::Forever,
                members_only: true,
                spare_owner: true,
            };
            within(world, &by("ann"), id, mute).await.unwrap();
        }
        let muted = async |id: &str| world.store.count(&Prefix::topic_mutes(&group("g"), &topic(id))).await.unwrap();
        assert_eq!((muted("t").await, muted("u").await), (2, 2));
        world.app(DeleteUser { user: user("ben"), owned: OwnedGroups::Disband }).await.unwrap();
        assert_eq!((muted("t").await, muted("u").await), (1, 1));
        world.app(EndTopics { group: group("g"), topics: vec![topic("t")] }).await.unwrap();
        assert_eq!((muted("t").await, muted("u").await), (0, 1));
        world.app(Disband { group: group("g") }).await.unwrap();
        assert_eq!(muted("u").await, 0);
    });
}

#[test]
fn what_is_not_done_in_topics_is_refused() {
    story(Policy::standard(), async |world| {
        world.run(&by("ann"), make("t")).await.unwrap();
        let transfer = Transfer { group: group("g"), to: user("ben"), leave: None };
        assert!(matches!(within(world, &by("ann"), "t", transfer).await, Err(Refusal::InvalidValue(_))));
        let traits = Traits { receipts: true, ..Traits::default() };
        let asking = SendMessage { traits, ..text("ann", "read this") };
        assert!(matches!(within(world, &by("ann"), "t", asking).await, Err(Refusal::InvalidValue(_))));
        let nested = InTopic { topic: topic("t"), what: text("ann", "x").into() };
        let nested = InTopic { topic: topic("t"), what: Operation::InTopic(Box::new(nested)) };
        let outcome = world.engine.perform(&by("ann"), Operation::InTopic(Box::new(nested))).await;
        assert!(matches!(outcome, Err(Refusal::InvalidValue(_))));
        assert!(matches!(within(world, &by("dan"), "t", text("dan", "x")).await, Err(Refusal::NotMembers { .. })));
        let ask = TopicMessages { group: group("g"), topic: topic("t"), from: None, limit: 9 };
        assert!(world.engine.ask(&by("dan"), ask).await.is_err());
    });
}

#[test]
fn topics_end_with_their_group_and_stay_taken() {
    block_on(async {
        let world = World::peopled(&["ann"]).await;
        for _ in 0..2 {
            world.group("g", "ann", &[], Policy::standard()).await;
            let made = world.app(make("t")).await;
            if made.is_ok() {
                within(&world, &by("ann"), "t", text("ann", "once")).await.unwrap();
                world.app(Disband { group: group("g") }).await.unwrap();
            } else {
                assert!(matches!(made, Err(Refusal::TopicExists { .. })));
            }
            assert_eq!(world.broken().await, None);
        }
    });
}

/// What is done to messages.
#[derive(Debug, Clone)]
enum Step {
    Send(u8, bool),
    Change(u64),
    Recall(u64),
    Delete(u8),
    Mute(u8),
    Unmute(u8),
    Notice,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_u8, any::<bool>()).prop_map(|(who, token)| Step::Send(who, token)),
        1 => (0..6_u64).prop_map(Step::Change),
        1 => (0..6_u64).prop_map(Step::Recall),
        1 => (0..3_u8).prop_map(Step::Delete),
        1 => (0..3_u8).prop_map(Step::Mute),
        1 => (0..3_u8).prop_map(Step::Unmute),
        1 => Just(Step::Notice),
    ];
    proptest::collection::vec(step, 1..25)
}

const NAMES: [&str; 3] = ["ann", "ben", "cy"];

fn operation(step: &Step, id: &str) -> Operation {
    let (group, one) = (group(id), |who: u8| users(&[NAMES[usize::from(who)]]));
    match *step {
        Step::Send(who, token) => {
            let send = text(NAMES[usize::from(who)], "hello");
            SendMessage { group, token: token.then(|| "t".to_owned()), ..send }.into()
        }
        Step::Change(sequence) => {
            let body = Some(Body::Text("changed".to_owned()));
            ChangeMessage { group, sequence, body, labels: std::collections::BTreeMap::new(), edits: None }.into()
        }
        Step::Recall(sequence) => RecallMessages { group, sequences: vec![sequence], reason: String::new() }.into(),
        Step::Delete(who) => DeleteMessagesBySender { group, sender: one(who).remove(0), among: 3 }.into(),
        Step::Mute(who) => {
            Mute { group, users: one(who), until: Until::Forever, members_only: true, spare_owner: true }.into()
        }
        Step::Unmute(who) => Unmute { group, users: one(who) }.into(),
        Step::Notice => GiveNotice { group, content: "hear".to_owned(), targets: Vec::new() }.into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    /// The same steps in a topic of one group and in another group itself have the same result.
    #[test]
    fn a_topic_is_talked_in_like_a_group(steps in steps()) {
        block_on(async {
            let world = World::peopled(&NAMES).await;
            for id in ["g", "h"] {
                // a topic numbers its messages only; so does this group
                let kept_events = Some(KeptEvents { membership: false, profile: false, roles: false });
                let policy = Policy { kept_events, ..Policy::standard() };
                world.group(id, "ann", &["ben", "cy"], policy).await;
            }
            world.app(make("t")).await.unwrap();
            for step in steps {
                world.step(1);
                let within = InTopic { topic: topic("t"), what: operation(&step, "g") };
                let within = world.engine.perform(&Actor::app(), Operation::InTopic(Box::new(within))).await;
                let beside = world.engine.perform(&Actor::app(), operation(&step, "h")).await;
                assert_eq!(within.is_ok(), beside.is_ok(), "{step:?}: {within:?} {beside:?}");
            }
            let page = Messages { group: group("h"), start: Start::Edge, newest_first: true, limit: 100 };
            let beside = world.ask(page).await.unwrap();
            let page = TopicMessages { group: group("g"), topic: topic("t"), from: None, limit: 100 };
            let within = world.ask(page).await.unwrap();
            let emitted = |messages: &[std::sync::Arc<conclave_core::model::Message>]| -> Vec<_> {
                messages.iter().map(|one| (one.sequence, one.body.clone(), one.state.clone(), one.at)).collect()
            };
            assert_eq!(emitted(&within.messages), emitted(&beside.messages));
            let header = world.ask(GroupById { group: group("g") }).await.unwrap().group;
            assert_eq!((header.next_message, header.topic_messages + 1), (1, beside.group.next_message));
            assert_eq!(world.broken().await, None);
        });
    }
}
