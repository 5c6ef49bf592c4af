//! Signing in and out as states of a connection.

use conclave_core::event::Actor;
use conclave_core::operation::UpdateUser;

use super::pusher::{Socket, start, start_slow};
use super::{devices, make_team, run, speak, user};

#[tokio::test]
async fn visitors_have_calls_of_their_own() {
    let (gateway, _) = start(|_| ()).await;
    make_team(&gateway, "alice", &[]).await;
    let mut visitor = Socket::at(&gateway, "/text").await;
    assert_eq!(visitor.asks("1 beat").await, "1 beat");
    assert_eq!(visitor.asks("2 who").await, "2 a visitor");
    assert_eq!(visitor.asks("3 say team").await, "3 sign in");
    // a request with its own credentials needs no sign-in, and brings no user online
    assert_eq!(visitor.asks("4 as alice/phone say team").await, "4 said 1");
    visitor.has_nothing().await;
    assert_eq!(devices(&gateway, "alice").await, 0);
}

#[tokio::test]
async fn signing_out_leaves_the_connection_open() {
    let (gateway, _) = start(|_| ()).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let mut socket = Socket::login(&gateway, "alice", "phone").await;
    speak(&gateway, "bob").await;
    assert_eq!(socket.receives().await, "message 1");
    assert_eq!(socket.asks("1 logout").await, "1 bye");
    assert_eq!(devices(&gateway, "alice").await, 0);
    speak(&gateway, "bob").await;
    socket.has_nothing().await;
    assert_eq!(socket.asks("2 say team").await, "2 sign in");
    // as another user, on the same connection
    assert_eq!(socket.asks("3 login bob phone").await, "3 hello bob");
    speak(&gateway, "alice").await;
    assert_eq!(socket.receives().await, "message 3");
    assert_eq!((devices(&gateway, "alice").await, devices(&gateway, "bob").await), (0, 1));
    // without signing out first
    assert_eq!(socket.asks("4 login alice phone").await, "4 hello alice");
    assert_eq!((devices(&gateway, "alice").await, devices(&gateway, "bob").await), (1, 0));
}

#[tokio::test]
async fn a_session_that_is_replaced_during_a_call_gets_its_answer() {
    let (gateway, house) = start(|_| ()).await;
    make_team(&gateway, "alice", &[]).await;
    let mut old = Socket::login(&gateway, "alice", "phone").await;
    old.says("1 say-and-wait team gate").await;
    while house.said.load(std::sync::atomic::Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let mut new = Socket::login(&gateway, "alice", "phone").await;
    assert_eq!(old.receives().await, "signed out Reconnected");
    house.open_gate("gate");
    assert_eq!(old.receives().await, "1 said 1");
    // nothing is delivered to a user who is signed out
    speak(&gateway, "alice").await;
    loop {
        if new.receives().await == "message 2" {
            break;
        }
    }
    old.has_nothing().await;
    assert_eq!(devices(&gateway, "alice").await, 1);
}

#[tokio::test]
async fn one_login_too_many_may_be_refused() {
    let (gateway, _) = start(|_| ()).await;
    let mut first = Socket::at(&gateway, "/text").await;
    assert_eq!(first.asks("1 login alice phone one").await, "1 hello alice");
    let mut second = Socket::at(&gateway, "/text").await;
    assert_eq!(second.asks("1 login alice pad one").await, "1 TooManyLogins");
    first.has_nothing().await;
    assert_eq!(first.asks("2 logout").await, "2 bye");
    assert_eq!(second.asks("2 login alice pad one").await, "2 hello alice");
}

#[tokio::test]
async fn one_user_and_one_realm_have_so_many_sessions_at_most() {
    let (gateway, _) = start(|config| {
        config.limits.sessions_per_user = 2;
        config.limits.sessions_per_realm = Some(3);
    })
    .await;
    let _first = Socket::login(&gateway, "alice", "1").await;
    let mut second = Socket::login(&gateway, "alice", "2").await;
    let mut third = Socket::at(&gateway, "/text").await;
    assert_eq!(third.asks("1 login alice 3").await, "1 Busy");
    assert_eq!(third.asks("2 login bob 3").await, "2 hello bob");
    let mut fourth = Socket::at(&gateway, "/text").await;
    assert_eq!(fourth.asks("1 login carol 4").await, "1 Busy");
    assert_eq!(second.asks("1 logout").await, "1 bye");
    assert_eq!(fourth.asks("2 login carol 4").await, "2 hello carol");
}

#[tokio::test]
async fn an_account_that_is_deactivated_is_signed_out() {
    let (gateway, _) = start(|_| ()).await;
    let mut bob = Socket::login(&gateway, "bob", "phone").await;
    let mut off = UpdateUser::of(user("bob"));
    off.active = Some(false);
    run(&gateway, Actor::app(), off).await;
    assert_eq!(bob.receives().await, "signed out Deactivated");
    bob.has_nothing().await;
    assert_eq!(devices(&gateway, "bob").await, 0);
}

#[tokio::test]
async fn a_session_is_woken_when_it_asked_for_it() {
    let (gateway, _) = start(|_| ()).await;
    let mut socket = Socket::at(&gateway, "/text").await;
    assert_eq!(socket.asks("1 later").await, "woken");
}

#[tokio::test]
async fn signing_in_delays_neither_heartbeats_nor_calls() {
    let (gateway, house) = start_slow().await;
    let mut socket = Socket::at(&gateway, "/text").await;
    socket.says("1 login alice phone").await;
    assert_eq!(socket.asks("2 beat").await, "2 beat");
    assert_eq!(socket.asks("3 as alice/phone who").await, "3 alice");
    house.open_gate("joined");
    assert_eq!(socket.receives().await, "1 hello alice");
    // a cancelled sign-in leaves nothing
    let mut other = Socket::at(&gateway, "/text").await;
    other.says("1 login bob phone").await;
    assert_eq!(other.asks("2 logout").await, "2 bye");
    house.open_gate("joined");
    other.has_nothing().await;
    assert_eq!((devices(&gateway, "alice").await, devices(&gateway, "bob").await), (1, 0));
}
