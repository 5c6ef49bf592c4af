//! Clients that do not read, and clients that never stop sending: neither costs more than a stated amount of memory.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::pusher::{Socket, start};
use super::{make_team, speak_long};
use crate::client::{Client, ask, request};

const MEGABYTE: usize = 1024 * 1024;

/// Held by tests that measure memory: they share a process, and would measure each other.
static MEASURING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Resident memory of this process, in bytes. Other tests run in it too, with a few megabytes each.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_cost_a_bounded_amount_of_memory() {
    const CLIENTS: usize = 400;
    const EVENTS: usize = 2000;
    let _alone = MEASURING.lock().await;
    let (gateway, _) = start(|config| {
        config.limits.write_ms = 120_000;
        config.limits.sessions_per_user = CLIENTS;
    })
    .await;
    make_team(&gateway, "alice", &["bob"]).await;
    let mut sockets = Vec::with_capacity(CLIENTS);
    for number in 0..CLIENTS {
        sockets.push(Socket::login(&gateway, "alice", &number.to_string()).await);
    }
    // 800,000 deliveries of two kilobytes, of which none is read
    let before = resident();
    for _ in 0..EVENTS {
        speak_long(&gateway, "bob", 2000).await;
    }
    assert_eq!(gateway.presence["dev"].online_in(&super::team()).await.len(), 1);
    let grown = resident().saturating_sub(before);
    assert!(grown < 96 * MEGABYTE, "{} MB more for {CLIENTS} clients that do not read", grown / MEGABYTE);
    // a client that begins to read is notified that events were dropped, and then receives the last
    let mut slow = sockets.swap_remove(0);
    let mut missed = false;
    loop {
        match slow.receives().await.as_str() {
            "missed" => missed = true,
            message if message.starts_with(&format!("message {EVENTS} ")) => break,
            _ => {}
        }
    }
    assert!(missed);
}

/// A frame as clients send it: masked with zeros.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

/// Sends this frame again and again without reading anything, until the other side closes the connection.
async fn flood(frame: Vec<u8>) {
    let _alone = MEASURING.lock().await;
    let (gateway, _) = start(|config| config.limits.write_ms = 1000).await;
    let mut socket = Socket::login(&gateway, "alice", "phone").await;
    let before = resident();
    let frames = frame.repeat(2000);
    let stream = socket.0.get_mut();
    let began = Instant::now();
    let mut sent = 0;
    loop {
        let written = timeout(Duration::from_secs(30), stream.write_all(&frames)).await;
        match written.expect("frames are neither read nor is the connection closed") {
            Ok(()) => sent += frames.len(),
            Err(_) => break,
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 64 * MEGABYTE, "{} MB more after {} MB of frames", grown / MEGABYTE, sent / MEGABYTE);
        assert!(began.elapsed() < Duration::from_mins(2), "still open after {} MB", sent / MEGABYTE);
    }
    // its user is no longer online
    super::until_gone(&gateway, "alice", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_from_a_client_that_never_reads_ends_its_connection() {
    flood(masked(0x89, &[b'x'; 125])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_requests_from_a_client_that_never_reads_ends_its_connection() {
    flood(masked(0x81, b"1 beat")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_calls_from_a_client_that_never_reads_ends_its_connection() {
    flood(masked(0x81, b"1 long 900")).await;
}

#[tokio::test]
async fn a_client_that_sends_by_requests_and_never_receives_loses_its_session() {
    let _alone = MEASURING.lock().await;
    let (gateway, _) = start(|_| ()).await;
    let address = gateway.addresses.shared;
    assert_eq!(ask(address, "POST", "/pusher/sock/0/s/xhr", &[], "").await.body, "o\n");
    let body = format!("[{}]", vec![r#""1 beat""#; 200].join(","));
    let before = resident();
    let ended = async { while ask(address, "POST", "/pusher/sock/0/s/xhr_send", &[], &body).await.status == 204 {} };
    timeout(Duration::from_mins(1), ended).await.expect("the session goes on");
    assert!(resident().saturating_sub(before) < 64 * MEGABYTE);
}

#[tokio::test]
async fn frames_that_are_too_long_end_the_connection_over_every_transport() {
    let (gateway, _) = start(|_| ()).await;
    let long = "x".repeat(1001);
    let mut plain = Socket::at(&gateway, "/text").await;
    plain.says(&long).await;
    assert!(matches!(plain.0.next().await, Some(Ok(Message::Close(Some(_))))));
    let mut framed = Socket::at(&gateway, "/sock/0/s/websocket").await;
    assert_eq!((framed.receives().await, framed.receives().await), ("o".to_owned(), r#"a["welcome"]"#.to_owned()));
    framed.says(&format!("[\"{long}\"]")).await;
    assert_eq!(framed.receives().await, r#"c[3000,"Go away!"]"#);
    let address = gateway.addresses.shared;
    assert_eq!(ask(address, "POST", "/pusher/sock/0/t/xhr", &[], "").await.body, "o\n");
    let sent = ask(address, "POST", "/pusher/sock/0/t/xhr_send", &[], &format!("[\"{long}\"]")).await;
    assert_eq!(sent.status, 413);
}

#[tokio::test]
async fn sessions_that_travel_in_requests_are_counted_like_connections() {
    let (gateway, _) = start(|config| config.limits.connections_per_address = 3).await;
    let mut client = Client::connect(gateway.addresses.shared).await;
    // over one connection as many sessions as there may be connections
    for (session, body) in [("a", "o\n"), ("b", "o\n"), ("c", "o\n"), ("d", "Busy")] {
        client.say(request("POST", &format!("/pusher/sock/0/{session}/xhr"), &[], "")).await;
        assert_eq!(client.answer().await.body, body, "{session}");
    }
    // one that has ended makes room
    let again = async {
        loop {
            client.say(request("POST", "/pusher/sock/0/e/xhr", &[], "")).await;
            if client.answer().await.body == "o\n" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(20), again).await.expect("no room");
}
