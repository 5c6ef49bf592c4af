//! An app's server: records the requests it gets, and answers as a test wants.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// How long a test waits for a request.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One request to the app's server.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Value,
    pub at: Instant,
    /// The status of its response.
    pub status: u16,
}

/// The response of the app.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    pub after: Duration,
}

impl Answer {
    pub fn of(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), after: Duration::ZERO }
    }

    pub fn saying(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

type Answers = dyn Fn(&Received, usize) -> Answer + Send + Sync;

/// The app's server.
#[derive(Clone)]
pub struct App {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    ear: AbortHandle,
}

impl App {
    /// Accepts everything.
    pub async fn willing() -> Self {
        Self::answering(|_, _| Answer::of(200)).await
    }

    /// Responds as this function says, given the request and the number of earlier ones.
    pub async fn answering(answers: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, answers): (Arc<Mutex<Vec<Received>>>, Arc<Answers>) = (Arc::default(), Arc::new(answers));
        let connections = Arc::new(AtomicUsize::new(0));
        let (received, counted) = (Arc::clone(&requests), Arc::clone(&connections));
        let ear = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let (received, answers) = (Arc::clone(&received), Arc::clone(&answers));
                let service = service_fn(move |request| receive(request, Arc::clone(&received), Arc::clone(&answers)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, requests, connections, ear: ear.abort_handle() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The number of connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    /// The accepted ones.
    pub fn taken(&self) -> Vec<Received> {
        self.requests().into_iter().filter(|request| request.status == 200).collect()
    }

    /// Waits until the test has seen enough requests.
    pub async fn until(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let begun = Instant::now();
        loop {
            let requests = self.requests();
            if enough(&requests) {
                return requests;
            }
            assert!(begun.elapsed() < PATIENCE, "received only {requests:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if Arc::strong_count(&self.requests) <= 2 {
            self.ear.abort();
        }
    }
}

/// JSON, or a form as an object.
fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        let pairs = conclave_kit::query_pairs(&String::from_utf8_lossy(body)).into_iter();
        pairs.map(|(key, value)| (key, Value::from(value))).collect::<serde_json::Map<_, _>>().into()
    })
}

async fn receive(
    request: Request<Incoming>,
    all: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Answers>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let at = Instant::now();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut received = Received {
        path: parts.uri.path().to_owned(),
        query: conclave_kit::query_pairs(parts.uri.query().unwrap_or_default()).into_iter().collect(),
        headers: parts.headers,
        body: read(&body),
        at,
        status: 0,
    };
    let answer = {
        let mut all = all.lock().unwrap();
        let answer = answers(&received, all.len());
        received.status = answer.status;
        all.push(received);
        answer
    };
    tokio::time::sleep(answer.after).await;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    Ok(response)
}
