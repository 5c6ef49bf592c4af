//! One request, from its headers to its response's.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_kit::{Admitted, Body, ClientAddress, ErrorClass, Exchange, Fault, Unread, VendorCode, VendorError};
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tracing::Instrument as _;

use crate::activity::InFlight;
use crate::backend::{CALLER, Caller, REALM};
use crate::client_address::Proxies;
use crate::config::Limits;
use crate::cors;
use crate::metrics::{Metrics, OperationMetrics};
use crate::origin::{Page, Pages};
use crate::payload::{self, Payload, Progress};
use crate::session::{self, Link, Online};
use crate::shares::{Buffer, Shares};
use crate::site::{MountPoint, Mounted, Site, below};

/// Most bytes of a body whose sender has no credentials in the request's head.
const OPEN_BODY: usize = 64 * 1024;

/// Identifies the log lines of a request; clients may send their own.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The data that all connections of one listener share.
pub(crate) struct Desk {
    /// The surfaces on the listener.
    pub(crate) site: Site,
    /// Limits of the process.
    pub(crate) limits: Limits,
    /// The current usage.
    pub(crate) shares: Arc<Shares>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub(crate) proxies: Proxies,
    /// The web pages that may call.
    pub(crate) pages: Pages,
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The connected users.
    pub(crate) online: Arc<Online>,
    /// The data that the sessions of all listeners share.
    pub(crate) sessions: Arc<session::Shared>,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Host and port, for clients that send none.
    pub(crate) address: String,
}

impl Desk {
    /// Responds to a request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        in_flight: InFlight,
        link: Link,
    ) -> Response<Payload> {
        let (mut parts, body) = request.into_parts();
        let id = request_id(&parts);
        let host = match host(&parts) {
            Ok(host) if self.pages.knows_host(host) => host,
            Ok(_) => {
                return refused(
                    StatusCode::FORBIDDEN,
                    "this host is not served with development credentials",
                    in_flight,
                );
            }
            Err(why) => return refused(StatusCode::BAD_REQUEST, why, in_flight),
        };
        let Page::Allowed(page) = self.pages.page(&parts.headers) else {
            return refused(StatusCode::FORBIDDEN, "pages of this origin may not call; see cors_origins", in_flight);
        };
        let address = self.proxies.client(link.peer.ip(), &parts.headers);
        let mut answer = match self.site.find(host, parts.uri.path()) {
            None => self.nowhere(&parts, &id, in_flight),
            Some(MountPoint { mounted, prefix }) => {
                let base_url = self.base_url(mounted, host, &parts.uri.path()[..prefix]);
                let path = parts.uri.path().to_owned();
                parts.uri = below(&parts.uri, prefix);
                parts.extensions.insert(ClientAddress(address));
                let crowded = link.seat.crowded;
                let is_preflight = cors::is_preflight(&parts.method, &parts.headers);
                let destination = session::destination(&mounted.endpoints, &parts);
                let destination = destination.filter(|to| !is_preflight || session::answers_preflight(to));
                match destination.filter(|_| !crowded) {
                    Some(to) if to.is_socket() && !link.seat.carry_session() => {
                        let busy = mounted.surface.fault(Fault::Busy);
                        busy.map(|body| Payload::new(body, Some(in_flight)))
                    }
                    Some(to) => session::answer(self, mounted, to, (parts, body), in_flight, link).await,
                    None if is_preflight => mounted.cors.preflight(),
                    None => {
                        let buffer = self.shares.buffer(address);
                        let visit = Visit { desk: self, mounted, base_url, id: &id, path, crowded, address, buffer };
                        visit.run(parts, body, in_flight).await
                    }
                }
            }
        };
        cors::allow(answer.headers_mut(), page);
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
        tracing::info!(target: "conclave::request", id, method, path, status = 404, "no surface is mounted at this path");
        let mut answer = Response::new(Payload::new(Body::from(self.site.index()), Some(in_flight)));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }
}

/// A request for a surface.
struct Visit<'a> {
    desk: &'a Desk,
    mounted: &'a Mounted,
    base_url: String,
    id: &'a str,
    path: String,
    crowded: bool,
    /// The client's address.
    address: IpAddr,
    /// Counts the bytes that are kept in memory for the request.
    buffer: Buffer,
}

impl Visit<'_> {
    async fn run(mut self, parts: Parts, body: Incoming, in_flight: InFlight) -> Response<Payload> {
        let operation = self.mounted.surface.operation(&parts.method, parts.uri.path());
        let unread_fields = &self.desk.metrics.unread;
        let mut account = Account {
            client: self.address,
            all: Arc::clone(&self.desk.metrics),
            vendor: self.mounted.vendor,
            operation,
            method: parts.method.clone(),
            path: self.path.clone(),
            metrics: self.mounted.metrics.of(operation),
            began: Instant::now(),
            status: None,
            error: None,
            realm: None,
            caller: None,
        };
        // adds the id to every log line of this request, at any level
        let span = tracing::error_span!("request", id = self.id);
        let work = async {
            let answer = self.exchange(parts, body, &in_flight).await;
            (answer, REALM.with(|realm| realm.get().cloned()), CALLER.with(|caller| caller.get().cloned()))
        };
        let work = CALLER.scope(OnceCell::new(), REALM.scope(OnceCell::new(), work));
        let (answer, realm, caller) = work.instrument(span.clone()).await;
        if let (Some(unread), Some(operation)) = (answer.extensions().get::<Unread>(), operation) {
            unread_fields.count(account.vendor, operation, unread);
        }
        account.status = Some(answer.status().as_u16());
        let error = answer.extensions().get::<VendorError>().copied();
        account.error = error.or_else(|| VendorError::of_status(answer.status()));
        account.realm = realm;
        account.caller = caller;
        span.in_scope(|| drop(account));
        answer.map(|body| Payload::new(body, Some(in_flight)).counted(self.buffer))
    }

    async fn exchange(&mut self, mut parts: Parts, mut body: Incoming, in_flight: &InFlight) -> Response<Body> {
        let surface = &self.mounted.surface;
        let limits = &self.desk.limits;
        let http1 = parts.version <= Version::HTTP_11;
        // closes the connection on an error, or the rest of the body would be parsed as the next request
        let fault = |fault| {
            let mut answer = surface.fault(fault);
            if http1 {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            answer
        };
        let shares = &self.desk.shares;
        let of_address = if self.crowded { None } else { shares.request(self.address) };
        let Some(_of_address) = of_address else {
            payload::drain(body, &parts.headers);
            return fault(Fault::Busy);
        };
        // callers who may not call are refused before any of the body is kept
        let admitted = match self.admit(&mut parts).await {
            Ok(admitted) => admitted,
            Err(refusal) => {
                payload::drain(body, &parts.headers);
                return refusal;
            }
        };
        let Some(_of_caller) = shares.caller(&admitted) else {
            payload::drain(body, &parts.headers);
            return fault(Fault::Busy);
        };
        let progress = Progress::new(in_flight.activity());
        let mut whole_time = limits.request_time();
        let body = if surface.streams(&parts.method, parts.uri.path()) {
            if payload::announces_more(&parts.headers, limits.upload_bytes) {
                payload::drain(body, &parts.headers);
                return fault(Fault::TooLarge);
            }
            whole_time = limits.upload_time().saturating_add(whole_time);
            Body::Stream(payload::parts(body, &parts.headers, Arc::clone(&progress), limits))
        } else {
            let most = if admitted.open { limits.body_bytes.min(OPEN_BODY) } else { limits.body_bytes };
            match payload::whole(&mut body, &parts.headers, limits, most, &progress, &mut self.buffer).await {
                Ok(bytes) => Body::Whole(bytes),
                Err(wrong) => {
                    payload::drain(body, &parts.headers);
                    return fault(wrong);
                }
            }
        };
        progress.touch();
        let base_url = std::mem::take(&mut self.base_url);
        let exchange = Exchange { parts, body, base_url, request_id: self.id.to_owned() };
        let work = AssertUnwindSafe(async { surface.serve(exchange).await }).catch_unwind();
        match progress.within(limits.request_time(), whole_time, work).await {
            Some(Ok(answer)) => {
                self.buffer.keep(answer.body().bytes().map_or(0, Bytes::len));
                answer
            }
            Some(Err(_)) => {
                // the panic hook has logged the location
                self.desk.metrics.panics.inc();
                fault(Fault::Broken)
            }
            None => {
                tracing::warn!("no response within limits.request_ms");
                fault(Fault::TimedOut)
            }
        }
    }
}

impl Visit<'_> {
    /// Authenticates the caller, or returns the vendor's refusal.
    async fn admit(&self, parts: &mut Parts) -> Result<Admitted, Response<Body>> {
        let surface = &self.mounted.surface;
        let work = AssertUnwindSafe(surface.admit(parts)).catch_unwind();
        match tokio::time::timeout(self.desk.limits.request_time(), work).await {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(_)) => {
                self.desk.metrics.panics.inc();
                Err(surface.fault(Fault::Broken))
            }
            Err(_) => Err(surface.fault(Fault::TimedOut)),
        }
    }
}

/// The log line and metrics of a request, written once: when it is answered, or when its client has disconnected
/// before.
struct Account {
    client: IpAddr,
    all: Arc<Metrics>,
    vendor: &'static str,
    operation: Option<&'static str>,
    method: http::Method,
    path: String,
    metrics: Arc<OperationMetrics>,
    began: Instant,
    status: Option<u16>,
    error: Option<VendorError>,
    realm: Option<Arc<str>>,
    caller: Option<Actor>,
}

impl Drop for Account {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let before = self.metrics.count(self.status, self.error, took);
        let (vendor, operation) = (self.vendor, self.operation.unwrap_or(crate::metrics::UNKNOWN));
        if let Some(realm) = &self.realm {
            self.all.count_in_realm(realm, vendor, self.status, self.error);
        }
        let (code, error) = logged_code(self.error);
        // never the query: it may contain signatures and tokens
        tracing::info!(
            target: "conclave::request",
            vendor,
            operation,
            method = self.method.as_str(),
            path = self.path,
            status = self.status,
            abandoned = self.status.is_none().then_some(true),
            code,
            error,
            ms = millis(took),
            realm = self.realm.as_deref(),
            actor = self.caller.as_ref().map(|caller| tracing::field::display(Caller(caller))),
            client = %self.client,
        );
        log_error(vendor, operation, self.error, before, self.realm.as_deref());
    }
}

/// A vendor's code as log lines have it: as a number, or as a name.
pub(crate) fn logged_code(error: Option<VendorError>) -> (Option<u32>, Option<&'static str>) {
    match error.map(|error| error.code) {
        Some(VendorCode::Number(number)) => (Some(number), None),
        Some(VendorCode::Name(name)) => (None, Some(name)),
        None => (None, None),
    }
}

/// Logs an error by its code: each of ours, and a sample of refusals. `before` is how often it was counted before.
pub(crate) fn log_error(
    vendor: &str,
    operation: &str,
    error: Option<VendorError>,
    before: Option<u64>,
    realm: Option<&str>,
) {
    if let (Some(VendorError { class, .. }), Some(before)) = (error, before)
        && is_sampled(class, before + 1)
    {
        let ((code, error), class, count) = (logged_code(error), class.name(), before + 1);
        tracing::info!(target: "conclave::error", vendor, operation, class, code, error, realm, count);
    }
}

/// Whether the n-th error of a kind is logged: each of ours, and of refusals fewer the more there are.
fn is_sampled(class: ErrorClass, count: u64) -> bool {
    class == ErrorClass::Failed || count.is_power_of_two() || count.is_multiple_of(1000)
}

/// Milliseconds with three decimals.
fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}

/// The requested host, as the client spells it; `None` when an HTTP/1.0 client sends none, or an empty one.
///
/// RFC 9112 section 3.2: an HTTP/1.1 request has exactly one `Host`, and a host consists of few kinds of characters.
fn host(parts: &Parts) -> Result<Option<&str>, &'static str> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (given, more) = (hosts.next(), hosts.next());
    if more.is_some() {
        return Err("a request must have one Host only");
    }
    if given.is_none() && parts.version == Version::HTTP_11 {
        return Err("a request must have a Host");
    }
    let text = match (parts.uri.authority(), given) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(given)) => given.to_str().map_err(|_| "the Host is not valid")?,
        (None, None) => return Ok(None),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte);
    if text.bytes().all(plain) { Ok((!text.is_empty()).then_some(text)) } else { Err("the Host is not valid") }
}

/// The gateway's own response to a request that reaches no surface; its connection is closed.
fn refused(status: StatusCode, why: &'static str, in_flight: InFlight) -> Response<Payload> {
    tracing::info!(target: "conclave::request", status = status.as_u16(), why, "refused before any surface");
    let text = serde_json::json!({ "error": "refused", "message": why }).to_string();
    let mut answer = Response::new(Payload::new(Body::from(text), Some(in_flight)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The client's own request id if it is valid, otherwise a new one.
fn request_id(parts: &Parts) -> String {
    let plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = parts.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok()).filter(plain);
    given.map_or_else(|| format!("{:016x}", rand::random::<u64>()), str::to_owned)
}
