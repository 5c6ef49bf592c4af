//! Calls: concurrent, within their timeout, in order, once, and answered before their events.

use std::sync::atomic::Ordering;
use std::time::Duration;

use conclave_core::event::Actor;
use conclave_core::model::GroupId;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{Messages, Start};

use super::pusher::{Socket, start};
use super::{make_team, speak};
use crate::client::ask;

#[tokio::test]
async fn a_call_that_hangs_delays_neither_heartbeats_nor_other_calls() {
    let (gateway, house) = start(|_| ()).await;
    let mut alice = Socket::login(&gateway, "alice", "phone").await;
    for number in 1..=3 {
        alice.says(&format!("{number} wait gate")).await;
    }
    assert_eq!(alice.asks("4 beat").await, "4 beat");
    assert_eq!(alice.asks("5 who").await, "5 alice");
    house.open_gate("gate");
    assert!(alice.receives().await.ends_with("waited"));
    alice.has_nothing().await;
}

#[tokio::test]
async fn calls_beyond_the_limits_wait_and_none_is_lost() {
    let (gateway, house) = start(|_| ()).await;
    let mut alice = Socket::login(&gateway, "alice", "phone").await;
    // four run, eight wait, and further ones are not read
    for number in 0..30 {
        alice.says(&format!("{number} wait gate")).await;
    }
    alice.says("30 beat").await;
    for _ in 0..30 {
        house.open_gate("gate");
    }
    let mut answers = Vec::new();
    while answers.len() < 31 {
        answers.push(alice.receives().await);
    }
    let waited = answers.iter().filter(|answer| answer.ends_with("waited")).count();
    assert_eq!((waited, answers.contains(&"30 beat".to_owned())), (30, true));
}

#[tokio::test]
async fn a_call_that_takes_too_long_or_panics_is_answered_all_the_same() {
    let (gateway, _) = start(|config| config.limits.request_ms = 200).await;
    let mut alice = Socket::login(&gateway, "alice", "phone").await;
    assert_eq!(alice.asks("1 wait never").await, "1 fault TimedOut");
    assert_eq!(alice.asks("2 panic").await, "2 fault Broken");
    assert_eq!(alice.asks("3 who").await, "3 alice");
    let admin = gateway.addresses.admin.unwrap();
    let metrics = ask(admin, "GET", "/metrics", &[], "").await.body;
    for line in [
        r#"conclave_requests_total{vendor="pusher",operation="wait",class="failed"} 1"#,
        r#"conclave_requests_total{vendor="pusher",operation="panic",class="failed"} 1"#,
        r#"conclave_requests_total{vendor="pusher",operation="who",class="answered"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let unread = ask(admin, "GET", "/unread-fields", &[], "").await.body;
    assert!(unread.contains("colour") && unread.contains("pusher"), "{unread}");
}

#[tokio::test]
async fn a_call_is_answered_before_what_it_caused_is_delivered() {
    let (gateway, house) = start(|_| ()).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let mut alice = Socket::login(&gateway, "alice", "phone").await;
    let mut pad = Socket::login(&gateway, "alice", "pad").await;
    let mut bob = Socket::login(&gateway, "bob", "phone").await;
    // a call that changes nothing delays no delivery
    alice.says("1 wait unrelated").await;
    alice.says("2 say-and-wait team gate").await;
    for other in [&mut pad, &mut bob] {
        assert_eq!(other.receives().await, "message 1");
    }
    // later events wait behind it, as events keep their order
    speak(&gateway, "bob").await;
    assert_eq!(bob.receives().await, "message 2");
    alice.has_nothing().await;
    house.open_gate("gate");
    assert_eq!(alice.receives().await, "2 said 1");
    assert_eq!((alice.receives().await, alice.receives().await), ("message 1".to_owned(), "message 2".to_owned()));
    house.open_gate("unrelated");
    assert_eq!(alice.receives().await, "1 waited");
}

#[tokio::test]
async fn many_calls_at_once_each_precede_their_event_and_lose_none() {
    let (gateway, _) = start(|_| ()).await;
    make_team(&gateway, "alice", &[]).await;
    let mut alice = Socket::login(&gateway, "alice", "phone").await;
    for number in 1..=400 {
        alice.says(&format!("{number} say team")).await;
    }
    let (mut said, mut delivered) = (0, 0);
    while delivered < 400 {
        let received = alice.receives().await;
        if let Some(sequence) = received.strip_prefix("message ") {
            delivered += 1;
            assert_eq!(sequence, delivered.to_string());
            assert!(delivered <= said, "an event came before the answer to the call that caused it");
        } else {
            said += 1;
            // a lane keeps its order
            assert_eq!(received, format!("{said} said {said}"));
        }
    }
}

#[tokio::test]
async fn a_call_repeated_over_a_new_connection_is_done_once() {
    let (gateway, house) = start(|_| ()).await;
    make_team(&gateway, "alice", &[]).await;
    let mut first = Socket::login(&gateway, "alice", "phone").await;
    first.says("1 as alice/phone say-and-wait team gate once=alice-1").await;
    while house.said.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    // the connection breaks during the call; the client repeats it before it signs in again
    drop(first);
    let mut second = Socket::at(&gateway, "/text").await;
    second.says("1 as alice/phone say-and-wait team gate once=alice-1").await;
    second.has_nothing().await;
    house.open_gate("gate");
    assert_eq!(second.receives().await, "1 said 1");
    // again, after it has ended
    assert_eq!(second.asks("1 as alice/phone say-and-wait team gate once=alice-1").await, "1 said 1");
    assert_eq!(house.said.load(Ordering::Relaxed), 1);
    let team = GroupId::new("team").unwrap();
    let all = Messages { group: team, start: Start::Sequence(1), newest_first: false, limit: 10 };
    let found = gateway.groups["dev"].ask(&Actor::app(), all).await.unwrap();
    assert_eq!(found.messages.len(), 1);
    assert_eq!(second.asks("2 login alice phone").await, "2 hello alice");
}

#[tokio::test]
async fn a_call_continues_after_its_client_has_disconnected() {
    let (gateway, house) = start(|_| ()).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let mut bob = Socket::login(&gateway, "bob", "phone").await;
    let mut alice = Socket::login(&gateway, "alice", "phone").await;
    alice.says("1 wait gate").await;
    alice.says("2 say team").await;
    assert_eq!(bob.receives().await, "message 1");
    drop(alice);
    house.open_gate("gate");
    bob.has_nothing().await;
    assert!(tokio::time::timeout(Duration::from_secs(10), gateway.shutdown()).await.unwrap());
}

#[tokio::test]
async fn a_process_that_shuts_down_answers_the_calls_that_have_begun() {
    let (gateway, house) = start(|_| ()).await;
    let mut alice = Socket::login(&gateway, "alice", "phone").await;
    alice.says("1 wait gate").await;
    alice.has_nothing().await;
    let ending = tokio::spawn(gateway.shutdown());
    tokio::time::sleep(Duration::from_millis(100)).await;
    house.open_gate("gate");
    assert_eq!(
        (alice.receives().await, alice.receives().await),
        ("1 waited".to_owned(), "signed out ShuttingDown".to_owned())
    );
    assert!(ending.await.unwrap());
}
