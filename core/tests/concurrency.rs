//! Many callers at once: nothing is lost, nothing is done twice.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{World, by, group, user, users};
use conclave_core::model::{Body, Policy, Role, Sender};
use conclave_core::operation::{
    Actor, AddMembers, Apply, CounterChange, DecideRequest, DeleteUser, NewMember, OnBlocked, OnFull, OnMember,
    OnUnknown, OwnedGroups, Promote, Quiet, SendMessage, SpeakCheck, Transfer, UpdateCounters,
};
use conclave_core::operation::{Cleanup, Leave, OnOutsider};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{GroupById, GroupCounters, ListMembers, Messages, Start};
use conclave_core::refusal::Refusal;

fn add(id: &str, name: &str) -> AddMembers {
    AddMembers {
        group: group(id),
        members: vec![NewMember::now(user(name))],
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Register,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_joins_one_group_and_its_last_place_is_given_once() {
    let world = Arc::new(World::peopled(&["owner"]).await);
    world.group("g", "owner", &[], Policy { capacity: Some(33), ..Policy::standard() }).await;
    let tasks: Vec<_> = (0..48)
        .map(|at| {
            let world = world.clone();
            tokio::spawn(async move { world.app(add("g", &format!("u{at}"))).await })
        })
        .collect();
    let (mut joined, mut full) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => joined += 1,
            Err(Refusal::GroupFull { .. }) => full += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((joined, full), (32, 16));
    assert_eq!(world.ask(ListMembers::all(group("g"))).await.unwrap().members.len(), 33);
    assert_eq!(world.broken().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counters_and_messages_of_many_writers_all_count() {
    let world = Arc::new(World::peopled(&["owner", "talker"]).await);
    world.group("g", "owner", &["talker"], Policy::standard()).await;
    let tasks: Vec<_> = (0..32)
        .map(|at| {
            let world = world.clone();
            tokio::spawn(async move {
                let changes = BTreeMap::from([("n".to_owned(), CounterChange::Add(1))]);
                world.app(UpdateCounters { group: group("g"), changes, most: None }).await.unwrap();
                let body = Body::Text(at.to_string());
                // every token is sent twice, and becomes one message
                let token = Some((at / 2).to_string());
                let send = SendMessage { token, ..SendMessage::new(group("g"), Sender::User(user("talker")), body) };
                world.run(&by("talker"), send).await.unwrap().message.sequence
            })
        })
        .collect();
    let mut sequences = Vec::new();
    for task in tasks {
        sequences.push(task.await.unwrap());
    }
    sequences.sort_unstable();
    sequences.dedup();
    assert_eq!(sequences, (1..=16).collect::<Vec<u64>>());
    let counters = world.ask(GroupCounters { group: group("g") }).await.unwrap();
    assert_eq!(counters.0.values["n"], 32);
    let page = Messages { group: group("g"), start: Start::Edge, newest_first: false, limit: 100 };
    assert_eq!(world.ask(page).await.unwrap().messages.len(), 16);
    assert_eq!(world.broken().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_the_first_of_many_managers_decides_a_request() {
    let admins: Vec<String> = (0..12).map(|at| format!("a{at}")).collect();
    let names: Vec<&str> = admins.iter().map(String::as_str).collect();
    let world = Arc::new(World::peopled(&["owner", "guest"]).await);
    world.register(&names).await;
    world.group("g", "owner", &names, Policy::standard()).await;
    let promote = Promote { group: group("g"), users: users(&names), most: None, on_outsider: OnOutsider::Refuse };
    world.app(promote).await.unwrap();
    world
        .run(
            &by("guest"),
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
    let tasks: Vec<_> = admins
        .iter()
        .map(|admin| {
            let (world, actor) = (world.clone(), by(admin));
            let accept = !admin.ends_with('1');
            let decide = DecideRequest {
                group: group("g"),
                user: user("guest"),
                inviter: None,
                accept,
                reason: String::new(),
                most: None,
            };
            tokio::spawn(async move { world.run(&actor, decide).await })
        })
        .collect();
    let mut decided = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => decided += 1,
            Err(refusal) => assert_eq!(refusal, Refusal::RequestDecided(group("g"))),
        }
    }
    assert_eq!(decided, 1);
    assert_eq!(world.broken().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_ends_while_others_bring_it_into_groups() {
    for round in 0..8 {
        let world = Arc::new(World::peopled(&["owner", "doomed"]).await);
        for at in 0..8 {
            world.group(&format!("g{at}"), "owner", &[], Policy::standard()).await;
        }
        let mut tasks = Vec::new();
        for at in 0..8 {
            let (adding, ending) = (world.clone(), world.clone());
            tasks.push(tokio::spawn(async move {
                let known = AddMembers { on_unknown: OnUnknown::Refuse, ..add(&format!("g{at}"), "doomed") };
                match adding.app(known).await {
                    Ok(_) | Err(Refusal::UserNotFound(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }));
            if at == round {
                tasks.push(tokio::spawn(async move {
                    ending.app(DeleteUser { user: user("doomed"), owned: OwnedGroups::Disband }).await.unwrap();
                }));
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(world.broken().await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ownership_goes_round_while_people_come_and_go() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let world = Arc::new(World::peopled(&names).await);
    world.group("g", "a", &names[1..], Policy::standard()).await;
    let mut tasks = Vec::new();
    for turn in 0..60_usize {
        let world = world.clone();
        tasks.push(tokio::spawn(async move {
            let name = names[turn % names.len()];
            let outcome = match turn % 3 {
                0 => {
                    let leave = (turn % 2 == 0).then(Cleanup::default);
                    world.app(Transfer { group: group("g"), to: user(name), leave }).await
                }
                1 => {
                    let leave = Leave {
                        group: group("g"),
                        users: vec![user(name)],
                        cleanup: Cleanup::default(),
                        on_outsider: OnOutsider::Refuse,
                        keep_owner: false,
                    };
                    world.app(leave).await.map(drop)
                }
                _ => world.app(add("g", name)).await.map(drop),
            };
            match outcome {
                Ok(())
                | Err(
                    Refusal::SameOwner { .. }
                    | Refusal::NotMembers { .. }
                    | Refusal::AlreadyMembers { .. }
                    | Refusal::OwnerCannotLeave(_),
                ) => {}
                Err(other) => panic!("{other}"),
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(world.broken().await, None);
    let found = world.ask(GroupById { group: group("g") }).await.unwrap().group;
    let owner = found.owner.clone().unwrap();
    let members = world.ask(ListMembers::all(group("g"))).await.unwrap().members;
    let owners: Vec<_> = members.iter().filter(|member| member.role == Role::Owner).collect();
    assert_eq!(owners.len(), 1);
    assert_eq!(owners[0].user, owner);
}

#[tokio::test]
async fn the_app_speaks_for_whom_it_will_and_users_only_for_themselves() {
    let world = World::peopled(&["owner", "stranger"]).await;
    world.group("g", "owner", &[], Policy::standard()).await;
    let send = SendMessage {
        check: SpeakCheck::Skipped,
        ..SendMessage::new(group("g"), Sender::User(user("stranger")), Body::Text("hi".into()))
    };
    assert!(world.engine.run(&Actor::app(), send.clone()).await.is_ok());
    assert_eq!(world.engine.run(&by("owner"), send.clone()).await, Err(Refusal::AppOnly));
    assert_eq!(world.engine.run(&by("stranger"), send).await, Err(Refusal::AppOnly));
}
