//! One request, from its headers to its response's.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_kit::{
    Admitted, BaseUrl, Body, ErrorClass, Exchange, Fault, Head, RootUrl, Unread, VendorCode, VendorError,
};
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use tracing::{Instrument as _, Span};

use crate::activity::InFlight;
use crate::backend::{CURRENT, Caller, Current};
use crate::client_address::Proxies;
use crate::config::Limits;
use crate::cors;
use crate::faults;
use crate::journal::{Entry, Kind};
use crate::logging;
use crate::metrics::{Metrics, OperationMetrics};
use crate::origin::{Page, Pages};
use crate::payload::{self, Payload, Progress};
use crate::quotas::{Address, Buffer, Quotas};
use crate::session::{self, Link, Online};
use crate::surface_table::{MountPoint, Mounted, SurfaceTable, below};
use crate::traces::Trace;

/// Most bytes of a body whose sender has no credentials in the request's head.
const OPEN_BODY: usize = 64 * 1024;

/// Identifies the log lines of a request; clients may send their own.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The data that all connections of one listener share.
pub(crate) struct ListenerContext {
    /// The surfaces on the listener.
    pub(crate) surfaces: SurfaceTable,
    /// Limits of the process.
    pub(crate) limits: Limits,
    /// The current usage.
    pub(crate) quotas: Arc<Quotas>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub(crate) proxies: Proxies,
    /// The web pages that may call.
    pub(crate) pages: Pages,
    pub(crate) metrics: Arc<Metrics>,
    /// The connected users.
    pub(crate) online: Arc<Online>,
    /// The data that the sessions of all listeners share.
    pub(crate) sessions: Arc<session::Shared>,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Host and port, for clients that send none.
    pub(crate) address: Arc<str>,
}

impl ListenerContext {
    /// Responds to a request.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        in_flight: InFlight,
        link: Link,
    ) -> Response<Payload> {
        let (mut parts, body) = request.into_parts();
        let id = request_id(&parts);
        if let Err((status, why)) = transfer_coding(&parts) {
            return refused(parts.version, status, why, in_flight);
        }
        let host = match host(&parts) {
            Ok(host) if self.pages.knows_host(host) => host,
            Ok(_) => {
                return refused(
                    parts.version,
                    StatusCode::FORBIDDEN,
                    "this host is not served with development credentials",
                    in_flight,
                );
            }
            Err(why) => return refused(parts.version, StatusCode::BAD_REQUEST, why, in_flight),
        };
        let Page::Allowed(page) = self.pages.page(&parts.headers) else {
            return refused(
                parts.version,
                StatusCode::FORBIDDEN,
                "pages of this origin may not call; see cors_origins",
                in_flight,
            );
        };
        let address = self.proxies.client(link.peer.ip(), &parts.headers);
        let base = |mounted: &Mounted| match &mounted.public_url {
            Some(url) => BaseUrl::Fixed(Arc::clone(url)),
            None => BaseUrl::Requested { scheme: self.scheme, address: Arc::clone(&self.address) },
        };
        let mut answer = match self.surfaces.find(host, parts.uri.path()) {
            None => self.nowhere(&parts, &id, in_flight),
            Some(MountPoint { mounted, prefix }) => {
                let over_limit = link.slot.over_limit;
                let is_preflight = cors::is_preflight(&parts.method, &parts.headers);
                let destination = session::destination(&mounted.endpoints, &parts, prefix);
                let destination = destination.filter(|to| !is_preflight || session::answers_preflight(to));
                match destination.filter(|_| !over_limit) {
                    Some(to) if to.is_socket() && !link.slot.carry_session() => {
                        let busy = mounted.surface.fault(Fault::Busy);
                        busy.map(|body| Payload::new(body, Some(in_flight)))
                    }
                    Some(to) => {
                        let root = base(mounted).of(&parts.uri, &parts.headers, prefix);
                        parts.extensions.insert(RootUrl(root.into()));
                        parts.uri = below(&parts.uri, prefix);
                        session::answer(self, mounted, to, (parts, body), in_flight, (link, address)).await
                    }
                    None if is_preflight => mounted.cors.preflight(),
                    None => {
                        let mut head = Head::below(prefix, parts, base(mounted));
                        head.address = Some(address);
                        let counts = self.counts(&link, address);
                        let buffer = counts.buffer();
                        let visit =
                            Visit { listener_context: self, mounted, id: &id, over_limit, address, counts, buffer };
                        visit.run(head, body, in_flight).await
                    }
                }
            }
        };
        cors::allow(answer.headers_mut(), page);
        answer.headers_mut().insert(&REQUEST_ID, id);
        answer
    }

    /// The counts of a client's address: usually that of its connection.
    pub(crate) fn counts(&self, link: &Link, address: IpAddr) -> Arc<Address> {
        let known = link.slot.address.as_ref().filter(|counts| counts.is_of(address));
        known.map_or_else(|| self.quotas.address(address), Arc::clone)
    }

    fn nowhere(&self, parts: &Parts, id: &HeaderValue, in_flight: InFlight) -> Response<Payload> {
        let (id, method, path) = (text(id), parts.method.as_str(), parts.uri.path());
        tracing::info!(target: "conclave::request", id, method, path, status = 404, "no vendor's API is served at this path");
        let mut answer = Response::new(Payload::new(Body::from(self.surfaces.index()), Some(in_flight)));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }
}

/// A request for a surface.
struct Visit<'a> {
    listener_context: &'a ListenerContext,
    mounted: &'a Arc<Mounted>,
    id: &'a HeaderValue,
    over_limit: bool,
    /// The client's address.
    address: IpAddr,
    /// The counts of that address.
    counts: Arc<Address>,
    /// Counts the bytes that are kept in memory for the request.
    buffer: Buffer,
}

impl Visit<'_> {
    async fn run(mut self, mut head: Head, body: Incoming, in_flight: InFlight) -> Response<Payload> {
        let route = self.mounted.surface.route(&head.method, head.path());
        head.set_route(route);
        let operation = route.map(|route| route.operation);
        let id = text(self.id);
        let named = operation.unwrap_or(crate::metrics::UNKNOWN);
        let trace = Trace::of_request(self.mounted.vendor, named, &head, self.address, id);
        let mut account = Account {
            id: self.id.clone(),
            client: self.address,
            mounted: Arc::clone(self.mounted),
            operation,
            method: head.method.clone(),
            uri: head.uri.clone(),
            metrics: self.mounted.metrics.of(operation),
            began: Instant::now(),
            status: None,
            error: None,
            realm: None,
            caller: None,
            trace,
        };
        let faults = self.listener_context.online.faults.for_call(self.mounted.vendor, operation);
        let current = Current::new("request", self.id.clone()).with_faults(faults);
        // adds the id to every log line of this request, at any level
        let span = match &account.trace {
            trace if trace.is_traced() => trace.span().clone(),
            _ if logging::adds_ids() => Span::none(),
            _ => tracing::error_span!("request", id),
        };
        let work = async {
            let answer = self.exchange(head, body, &in_flight).await;
            let answer = faults::apply::after(answer, &*self.mounted.surface).await;
            let (realm, caller) = CURRENT.with(|current| (current.realm.get().cloned(), current.caller.get().cloned()));
            (answer, realm, caller)
        };
        let work = CURRENT.scope(current, work);
        let (answer, realm, caller) = work.instrument(span.clone()).await;
        if let (Some(unread), Some(operation)) = (answer.extensions().get::<Unread>(), operation) {
            self.listener_context.metrics.unread.count(self.mounted.vendor, operation, unread);
        }
        account.status = Some(answer.status().as_u16());
        let error = answer.extensions().get::<VendorError>().copied();
        account.error = error.or_else(|| VendorError::of_status(answer.status()));
        account.realm = realm;
        account.caller = caller;
        if let Some(journal) =
            account.realm.as_deref().and_then(|realm| self.listener_context.online.journals.of(realm))
        {
            let unread = answer.extensions().get::<Unread>().map(|unread| unread.names().to_vec());
            journal.add(account.entry(unread.unwrap_or_default()));
        }
        span.in_scope(|| drop(account));
        answer.map(|body| Payload::new(body, Some(in_flight)).counted(self.buffer))
    }

    async fn exchange(&mut self, mut head: Head, mut body: Incoming, in_flight: &InFlight) -> Response<Body> {
        let surface = &self.mounted.surface;
        let limits = &self.listener_context.limits;
        let http1 = head.version <= Version::HTTP_11;
        // closes the connection on an error, or the rest of the body would be parsed as the next request
        let fault = |fault| {
            let mut answer = surface.fault(fault);
            if http1 {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            answer
        };
        let quotas = &self.listener_context.quotas;
        let of_address = if self.over_limit { None } else { self.counts.request() };
        let Some(_of_address) = of_address else {
            payload::drain(body, &head.headers);
            return fault(Fault::Busy);
        };
        // callers who may not call are refused before any of the body is kept
        let admitted = match self.admit(&mut head).await {
            Ok(admitted) => admitted,
            Err(refusal) => {
                payload::drain(body, &head.headers);
                return refusal;
            }
        };
        let Some(_of_caller) = quotas.caller(&admitted) else {
            payload::drain(body, &head.headers);
            return fault(Fault::Busy);
        };
        let progress = Progress::new(in_flight.activity());
        let mut whole_time = limits.request_time();
        let body = if head.route().is_some_and(|route| route.streams) {
            if payload::announces_more(&head.headers, limits.upload_bytes) {
                payload::drain(body, &head.headers);
                return fault(Fault::TooLarge);
            }
            whole_time = limits.upload_time().saturating_add(whole_time);
            Body::Stream(payload::parts(body, &head.headers, Arc::clone(&progress), limits))
        } else {
            let most = if admitted.open { limits.body_bytes.min(OPEN_BODY) } else { limits.body_bytes };
            match payload::whole(&mut body, &head.headers, limits, most, &progress, &mut self.buffer).await {
                Ok(bytes) => Body::Whole(bytes),
                Err(wrong) => {
                    payload::drain(body, &head.headers);
                    return fault(wrong);
                }
            }
        };
        progress.touch();
        if faults::apply::before(&admitted).await {
            // replaced by what the fault rule says
            return fault(Fault::Broken);
        }
        let work = AssertUnwindSafe(surface.serve(Exchange { head, body })).catch_unwind();
        match progress.within(limits.request_time(), whole_time, work).await {
            Some(Ok(answer)) => {
                self.buffer.keep(answer.body().bytes().map_or(0, Bytes::len));
                answer
            }
            Some(Err(_)) => {
                // the panic hook has logged the location
                self.listener_context.metrics.panics.inc();
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
    async fn admit(&self, head: &mut Head) -> Result<Admitted, Response<Body>> {
        let surface = &self.mounted.surface;
        let work = AssertUnwindSafe(surface.admit(head)).catch_unwind();
        match tokio::time::timeout(self.listener_context.limits.request_time(), work).await {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(_)) => {
                self.listener_context.metrics.panics.inc();
                Err(surface.fault(Fault::Broken))
            }
            Err(_) => Err(surface.fault(Fault::TimedOut)),
        }
    }
}

/// The log line and metrics of a request, written once: when it is answered, or when its client has disconnected
/// before.
struct Account {
    id: HeaderValue,
    client: IpAddr,
    mounted: Arc<Mounted>,
    operation: Option<&'static str>,
    method: http::Method,
    uri: http::Uri,
    metrics: Arc<OperationMetrics>,
    began: Instant,
    status: Option<u16>,
    error: Option<VendorError>,
    realm: Option<Arc<str>>,
    caller: Option<Actor>,
    trace: Trace,
}

impl Account {
    /// The request in its realm's journal.
    fn entry(&self, unread: Vec<String>) -> Entry {
        let (vendor, answer) = (self.mounted.vendor, (self.status, self.error));
        let entry = Entry::answered(Kind::Request, vendor, self.operation, self.caller.as_ref(), answer);
        Entry { path: Some(self.uri.path().to_owned()), unread, ..entry }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let before = self.metrics.count(self.status, self.error, took);
        if let Some(realm) = &self.realm {
            self.mounted.metrics.count_in_realm(realm, self.status, self.error);
        }
        self.trace.finish(self.status, self.error, self.realm.as_deref());
        CURRENT.sync_scope(Current::new("request", self.id.clone()), || self.log(took, before));
    }
}

impl Account {
    fn log(&self, took: Duration, before: Option<u64>) {
        let (vendor, operation) = (self.mounted.vendor, self.operation.unwrap_or(crate::metrics::UNKNOWN));
        let (code, error) = logged_code(self.error);
        // never the query: it may contain signatures and tokens
        tracing::info!(
            target: "conclave::request",
            vendor,
            operation,
            method = self.method.as_str(),
            path = self.uri.path(),
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

/// Refuses a body that is not what its framing says: one that is compressed or encoded otherwise before it is chunked.
///
/// RFC 9112 section 6.1: a coding that is not understood is answered 501, and HTTP/1.0 has none. HTTP/2 has none either.
fn transfer_coding(parts: &Parts) -> Result<(), (StatusCode, &'static str)> {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    if parts.version != Version::HTTP_11 {
        return Err((StatusCode::BAD_REQUEST, "only HTTP/1.1 requests have a Transfer-Encoding"));
    }
    if codings.next().is_none() && coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    Err((StatusCode::NOT_IMPLEMENTED, "the only Transfer-Encoding that is understood is chunked"))
}

/// The gateway's own response to a request that reaches no surface; its connection is closed.
fn refused(version: Version, status: StatusCode, why: &'static str, in_flight: InFlight) -> Response<Payload> {
    tracing::info!(target: "conclave::request", status = status.as_u16(), why, "the gateway refused the request");
    let text = serde_json::json!({ "error": "refused", "message": why }).to_string();
    let mut answer = Response::new(Payload::new(Body::from(text), Some(in_flight)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if version <= Version::HTTP_11 {
        // its body is not read, so what follows must not be taken for a request
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The client's own request id if it is valid, otherwise a new one of 16 hexadecimal digits.
fn request_id(parts: &Parts) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        let id = id.as_bytes();
        (1..=64).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    let given = parts.headers.get(&REQUEST_ID).filter(plain);
    given.cloned().unwrap_or_else(|| new_id(rand::random()))
}

/// A number as 16 hexadecimal digits.
pub(crate) fn new_id(number: u64) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = number.to_be_bytes();
    let digits: [u8; 16] = std::array::from_fn(|at| {
        let pair = bytes[at / 2];
        DIGITS[usize::from(if at % 2 == 0 { pair >> 4 } else { pair & 15 })]
    });
    // hexadecimal digits are valid in a header
    HeaderValue::from_bytes(&digits).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

/// A request id as text.
pub(crate) fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}
