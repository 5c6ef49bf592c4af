//! Nobody takes more than their part.

use std::time::{Duration, Instant};

use crate::client::{Client, ask, request};
use crate::probe::start;

#[tokio::test]
async fn a_body_that_is_too_large_gets_the_vendors_word_for_it() {
    let gateway = start(|config| config.limits.body_bytes = 1000).await;
    let at = gateway.addresses.shared;
    assert_eq!(ask(at, "POST", "/probe/echo", &[], &"x".repeat(1000)).await.body.len(), 1000);
    let answer = ask(at, "POST", "/probe/echo", &[], &"x".repeat(1001)).await;
    assert_eq!((answer.status, &*answer.body), (413, "the probe's too large"));
    assert_eq!(answer.header("connection"), Some("close"));

    // one that does not announce its size, and one that is far larger than any buffer on the way
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
    let mut client = Client::connect(at).await;
    client.say(request("POST", "/probe/echo", &["Transfer-Encoding: chunked"], "")).await;
    for _ in 0..5000 {
        client.say(&chunk).await;
    }
    client.say("0\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, &*answer.body), (413, "the probe's too large"));
}

#[tokio::test]
async fn a_body_that_is_stored_as_it_comes_has_a_limit_of_its_own() {
    let gateway = start(|config| {
        config.limits.body_bytes = 10;
        config.limits.upload_bytes = 5000;
        config.limits.body_ms = 200;
    })
    .await;
    let at = gateway.addresses.shared;
    assert_eq!(ask(at, "POST", "/probe/upload", &[], &"x".repeat(5000)).await.body, "5000");
    let answer = ask(at, "POST", "/probe/upload", &[], &"x".repeat(5001)).await;
    assert_eq!((answer.status, &*answer.body), (413, "the probe's too large"));

    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
    let mut client = Client::connect(at).await;
    client.say(request("POST", "/probe/upload", &["Transfer-Encoding: chunked"], "")).await;
    client.say(chunk.repeat(6)).await;
    let answer = client.answer().await;
    assert!(answer.body.ends_with("file too large"), "{}", answer.body);

    let mut client = Client::connect(at).await;
    client.say(request("POST", "/probe/upload", &["Transfer-Encoding: chunked"], "")).await;
    client.say(&chunk).await;
    let answer = client.answer().await;
    assert_eq!(answer.body, "after 1000: timed out");
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let gateway = start(|config| config.limits.header_ms = 200).await;
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET /probe/seen HTTP/1.1\r\nHo"] {
        let began = Instant::now();
        let mut client = Client::connect(gateway.addresses.shared).await;
        client.say(beginning).await;
        client.closed().await;
        let took = began.elapsed();
        assert!(took > Duration::from_millis(150) && took < Duration::from_secs(3), "{beginning:?} took {took:?}");
    }
    // dripping does not help
    let mut client = Client::connect(gateway.addresses.shared).await;
    client.say("GET /probe/seen HTTP/1.1\r\n").await;
    let began = Instant::now();
    while client.0.try_write(b"a: b\r\n").is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(3), "still open");
    }
}

#[tokio::test]
async fn a_slow_body_gets_the_vendors_word_for_it() {
    let gateway = start(|config| {
        config.limits.body_ms = 200;
        config.limits.header_ms = 100;
    })
    .await;
    let mut client = Client::connect(gateway.addresses.shared).await;
    client.say(request("POST", "/probe/echo", &["Content-Length: 10"], "")).await;
    client.say("abc").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, &*answer.body), (408, "the probe's timed out"));
    client.closed().await;
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let gateway = start(|config| config.limits.request_ms = 100).await;
    let answer = ask(gateway.addresses.shared, "POST", "/probe/slow?5000", &[], "").await;
    assert_eq!((answer.status, &*answer.body), (408, "the probe's timed out"));
}

#[tokio::test]
async fn an_answer_may_take_longer_than_headers_may() {
    let gateway = start(|config| config.limits.header_ms = 100).await;
    let answer = ask(gateway.addresses.shared, "POST", "/probe/slow?400", &[], "").await;
    assert_eq!((answer.status, &*answer.body), (200, "slow but there"));
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let gateway = start(|config| {
        config.limits.headers = 20;
        config.limits.header_bytes = 8192;
    })
    .await;
    let at = gateway.addresses.shared;
    let many = ["a: b"; 21];
    assert_eq!(ask(at, "POST", "/probe/seen", &many, "").await.status, 431);
    let long = format!("a: {}", "b".repeat(10_000));
    assert_eq!(ask(at, "POST", "/probe/seen", &[&long], "").await.status, 431);
    assert_eq!(ask(at, "POST", "/probe/seen", &[&long[..4000]], "").await.status, 200);
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let gateway = start(|config| config.limits.connections = 2).await;
    let at = gateway.addresses.shared;
    let (mut one, mut two) = (Client::connect(at).await, Client::connect(at).await);
    for client in [&mut one, &mut two] {
        client.say(request("POST", "/probe/seen", &[], "")).await;
        assert_eq!(client.answer().await.status, 200);
    }
    let answer = ask(at, "POST", "/probe/seen", &[], "").await;
    assert_eq!((answer.status, &*answer.body), (503, "the probe's busy"));
    assert_eq!(answer.header("connection"), Some("close"));
    drop(one);
    for _ in 0..100 {
        if ask(at, "POST", "/probe/seen", &[], "").await.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place that was left is not given to another");
}

#[tokio::test]
async fn far_too_many_connections_are_not_even_told() {
    let gateway = start(|config| config.limits.connections = 1).await;
    let mut clients = Vec::new();
    for _ in 0..60 {
        clients.push(Client::connect(gateway.addresses.shared).await);
    }
    clients.last_mut().unwrap().closed().await;
}
