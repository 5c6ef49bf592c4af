//! The client: so many keep-alive connections, each sending its next request when the last one is answered.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One request.
#[derive(Debug, Clone)]
pub struct Shot {
    pub method: Method,
    pub path: String,
    pub headers: Rc<Vec<(String, String)>>,
    pub body: Bytes,
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::task::spawn_local(async move {
        let _ = connection.await;
    });
    sender
}

async fn fire(sender: &mut SendRequest<Full<Bytes>>, shot: Shot) -> Bytes {
    let mut request = Request::builder().method(shot.method).uri(&shot.path).header("host", "127.0.0.1");
    for (name, value) in &*shot.headers {
        request = request.header(name, value);
    }
    sender.ready().await.unwrap();
    let response = sender.send_request(request.body(Full::new(shot.body)).unwrap()).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{}: {status} {}", shot.path, String::from_utf8_lossy(&body));
    body
}

/// One connection.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    local: tokio::task::LocalSet,
}

impl Client {
    /// Connects.
    pub async fn new(address: SocketAddr) -> Self {
        let local = tokio::task::LocalSet::new();
        let sender = local.run_until(connect(address)).await;
        Self { sender, local }
    }

    /// Sends one request and returns the response's body.
    pub async fn fire(&mut self, shot: Shot) -> Bytes {
        self.local.run_until(fire(&mut self.sender, shot)).await
    }
}

/// Sends one request and returns the response's body.
pub async fn once(address: SocketAddr, shot: &Shot) -> Bytes {
    let local = tokio::task::LocalSet::new();
    local.run_until(async { fire(&mut connect(address).await, shot.clone()).await }).await
}

/// Sends these one after the other, and returns the responses' bodies.
pub async fn each(address: SocketAddr, shots: impl IntoIterator<Item = Shot>) -> Vec<Bytes> {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let mut sender = connect(address).await;
            let mut answers = Vec::new();
            for shot in shots {
                answers.push(fire(&mut sender, shot).await);
            }
            answers
        })
        .await
}

/// Sends these over a few connections, and checks only the status of the responses.
pub async fn all(address: SocketAddr, shots: Vec<Shot>) {
    let shots = Rc::new(std::cell::RefCell::new(shots));
    let local = tokio::task::LocalSet::new();
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let shots = shots.clone();
            local.spawn_local(async move {
                let mut sender = connect(address).await;
                loop {
                    let next = shots.borrow_mut().pop();
                    let Some(shot) = next else { return };
                    fire(&mut sender, shot).await;
                }
            })
        })
        .collect();
    local
        .run_until(async {
            for worker in workers {
                worker.await.unwrap();
            }
        })
        .await;
}

/// The number of answered requests per second.
pub async fn per_second<F>(address: SocketAddr, connections: usize, time: Duration, shots: F) -> f64
where
    F: Fn(usize, u64) -> Shot,
{
    run(address, connections, time, shots).await.per_second
}

/// What a run has done.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Without the warm-up.
    pub per_second: f64,
    /// All that were answered, warm-up included.
    pub requests: f64,
}

/// Sends requests for this time, after a warm-up of a quarter of it.
pub async fn run<F>(address: SocketAddr, connections: usize, time: Duration, shots: F) -> Rate
where
    F: Fn(usize, u64) -> Shot,
{
    let turns = Cell::new(0_u64);
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let (begin, end) = (Instant::now() + time / 4, Instant::now() + time / 4 + time);
            let workers = (0..connections).map(|worker| {
                let (shots, turns) = (&shots, &turns);
                async move {
                    let mut sender = connect(address).await;
                    let mut counted = 0_u64;
                    loop {
                        let turn = turns.replace(turns.get() + 1);
                        fire(&mut sender, shots(worker, turn)).await;
                        let now = Instant::now();
                        if now >= end {
                            return counted;
                        }
                        if now >= begin {
                            counted += 1;
                        }
                    }
                }
            });
            let counts = futures_util::future::join_all(workers).await;
            let per_second = counts.into_iter().sum::<u64>() as f64 / time.as_secs_f64();
            Rate { per_second, requests: turns.get() as f64 }
        })
        .await
}
