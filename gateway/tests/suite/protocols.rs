//! HTTP/1.1 and HTTP/2 on one address.

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::client::{Client, request};
use crate::probe::start;

#[tokio::test]
async fn one_connection_takes_many_requests() {
    let gateway = start(|_| {}).await;
    let mut client = Client::connect(gateway.addresses.shared).await;
    for n in 0..3 {
        let body = format!("body {n}");
        client.say(request("POST", "/probe/echo", &[], &body)).await;
        assert_eq!(client.answer().await.body, body);
    }
    // sent at once, answered in order
    client.say(request("POST", "/probe/slow?50", &[], "") + &request("POST", "/probe/echo", &[], "next")).await;
    assert_eq!(client.answer().await.body, "slow but there");
    assert_eq!(client.answer().await.body, "next");
}

#[tokio::test]
async fn http2_without_asking_first() {
    let gateway = start(|config| config.limits.body_bytes = 1000).await;
    let stream = TcpStream::connect(gateway.addresses.shared).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let asked = |path: &str, size: usize| {
        let uri = format!("http://gateway.test/probe{path}");
        Request::post(uri).body(Full::new(Bytes::from(vec![b'x'; size]))).unwrap()
    };
    let slow = sender.send_request(asked("/slow?100", 0));
    let mut other = sender.clone();
    let answer = other.send_request(asked("/seen", 0)).await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(text.starts_with(b"http://gateway.test/probe /seen"), "{text:?}");
    assert_eq!(other.send_request(asked("/echo", 1001)).await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(other.send_request(asked("/panic", 0)).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(slow.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn an_idle_http2_connection_is_closed() {
    let gateway = start(|config| config.limits.header_ms = 200).await;
    let stream = TcpStream::connect(gateway.addresses.shared).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(3), connection).await;
    assert!(ended.is_ok(), "still open");
    drop(sender);
}
