//! Receivers that do not answer, answer with something else, or take their time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave_tests::vendor::Sections as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::callers::{BackEnd, said, to};
use super::{CREATE, SEND};
use crate::app::{Answer, App};
use crate::house::gateway;

#[tokio::test]
async fn without_an_answer_it_goes_ahead_after_the_time_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let gateway = gateway(|config| {
        config.realms[0].tencent().webhooks = to(url, &[CREATE]);
        config.realms[0].tencent().webhooks.before_timeout_ms = 400;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol"]).await;
    let begun = Instant::now();
    assert_eq!(back_end.create("g").await["ErrorCode"], 0);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(2), "{took:?}");
    // other operations are not asked about, and do not wait
    let begun = Instant::now();
    assert_eq!(back_end.say("g", 1, "hi").await["ErrorCode"], 0);
    assert!(begun.elapsed() < Duration::from_millis(300));
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn answers_that_cannot_be_used_let_it_go_ahead_unless_the_app_wants_otherwise() {
    let answers = || {
        App::answering(|_, before| match before % 4 {
            0 => Answer::of(500),
            1 => Answer::of(200).saying("<html>"),
            2 => Answer::of(200).saying("x".repeat(1 << 20)),
            _ => said(99, ""),
        })
    };
    for (refuses, code) in [(false, 0), (true, 80003)] {
        let app = answers().await;
        let gateway = gateway(|config| {
            config.realms[0].tencent().webhooks = to(app.url("/"), &[SEND, CREATE]);
            config.realms[0].tencent().webhooks.before_refuse = refuses;
        })
        .await;
        let back_end = BackEnd::of(&gateway);
        back_end.accounts(&["carol"]).await;
        let created = back_end.create("g").await;
        assert_eq!(created["ErrorCode"], if refuses { 10016 } else { 0 });
        if refuses {
            // created through another API, which is not asked about
            crate::house::BackEnd::of(&gateway).create("g").await;
        }
        for random in 0..4 {
            assert_eq!(back_end.say("g", random, "hi").await["ErrorCode"], code, "{random}");
        }
        assert!(gateway.shutdown().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_wait_at_once_and_not_for_each_other() {
    let app = App::answering(|_, _| said(0, "").after(Duration::from_millis(300))).await;
    let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/"), &[SEND])).await;
    let back_end = Arc::new(BackEnd::of(&gateway));
    back_end.accounts(&["carol"]).await;
    back_end.create("g").await;
    let begun = Instant::now();
    let said = (0..40).map(|random| {
        let back_end = Arc::clone(&back_end);
        tokio::spawn(async move { back_end.say("g", random, "hi").await["ErrorCode"].clone() })
    });
    for said in said.collect::<Vec<_>>() {
        assert_eq!(said.await.unwrap(), 0);
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(4), "one after another: {took:?}");
    // connections are kept for the next question
    let before = app.connections();
    for random in 40..44 {
        assert_eq!(back_end.say("g", random, "hi").await["ErrorCode"], 0);
    }
    assert_eq!((app.requests().len(), app.connections()), (44, before));
    assert!(gateway.shutdown().await);
}

/// Accepts connections and does the same to each.
async fn receiver(answer: &'static [&'static [u8]], pause: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 1024];
                let _read = stream.read(&mut asked).await;
                let (head, rest) = answer.split_first().unwrap();
                let mut sent = stream.write_all(head).await;
                while sent.is_ok() && !rest.is_empty() {
                    tokio::time::sleep(pause).await;
                    sent = stream.write_all(rest[0]).await;
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn receivers_that_never_end_or_make_no_sense_hold_nobody_up() {
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const CHUNK: &[u8] = b"8\r\n        \r\n";
    let large: &'static [u8] = Box::leak([&b"4000\r\n"[..], &vec![b' '; 0x4000], b"\r\n"].concat().into_boxed_slice());
    let drips: &'static [&'static [u8]] = &[CHUNKED, CHUNK];
    let floods: &'static [&'static [u8]] = Box::leak(Box::new([CHUNKED, large]));
    let garbage: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe{}"];
    let noise: &[&[u8]] = &[b"\x16\x03\x01 this is not http\r\n\r\n"];
    let closes: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"ErrorCode\""];
    let elsewhere: &[&[u8]] = &[b"HTTP/1.1 307 T\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"];
    let (patience, at_once) = (Duration::from_millis(500), Duration::ZERO);
    for (answer, pause, least) in [
        (drips, Duration::from_millis(50), patience),
        (floods, Duration::ZERO, at_once),
        (garbage, at_once, at_once),
        (noise, at_once, at_once),
        (closes, at_once, at_once),
        (elsewhere, at_once, at_once),
    ] {
        let url = receiver(answer, pause).await;
        let gateway = gateway(|config| {
            config.realms[0].tencent().webhooks = to(url, &[CREATE]);
            config.realms[0].tencent().webhooks.before_timeout_ms = 500;
        })
        .await;
        let back_end = BackEnd::of(&gateway);
        back_end.accounts(&["carol"]).await;
        let begun = Instant::now();
        let head = String::from_utf8_lossy(answer[0]);
        assert_eq!(back_end.create("g").await["ErrorCode"], 0, "{head}");
        let took = begun.elapsed();
        assert!(took >= least && took < Duration::from_secs(2), "{head}: {took:?}");
        assert!(gateway.shutdown().await);
    }
}
