//! Queues compared with a model that reads the whole log.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{World, add, block_on, by, group, story, text, user, users};
use conclave_core::event::{Actor, Event, Happening};
use conclave_core::model::{Body, DeviceId, Policy, Queue, UserId};
use conclave_core::operation::{
    Acknowledge, AddMembers, Begin, Cleanup, Leave, MarkRead, OnOutsider, OpenDevice, RecallMessages, RemoveMembers,
    SendMessage, Transfer, UpdateGroup, UpdateMember,
};
use conclave_core::ports::{GroupsExt, Log, Typed};
use conclave_core::query::{COUNTED, Feed, QueuePage, ReadQueue, WaitingQueue, WaitingQueues};
use conclave_core::refusal::Refusal;
use proptest::collection::vec;
use proptest::prelude::*;

const NAMES: [&str; 4] = ["ann", "ben", "cy", "dan"];
const GROUPS: [&str; 2] = ["g", "h"];

fn device(name: &str) -> DeviceId {
    DeviceId::new("s", name)
}

fn queue_of(at: usize) -> Queue {
    GROUPS.get(at).map_or(Queue::Own, |id| Queue::Group(group(id)))
}

/// One step; users and groups are indexes into the lists above.
#[derive(Debug, Clone)]
enum Step {
    Say(usize, usize),
    Aside(usize, usize, usize),
    Pass(usize, usize),
    Join(usize, usize),
    Leave(usize, usize),
    Remove(usize, usize),
    HandOver(usize, usize),
    Rename(usize, usize),
    Card(usize, usize),
    Read(usize, usize),
    Recall(usize),
    Acknowledge(usize, usize, u64),
}

fn step() -> impl Strategy<Value = (Step, bool)> {
    let (who, place) = (0..NAMES.len(), 0..GROUPS.len());
    let both = (who.clone(), place.clone());
    let step = prop_oneof![
        4 => both.clone().prop_map(|(who, at)| Step::Say(who, at)),
        2 => (who.clone(), who.clone(), place.clone()).prop_map(|(from, to, at)| Step::Aside(from, to, at)),
        1 => both.clone().prop_map(|(who, at)| Step::Pass(who, at)),
        3 => both.clone().prop_map(|(who, at)| Step::Join(who, at)),
        2 => both.clone().prop_map(|(who, at)| Step::Leave(who, at)),
        1 => both.clone().prop_map(|(who, at)| Step::Remove(who, at)),
        1 => both.clone().prop_map(|(who, at)| Step::HandOver(who, at)),
        1 => both.clone().prop_map(|(who, at)| Step::Rename(who, at)),
        1 => both.clone().prop_map(|(who, at)| Step::Card(who, at)),
        1 => both.clone().prop_map(|(who, at)| Step::Read(who, at)),
        1 => place.prop_map(Step::Recall),
        3 => (who, 0..=GROUPS.len(), 0_u64..12).prop_map(|(who, at, back)| Step::Acknowledge(who, at, back)),
    ];
    // whether time advances before it
    (step, any::<bool>())
}

/// Runs a step; a refused one changes nothing.
async fn run<O: Typed>(world: &World, actor: &Actor, operation: O) {
    _ = world.engine.run(actor, operation).await;
}

struct Model {
    /// Where each user's device is in each queue.
    places: BTreeMap<(UserId, Queue), u64>,
}

impl Model {
    async fn take(&mut self, world: &World, step: &Step) {
        let name = |who: &usize| NAMES[*who];
        let id = |at: &usize| group(GROUPS[*at]);
        match step {
            Step::Say(who, at) => {
                let said = SendMessage { group: id(at), ..text(name(who), "hi") };
                run(world, &by(name(who)), said).await;
            }
            Step::Aside(from, to, at) => {
                let said = SendMessage { group: id(at), targets: users(&[name(to)]), ..text(name(from), "psst") };
                run(world, &by(name(from)), said).await;
            }
            Step::Pass(who, at) => {
                let said = SendMessage { group: id(at), stored: false, ..text(name(who), "typing") };
                run(world, &by(name(who)), said).await;
            }
            Step::Join(who, at) => run(world, &Actor::app(), AddMembers { group: id(at), ..add(&[name(who)]) }).await,
            Step::Leave(who, at) => {
                let (cleanup, on_outsider) = (Cleanup::default(), OnOutsider::Refuse);
                let leave =
                    Leave { group: id(at), users: users(&[name(who)]), cleanup, on_outsider, keep_owner: false };
                run(world, &by(name(who)), leave).await;
            }
            Step::Remove(who, at) => {
                let remove = RemoveMembers {
                    group: id(at),
                    users: users(&[name(who)]),
                    reason: String::new(),
                    cleanup: Cleanup::default(),
                    quiet: conclave_core::operation::Quiet::Nobody,
                    on_outsider: OnOutsider::Refuse,
                    skip_owner: false,
                };
                run(world, &Actor::app(), remove).await;
            }
            Step::HandOver(who, at) => {
                let leave = Some(Cleanup::default());
                run(world, &Actor::app(), Transfer { group: id(at), to: user(name(who)), leave }).await;
            }
            Step::Rename(who, at) => {
                let update =
                    UpdateGroup { announcement: Some(format!("{}", world.now().0)), ..UpdateGroup::of(id(at)) };
                run(world, &by(name(who)), update).await;
            }
            Step::Card(who, at) => {
                let card = Some(format!("{}", world.now().0));
                run(world, &by(name(who)), UpdateMember { card, ..UpdateMember::of(id(at), user(name(who))) }).await;
            }
            Step::Read(who, at) => {
                run(world, &by(name(who)), MarkRead { group: id(at), user: user(name(who)), sequence: 99 }).await;
            }
            Step::Recall(at) => {
                let recall = RecallMessages { group: id(at), sequences: vec![1, 2], reason: String::new() };
                run(world, &Actor::app(), recall).await;
            }
            Step::Acknowledge(who, at, back) => {
                let last = log(world).await.last().map_or(0, |event| event.sequence);
                let (who, queue) = (user(name(who)), queue_of(*at));
                // behind, exactly at, and beyond the end
                let after = (last + 3).saturating_sub(*back);
                run(world, &Actor::user(who.clone()), Acknowledge::new(who.clone(), device("d"), queue.clone(), after))
                    .await;
                let place = self.places.entry((who, queue)).or_default();
                *place = (*place).max(after.min(last));
            }
        }
    }
}

async fn log(world: &World) -> Vec<Arc<Event>> {
    Log::read(&*world.engine, 0, usize::MAX).await.unwrap()
}

/// Whether a user is a member after an event; `None` when the event does not show it.
fn membership(event: &Event, user: &UserId) -> Option<bool> {
    match &event.what {
        Happening::GroupCreated { owner, members, .. } => {
            (owner.as_ref() == Some(user) || members.contains(user)).then_some(true)
        }
        Happening::MembersJoined { users, .. } => users.contains(user).then_some(true),
        Happening::MembersLeft { users, .. } => users.contains(user).then_some(false),
        Happening::OwnerChanged { from, left: true, .. } => (from.as_ref() == Some(user)).then_some(false),
        _ => None,
    }
}

/// What a queue holds; `None` for a group the user is not in.
fn expected(log: &[Arc<Event>], user: &UserId, queue: &Queue) -> Option<Vec<u64>> {
    let is_passing = |event: &Event| matches!(event.what, Happening::MessagePassed(_));
    let kept = log.iter().filter(|event| !event.audience.silent && !is_passing(event));
    match queue {
        Queue::Own => {
            let named = kept.filter(|event| event.audience.users.contains(user));
            Some(named.map(|event| event.sequence).collect())
        }
        Queue::Group(group) => {
            let (mut inside, mut held) = (false, Vec::new());
            for event in log.iter().filter(|event| event.group.as_ref() == Some(group)) {
                match membership(event, user) {
                    Some(true) if !inside => (inside, held) = (true, Vec::new()),
                    Some(false) => (inside, held) = (false, Vec::new()),
                    _ => {}
                }
                let shared = event.audience.members_of.as_ref() == Some(group);
                let named = event.audience.users.contains(user);
                if inside && shared && !named && !event.audience.silent && !is_passing(event) {
                    held.push(event.sequence);
                }
            }
            inside.then_some(held)
        }
        Queue::All(_) => None,
    }
}

/// All of a queue after a number, in pages of this size.
async fn drain(
    world: &World,
    who: &UserId,
    queue: &Queue,
    mut after: u64,
    limit: usize,
    bytes: usize,
) -> Option<Vec<u64>> {
    let mut found = Vec::new();
    loop {
        let read = ReadQueue { user: who.clone(), queue: queue.clone(), after, limit, bytes };
        let page: QueuePage = match world.engine.ask(&Actor::user(who.clone()), read).await {
            Ok(page) => page,
            Err(Refusal::NotPermitted { .. }) => return None,
            Err(other) => panic!("{other:?}"),
        };
        assert!(page.items.len() <= limit);
        assert!(page.last >= after && (page.last > after || !page.more), "a page without progress: {page:?}");
        for item in &page.items {
            assert!(item.event.sequence > after && item.event.sequence <= page.last);
            let speaks = matches!(item.event.what, Happening::MessageSent { .. });
            assert_eq!(item.message.is_some(), speaks, "{item:?}");
        }
        found.extend(page.items.iter().map(|item| item.event.sequence));
        after = page.last;
        if !page.more {
            return Some(found);
        }
    }
}

async fn check(world: &World, model: &Model, since: u64, limit: usize, bytes: usize) {
    let log = log(world).await;
    for name in NAMES {
        let who = user(name);
        let mut waiting = Vec::new();
        for at in [GROUPS.len(), 0, 1] {
            let queue = queue_of(at);
            let held = expected(&log, &who, &queue);
            assert_eq!(drain(world, &who, &queue, 0, limit, bytes).await, held, "{name} {queue:?}");
            let place = model.places.get(&(who.clone(), queue.clone())).copied().unwrap_or(0).max(since);
            let left: Option<Vec<u64>> = held.map(|held| held.into_iter().filter(|number| *number > place).collect());
            assert_eq!(drain(world, &who, &queue, place, limit, bytes).await, left, "{name} {queue:?} after {place}");
            let events = left.map_or(0, |left| left.len());
            if events > 0 {
                waiting.push((queue, place, events));
            }
        }
        let asked = WaitingQueues { user: who.clone(), device: device("d"), limit: 10 };
        let mut found = world.engine.ask(&Actor::user(who.clone()), asked).await.unwrap();
        assert!(!found.more);
        // groups are in the order of joining
        found.queues.sort_by(|one, other| one.queue.cmp(&other.queue));
        let found: Vec<_> = found
            .queues
            .into_iter()
            .map(|WaitingQueue { queue, place, events }| (queue, place.after, events))
            .collect();
        assert_eq!(found, waiting, "{name}");

        // all queues together hold each of their events once
        let mut together: Vec<u64> =
            [GROUPS.len(), 0, 1].iter().filter_map(|at| expected(&log, &who, &queue_of(*at))).flatten().collect();
        together.sort_unstable();
        let feed = world.ask(Feed { user: who, after: 0, limit: usize::MAX - 1 }).await.unwrap();
        assert_eq!(feed.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), together, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn queues_hold_what_the_log_says(
        steps in vec(step(), 1..40),
        limit in 1_usize..6,
        bytes in prop_oneof![Just(0_usize), 200_usize..3000],
    ) {
        block_on(async {
            let world = World::peopled(&NAMES).await;
            for id in GROUPS {
                world.group(id, "ann", &["ben"], Policy::standard()).await;
            }
            let last = log(&world).await.len() as u64;
            for name in NAMES {
                let open = OpenDevice { user: user(name), device: device("d"), begin: Begin::Now };
                assert_eq!(world.run(&by(name), open).await.unwrap().since, last);
            }
            let mut model = Model { places: BTreeMap::new() };
            for (step, later) in &steps {
                if *later {
                    world.step(1);
                }
                model.take(&world, step).await;
            }
            check(&world, &model, last, limit, bytes).await;
            assert_eq!(world.broken().await, None);
        });
    }
}

#[test]
fn who_joins_in_the_moment_of_a_message_does_not_receive_it() {
    story(Policy::standard(), async |world| {
        let engine = &world.engine;
        engine.run(&by("ann"), text("ann", "before")).await.unwrap();
        engine.run(&Actor::app(), add(&["dan"])).await.unwrap();
        engine.run(&by("ann"), text("ann", "after")).await.unwrap();
        let found = drain(world, &user("dan"), &Queue::Group(group("g")), 0, 10, 10_000).await.unwrap();
        let last = log(world).await.last().unwrap().sequence;
        assert_eq!(found, [last], "all in one millisecond");
    });
}

#[test]
fn pages_are_bounded_in_bytes() {
    story(Policy::standard(), async |world| {
        let long = "x".repeat(1000);
        for _ in 0..40 {
            world.run(&by("ann"), text("ann", &long)).await.unwrap();
        }
        world.run(&by("ann"), text("ann", &long.repeat(50))).await.unwrap();
        let read =
            |after, bytes| ReadQueue { user: user("ben"), queue: Queue::Group(group("g")), after, limit: 100, bytes };
        let page = world.ask(read(0, 10_000)).await.unwrap();
        let said: usize = page.items.iter().filter(|item| item.message.is_some()).count();
        assert!((5..10).contains(&said) && page.more, "{said} messages of 1,000 bytes in 10,000");
        let rest = world.ask(read(page.last, usize::MAX)).await.unwrap();
        assert_eq!(said + rest.items.len(), 41);
        // one that is larger than a page is returned alone
        let before = rest.items[rest.items.len() - 2].event.sequence;
        let large = world.ask(read(before, 10)).await.unwrap();
        assert_eq!((large.items.len(), large.more), (1, false));
    });
}

#[test]
fn what_is_in_a_topic_waits_in_its_groups_queue() {
    story(Policy::standard(), async |world| {
        let made = conclave_core::operation::MakeTopic {
            group: group("g"),
            id: None,
            prefix: "t".to_owned(),
            profile: conclave_core::model::Profile::default(),
            announcement: String::new(),
            created: None,
        };
        let topic = world.run(&by("ann"), made).await.unwrap().topic;
        world.engine.run_in(&by("ann"), &topic, text("ann", "here")).await.unwrap();
        let read =
            ReadQueue { user: user("ben"), queue: Queue::Group(group("g")), after: 0, limit: 100, bytes: 10_000 };
        let page = world.ask(read).await.unwrap();
        let said = page.items.last().unwrap().message.as_ref().unwrap();
        assert_eq!(said.body, Body::Text("here".to_owned()));
    });
}

#[test]
fn queues_are_their_users_own() {
    story(Policy::standard(), async |world| {
        let read = |who: &str, queue| ReadQueue { user: user(who), queue, after: 0, limit: 10, bytes: 1000 };
        let own = world.engine.ask(&by("ben"), read("ann", Queue::Own)).await;
        assert_eq!(own.unwrap_err(), Refusal::AppOnly);
        let waiting = WaitingQueues { user: user("ann"), device: device("d"), limit: 9 };
        assert_eq!(world.engine.ask(&by("ben"), waiting).await.unwrap_err(), Refusal::AppOnly);
        let outside = world.engine.ask(&by("dan"), read("dan", Queue::Group(group("g")))).await;
        assert!(matches!(outside, Err(Refusal::NotPermitted { .. })));
        let gone = world.engine.ask(&by("dan"), read("dan", Queue::Group(group("nowhere")))).await;
        assert!(matches!(gone, Err(Refusal::GroupNotFound { .. })));
        assert!(matches!(world.ask(read("dan", Queue::All("x".into()))).await, Err(Refusal::InvalidValue(_))));
    });
}

#[test]
fn counts_end_at_a_bound() {
    story(Policy::standard(), async |world| {
        let open = OpenDevice { user: user("ben"), device: device("d"), begin: Begin::Now };
        world.run(&by("ben"), open).await.unwrap();
        for _ in 0..COUNTED + 20 {
            world.run(&by("ann"), text("ann", "hi")).await.unwrap();
        }
        let waiting = WaitingQueues { user: user("ben"), device: device("d"), limit: 10 };
        let found = world.ask(waiting).await.unwrap();
        assert_eq!(found.queues.iter().map(|queue| queue.events).collect::<Vec<_>>(), [COUNTED]);
    });
}
