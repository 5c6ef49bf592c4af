//! The admin listener: metrics, health, and the request fields that no handler read.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use conclave_kit::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::origin::{bare_host, is_local_name};
use crate::payload::Payload;
use crate::readiness::Readiness;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Most connections at once; operators and their tools need few.
const CONNECTIONS: usize = 64;

/// The host names that the admin listener accepts. A web page can make its own name resolve to this machine, but not an
/// address or `localhost`, so those are always accepted.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// From the configuration.
    pub(crate) fn of(configured: &[String]) -> Self {
        Self(configured.iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// Whether a request names exactly one accepted host.
    fn knows<B>(&self, request: &Request<B>) -> bool {
        let mut named = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
        let (first, more) = (named.next(), named.next());
        let host = match (request.uri().authority(), first, more) {
            (_, _, Some(_)) => return false,
            (Some(authority), _, _) => authority.as_str(),
            (None, Some(host), _) => host,
            // browsers always send it
            (None, None, _) => return request.version() < Version::HTTP_11,
        };
        let bare = bare_host(host);
        let known = self.0.iter().any(|name| *name == bare || name == "*");
        known || is_local_name(&bare) || bare.parse::<IpAddr>().is_ok()
    }
}

/// Serves the admin listener until the process ends.
pub(crate) async fn run(listener: TcpListener, hosts: Hosts, metrics: Arc<Metrics>, readiness: Arc<Readiness>) {
    let (hosts, places) = (Arc::new(hosts), Arc::new(Semaphore::new(CONNECTIONS)));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (metrics, readiness, hosts) = (Arc::clone(&metrics), Arc::clone(&readiness), Arc::clone(&hosts));
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|request: Request<Incoming>| {
                let (metrics, readiness, hosts) = (Arc::clone(&metrics), Arc::clone(&readiness), Arc::clone(&hosts));
                async move {
                    Ok::<_, Infallible>(if hosts.knows(&request) {
                        answer(&request, &metrics, &readiness).await
                    } else {
                        respond(StatusCode::FORBIDDEN, TEXT, "this host is not answered here; see admin_hosts\n")
                    })
                }
            });
            let mut builder = http1::Builder::new();
            // there are few slots for connections, so idle ones are closed soon
            builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(15)).max_buf_size(16 * 1024);
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection to the admin listener failed");
            }
        });
    }
}

async fn answer(request: &Request<Incoming>, metrics: &Metrics, readiness: &Readiness) -> Response<Payload> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is answered here\n");
    }
    match request.uri().path() {
        "/metrics" => {
            readiness.measure(metrics);
            metrics.measured.refresh().await;
            match metrics.text() {
                Ok(text) if accepts_gzip(request.headers()) => compressed(&text),
                Ok(text) => respond(StatusCode::OK, OPEN_METRICS, text),
                Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the metrics cannot be written\n"),
            }
        }
        "/unread-fields" => match metrics.unread.json() {
            Ok(text) => respond(StatusCode::OK, JSON, text),
            Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the counts cannot be written\n"),
        },
        "/healthz" => respond(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" => match readiness.trouble() {
            None => {
                let stuck: String = readiness.stuck().into_iter().map(|line| line + "\n").collect();
                respond(StatusCode::OK, TEXT, format!("ready\n{stuck}"))
            }
            Some(trouble) => respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, trouble + "\n"),
        },
        _ => respond(StatusCode::NOT_FOUND, TEXT, "/metrics, /unread-fields, /healthz and /readyz are answered here\n"),
    }
}

/// Whether the client accepts gzip: RFC 9110 section 12.5.3, where a weight of zero refuses it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        is_gzip && weight.is_none_or(|weight| weight > 0.0)
    })
}

fn compressed(text: &str) -> Response<Payload> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    match encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()) {
        Ok(bytes) => {
            let mut answer = respond(StatusCode::OK, OPEN_METRICS, bytes);
            answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            answer
        }
        Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "the metrics cannot be compressed\n"),
    }
}

fn respond(status: StatusCode, kind: HeaderValue, text: impl Into<bytes::Bytes>) -> Response<Payload> {
    let mut answer = Response::new(Payload::new(Body::Whole(text.into()), None));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
