//! Calls are distinguished by the log itself: not by time, actor or group, and not by which events are next to each
//! other.

use conclave_core::event::{Actor, ProfileChange};
use conclave_core::model::Policy;
use conclave_core::operation::{CreateGroup, PolicyChange, UpdateGroup};
use conclave_core::ports::GroupsExt;
use conclave_kit::Destination;
use conclave_tests::world::{World, group, user};
use serde_json::Value;

use crate::bodies::destinations;

/// A group of tst, in a world whose clock does not advance.
async fn stopped() -> (World, Vec<(&'static str, Destination)>) {
    let world = World::new();
    world.users(&["tst"]).await;
    world.run(CreateGroup { id: Some(group("g")), ..CreateGroup::new(Some(user("tst")), Policy::standard()) }).await;
    (world, destinations())
}

fn named(name: &str) -> UpdateGroup {
    let profile = ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() };
    UpdateGroup { profile, ..UpdateGroup::of(group("g")) }
}

fn announced(text: &str) -> UpdateGroup {
    UpdateGroup { announcement: Some(text.to_owned()), ..UpdateGroup::of(group("g")) }
}

/// The bodies with which one vendor notifies its app server of what these operations cause, which tst performs in the
/// same millisecond.
async fn bodies(vendor: &str, operations: Vec<UpdateGroup>) -> Vec<Value> {
    let (world, destinations) = stopped().await;
    let after = world.log.last().await.unwrap();
    for operation in operations {
        world.groups.run(&Actor::user(user("tst")), operation).await.unwrap();
    }
    let events = world.log.read(after, 100).await.unwrap();
    assert!(events.iter().all(|event| event.at == events[0].at), "the clock stands still");
    let mut bodies = Vec::new();
    for event in &events {
        for (_, destination) in destinations.iter().filter(|(of, _)| *of == vendor) {
            for notice in destination.webhooks.notices(event, &*world.groups, &*world.log).await.unwrap() {
                bodies.push(serde_json::from_slice(&notice.body).unwrap());
            }
        }
    }
    bodies
}

#[tokio::test]
async fn tencent_merges_the_changes_of_one_call_only() {
    let texts = |bodies: Vec<Value>| -> Vec<(Value, Value)> {
        bodies.iter().map(|body| (body["Name"].clone(), body["Notification"].clone())).collect()
    };
    let apart = texts(bodies("tencent", vec![named("a"), announced("b")]).await);
    assert_eq!(apart, [("a".into(), Value::Null), (Value::Null, "b".into())]);
    let together = UpdateGroup { announcement: Some("b".to_owned()), ..named("a") };
    assert_eq!(texts(bodies("tencent", vec![together]).await), [("a".into(), "b".into())]);
    // another call between those two
    let both = UpdateGroup { announcement: Some("c".to_owned()), ..named("d") };
    let mixed = texts(bodies("tencent", vec![named("a"), both, announced("e")]).await);
    assert_eq!(mixed, [("a".into(), Value::Null), ("d".into(), "c".into()), (Value::Null, "e".into())]);
}

#[tokio::test]
async fn agora_merges_the_changes_of_one_call_only() {
    let policy = || PolicyChange { capacity: Some(Some(77)), ..PolicyChange::default() };
    let infos = |bodies: Vec<Value>| bodies.iter().filter(|body| body["payload"]["type"] == "INFO").count();
    let flags = UpdateGroup { policy: policy(), ..UpdateGroup::of(group("g")) };
    assert_eq!(infos(bodies("agora", vec![named("a"), flags]).await), 2);
    let together = UpdateGroup { policy: policy(), announcement: Some("b".to_owned()), ..named("a") };
    assert_eq!(infos(bodies("agora", vec![together]).await), 1);
}
