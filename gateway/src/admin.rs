//! The admin listener: metrics, health, and the request fields that no handler read.

use std::io::Write as _;
use std::sync::Arc;

use conclave_kit::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::net::TcpListener;

use crate::metrics::Metrics;
use crate::operators::{self, Hosts};
use crate::payload::Payload;
use crate::readiness::Readiness;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Most connections at once; operators and their tools need few.
const CONNECTIONS: usize = 64;

/// Serves the admin listener until the process ends.
pub(crate) async fn run(listener: TcpListener, hosts: Hosts, metrics: Arc<Metrics>, readiness: Arc<Readiness>) {
    let hosts = Arc::new(hosts);
    operators::serve(listener, "admin", CONNECTIONS, move |request| {
        let (metrics, readiness, hosts) = (Arc::clone(&metrics), Arc::clone(&readiness), Arc::clone(&hosts));
        async move {
            if hosts.knows(&request) {
                answer(&request, &metrics, &readiness).await
            } else {
                respond(StatusCode::FORBIDDEN, TEXT, "this host is not answered here; see admin_hosts\n")
            }
        }
    })
    .await;
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
