//! The HTTP client for apps' servers.
//!
//! Names are resolved here, the addresses are checked, and only permitted ones are connected to: nothing is resolved
//! again between the check and the connection. Redirects are not followed, the environment's proxies are not used, and
//! no more than [`ANSWER`] bytes of a response are read.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use conclave_kit::{Post, PostError, Question, Webhooks};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use super::guard::is_public;
use crate::traces::Trace;

/// Most bytes of a response that are read.
pub(crate) const ANSWER: usize = 64 << 10;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_mins(1);

/// Characters that need no escaping in a query's value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const AGENT: HeaderValue = HeaderValue::from_static(concat!("conclave/", env!("CARGO_PKG_VERSION")));

type Inner = legacy::Client<HttpsConnector<Connector>, Full<Bytes>>;

/// The client of the whole process; connections are kept and shared.
pub(crate) struct Client {
    /// For destinations with public addresses only.
    public: Inner,
    /// For destinations with any address.
    any: Inner,
}

/// One request.
#[derive(Clone)]
pub(crate) struct OutgoingRequest {
    /// The URL.
    pub(crate) url: String,
    /// Pairs for the query, not yet encoded.
    pub(crate) query: Vec<(&'static str, String)>,
    /// Headers.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Timeout, until the whole response is read.
    pub(crate) timeout: Duration,
    /// Whether the URL may resolve to an address that is not public.
    pub(crate) allow_private: bool,
}

/// A response.
#[derive(Debug)]
pub(crate) struct ReceiverResponse {
    pub(crate) status: StatusCode,
    /// Its body, up to the limit.
    pub(crate) body: Bytes,
    /// Whether the body was longer.
    pub(crate) cut: bool,
}

impl Client {
    /// Trusts the system's certificates.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let config = trust()?;
        let client = |allow_private| {
            let connector = HttpsConnectorBuilder::new()
                .with_tls_config(config.clone())
                .https_or_http()
                .enable_http1()
                .wrap_connector(Connector { allow_private });
            legacy::Client::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE)
                .pool_timer(TokioTimer::new())
                .build(connector)
        };
        Ok(Self { public: client(false), any: client(true) })
    }

    /// Sends one request and reads its response.
    pub(crate) async fn send(&self, outgoing: OutgoingRequest) -> Result<ReceiverResponse, PostError> {
        let timeout = outgoing.timeout;
        tokio::time::timeout(timeout, self.exchange(outgoing)).await.unwrap_or(Err(PostError::TimedOut))
    }

    /// Sends a webhook once, as this span.
    pub(super) async fn deliver(
        &self,
        mut outgoing: OutgoingRequest,
        webhooks: &dyn Webhooks,
        trace: Trace,
    ) -> Result<ReceiverResponse, PostError> {
        trace.inject(&mut outgoing.headers);
        let answer = self.send(outgoing).await;
        match &answer {
            Ok(answer) => {
                trace.finish_sent(Ok(answer.status.as_u16()), webhooks.is_accepted(answer.status, &answer.body));
            }
            Err(error) => trace.finish_sent(Err(error), false),
        }
        answer
    }

    async fn exchange(&self, outgoing: OutgoingRequest) -> Result<ReceiverResponse, PostError> {
        let uri = uri(&outgoing.url, &outgoing.query)?;
        let mut request = Request::new(Full::new(outgoing.body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = outgoing.headers;
        request.headers_mut().insert(USER_AGENT, AGENT);
        let client = if outgoing.allow_private { &self.any } else { &self.public };
        let answer = client.request(request).await.map_err(|error| why(&error))?;
        let status = answer.status();
        let (mut body, mut read) = (answer.into_body(), BytesMut::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| PostError::Failed(format!("the response ended early: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            let room = ANSWER - read.len();
            read.extend_from_slice(data.get(..room).unwrap_or(&data));
            if data.len() > room {
                return Ok(ReceiverResponse { status, body: read.freeze(), cut: true });
            }
        }
        Ok(ReceiverResponse { status, body: read.freeze(), cut: false })
    }
}

#[async_trait]
impl Post for Client {
    async fn post(&self, question: Question) -> Result<(StatusCode, Bytes), PostError> {
        let Question { url, query, body, timeout, allow_private } = question;
        let json = HeaderValue::from_static("application/json");
        let trace = Trace::of_question(&url);
        let mut headers = [(CONTENT_TYPE, json)].into_iter().collect();
        trace.inject(&mut headers);
        let answer = self.send(OutgoingRequest { url, query, headers, body, timeout, allow_private }).await;
        match &answer {
            Ok(answer) => trace.finish_sent(Ok(answer.status.as_u16()), answer.status.is_success()),
            Err(error) => trace.finish_sent(Err(error), false),
        }
        let answer = answer?;
        if answer.cut {
            return Err(PostError::Failed(format!("the answer is longer than {ANSWER} bytes")));
        }
        Ok((answer.status, answer.body))
    }
}

/// The URL with more pairs in its query.
fn uri(url: &str, query: &[(&'static str, String)]) -> Result<Uri, PostError> {
    let mut whole = url.split('#').next().unwrap_or_default().to_owned();
    for (key, value) in query {
        whole.push(if whole.contains('?') { '&' } else { '?' });
        whole.push_str(key);
        whole.push('=');
        whole.extend(utf8_percent_encode(value, PLAIN));
    }
    whole.parse().map_err(|error| PostError::Failed(format!("the url cannot be used: {error}")))
}

/// Why there was no response, from the most specific error.
fn why(error: &legacy::Error) -> PostError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(Private(host)) = error.downcast_ref() {
            return PostError::Private(host.clone());
        }
        text = format!("{text}: {error}");
        cause = error.source();
    }
    PostError::Failed(text)
}

/// The system's trusted certificates, or those in `SSL_CERT_FILE` or `SSL_CERT_DIR`.
fn trust() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = || ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    match builder()?.with_native_roots() {
        Ok(builder) => Ok(builder.with_no_client_auth()),
        Err(error) => {
            tracing::warn!(
                %error,
                "no certificates to trust: webhooks over https will fail; install ca-certificates or set SSL_CERT_FILE"
            );
            Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        }
    }
}

/// The host has no public address.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a public address")]
struct Private(String);

/// Connects to addresses that passed the guard, and to no others.
#[derive(Debug, Clone)]
struct Connector {
    allow_private: bool,
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, Box<dyn Error + Send + Sync>> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let mut addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((host, port)).await?.collect(),
        };
        if !self.allow_private {
            addresses.retain(|address| is_public(address.ip()));
            if addresses.is_empty() {
                return Err(Private(host.to_owned()).into());
            }
        }
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(TokioIo::new(stream));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed.into())
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn pairs_join_the_query() {
        let of = |url: &str| uri(url, &[("a", "1 & 2".to_owned()), ("b", "x/é".to_owned())]).unwrap().to_string();
        assert_eq!(of("http://h/p"), "http://h/p?a=1%20%26%202&b=x%2F%C3%A9");
        assert_eq!(of("https://h/p?q=1#f"), "https://h/p?q=1&a=1%20%26%202&b=x%2F%C3%A9");
        assert!(uri("http://h h/", &[]).is_err());
    }

    #[tokio::test]
    async fn no_spelling_of_this_machine_is_asked() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = Client::new().unwrap();
        let hosts = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"];
        for host in hosts {
            let question = Question {
                url: format!("http://{host}:{port}/"),
                query: Vec::new(),
                body: Bytes::new(),
                timeout: Duration::from_secs(5),
                allow_private: false,
            };
            let refused = client.post(question).await.unwrap_err();
            // a system may not know a spelling at all
            assert!(!matches!(refused, PostError::TimedOut), "{host}: {refused}");
            if ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"].contains(&host) {
                assert!(matches!(refused, PostError::Private(_)), "{host}: {refused}");
            }
        }
        assert!(listener.accept().is_err(), "somebody connected");
    }
}
