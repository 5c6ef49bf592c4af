//! Devices and their positions: durable, moving forward, bounded, and without conflicts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::Arc;

use common::{World, by, group, story, text, user};
use conclave_core::event::Actor;
use conclave_core::model::{DeviceId, Key, Policy, Prefix, Queue, Settings};
use conclave_core::operation::{Acknowledge, Begin, DeleteUser, DeviceOpened, OpenDevice, OwnedGroups};
use conclave_core::ports::{GroupsExt, Log, Maintenance, Store};
use conclave_core::query::{DevicePosition, DevicePositions, GroupById, Positions, WaitingQueues};
use conclave_core::refusal::Refusal;

fn device(id: &str) -> DeviceId {
    DeviceId::new("s", id)
}

fn group_queue() -> Queue {
    Queue::Group(group("g"))
}

async fn open(world: &World, id: &str, begin: Begin) -> DeviceOpened {
    world.run(&by("ben"), OpenDevice { user: user("ben"), device: device(id), begin }).await.unwrap()
}

fn acknowledge(id: &str, queue: Queue, after: u64) -> Acknowledge {
    Acknowledge::new(user("ben"), device(id), queue, after)
}

async fn place(world: &World, id: &str, queue: Queue) -> Option<DevicePosition> {
    let asked = DevicePositions { user: user("ben"), device: device(id), queues: vec![queue] };
    let Positions(found) = world.ask(asked).await.unwrap();
    found.map(|places| places[0])
}

async fn after(world: &World, id: &str, queue: Queue) -> Option<u64> {
    place(world, id, queue).await.map(|place| place.after)
}

async fn last(world: &World) -> u64 {
    world.engine.last().await.unwrap()
}

async fn say(world: &World, count: usize) -> u64 {
    for _ in 0..count {
        world.run(&by("ann"), text("ann", "hi")).await.unwrap();
    }
    last(world).await
}

async fn kept(world: &World) -> (usize, usize) {
    let tables = Prefix::every_table();
    let of = |key: &Key| tables.iter().find(|table| key.encode().starts_with(table.as_bytes())).unwrap().clone();
    let a_device = of(&Key::Device(user("x"), "s".into(), "d".into()));
    let a_position = of(&Key::Position(user("x"), "s".into(), "d".into(), Queue::Own));
    (world.store.count(&a_device).await.unwrap(), world.store.count(&a_position).await.unwrap())
}

#[test]
fn a_device_begins_at_the_given_position_once() {
    story(Policy::standard(), async |world| {
        let end = say(world, 5).await;
        assert_eq!(place(world, "a", Queue::Own).await, None);
        assert_eq!(open(world, "a", Begin::Now).await, DeviceOpened { since: end, known: false });
        assert_eq!(open(world, "b", Begin::After(2)).await, DeviceOpened { since: 2, known: false });
        assert_eq!(open(world, "c", Begin::After(u64::MAX)).await.since, end);
        say(world, 1).await;
        assert_eq!(open(world, "a", Begin::Now).await, DeviceOpened { since: end, known: true });
        assert_eq!(place(world, "b", group_queue()).await, Some(DevicePosition { after: 2, stamp: 0 }));
        let foreign = OpenDevice { user: user("ann"), device: device("a"), begin: Begin::Now };
        assert_eq!(world.run(&by("ben"), foreign).await.unwrap_err(), Refusal::AppOnly);
        let nobody = OpenDevice { user: user("nobody"), device: device("a"), begin: Begin::Now };
        assert_eq!(world.app(nobody).await.unwrap_err(), Refusal::UserNotFound(user("nobody")));
    });
}

#[test]
fn positions_move_forward_and_not_beyond_what_there_is() {
    story(Policy::standard(), async |world| {
        open(world, "a", Begin::After(0)).await;
        let end = say(world, 5).await;
        for (number, expected) in [(3, 3), (2, 3), (u64::MAX, end), (1, end)] {
            world.run(&by("ben"), acknowledge("a", group_queue(), number)).await.unwrap();
            assert_eq!(after(world, "a", group_queue()).await, Some(expected), "after {number}");
        }
        assert_eq!(after(world, "a", Queue::Own).await, Some(0), "the other queues stay");
        let back = Acknowledge { back: true, stamp: 9, ..acknowledge("a", group_queue(), 1) };
        world.run(&by("ben"), back).await.unwrap();
        assert_eq!(place(world, "a", group_queue()).await, Some(DevicePosition { after: 1, stamp: 9 }));
        let stamp = Acknowledge { stamp: 10, ..acknowledge("a", group_queue(), 1) };
        world.run(&by("ben"), stamp).await.unwrap();
        assert_eq!(place(world, "a", group_queue()).await, Some(DevicePosition { after: 1, stamp: 10 }));
        assert_eq!(world.run(&by("cy"), acknowledge("a", Queue::Own, 1)).await.unwrap_err(), Refusal::AppOnly);
        // a device that was never opened, or has expired, has a position in this one queue and begins now in the others
        world.run(&by("ben"), acknowledge("new", group_queue(), 2)).await.unwrap();
        assert_eq!(after(world, "new", group_queue()).await, Some(2));
        assert_eq!(after(world, "new", Queue::Own).await, Some(end));
    });
}

#[test]
fn acknowledging_changes_no_group_and_devices_do_not_wait_for_each_other() {
    story(Policy::standard(), async |world| {
        let end = say(world, 20).await;
        for id in ["a", "b"] {
            open(world, id, Begin::After(0)).await;
        }
        let header = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        let mut running = Vec::new();
        for number in (1..=end).rev() {
            for (id, queue) in [("a", Queue::Own), ("a", group_queue()), ("b", group_queue())] {
                let engine = Arc::clone(&world.engine);
                running.push(tokio::spawn(async move {
                    engine.run(&by("ben"), acknowledge(id, queue, number)).await.unwrap();
                }));
            }
        }
        for one in running {
            one.await.unwrap();
        }
        for (id, queue) in [("a", Queue::Own), ("a", group_queue()), ("b", group_queue())] {
            assert_eq!(after(world, id, queue).await, Some(end));
        }
        assert_eq!(world.ask(GroupById { group: group("g") }).await.unwrap().group, header);
        assert_eq!(last(world).await, end, "nobody is notified");
    });
}

#[test]
fn a_new_device_can_go_on_where_the_others_got_furthest() {
    story(Policy::standard(), async |world| {
        assert_eq!(open(world, "first", Begin::Furthest).await.since, last(world).await, "nobody was before it");
        let begun = last(world).await;
        let end = say(world, 6).await;
        open(world, "a", Begin::After(begun)).await;
        world.run(&by("ben"), Acknowledge { stamp: 7, ..acknowledge("a", group_queue(), begun + 4) }).await.unwrap();
        world.run(&by("ben"), acknowledge("first", group_queue(), begun + 2)).await.unwrap();
        world.run(&by("ben"), acknowledge("first", Queue::Own, begun + 1)).await.unwrap();
        let other = OpenDevice { user: user("ben"), device: DeviceId::new("t", "x"), begin: Begin::After(end) };
        world.run(&by("ben"), other).await.unwrap();
        assert_eq!(open(world, "next", Begin::Furthest).await, DeviceOpened { since: begun, known: false });
        assert_eq!(place(world, "next", group_queue()).await, Some(DevicePosition { after: begun + 4, stamp: 7 }));
        assert_eq!(after(world, "next", Queue::Own).await, Some(begun + 1));

        // also where that is behind where its device began
        let alone = |id: &str| DeviceId::new("u", id);
        let open_alone = |id: &str| OpenDevice { user: user("ben"), device: alone(id), begin: Begin::Furthest };
        world.run(&by("ben"), open_alone("one")).await.unwrap();
        let all = Queue::All("all".to_owned());
        let behind = Acknowledge { stamp: 3, ..Acknowledge::new(user("ben"), alone("one"), all.clone(), begun) };
        world.run(&by("ben"), behind).await.unwrap();
        say(world, 1).await;
        assert_eq!(world.run(&by("ben"), open_alone("two")).await.unwrap().since, end);
        let asked = DevicePositions { user: user("ben"), device: alone("two"), queues: vec![all, Queue::Own] };
        let places = [DevicePosition { after: begun, stamp: 3 }, DevicePosition { after: end, stamp: 0 }];
        assert_eq!(world.ask(asked).await.unwrap(), Positions(Some(places.to_vec())));
    });
}

#[test]
fn devices_are_forgotten_after_a_time_and_swept_with_their_positions() {
    story(Policy::standard(), async |world| {
        let lifetime = Settings::default().device_lifetime;
        open(world, "a", Begin::After(0)).await;
        open(world, "b", Begin::After(0)).await;
        for id in ["a", "b"] {
            world.run(&by("ben"), acknowledge(id, group_queue(), 2)).await.unwrap();
            world.run(&by("ben"), acknowledge(id, Queue::Own, 1)).await.unwrap();
        }
        world.step(lifetime - 1000);
        // a device that reconnects in time is kept
        world.run(&by("ben"), acknowledge("b", group_queue(), 1)).await.unwrap();
        assert_eq!(after(world, "a", group_queue()).await, Some(2));
        world.step(1000);
        assert_eq!(place(world, "a", group_queue()).await, None, "judged on reading");
        let waiting = WaitingQueues { user: user("ben"), device: device("a"), limit: 9 };
        assert!(world.ask(waiting).await.unwrap().queues.is_empty());
        assert_eq!(after(world, "b", group_queue()).await, Some(2));

        let places = world.engine.expired(None, 1000).await.unwrap().places;
        assert_eq!(places, [Key::Device(user("ben"), "s".into(), "a".into())]);
        assert_eq!(kept(world).await, (2, 4));
        world.sweep(places).await.unwrap();
        assert_eq!(kept(world).await, (1, 2));

        // one that returns before it was deleted starts over
        world.step(lifetime);
        let end = say(world, 1).await;
        assert_eq!(open(world, "b", Begin::Now).await, DeviceOpened { since: end, known: false });
        assert_eq!(after(world, "b", group_queue()).await, Some(end));
        assert_eq!(kept(world).await, (1, 0));
        let stays = vec![Key::Device(user("ben"), "s".into(), "b".into())];
        world.sweep(stays).await.unwrap();
        assert_eq!(kept(world).await, (1, 0));
        world.app(DeleteUser { user: user("ben"), owned: OwnedGroups::Disband }).await.unwrap();
        assert_eq!(kept(world).await, (0, 0));
    });
}

#[test]
fn of_too_many_devices_the_one_seen_longest_ago_is_dropped() {
    story(Policy::standard(), async |world| {
        let most = Settings::default().devices_per_user;
        let pause = Settings::default().device_lifetime / 20;
        for number in 0..most {
            open(world, &format!("d{number}"), Begin::After(0)).await;
            world.run(&by("ben"), acknowledge(&format!("d{number}"), group_queue(), 1)).await.unwrap();
            world.step(1);
        }
        let elsewhere = OpenDevice { user: user("ben"), device: DeviceId::new("t", "d0"), begin: Begin::Now };
        world.run(&by("ben"), elsewhere).await.unwrap();
        world.step(pause);
        open(world, "d0", Begin::Now).await;
        open(world, "new", Begin::Now).await;
        assert_eq!(place(world, "d1", group_queue()).await, None);
        for stays in ["d0", "d2", "new"] {
            assert!(place(world, stays, group_queue()).await.is_some(), "{stays}");
        }
        let most = most as usize;
        assert_eq!(kept(world).await, (most + 1, most - 1));
    });
}

#[test]
fn the_app_may_act_for_a_user_from_a_device() {
    story(Policy::standard(), async |world| {
        let opened = OpenDevice { user: user("ben"), device: device("a"), begin: Begin::Now };
        world.engine.run(&Actor::app(), opened).await.unwrap();
        world.engine.run(&Actor::System, acknowledge("a", Queue::Own, 1)).await.unwrap();
    });
}
