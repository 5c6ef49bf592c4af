//! One request from its headers to its answer's.

use std::cell::OnceCell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave_kit::{Body, Exchange, Fault, Unread};
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tracing::Instrument as _;

use crate::activity::InFlight;
use crate::backend::REALM;
use crate::config::Limits;
use crate::cors;
use crate::metrics::{Metrics, OperationMetrics};
use crate::payload::{self, Payload};
use crate::session::{self, Link, Online};
use crate::site::{Mounted, Place, Site, below};

/// Tells the log lines of a request apart; clients may bring their own.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What all connections of one listener share.
pub(crate) struct Desk {
    /// What stands on the listener.
    pub(crate) site: Site,
    /// Limits of the process.
    pub(crate) limits: Limits,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Who is connected.
    pub(crate) online: Arc<Online>,
    /// What the sessions of all listeners share.
    pub(crate) sessions: Arc<session::Shared>,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Host and port, for clients that name none.
    pub(crate) address: String,
}

impl Desk {
    /// Answers a request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        in_flight: InFlight,
        link: Link,
    ) -> Response<Payload> {
        let (mut parts, body) = request.into_parts();
        let id = request_id(&parts);
        let host = host(&parts);
        let mut answer = match self.site.find(host, parts.uri.path()) {
            None => self.nowhere(&parts, &id, in_flight),
            Some(Place { mounted, prefix }) => {
                let base_url = self.base_url(mounted, host, &parts.uri.path()[..prefix]);
                let path = parts.uri.path().to_owned();
                parts.uri = below(&parts.uri, prefix);
                let crowded = link.seat.crowded;
                let is_preflight = cors::is_preflight(&parts.method, &parts.headers);
                let destination = session::destination(&mounted.endpoints, &parts);
                let destination = destination.filter(|to| !is_preflight || session::answers_preflight(to));
                match destination.filter(|_| !crowded) {
                    Some(to) => session::answer(self, mounted, to, (parts, body), in_flight, link).await,
                    None if is_preflight => mounted.cors.preflight(),
                    None => {
                        let visit = Visit { desk: self, mounted, base_url, id: &id, path, crowded };
                        visit.run(parts, body, in_flight).await
                    }
                }
            }
        };
        cors::allow(answer.headers_mut());
        if let Ok(id) = HeaderValue::try_from(id) {
            answer.headers_mut().insert(&REQUEST_ID, id);
        }
        answer
    }

    /// The URL of a surface's root as the client sees it.
    fn base_url(&self, mounted: &Mounted, host: Option<&str>, prefix: &str) -> String {
        match &mounted.public_url {
            Some(url) => url.clone(),
            None => format!("{}://{}{prefix}", self.scheme, host.unwrap_or(&self.address)),
        }
    }

    fn nowhere(&self, parts: &Parts, id: &str, in_flight: InFlight) -> Response<Payload> {
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        tracing::info!(target: "conclave::request", id, method, path, status = "404", "no surface stands here");
        let mut answer = Response::new(Payload::new(Body::from(self.site.index()), Some(in_flight)));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }
}

/// A request that a surface answers.
struct Visit<'a> {
    desk: &'a Desk,
    mounted: &'a Mounted,
    base_url: String,
    id: &'a str,
    path: String,
    crowded: bool,
}

impl Visit<'_> {
    async fn run(self, parts: Parts, body: Incoming, in_flight: InFlight) -> Response<Payload> {
        let operation = self.mounted.surface.operation(&parts.method, parts.uri.path());
        let unread_fields = &self.desk.metrics.unread;
        let mut account = Account {
            vendor: self.mounted.vendor,
            operation,
            method: parts.method.clone(),
            path: self.path.clone(),
            metrics: self.mounted.metrics.of(operation),
            began: Instant::now(),
            status: None,
            realm: None,
        };
        // carries the id into every line of this request, whatever the level
        let span = tracing::error_span!("request", id = self.id);
        let work = REALM.scope(OnceCell::new(), async {
            let answer = self.exchange(parts, body, &in_flight).await;
            (answer, REALM.with(|realm| realm.get().cloned()))
        });
        let (answer, realm) = work.instrument(span.clone()).await;
        if let (Some(unread), Some(operation)) = (answer.extensions().get::<Unread>(), operation) {
            unread_fields.count(account.vendor, operation, unread);
        }
        account.status = Some(answer.status().as_u16());
        account.realm = realm;
        span.in_scope(|| drop(account));
        answer.map(|body| Payload::new(body, Some(in_flight)))
    }

    async fn exchange(self, parts: Parts, mut body: Incoming, in_flight: &InFlight) -> Response<Body> {
        let surface = &self.mounted.surface;
        let limits = &self.desk.limits;
        let http1 = parts.version <= Version::HTTP_11;
        // the connection ends with what went wrong, or what is left of the body would be taken for the next request
        let fault = |fault| {
            let mut answer = surface.fault(fault);
            if http1 {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            answer
        };
        if self.crowded {
            payload::drain(body, &parts.headers);
            return fault(Fault::Busy);
        }
        let body = if surface.streams(&parts.method, parts.uri.path()) {
            if payload::announces_more(&parts.headers, limits.upload_bytes) {
                payload::drain(body, &parts.headers);
                return fault(Fault::TooLarge);
            }
            Body::Stream(payload::parts(body, &parts.headers, in_flight.activity(), limits))
        } else {
            match payload::whole(&mut body, &parts.headers, limits).await {
                Ok(bytes) => Body::Whole(bytes),
                Err(wrong) => {
                    payload::drain(body, &parts.headers);
                    return fault(wrong);
                }
            }
        };
        in_flight.touch();
        let exchange = Exchange { parts, body, base_url: self.base_url, request_id: self.id.to_owned() };
        let work = AssertUnwindSafe(async { surface.serve(exchange).await }).catch_unwind();
        match tokio::time::timeout(limits.request_time(), work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                // the panic hook has told where
                self.desk.metrics.panics.inc();
                fault(Fault::Broken)
            }
            Err(_) => {
                tracing::warn!("no answer in time; limits.request_ms sets how long that is");
                fault(Fault::TimedOut)
            }
        }
    }
}

/// What is told and counted of a request, once: when it is answered, or when its client has gone away before.
struct Account {
    vendor: &'static str,
    operation: Option<&'static str>,
    method: http::Method,
    path: String,
    metrics: Arc<OperationMetrics>,
    began: Instant,
    status: Option<u16>,
    realm: Option<Arc<str>>,
}

impl Drop for Account {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        self.metrics.count(self.status, took);
        // never the query: it carries signatures and tokens
        tracing::info!(
            target: "conclave::request",
            vendor = self.vendor,
            operation = self.operation.unwrap_or(crate::metrics::UNKNOWN),
            method = self.method.as_str(),
            path = self.path,
            status = self.status.map_or("abandoned".to_owned(), |status| status.to_string()),
            ms = millis(took),
            realm = self.realm.as_deref(),
        );
    }
}

/// Milliseconds with three places.
fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// The host the client asks, as it spells it.
fn host(parts: &Parts) -> Option<&str> {
    let text = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => parts.headers.get(HOST)?.to_str().ok()?,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte);
    (!text.is_empty() && text.bytes().all(plain)).then_some(text)
}

/// The client's own id when it is one, a fresh one otherwise.
fn request_id(parts: &Parts) -> String {
    let plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = parts.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok()).filter(plain);
    given.map_or_else(|| format!("{:016x}", rand::random::<u64>()), str::to_owned)
}
