//! Limits on addresses, realms and users.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

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

    // one that does not announce its size, and one that is far larger than any buffer in between
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
    // sending slowly does not help
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
async fn a_connection_over_the_limit_gets_an_error() {
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
async fn far_too_many_connections_get_no_response() {
    let gateway = start(|config| config.limits.connections = 1).await;
    let mut clients = Vec::new();
    for _ in 0..60 {
        clients.push(Client::connect(gateway.addresses.shared).await);
    }
    clients.last_mut().unwrap().closed().await;
}

#[tokio::test]
async fn callers_without_access_are_refused_before_the_body() {
    let gateway = start(|_| {}).await;
    let large = "Content-Length: 2000000";
    let calls = [
        ("/probe/echo", vec!["x-refused: yes", large], 401, "stranger"),
        ("/agora/conclave/dev/chatgroups", vec![large], 401, "token is blank!"),
        ("/agora/conclave/dev/chatgroups", vec!["Authorization: Bearer none", large], 401, "unauthorized"),
        ("/rong/group/create.json", vec!["App-Key: conclavedev00", large], 401, "1004"),
        ("/tencent/v4/group_open_http_svc/create_group?sdkappid=1400000000", vec![large], 200, "70002"),
        // the credentials are in the body, which is limited to few bytes
        ("/agora/conclave/dev/token", vec![large], 413, "Too Large"),
        ("/rong/v2/navi.json", vec![large], 400, "1005"),
    ];
    for (path, headers, status, said) in calls {
        let mut client = Client::connect(gateway.addresses.shared).await;
        client.say(request("POST", path, &headers, "")).await;
        let answer = client.answer().await;
        assert!(answer.status == status && answer.body.contains(said), "{path} {headers:?}: {answer:?}");
    }
}

#[tokio::test]
async fn bodies_in_memory_are_counted_for_an_address_and_for_the_process() {
    for of_process in [false, true] {
        let gateway = start(|config| {
            let limits = &mut config.limits;
            let limit = if of_process { &mut limits.buffered_bytes } else { &mut limits.buffered_bytes_per_address };
            *limit = 10_000;
        })
        .await;
        let at = gateway.addresses.shared;
        let mut holder = Client::connect(at).await;
        holder.say(request("POST", "/probe/echo", &["Content-Length: 9000"], "")).await;
        holder.say("x".repeat(8999)).await;
        let refused = loop {
            let answer = ask(at, "POST", "/probe/echo", &[], &"y".repeat(2000)).await;
            if answer.status != 200 {
                break answer;
            }
        };
        assert_eq!((refused.status, &*refused.body), (503, "the probe's busy"));
        holder.say("x").await;
        assert_eq!(holder.answer().await.body.len(), 9000);
        assert_eq!(ask(at, "POST", "/probe/echo", &[], &"y".repeat(2000)).await.status, 200);
    }
}

#[tokio::test]
async fn one_address_has_a_share_of_the_connections() {
    let gateway = start(|config| config.limits.connections_per_address = 2).await;
    let at = gateway.addresses.shared;
    let (mut one, mut two) = (Client::connect(at).await, Client::connect(at).await);
    for client in [&mut one, &mut two] {
        client.say(request("POST", "/probe/seen", &[], "")).await;
        assert_eq!(client.answer().await.status, 200);
    }
    let answer = ask(at, "POST", "/probe/seen", &[], "").await;
    assert_eq!((answer.status, &*answer.body), (503, "the probe's busy"));
    // behind a trusted proxy, connections do not identify clients
    let gateway = start(|config| {
        config.limits.connections_per_address = 1;
        config.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    })
    .await;
    let _idle = [Client::connect(gateway.addresses.shared).await, Client::connect(gateway.addresses.shared).await];
    assert_eq!(ask(gateway.addresses.shared, "POST", "/probe/seen", &[], "").await.status, 200);
}

/// Requests on one HTTP/2 connection, of which so many are answered with 200 and the rest are refused as busy.
async fn streams(at: std::net::SocketAddr, count: usize, headers: &[(&'static str, &'static str)]) -> usize {
    let stream = TcpStream::connect(at).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut waiting = Vec::new();
    for _ in 0..count {
        let mut request = Request::post("http://gateway.test/probe/slow?1500");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (request, mut sender) = (request.body(Full::new(Bytes::new())).unwrap(), sender.clone());
        waiting.push(tokio::spawn(async move { sender.send_request(request).await.unwrap().status().as_u16() }));
    }
    let mut answered = 0;
    for status in waiting {
        match status.await.unwrap() {
            200 => answered += 1,
            503 => {}
            other => panic!("{other}"),
        }
    }
    answered
}

#[tokio::test]
async fn http2_streams_count_as_requests_of_an_address_a_user_and_a_realm() {
    let gateway = start(|config| {
        let limits = &mut config.limits;
        (limits.requests_per_address, limits.requests_per_realm, limits.requests_per_user) = (20, 10, 5);
    })
    .await;
    let at = gateway.addresses.shared;
    let of_user = [("x-realm", "shop"), ("x-user", "alice")];
    assert_eq!(streams(at, 30, &[]).await, 20);
    assert_eq!(streams(at, 15, &of_user[..1]).await, 10);
    assert_eq!(streams(at, 9, &of_user).await, 5);
}

#[tokio::test]
async fn users_and_unauthenticated_callers_leave_room_for_servers() {
    let gateway = start(|config| config.limits.requests = 16).await;
    let at = gateway.addresses.shared;
    let busy = tokio::spawn(streams(at, 16, &[]));
    let server = async {
        // as soon as callers without credentials have used their share
        while ask(at, "POST", "/probe/seen", &[], "").await.status == 200 {}
        ask(at, "POST", "/probe/seen", &["x-realm: shop"], "").await.status
    };
    assert_eq!(server.await, 200);
    assert_eq!(busy.await.unwrap(), 15);
}

#[tokio::test]
async fn steady_bodies_may_take_longer_than_their_silences() {
    let gateway = start(|config| {
        config.limits.body_ms = 400;
        config.limits.request_ms = 400;
        config.limits.header_ms = 400;
    })
    .await;
    for path in ["/probe/upload", "/probe/echo"] {
        let mut client = Client::connect(gateway.addresses.shared).await;
        client.say(request("POST", path, &["Content-Length: 30"], "")).await;
        let began = Instant::now();
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            client.say("x").await;
        }
        assert!(began.elapsed() > Duration::from_secs(1));
        assert_eq!(client.answer().await.status, 200, "{path}");
    }
    // but not for ever
    let gateway = start(|config| {
        (config.limits.body_total_ms, config.limits.upload_ms, config.limits.request_ms) = (300, 300, 200);
    })
    .await;
    for path in ["/probe/upload", "/probe/echo"] {
        let mut client = Client::connect(gateway.addresses.shared).await;
        client.say(request("POST", path, &["Content-Length: 3000"], "")).await;
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(25)).await;
            client.say("x").await;
        }
        let answer = client.answer().await;
        assert_eq!((answer.status, &*answer.body), (408, "the probe's timed out"), "{path}");
    }
}

#[tokio::test]
async fn a_body_with_wrong_framing_gets_the_vendors_word_for_it() {
    let gateway = start(|_| {}).await;
    let calls = [
        ("/probe/echo", vec![], 400, "malformed"),
        ("/agora/conclave/dev/token", vec![], 400, "Bad Request"),
        ("/rong/v2/navi.json", vec![], 400, "1002"),
    ];
    for (path, mut headers, status, said) in calls {
        headers.push("Transfer-Encoding: chunked");
        let mut client = Client::connect(gateway.addresses.shared).await;
        client.say(request("POST", path, &headers, "")).await;
        client.say("this is no chunk\r\n").await;
        let answer = client.answer().await;
        assert!(answer.status == status && answer.body.contains(said), "{path}: {answer:?}");
        client.closed().await;
    }
}

/// RFC 9112 section 6.1: a body that is compressed before it is chunked is not the one that the chunks contain.
#[tokio::test]
async fn only_plain_chunks_are_taken_for_a_body() {
    let gateway = start(|_| {}).await;
    let at = gateway.addresses.shared;
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    let say = async |version: &str, headers: &str| {
        let mut client = Client::connect(at).await;
        client.say(format!("POST /probe/echo {version}\r\nHost: gateway.test\r\n{headers}\r\n{chunks}")).await;
        let answer = client.answer().await;
        if answer.status != 200 {
            // nothing of the body is taken for another request
            assert_eq!(answer.header("connection"), Some("close"), "{headers}");
            client.closed().await;
        }
        answer
    };
    for chunked in ["Transfer-Encoding: chunked\r\n", "transfer-encoding:  Chunked \r\n"] {
        let answer = say("HTTP/1.1", chunked).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"), "{chunked}");
    }
    for encoded in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
    ] {
        assert_eq!(say("HTTP/1.1", encoded).await.status, 501, "{encoded}");
    }
    assert_eq!(say("HTTP/1.0", "Transfer-Encoding: chunked\r\n").await.status, 400);
}

#[tokio::test]
async fn a_request_has_one_host() {
    let gateway = start(|_| {}).await;
    let at = gateway.addresses.shared;
    for head in [
        "POST /probe/seen HTTP/1.1\r\n\r\n",
        "POST /probe/seen HTTP/1.1\r\nHost: gateway.test\r\nHost: gateway.test\r\n\r\n",
        "POST /probe/seen HTTP/1.1\r\nHost: gate way\r\n\r\n",
    ] {
        let mut client = Client::connect(at).await;
        client.say(head).await;
        assert_eq!(client.answer().await.status, 400, "{head}");
    }
    let mut client = Client::connect(at).await;
    client.say("POST /probe/seen HTTP/1.0\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn the_admin_listener_answers_under_its_own_names_and_has_few_connections() {
    let at = |config: &mut conclave::Config| {
        config.admin = conclave::config::Admin::At("127.0.0.1:0".parse().unwrap());
        config.admin_hosts = vec!["metrics.example".to_owned()];
    };
    let gateway = start(at).await;
    let admin = gateway.addresses.admin.unwrap();
    for host in ["Host: localhost:9090", "Host: 127.0.0.1", "Host: [::1]:1", "Host: metrics.example"] {
        assert_eq!(ask(admin, "GET", "/healthz", &[host], "").await.status, 200, "{host}");
    }
    for host in ["Host: evil.example", "Host: localhost.evil.example:9090", "Host:"] {
        assert_eq!(ask(admin, "GET", "/metrics", &[host], "").await.status, 403, "{host}");
    }
    let mut clients = Vec::new();
    for _ in 0..64 {
        let mut client = Client::connect(admin).await;
        client.say(request("GET", "/healthz", &[], "")).await;
        assert_eq!(client.answer().await.status, 200);
        clients.push(client);
    }
    // one connection too many takes the place of an idle one
    let mut late = Client::connect(admin).await;
    late.say(request("GET", "/healthz", &[], "")).await;
    assert_eq!(late.answer().await.status, 200);
    clients.remove(0).closed().await;
    let mut kept = clients.pop().unwrap();
    kept.say(request("GET", "/healthz", &[], "")).await;
    assert_eq!(kept.answer().await.status, 200);
}
