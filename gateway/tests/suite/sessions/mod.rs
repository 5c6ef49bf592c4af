//! Connected clients, over real sockets: who receives what, and how sessions end.

mod bounds;
mod calls;
mod puller;
mod pusher;
mod signing_in;
mod talker;
mod transports;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use conclave::config::Admin;
use conclave::{Config, Gateway, Running};
use conclave_core::event::Actor;
use conclave_core::model::{Body as Said, GroupId, Policy, Sender, UserId};
use conclave_core::operation::{
    Cleanup, CreateGroup, Leave, NewMember, NewUser, OnExisting, OnOutsider, RegisterUsers, SendMessage, UpdateUser,
};
use conclave_core::ports::{GroupsExt as _, Typed};
use conclave_kit::{ConnectionFilter, DisconnectReason, Platform};
use futures_util::SinkExt as _;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::client::{Client, ask, request};
use talker::{Ear, Talker, Thoughts};

async fn start(change: impl FnOnce(&mut Config)) -> Running {
    start_thinking(change).await.0
}

async fn start_thinking(change: impl FnOnce(&mut Config)) -> (Running, Arc<Thoughts>) {
    let talker = Talker::default();
    let thoughts = Arc::clone(&talker.thoughts);
    let groups = Arc::clone(&talker.groups);
    let mut config = Config::development().unwrap();
    change(&mut config);
    let gateway = Gateway::builder(config).surface(Arc::new(talker)).start().await.unwrap();
    assert!(groups.set(Arc::clone(&gateway.groups["dev"])).is_ok());
    register(&gateway).await;
    (gateway, thoughts)
}

async fn register(gateway: &Running) {
    let names = ["alice", "bob", "carol", "sleepy"];
    let users = names.into_iter().map(|id| NewUser::of(user(id))).collect();
    run(gateway, Actor::app(), RegisterUsers { users, on_existing: OnExisting::Skip, folded: false }).await;
}

async fn run<O: Typed>(gateway: &Running, actor: Actor, operation: O) -> O::Reply {
    gateway.groups["dev"].run(&actor, operation).await.expect("an accepted operation")
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn team() -> GroupId {
    GroupId::new("team").unwrap()
}

async fn make_team(gateway: &Running, owner: &str, members: &[&str]) {
    let mut create = CreateGroup::new(Some(user(owner)), Policy::standard());
    create.id = Some(team());
    create.members = members.iter().map(|id| NewMember::now(user(id))).collect();
    run(gateway, Actor::app(), create).await;
}

async fn speak(gateway: &Running, by: &str) {
    speak_long(gateway, by, 2).await;
}

async fn speak_long(gateway: &Running, by: &str, length: usize) {
    let body = Said::Text("x".repeat(length));
    let send = SendMessage::new(team(), Sender::User(user(by)), body);
    run(gateway, Actor::user(user(by)), send).await;
}

#[tokio::test]
async fn only_members_receive_a_groups_events() {
    let gateway = start(|_| ()).await;
    // one who is online before the group exists, one who joins later, one who is not a member
    let mut alice = Ear::open(&gateway, "alice").await;
    let mut carol = Ear::open(&gateway, "carol").await;
    make_team(&gateway, "alice", &["bob"]).await;
    assert_eq!(alice.receives().await, r#"joined ["bob"]"#);
    let mut bob = Ear::open(&gateway, "bob").await;
    let mut second = Ear::open(&gateway, "bob").await;
    speak(&gateway, "alice").await;
    for ear in [&mut alice, &mut bob, &mut second] {
        assert_eq!(ear.receives().await, "message 1");
    }
    carol.has_nothing().await;
    // a user who has left receives that, and nothing more
    let cleanup = Cleanup { mute: true, allowance: true, follows: true };
    let leave =
        Leave { group: team(), users: vec![user("bob")], cleanup, on_outsider: OnOutsider::Refuse, keep_owner: false };
    run(&gateway, Actor::user(user("bob")), leave).await;
    speak(&gateway, "alice").await;
    // bob's leaving has the number in between
    assert_eq!(
        (alice.receives().await, alice.receives().await),
        (r#"left ["bob"]"#.to_owned(), "message 3".to_owned())
    );
    for ear in [&mut bob, &mut second] {
        assert_eq!(ear.receives().await, r#"left ["bob"]"#);
        ear.has_nothing().await;
    }
    assert!(gateway.shutdown().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slow_clients_are_notified_to_fetch() {
    let admin = |config: &mut Config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
    let (gateway, thoughts) = start_thinking(admin).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let mut bob = Ear::open(&gateway, "bob").await;
    bob.says(b"think").await;
    while !thoughts.thinking.load(Ordering::Relaxed) {
        tokio::task::yield_now().await;
    }
    for _ in 0..300 {
        speak(&gateway, "alice").await;
    }
    // when this returns, everything has been delivered to the mailbox
    assert_eq!(team_online(&gateway).await, [user("bob")]);
    thoughts.may_end.store(true, Ordering::Relaxed);
    assert_eq!(bob.receives().await, "missed");
    // the 257th found no room
    for sequence in 257..=300 {
        assert_eq!(bob.receives().await, format!("message {sequence}"));
    }
    bob.has_nothing().await;
    let metrics = ask(gateway.addresses.admin.unwrap(), "GET", "/metrics", &[], "").await.body;
    for line in [
        r#"conclave_sessions{vendor="talker"} 1"#,
        r#"conclave_events_missed_total{realm="dev"} 1"#,
        r#"conclave_frames_total{vendor="talker",direction="in"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn each_connection_ends_as_it_should() {
    let gateway = start(|_| ()).await;
    let mut nobody = Ear::knock(&gateway, "").await;
    assert_eq!(nobody.receives().await, "who are you");
    assert_eq!(nobody.closed().await, None);

    let mut long = Ear::open(&gateway, "alice").await;
    long.says(&[b'x'; 1000]).await;
    assert_eq!(long.receives().await.len(), 1000);
    long.says(&[b'x'; 1001]).await;
    assert_eq!(long.closed().await, Some(CloseCode::Size));

    let mut text = Ear::open(&gateway, "alice").await;
    text.0.send(Message::text("words")).await.unwrap();
    assert_eq!(text.closed().await, Some(CloseCode::Unsupported));

    let mut done = Ear::open(&gateway, "alice").await;
    done.says(b"bye").await;
    assert_eq!(done.receives().await, "bye");
    assert_eq!(done.closed().await, None);

    let mut broken = Ear::open(&gateway, "alice").await;
    broken.says(b"panic").await;
    assert_eq!(broken.closed().await, None);

    let mut sleepy = Ear::knock_at(&gateway, "sleepy", "sleepy").await;
    assert_eq!(sleepy.receives().await, "hello sleepy");
    sleepy.says(b"awake").await;
    assert_eq!(sleepy.receives().await, "awake");
    assert_eq!(sleepy.closed().await, None);

    let mut alice = Ear::open(&gateway, "alice").await;
    let mut bob = Ear::open(&gateway, "bob").await;
    let mut off = UpdateUser::of(user("bob"));
    off.active = Some(false);
    run(&gateway, Actor::app(), off).await;
    assert_eq!(bob.receives().await, "disconnected Deactivated");
    assert_eq!(bob.closed().await, None);
    alice.has_nothing().await;

    let ending = tokio::spawn(gateway.shutdown());
    assert_eq!(alice.receives().await, "disconnected ShuttingDown");
    assert_eq!(alice.closed().await, None);
    assert!(ending.await.unwrap(), "not everything was finished");
}

#[tokio::test]
async fn only_websockets_become_sessions() {
    let gateway = start(|config| config.limits.connections = 1).await;
    let at = gateway.addresses.shared;
    let upgrade = ["Upgrade: websocket", "Connection: Upgrade"];
    assert_eq!(ask(at, "GET", "/talker/socket?alice", &[], "").await.body, "not a socket");
    assert_eq!(ask(at, "GET", "/talker/socket?alice", &upgrade, "").await.status, 400);
    assert_eq!(ask(at, "GET", "/talker/else?alice", &upgrade, "").await.body, "not a socket");
    // a session occupies a slot among the connections
    let mut alice = Ear::open(&gateway, "alice").await;
    let mut other = Client::connect(at).await;
    other.say(request("GET", "/talker/socket?bob", &upgrade, "")).await;
    assert_eq!(other.answer().await.body, "Busy");
    alice.has_nothing().await;
}

/// The online members of the team, sorted.
async fn team_online(gateway: &Running) -> Vec<UserId> {
    let mut online = gateway.presence["dev"].online_in(&team()).await;
    online.sort();
    online
}

async fn devices(gateway: &Running, id: &str) -> usize {
    gateway.presence["dev"].connections(&[user(id)]).await[0].len()
}

async fn disconnect_all(gateway: &Running, id: &str) -> usize {
    gateway.presence["dev"].disconnect(&user(id), &ConnectionFilter::all(), DisconnectReason::ByApp).await
}

/// Waits until a user's devices are no longer online.
async fn until_gone(gateway: &Running, id: &str, devices_left: usize) {
    for _ in 0..500 {
        if devices(gateway, id).await == devices_left {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{id} still has {} connections", devices(gateway, id).await);
}

#[tokio::test]
async fn surfaces_know_who_is_online() {
    let gateway = start(|_| ()).await;
    assert_eq!(team_online(&gateway).await, []);
    make_team(&gateway, "alice", &["bob"]).await;
    let alice = Ear::open(&gateway, "alice").await;
    let bob = Ear::open(&gateway, "bob").await;
    let _carol = Ear::open(&gateway, "carol").await;
    assert_eq!(team_online(&gateway).await, [user("alice"), user("bob")]);
    let found = gateway.presence["dev"].connections(&[user("sleepy"), user("bob")]).await;
    let [none, one] = found.as_slice() else { panic!("{found:?}") };
    assert!(none.is_empty());
    assert_eq!((one[0].vendor, one[0].platform, one.len()), ("talker", Platform::Web, 1));
    assert!(one[0].address.is_some_and(|address| address.ip().is_loopback()));

    // at once: there is no notification in between
    let (users, cleanup) = (vec![user("bob")], Cleanup::default());
    let leave = Leave { group: team(), users, cleanup, on_outsider: OnOutsider::Refuse, keep_owner: false };
    run(&gateway, Actor::user(user("bob")), leave).await;
    assert_eq!(team_online(&gateway).await, [user("alice")]);
    drop(bob);
    until_gone(&gateway, "bob", 0).await;
    drop(alice);
    until_gone(&gateway, "alice", 0).await;
    assert_eq!(team_online(&gateway).await, []);
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn connections_are_ended_from_outside() {
    let gateway = start(|_| ()).await;
    let mut first = Ear::open(&gateway, "alice").await;
    let mut second = Ear::open(&gateway, "alice").await;
    let mut bob = Ear::open(&gateway, "bob").await;
    let oldest = gateway.presence["dev"].connections(&[user("alice")]).await[0][0].id.clone();
    let ended = gateway.presence["dev"]
        .disconnect(&user("alice"), &ConnectionFilter::with_id(oldest), DisconnectReason::ByApp)
        .await;
    // no longer online from then on, however long its client takes
    assert_eq!((ended, devices(&gateway, "alice").await), (1, 1));
    assert_eq!(first.receives().await, "disconnected ByApp");
    assert_eq!(first.closed().await, None);
    second.has_nothing().await;
    assert_eq!(disconnect_all(&gateway, "nobody").await, 0);
    bob.has_nothing().await;
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn the_oldest_connection_over_the_limit_is_closed() {
    let gateway = start(|_| ()).await;
    let mut first = Ear::open(&gateway, "bob").await;
    let mut second = Ear::open(&gateway, "bob").await;
    first.has_nothing().await;
    let mut third = Ear::open(&gateway, "bob").await;
    assert_eq!(first.receives().await, "disconnected Replaced");
    assert_eq!(first.closed().await, None);
    assert_eq!(devices(&gateway, "bob").await, 2);
    second.has_nothing().await;
    third.has_nothing().await;
    drop(second);
    until_gone(&gateway, "bob", 1).await;
    let mut fourth = Ear::open(&gateway, "bob").await;
    third.has_nothing().await;
    fourth.has_nothing().await;
    assert!(gateway.shutdown().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_stops_talking_is_sent_away_all_the_same() {
    let gateway = start(|_| {}).await;
    let mut ear = Ear::open(&gateway, "alice").await;
    // ten seconds of work, all delivered before the end
    for _ in 0..2000 {
        ear.0.feed(Message::Binary(Bytes::from_static(b"busy"))).await.unwrap();
    }
    ear.0.flush().await.unwrap();
    assert_eq!(disconnect_all(&gateway, "alice").await, 1);
    let last = timeout(Duration::from_secs(4), ear.receives()).await;
    assert_eq!(last.as_deref(), Ok("disconnected ByApp"));
    gateway.shutdown().await;
}
