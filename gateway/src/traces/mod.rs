//! OpenTelemetry traces: a span for each request, each call of a session and each webhook.
//!
//! The binary sends them if it is built with the feature `traces` and `traces.endpoint` is set. Otherwise every
//! [`Trace`] is empty, and nothing is allocated for it.

#[cfg(feature = "traces")]
mod export;
#[cfg(not(feature = "traces"))]
mod without;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use conclave_kit::{ErrorClass, Head, VendorError};
use http::{HeaderMap, Uri};
use tracing::Span;
use tracing::field::Empty;

#[cfg(feature = "traces")]
pub(crate) use export::Exporter;
#[cfg(feature = "traces")]
use export::{follow, inject};
#[cfg(not(feature = "traces"))]
pub(crate) use without::Exporter;
#[cfg(not(feature = "traces"))]
use without::{follow, inject};

use crate::answer::logged_code;

/// The target of every span that is traced.
const TARGET: &str = "conclave::trace";
/// Most bytes of a path in a span: spans wait in memory until they are sent.
const PATH: usize = 256;

/// Whether spans are created.
static ON: AtomicBool = AtomicBool::new(false);

/// The span of one request, call or webhook; empty while nothing is traced.
#[derive(Debug, Clone)]
pub(crate) struct Trace(Span);

impl Trace {
    /// A request for a vendor's surface. It continues the trace that its `traceparent` names.
    pub(crate) fn of_request(vendor: &str, operation: &str, head: &Head, client: IpAddr, id: &str) -> Self {
        if !is_on() {
            return Self(Span::none());
        }
        let path = head.uri.path();
        let span = tracing::info_span!(
            target: TARGET,
            parent: None,
            "request",
            otel.name = format!("{vendor} {operation}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = head.method.as_str(),
            http.response.status_code = Empty,
            url.path = &path[..path.floor_char_boundary(PATH)],
            client.address = %client,
            conclave.request_id = id,
            conclave.vendor = vendor,
            conclave.operation = operation,
            conclave.realm = Empty,
            conclave.code = Empty,
            conclave.class = Empty,
        );
        follow(&span, &head.headers);
        Self(span)
    }

    /// A call over a client's session.
    pub(crate) fn of_call(vendor: &str, operation: &str, id: &str) -> Self {
        if !is_on() {
            return Self(Span::none());
        }
        Self(tracing::info_span!(
            target: TARGET,
            parent: None,
            "call",
            otel.name = format!("{vendor} {operation}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.response.status_code = Empty,
            conclave.request_id = id,
            conclave.vendor = vendor,
            conclave.operation = operation,
            conclave.realm = Empty,
            conclave.code = Empty,
            conclave.class = Empty,
        ))
    }

    /// One attempt to send a webhook: an event's number, and how often it was sent before.
    pub(crate) fn of_webhook(vendor: &str, realm: &str, notice: &str, (event, tries): (Option<u64>, u32)) -> Self {
        if !is_on() {
            return Self(Span::none());
        }
        Self(tracing::info_span!(
            target: TARGET,
            parent: None,
            "webhook",
            otel.name = format!("{vendor} webhook {notice}"),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = "POST",
            http.response.status_code = Empty,
            error.message = Empty,
            conclave.vendor = vendor,
            conclave.operation = notice,
            conclave.realm = realm,
            conclave.event = event,
            conclave.tries = tries,
        ))
    }

    /// A question to an app's server, within the request or call that it is about.
    pub(crate) fn of_question(url: &str) -> Self {
        if !is_on() {
            return Self(Span::none());
        }
        // never the rest of the URL: it may contain secrets
        let uri: Option<Uri> = url.parse().ok();
        Self(tracing::info_span!(
            target: TARGET,
            "question",
            otel.name = "question to the app's server",
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = "POST",
            http.response.status_code = Empty,
            error.message = Empty,
            server.address = uri.as_ref().and_then(Uri::host),
        ))
    }

    pub(crate) fn span(&self) -> &Span {
        &self.0
    }

    /// Whether it is traced.
    pub(crate) fn is_traced(&self) -> bool {
        !self.0.is_disabled()
    }

    /// Adds the headers by which a receiver continues the trace.
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        if self.is_traced() {
            inject(&self.0, headers);
        }
    }

    /// Records the result of a request or call; `status` is `None` when its client disconnected before.
    pub(crate) fn finish(&self, status: Option<u16>, error: Option<VendorError>, realm: Option<&str>) {
        if !self.is_traced() {
            return;
        }
        if let Some(status) = status {
            self.0.record("http.response.status_code", status);
        }
        if let Some(realm) = realm {
            self.0.record("conclave.realm", realm);
        }
        let Some(error) = error else { return };
        match logged_code(Some(error)) {
            (Some(number), _) => _ = self.0.record("conclave.code", number),
            (None, Some(name)) => _ = self.0.record("conclave.code", name),
            (None, None) => {}
        }
        self.0.record("conclave.class", error.class.name());
        // a caller's mistake is not an error of this service
        if error.class == ErrorClass::Failed {
            self.0.record("otel.status_code", "ERROR");
        }
    }

    /// Records the result of a webhook or question: the status of the response, or why there was none.
    pub(crate) fn finish_sent(&self, result: Result<u16, &dyn std::fmt::Display>, is_accepted: bool) {
        if !self.is_traced() {
            return;
        }
        match result {
            Ok(status) => self.0.record("http.response.status_code", status),
            Err(why) => self.0.record("error.message", tracing::field::display(why)),
        };
        if !is_accepted {
            self.0.record("otel.status_code", "ERROR");
        }
    }
}

fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// The URL that traces are sent to; `None` when the setting is not one.
pub(crate) fn endpoint(setting: &str) -> Option<String> {
    let uri: Uri = setting.parse().ok()?;
    let is_plain = matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    let base = setting.trim_end_matches('/');
    is_plain.then(|| if uri.path() == "/" { format!("{base}/v1/traces") } else { setting.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn an_endpoint_without_a_path_gets_the_usual_one() {
        let of = |setting| endpoint(setting);
        assert_eq!(of("http://127.0.0.1:4318").as_deref(), Some("http://127.0.0.1:4318/v1/traces"));
        assert_eq!(of("https://c.example/").as_deref(), Some("https://c.example/v1/traces"));
        assert_eq!(of("https://c.example/otlp/v1/traces").as_deref(), Some("https://c.example/otlp/v1/traces"));
        for wrong in
            ["", "127.0.0.1:4318", "ftp://c.example", "http://", "http://user:password@c.example", "/v1/traces"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
