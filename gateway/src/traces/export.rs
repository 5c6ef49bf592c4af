//! Sends spans to a collector, by OTLP over HTTP.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_http::{HeaderExtractor, HeaderInjector, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::{ON, TARGET, endpoint};
use crate::config::{ConfigError, Traces};
use crate::webhooks::client::{Client, OutgoingRequest};

/// Timeout for one transmission.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stopping process waits for the last spans to be sent.
const LAST: Duration = Duration::from_secs(3);

/// Sends spans from a thread of its own; a bounded number of them waits.
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
    transport: Transport,
}

impl Exporter {
    /// One for these settings, or none when nothing is to be traced.
    pub(crate) fn new(traces: &Traces) -> Result<Option<Self>, ConfigError> {
        let Some(endpoint) = traces.endpoint.as_deref().and_then(endpoint) else { return Ok(None) };
        let transport = Transport::default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(transport.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| ConfigError(format!("traces cannot be started: {error}")))?;
        let ratio = 1.0 / f64::from(traces.one_in.max(1));
        let resource = Resource::builder()
            .with_service_name(traces.service.clone())
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self { provider, transport }))
    }

    /// Turns spans into those of traces, and warnings and errors within them into their events.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let filter =
            filter_fn(|meta| if meta.is_span() { meta.target() == TARGET } else { *meta.level() <= Level::WARN });
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("conclave"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // a warning or error within a request does not say that the request failed
            .with_error_events_to_status(false)
            .with_filter(filter)
    }

    /// Creates and sends spans from now on.
    pub(crate) fn begin(&self, runtime: &Handle) -> Result<(), ConfigError> {
        let client = Client::new().map_err(|error| ConfigError(format!("traces cannot be started: {error}")))?;
        // an exporter begins once
        let _first = self.transport.0.set((runtime.clone(), Arc::new(client)));
        ON.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Creates no more spans, and sends those that wait.
    pub(crate) fn end(self) {
        ON.store(false, Ordering::Relaxed);
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Sends to the collector with the process's own HTTP client, on its runtime.
#[derive(Clone, Default)]
struct Transport(Arc<OnceLock<(Handle, Arc<Client>)>>);

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (runtime, client) = self.0.get().cloned().ok_or("traces have not begun")?;
        let (parts, body) = request.into_parts();
        let outgoing = OutgoingRequest {
            url: parts.uri.to_string(),
            query: Vec::new(),
            headers: parts.headers,
            body,
            timeout: TIMEOUT,
            allow_private: true,
        };
        // the caller is a thread without a runtime
        let received = runtime.spawn(async move { client.send(outgoing).await }).await??;
        let mut response = Response::new(received.body);
        *response.status_mut() = received.status;
        Ok(response)
    }
}

/// Makes a span part of the trace that a request names, if it does.
pub(super) fn follow(span: &Span, headers: &HeaderMap) {
    if !headers.contains_key("traceparent") {
        return;
    }
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    // one that is not valid names no trace
    if parent.span().span_context().is_valid()
        && let Err(error) = span.set_parent(parent)
    {
        tracing::debug!(%error, "a traceparent is not followed");
    }
}

/// Adds the headers by which a receiver continues the trace.
pub(super) fn inject(span: &Span, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&span.context(), &mut HeaderInjector(headers));
    if headers.get("tracestate").is_some_and(HeaderValue::is_empty) {
        headers.remove("tracestate");
    }
}
