//! Tests the invariants: any single row of an index that is removed or added is detected.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{World, block_on, by, group, user, users};
use conclave_core::invariants::{everything, realm_broken};
use conclave_core::model::{Body, Group, Join, Key, Member, Policy, Role, Row, Sender};
use conclave_core::operation::{Apply, OnOutsider, Promote, SendMessage, UpdateGroup};

async fn lived_in() -> World {
    let world = World::peopled(&["ann", "Ben", "ben", "cy", "dan"]).await;
    world.group("g", "ann", &["ben", "cy"], Policy::standard()).await;
    world.group("h", "ben", &["ann"], Policy { join: Join::Closed, ..Policy::standard() }).await;
    let promote = Promote { group: group("g"), users: users(&["ben"]), most: None, on_outsider: OnOutsider::Refuse };
    world.app(promote).await.unwrap();
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
    world.app(UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(group("h")) }).await.unwrap();
    let send = SendMessage::new(group("g"), Sender::User(user("ann")), Body::Text("hello".into()));
    world.run(&by("ann"), send).await.unwrap();
    world
}

async fn rows(world: &World) -> BTreeMap<Vec<u8>, Row> {
    everything(&*world.store).await.unwrap()
}

#[test]
fn every_row_is_missed_when_it_is_gone() {
    block_on(async {
        let world = lived_in().await;
        let rows = rows(&world).await;
        assert_eq!(realm_broken(&rows, world.now()), None);
        let last = rows.values().filter_map(Row::event).map(|event| event.sequence).max().unwrap();
        for key in rows.keys() {
            // the log may begin late, so missing begin or end events are no error, nor are rows without events
            let event = rows[key].event().map(|event| event.sequence);
            if event == Some(1) || event == Some(last) {
                continue;
            }
            let mut fewer = rows.clone();
            let gone = fewer.remove(key);
            assert!(realm_broken(&fewer, world.now()).is_some(), "not missed: {gone:?}");
        }
    });
}

#[test]
fn what_cannot_be_is_noticed() {
    block_on(async {
        let world = lived_in().await;
        let rows = rows(&world).await;
        let change = |key: Key, row: Row| {
            let mut changed = rows.clone();
            changed.insert(key.encode(), row);
            realm_broken(&changed, world.now())
        };
        let header = rows[&Key::Group(group("g")).encode()].group().unwrap().clone();
        let with = |edit: fn(&mut Group)| {
            let mut header = Group::clone(&header);
            edit(&mut header);
            change(Key::Group(group("g")), Row::from(header))
        };
        assert!(with(|group| group.members += 1).is_some());
        assert!(with(|group| group.admins = 0).is_some());
        assert!(with(|group| group.owner = None).is_some());
        assert!(with(|group| group.governed = false).is_some());
        assert!(with(|group| group.policy.capacity = Some(2)).is_some());
        assert!(with(|group| group.policy.join = Join::Closed).is_some());
        assert!(with(|group| group.all_muted = true).is_some());
        assert!(with(|group| group.next_message = 1).is_some());
        assert!(with(|group| group.asked = false).is_some());
        assert!(with(|_| {}).is_none());

        let stray = Member::new(group("g"), user("nobody"), Role::Member, 9, world.now());
        assert!(change(Key::Member(group("g"), user("nobody")), Row::from(stray)).is_some());
        let pointer = Row::ToGroup(Arc::new(group("g")));
        assert!(change(Key::Owned(user("cy"), group("g")), pointer.clone()).is_some());
        assert!(change(Key::Joined(user("dan"), world.now(), group("g")), pointer).is_some());
    });
}
