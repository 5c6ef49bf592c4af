//! The same protocols over every transport.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use conclave::Running;
use futures_util::StreamExt as _;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::pusher::Socket;
use super::{devices, make_team, puller, pusher, speak, until_gone};
use crate::client::{Answer, Client, ask, request};

#[tokio::test]
async fn endpoints_stand_behind_any_prefix_and_take_their_kind_of_frames() {
    let (gateway, _) = pusher::start(|_| ()).await;
    for path in ["/text", "//text", "/any/prefix/text"] {
        assert_eq!(Socket::at(&gateway, path).await.asks("1 beat").await, "1 beat", "{path}");
    }
    assert!(connect_async(format!("ws://{}/pusher/text/x", gateway.addresses.shared)).await.is_err());
    let mut bytes = Socket::at(&gateway, "/text").await;
    futures_util::SinkExt::send(&mut bytes.0, Message::Binary("1 beat".into())).await.unwrap();
    let closed = bytes.0.next().await.unwrap().unwrap();
    assert!(matches!(closed, Message::Close(Some(frame)) if frame.code == CloseCode::Unsupported));
    let mut any = Socket::at(&gateway, "/any").await;
    futures_util::SinkExt::send(&mut any.0, Message::Binary("1 beat".into())).await.unwrap();
    assert_eq!((any.receives().await, any.asks("2 beat").await), ("1 beat".to_owned(), "2 beat".to_owned()));
}

#[tokio::test]
async fn what_many_sessions_receive_is_projected_and_encoded_once() {
    let (gateway, house) = pusher::start(|_| ()).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let mut sockets = Vec::new();
    for number in 0..50 {
        let user = if number % 2 == 0 { "alice" } else { "bob" };
        sockets.push(Socket::login(&gateway, user, &format!("device {number}").replace(' ', "-")).await);
    }
    let before = house.projected.load(Ordering::Relaxed);
    speak(&gateway, "alice").await;
    for socket in &mut sockets {
        assert_eq!(socket.receives().await, "message 1");
    }
    assert_eq!(house.encoded.load(Ordering::Relaxed), 1);
    assert!(house.projected.load(Ordering::Relaxed) - before <= 1);
    // events without an online recipient are not projected at all
    drop(sockets);
    until_gone(&gateway, "alice", 0).await;
    until_gone(&gateway, "bob", 0).await;
    let _carol = Socket::login(&gateway, "carol", "phone").await;
    speak(&gateway, "alice").await;
    assert_eq!(gateway.presence["dev"].online_in(&super::team()).await, []);
    assert_eq!(house.encoded.load(Ordering::Relaxed), 1);
}

const PAGE: &str = "Origin: http://localhost:3000";

/// Requests of a page below the base of `SockJS`.
async fn sock(gateway: &Running, vendor: &str, method: &str, path: &str, body: &str) -> Answer {
    ask(gateway.addresses.shared, method, &format!("/{vendor}/sock{path}"), &[PAGE], body).await
}

#[tokio::test]
async fn sockjs_tells_pages_what_it_offers() {
    let (gateway, _) = pusher::start(|_| ()).await;
    assert_eq!(sock(&gateway, "pusher", "GET", "", "").await.body, "Welcome to SockJS!\n");
    assert_eq!(sock(&gateway, "pusher", "GET", "/", "").await.body, "Welcome to SockJS!\n");
    let info = sock(&gateway, "pusher", "GET", "/info?t=1", "").await;
    let read: serde_json::Value = serde_json::from_str(&info.body).unwrap();
    assert_eq!((&read["websocket"], &read["cookie_needed"]), (&true.into(), &false.into()));
    assert!(read["entropy"].is_u64() && read["origins"][0] == "*:*");
    // clients send requests with credentials, and browsers then require their own origin in the response
    assert_eq!(info.header("access-control-allow-origin"), Some("http://localhost:3000"));
    assert_eq!(info.header("access-control-allow-credentials"), Some("true"));
    let asked = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type", PAGE];
    let preflight = ask(gateway.addresses.shared, "OPTIONS", "/pusher/sock/000/abc/xhr_send", &asked, "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-headers")), (204, Some("content-type")));
    assert_eq!(preflight.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(sock(&gateway, "pusher", "GET", "/000/abc/jsonp", "").await.status, 404);
}

#[tokio::test]
async fn sockjs_carries_frames_over_a_websocket() {
    let (gateway, _) = pusher::start(|_| ()).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let mut socket = Socket::at(&gateway, "/sock/123/abcdefgh/websocket").await;
    assert_eq!(socket.receives().await, "o");
    assert_eq!(socket.receives().await, r#"a["welcome"]"#);
    assert_eq!(socket.asks(r#"["1 login alice phone"]"#).await, r#"a["1 hello alice"]"#);
    speak(&gateway, "bob").await;
    assert_eq!(socket.receives().await, r#"a["message 1"]"#);
    // several frames in one message, and a single one without an array
    socket.says(r#"["2 beat","3 beat"]"#).await;
    assert_eq!(
        (socket.receives().await, socket.receives().await),
        (r#"a["2 beat"]"#.to_owned(), r#"a["3 beat"]"#.to_owned())
    );
    assert_eq!(socket.asks(r#""4 beat""#).await, r#"a["4 beat"]"#);
    assert_eq!(socket.asks(r#"["5 close"]"#).await, r#"c[3000,"Go away!"]"#);
    // without framing
    let mut raw = Socket::at(&gateway, "/sock/websocket").await;
    assert_eq!(raw.receives().await, "welcome");
    assert_eq!(raw.asks("1 beat").await, "1 beat");
    // not a message of SockJS
    let mut wrong = Socket::at(&gateway, "/sock/123/ijklmnop/websocket").await;
    assert_eq!((wrong.receives().await, wrong.receives().await), ("o".to_owned(), r#"a["welcome"]"#.to_owned()));
    wrong.says("beat").await;
    assert_eq!(wrong.receives().await, r#"c[3000,"Go away!"]"#);
}

#[tokio::test]
async fn sockjs_sessions_outlive_their_requests() {
    let (gateway, _) = pusher::start(|_| ()).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let xhr = async || sock(&gateway, "pusher", "POST", "/000/s1/xhr", "").await.body;
    let send = async |body: &str| sock(&gateway, "pusher", "POST", "/000/s1/xhr_send", body).await;
    assert_eq!(send(r#"["1 beat"]"#).await.status, 404, "there is no such session yet");
    assert_eq!(xhr().await, "o\n");
    assert_eq!(xhr().await, "a[\"welcome\"]\n");
    let sent = send(r#"["1 login alice phone"]"#).await;
    assert_eq!((sent.status, sent.header("access-control-allow-credentials")), (204, Some("true")));
    assert_eq!(xhr().await, "a[\"1 hello alice\"]\n");
    assert_eq!(devices(&gateway, "alice").await, 1, "no request is under way, and yet she is online");
    // events between two requests wait for the next
    speak(&gateway, "bob").await;
    speak(&gateway, "bob").await;
    let mut received = xhr().await;
    while !received.contains("message 2") {
        received += &xhr().await;
    }
    assert_eq!(received.replace("]\na[", ","), "a[\"message 1\",\"message 2\"]\n");
    // a waiting request is answered on the next event; another one meanwhile gets an error
    let mut waiting = Client::connect(gateway.addresses.shared).await;
    waiting.say(request("POST", "/pusher/sock/000/s1/xhr", &[PAGE], "")).await;
    while xhr().await != "c[2010,\"Another connection still open\"]\n" {}
    speak(&gateway, "bob").await;
    assert_eq!(waiting.answer().await.body, "a[\"message 3\"]\n");
    assert_eq!((send("").await.status, send("[1").await.status), (500, 500));
    // a session without requests ends
    until_gone(&gateway, "alice", 0).await;
    assert_eq!(send(r#"["1 beat"]"#).await.status, 404);
    assert_eq!(xhr().await, "o\n");
    assert_eq!(xhr().await, "a[\"welcome\"]\n");
    assert_eq!(send(r#"["1 close"]"#).await.status, 204);
    assert_eq!(xhr().await, "c[3000,\"Go away!\"]\n");
}

/// A chunked response, read as it arrives.
struct Chunks(TcpStream, Vec<u8>);

impl Chunks {
    async fn open(address: SocketAddr, method: &str, path: &str) -> (Self, String) {
        let mut client = Client::connect(address).await;
        client.say(request(method, path, &[PAGE], "")).await;
        let mut chunks = Self(client.0, Vec::new());
        let head = chunks.until(b"\r\n\r\n").await;
        assert!(head.to_lowercase().contains("transfer-encoding: chunked"), "{head}");
        (chunks, head)
    }

    async fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(at) = self.1.windows(end.len()).position(|window| window == end) {
                let rest = self.1.split_off(at + end.len());
                return String::from_utf8(std::mem::replace(&mut self.1, rest)).unwrap();
            }
            let mut part = [0; 4096];
            let read =
                timeout(Duration::from_secs(20), self.0.read(&mut part)).await.expect("nothing in time").unwrap();
            assert!(read > 0, "the response ended early");
            self.1.extend_from_slice(&part[..read]);
        }
    }

    /// The next chunk; nothing at the end.
    async fn next(&mut self) -> String {
        let size = self.until(b"\r\n").await;
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        while self.1.len() < size + 2 {
            let mut part = [0; 4096];
            let read = self.0.read(&mut part).await.unwrap();
            assert!(read > 0, "the response ended early");
            self.1.extend_from_slice(&part[..read]);
        }
        let rest = self.1.split_off(size + 2);
        let mut chunk = std::mem::replace(&mut self.1, rest);
        chunk.truncate(size);
        String::from_utf8(chunk).unwrap()
    }
}

#[tokio::test]
async fn sockjs_streams_until_a_browser_has_enough() {
    let (gateway, _) = pusher::start(|_| ()).await;
    let address = gateway.addresses.shared;
    let (mut stream, head) = Chunks::open(address, "POST", "/pusher/sock/000/s2/xhr_streaming").await;
    assert!(head.contains("application/javascript") && head.contains("http://localhost:3000"), "{head}");
    let begin = stream.next().await;
    assert!(begin.starts_with(&"h".repeat(2048)) && begin.ends_with("\no\n"), "{}", begin.len());
    assert_eq!(stream.next().await, "a[\"welcome\"]\n");
    sock(&gateway, "pusher", "POST", "/000/s2/xhr_send", r#"["0 login alice phone"]"#).await;
    assert_eq!(stream.next().await, "a[\"0 hello alice\"]\n");
    let mut received = 0;
    let mut number = 0;
    loop {
        number += 1;
        let asked = format!(r#"["{number} long 20000"]"#);
        assert_eq!(sock(&gateway, "pusher", "POST", "/000/s2/xhr_send", &asked).await.status, 204);
        let chunk = stream.next().await;
        received += chunk.len();
        if received >= 128 * 1024 {
            break;
        }
    }
    assert_eq!(stream.next().await, "", "the answer ends, and the client asks again");
    let (mut again, _) = Chunks::open(address, "POST", "/pusher/sock/000/s2/xhr_streaming").await;
    assert_eq!(again.next().await, "h".repeat(2048) + "\n");
    sock(&gateway, "pusher", "POST", "/000/s2/xhr_send", r#"["1 beat"]"#).await;
    assert_eq!(again.next().await, "a[\"1 beat\"]\n");
    let (mut events, head) = Chunks::open(address, "GET", "/pusher/sock/000/s3/eventsource").await;
    assert!(head.contains("text/event-stream"));
    assert_eq!(events.next().await, "\r\ndata: o\r\n\r\n");
    assert_eq!(events.next().await, "data: a[\"welcome\"]\r\n\r\n");
    let ending = tokio::spawn(gateway.shutdown());
    assert_eq!(events.next().await, "data: a[\"signed out ShuttingDown\"]\r\n\r\n");
    assert_eq!(events.next().await, "data: c[3000,\"Go away!\"]\r\n\r\n");
    assert_eq!(events.next().await, "");
    drop(again);
    assert!(ending.await.unwrap());
}

#[tokio::test]
async fn a_protocol_that_is_pulled_notifies_once_until_it_is() {
    let gateway = puller::start(|_| ()).await;
    make_team(&gateway, "alice", &["bob"]).await;
    let url = format!("ws://{}/puller/bell?user=alice", gateway.addresses.shared);
    let mut alice = Socket(connect_async(url).await.unwrap().0);
    assert_eq!(alice.receives().await, "Ok(())");
    for _ in 0..3 {
        speak(&gateway, "bob").await;
    }
    assert_eq!(alice.receives().await, "n");
    // the mailbox may not be empty yet: later events cause another notice
    let mut pulled = Vec::new();
    while pulled.len() < 3 {
        alice.says("pull").await;
        loop {
            if let Some(numbers) = alice.receives().await.strip_prefix("p ") {
                break pulled.extend(numbers.split_whitespace().map(str::to_owned));
            }
        }
    }
    assert_eq!(pulled, ["1", "2", "3"]);
}

async fn poll(address: SocketAddr, user: &str, hold: u64) -> Answer {
    let path = format!("/puller/v4/poll?user={user}&proof=yes");
    ask(address, "POST", &path, &[], &format!("poll {hold}")).await
}

#[tokio::test]
async fn a_poll_drains_what_has_happened_and_waits_when_nothing_has() {
    let gateway = puller::start(|_| ()).await;
    let address = gateway.addresses.shared;
    make_team(&gateway, "alice", &["bob"]).await;
    let unproved = ask(address, "POST", "/puller/v4/poll?user=alice", &[], "poll 1").await;
    assert_eq!((unproved.status, unproved.body.as_str()), (403, "who are you"));
    let began = Instant::now();
    let nothing = poll(address, "alice", 200).await;
    assert_eq!((nothing.body.as_str(), nothing.header("content-type")), ("n 0", Some("text/plain")));
    assert!(began.elapsed() >= Duration::from_millis(200));
    // no request is in flight, and yet she is online: the next one gets everything
    assert_eq!(devices(&gateway, "alice").await, 1);
    for _ in 0..3 {
        speak(&gateway, "bob").await;
    }
    let mut new = 0;
    while new < 3 {
        let answer = poll(address, "alice", 10_000).await.body;
        new += answer.strip_prefix("n ").unwrap().parse::<usize>().unwrap();
    }
    // a waiting request is answered at once, and a later one replaces an earlier one
    let mut first = Client::connect(address).await;
    first.say(request("POST", "/puller/v4/poll?user=alice&proof=yes", &[], "poll 20000")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut second = Client::connect(address).await;
    second.say(request("POST", "/puller/v4/poll?user=alice&proof=yes", &[], "poll 20000")).await;
    assert_eq!(first.answer().await.status, 204);
    speak(&gateway, "bob").await;
    assert_eq!(second.answer().await.body, "n 1");
    // a client without requests is offline after a while
    until_gone(&gateway, "alice", 0).await;
    assert!(gateway.shutdown().await);
}
