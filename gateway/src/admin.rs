//! The admin listener: metrics, health, and what clients sent that nobody read.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use conclave_kit::Body;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::metrics::Metrics;
use crate::payload::Payload;
use crate::readiness::Readiness;

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Answers on the admin listener as long as the process is there.
pub(crate) async fn run(listener: TcpListener, metrics: Arc<Metrics>, readiness: Arc<Readiness>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (metrics, readiness) = (Arc::clone(&metrics), Arc::clone(&readiness));
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let answer = answer(&request, &metrics, &readiness);
                async { Ok::<_, Infallible>(answer) }
            });
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_mins(1));
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection to the admin listener broke");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics, readiness: &Readiness) -> Response<Payload> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is answered here\n");
    }
    match request.uri().path() {
        "/metrics" => {
            readiness.measure(metrics);
            match metrics.text() {
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

fn respond(status: StatusCode, kind: HeaderValue, text: impl Into<bytes::Bytes>) -> Response<Payload> {
    let mut answer = Response::new(Payload::new(Body::Whole(text.into()), None));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
