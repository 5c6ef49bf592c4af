//! The end: what is in flight is finished, and nothing new begun.

use std::time::{Duration, Instant};

use conclave::config::Admin;
use tokio::net::TcpStream;

use crate::client::{Client, ask, request};
use crate::probe::start;

#[tokio::test]
async fn requests_in_flight_are_finished() {
    let gateway = start(|config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let (at, admin) = (gateway.addresses.shared, gateway.addresses.admin.unwrap());
    let mut idle = Client::connect(at).await;
    // one that stays is not waited for
    let mut watcher = Client::connect(admin).await;
    watcher.say(request("GET", "/readyz", &[], "")).await;
    assert_eq!(watcher.answer().await.body, "ready\n");
    let mut client = Client::connect(at).await;
    client.say(request("POST", "/probe/slow?400", &[], "")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let ending = tokio::spawn(gateway.shutdown());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ask(admin, "GET", "/readyz", &[], "").await.body, "draining\n");
    assert!(TcpStream::connect(at).await.is_err(), "new connections are still taken");
    idle.closed().await;
    let answer = client.answer().await;
    assert_eq!((answer.status, &*answer.body), (200, "slow but there"));
    client.closed().await;
    assert!(ending.await.unwrap(), "not everything was finished");
    assert!(TcpStream::connect(admin).await.is_err(), "the admin listener is still there");
}

#[tokio::test]
async fn but_not_waited_for_for_ever() {
    let gateway = start(|config| config.limits.drain_ms = 200).await;
    let mut client = Client::connect(gateway.addresses.shared).await;
    client.say(request("POST", "/probe/slow?20000", &[], "")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    assert!(!gateway.shutdown().await);
    assert!(began.elapsed() < Duration::from_secs(3));
    client.closed().await;
}
