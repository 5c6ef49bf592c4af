//! What the listeners for operators have in common: bounded connections, of which idle ones make room for new ones, and the hosts and pages that may call.

mod slots;

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use http::header::{HOST, ORIGIN};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::origin::{bare_host, is_local_name};
use crate::payload::Payload;
pub(crate) use slots::Busy;
use slots::Slots;

/// The host names that a listener accepts. A web page can make its own name resolve to this machine, but not an
/// address or `localhost`, so those are always accepted.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// From the configuration.
    pub(crate) fn of(configured: &[String]) -> Self {
        Self(configured.iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// Whether a request names exactly one accepted host.
    pub(crate) fn knows<B>(&self, request: &Request<B>) -> bool {
        let Some(host) = host(request) else {
            // browsers always send it
            return request.version() < Version::HTTP_11 && request.headers().get(HOST).is_none();
        };
        let bare = bare_host(host);
        let known = self.0.iter().any(|name| *name == bare || name == "*");
        known || is_local_name(&bare) || bare.parse::<IpAddr>().is_ok()
    }
}

/// The host that a request names, if it names exactly one.
fn host<B>(request: &Request<B>) -> Option<&str> {
    let mut named = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let (first, more) = (named.next(), named.next());
    match (request.uri().authority(), first, more) {
        (_, _, Some(_)) => None,
        (Some(authority), _, _) => Some(authority.as_str()),
        (None, first, _) => first,
    }
}

/// Whether a request is from no web page, or from one of the listener itself: its browser names the same host as origin.
pub(crate) fn is_of_own_page<B>(request: &Request<B>) -> bool {
    let mut origins = request.headers().get_all(ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return request.headers().get(ORIGIN).is_none();
    };
    let origin = origin.to_str().unwrap_or_default();
    let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    named.zip(host(request)).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
}

/// How long a connection is served before it is closed after its current request.
const LIFE: Duration = Duration::from_mins(5);
/// How long that request may take then: a client that does not read its response would keep its slot.
const LAST_REQUEST: Duration = Duration::from_mins(2);

/// Serves a listener until the process ends.
pub(crate) async fn serve<F, R>(listener: TcpListener, name: &'static str, connections: usize, answer: F)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Payload>> + Send + 'static,
{
    serve_within(listener, name, connections, (LIFE, LAST_REQUEST), answer).await;
}

async fn serve_within<F, R>(
    listener: TcpListener,
    name: &'static str,
    connections: usize,
    (life, last_request): (Duration, Duration),
    answer: F,
) where
    F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Payload>> + Send + 'static,
{
    let slots = Slots::new(connections);
    // ends with this task, so that no connection outlives the gateway
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let slot = slots.take().await;
        while open.try_join_next().is_some() {}
        let answer = answer.clone();
        open.spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let (answered, busy) = (answer(request), slot.begin());
                async move { Ok::<_, Infallible>(answered.await.map(|body| body.during(busy))) }
            });
            let mut builder = http1::Builder::new();
            // there are few slots for connections, so idle ones are closed soon
            builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(15)).max_buf_size(16 * 1024);
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
            let served = tokio::select! {
                served = timeout(life, connection.as_mut()) => Some(served),
                () = slot.evicted() => None,
            };
            let served = match served {
                Some(Ok(served)) => Some(served),
                Some(Err(_)) => {
                    connection.as_mut().graceful_shutdown();
                    timeout(last_request, connection).await.ok()
                }
                None => {
                    tracing::debug!(listener = name, "an idle connection was closed for a new one");
                    return;
                }
            };
            match served {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::debug!(%error, listener = name, "a connection failed"),
                None => tracing::debug!(listener = name, "a client did not read its response"),
            }
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/v1/realms");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn only_pages_of_the_listener_itself_may_call() {
        assert!(is_of_own_page(&request(&[("host", "127.0.0.1:9091")])));
        assert!(is_of_own_page(&request(&[("host", "127.0.0.1:9091"), ("origin", "http://127.0.0.1:9091")])));
        for origin in ["http://127.0.0.1:9090", "http://localhost:9091", "https://evil.example", "null", ""] {
            let request = request(&[("host", "127.0.0.1:9091"), ("origin", origin)]);
            assert!(!is_of_own_page(&request), "{origin}");
        }
        let twice = request(&[("host", "a"), ("origin", "http://a"), ("origin", "http://evil.example")]);
        assert!(!is_of_own_page(&twice));
    }

    #[test]
    fn one_known_host_is_named() {
        let hosts = Hosts::of(&["Gateway.Example".to_owned()]);
        for host in ["localhost:1", "127.0.0.1", "[::1]:2", "gateway.example:3"] {
            assert!(hosts.knows(&request(&[("host", host)])), "{host}");
        }
        assert!(!hosts.knows(&request(&[("host", "evil.example")])));
        assert!(!hosts.knows(&request(&[("host", "localhost"), ("host", "localhost")])));
        assert!(!hosts.knows(&request(&[])));
    }

    /// Clients that are connected and send nothing, or only part of a request, lose their slots to those that ask.
    #[tokio::test]
    async fn idle_clients_do_not_keep_others_out() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        use tokio::net::TcpStream;

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let limits = (Duration::from_mins(5), Duration::from_mins(5));
        let serving = tokio::spawn(serve_within(listener, "test", 4, limits, |_| async {
            Response::new(Payload::new(conclave_kit::Body::Whole("well".into()), None))
        }));
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut idle = Vec::new();
        for number in 0..40 {
            let mut client = TcpStream::connect(at).await.unwrap();
            if number % 2 == 0 {
                client.write_all(&request[..20]).await.unwrap();
            }
            idle.push(client);
        }
        // sooner than the time that a request's head may take
        let mut kept = TcpStream::connect(at).await.unwrap();
        for _ in 0..2 {
            kept.write_all(request).await.unwrap();
            let mut begin = [0; 12];
            timeout(Duration::from_secs(10), kept.read_exact(&mut begin)).await.unwrap().unwrap();
            assert_eq!(&begin, b"HTTP/1.1 200");
            while !begin.ends_with(b"well") {
                begin.rotate_left(1);
                kept.read_exact(&mut begin[11..]).await.unwrap();
            }
        }
        serving.abort();
    }

    /// A client that stops reading keeps its slot for a limited time.
    #[tokio::test]
    async fn a_client_that_does_not_read_does_not_keep_others_out() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let limits = (Duration::from_millis(200), Duration::from_millis(200));
        let serving = tokio::spawn(serve_within(listener, "test", 1, limits, |_| async {
            // more than the kernel takes
            let body = conclave_kit::Body::Whole(vec![b'x'; 64 << 20].into());
            Response::new(Payload::new(body, None))
        }));
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut silent = tokio::net::TcpStream::connect(at).await.unwrap();
        silent.write_all(request).await.unwrap();
        let mut other = tokio::net::TcpStream::connect(at).await.unwrap();
        other.write_all(request).await.unwrap();
        let mut begin = [0; 12];
        timeout(Duration::from_secs(30), other.read_exact(&mut begin)).await.unwrap().unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200");
        serving.abort();
    }
}
