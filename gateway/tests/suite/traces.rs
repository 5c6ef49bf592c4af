//! OpenTelemetry traces, received by a collector of the test's own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::client::{Client, ask, request};
use crate::process::{Served, conclave};

/// How long spans are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A span as received.
#[derive(Debug, Clone)]
struct Received {
    span: Span,
    service: String,
    attributes: BTreeMap<String, String>,
}

impl Received {
    fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str)
    }

    fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }
}

/// An id as `traceparent` spells it.
fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Receives requests of any path: a collector, and an app's server.
struct Server {
    at: SocketAddr,
    requests: UnboundedReceiver<(String, http::HeaderMap, Bytes)>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (sender, requests) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                let serve = service_fn(move |request| receive(request, sender.clone()));
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), serve));
            }
        });
        Self { at, requests }
    }

    async fn next(&mut self) -> (String, http::HeaderMap, Bytes) {
        tokio::time::timeout(PATIENCE, self.requests.recv()).await.expect("nothing was received").unwrap()
    }

    /// The spans received until there is one of each of these names.
    async fn spans(&mut self, names: &[&str]) -> Vec<Received> {
        let mut spans: Vec<Received> = Vec::new();
        while !names.iter().all(|name| spans.iter().any(|span| span.span.name == *name)) {
            let next = tokio::time::timeout(PATIENCE, self.requests.recv()).await;
            let (path, headers, body) = next.unwrap_or_else(|_| panic!("{names:?} are not all in {spans:#?}")).unwrap();
            assert_eq!(path, "/v1/traces");
            assert_eq!(headers["content-type"], "application/x-protobuf");
            assert_eq!(headers["x-api-key"], "k1");
            spans.extend(decoded(&body));
        }
        spans
    }
}

async fn receive(
    request: Request<Incoming>,
    sender: UnboundedSender<(String, http::HeaderMap, Bytes)>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    if let Ok(body) = body.collect().await {
        let _the_test_has_ended = sender.send((parts.uri.path().to_owned(), parts.headers, body.to_bytes()));
    }
    Ok(Response::new(Empty::new()))
}

fn decoded(body: &[u8]) -> Vec<Received> {
    let mut found = Vec::new();
    for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let about = attributes(&resource.resource.unwrap_or_default().attributes);
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        found.extend(spans.map(|span| Received {
            attributes: attributes(&span.attributes),
            service: about["service.name"].clone(),
            span,
        }));
    }
    found
}

fn attributes(pairs: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let of = |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| {
        Some((pair.key.clone(), text(pair.value.as_ref()?.value.as_ref()?)))
    };
    pairs.iter().filter_map(of).collect()
}

fn traced(endpoint: SocketAddr) -> std::process::Command {
    let mut command = conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]);
    command
        .env("CONCLAVE_TRACES_ENDPOINT", format!("http://{endpoint}"))
        .env("CONCLAVE_TRACES_SERVICE", "chat")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=k1")
        .env("OTEL_BSP_SCHEDULE_DELAY", "50");
    command
}

/// sha1 of the development secret, "1" and "2".
const SIGNED: [&str; 5] = [
    "App-Key: conclavedev00",
    "Nonce: 1",
    "Timestamp: 2",
    "Signature: 3b3132edab86049ff1f16c4ebe76b8ad91b4ab40",
    "Content-Type: application/x-www-form-urlencoded",
];

async fn create(at: SocketAddr, group: &str, headers: &[&str]) {
    let headers = [&SIGNED[..], headers].concat();
    let form = format!("groupId={group}&name=n&owner=o");
    let made = ask(at, "POST", "/rong/entrust/group/create.json", &headers, &form).await;
    assert_eq!(made.status, 200, "{}", made.body);
}

#[tokio::test]
async fn requests_calls_and_webhooks_are_traced() {
    let mut collector = Server::start().await;
    let mut app = Server::start().await;
    let mut command = traced(collector.at);
    command
        .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_URL", format!("http://{}/hook", app.at))
        .env("CONCLAVE_REALM_DEV_RONG_WEBHOOKS_ALLOW_PRIVATE", "true");
    let served = Served::start(command);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("traceparent: 00-{trace}-b7ad6b7169203331-01");
    create(served.at, "g1", &[&parent, "X-Request-ID: one"]).await;
    // a caller who does not trace is not traced; something that is no traceparent begins a trace
    create(served.at, "g2", &[&format!("traceparent: 00-{}-b7ad6b7169203331-00", trace.replace('0', "1"))]).await;
    create(served.at, "g3", &["traceparent: 00-nonsense", "X-Request-ID: three"]).await;
    let path = "/tencent/v4/group_open_http_svc/create_group?usersig=bad&sdkappid=1400000000&identifier=administrator";
    let refused = ask(served.at, "POST", path, &[], "{}").await;
    assert_eq!(refused.status, 200);
    // the token of a client that connects is checked by a call
    let upgrade = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let mut client = Client::connect(served.at).await;
    let path = "/rong/websocket?appId=conclavedev00&token=hidden-token&apiVer=browser%7CChrome%7C1";
    client.say(request("GET", path, &upgrade, "")).await;
    assert_eq!(client.answer().await.status, 101);
    tokio::io::AsyncReadExt::read_u8(&mut client.0).await.unwrap();
    let (_, hook, _) = app.next().await;
    // what waits is sent before the process ends
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
    let spans = collector.spans(&["rong connect", "tencent create_group", "rong webhook group operation"]).await;
    let of = |id: &str| spans.iter().find(|span| span.attribute("conclave.request_id") == Some(id)).unwrap();

    let first = of("one");
    assert_eq!((first.trace().as_str(), first.parent().as_str()), (trace, "b7ad6b7169203331"));
    assert_eq!(first.service, "chat");
    assert_eq!(first.span.kind, 2, "a server's");
    let expected = [
        ("conclave.vendor", "rong"),
        ("conclave.realm", "dev"),
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("url.path", "/rong/entrust/group/create.json"),
        ("client.address", "127.0.0.1"),
    ];
    for (key, value) in expected {
        assert_eq!(first.attribute(key), Some(value), "{key} of {first:?}");
    }
    assert_eq!(first.attribute("conclave.code"), None);
    assert!(first.span.end_time_unix_nano >= first.span.start_time_unix_nano);
    assert!(of("three").parent().is_empty() && of("three").trace() != trace);
    assert!(spans.iter().all(|span| span.trace() != trace.replace('0', "1")), "a caller said no");

    let refused = spans.iter().find(|span| span.span.name == "tencent create_group").unwrap();
    assert_eq!(refused.attribute("conclave.class"), Some("unauthenticated"));
    assert_eq!(refused.attribute("conclave.code"), Some("70003"), "{refused:?}");
    assert!(refused.span.status.as_ref().is_none_or(|status| status.code == 0), "a refusal is no error of ours");

    let call = spans.iter().find(|span| span.span.name == "rong connect").unwrap();
    assert_eq!(call.attribute("conclave.class"), Some("unauthenticated"), "{call:?}");

    let sent = spans.iter().find(|span| span.span.name == "rong webhook group operation").unwrap();
    assert_eq!((sent.span.kind, sent.attribute("conclave.realm")), (3, Some("dev")), "a client's: {sent:?}");
    assert_eq!(sent.attribute("http.response.status_code"), Some("200"));
    assert!(!hook.contains_key("tracestate"), "there is none");
    let continued = hook["traceparent"].to_str().unwrap();
    assert!(spans.iter().any(|span| continued.contains(&span.trace())), "{continued}");

    for span in &spans {
        let shown = format!("{span:?}");
        for secret in ["hidden-token", "3b3132edab86", "signature="] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
    }
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_nothing_up() {
    // accepts connections, and never reads
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let served = Served::start(traced(silent.local_addr().unwrap()));
    for number in 0..20 {
        create(served.at, &format!("g{number}"), &[]).await;
    }
    let began = Instant::now();
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(log.contains("the last traces could not be sent"), "{log}");
}

#[tokio::test]
async fn a_part_of_all_can_be_traced() {
    let mut collector = Server::start().await;
    let mut command = traced(collector.at);
    command.env("CONCLAVE_TRACES_ONE_IN", "4000000000");
    let served = Served::start(command);
    for number in 0..20 {
        create(served.at, &format!("g{number}"), &[]).await;
    }
    create(served.at, "last", &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]).await;
    served.end();
    let mut spans = Vec::new();
    while spans.is_empty() {
        let (_, _, body) = collector.next().await;
        spans.extend(decoded(&body));
    }
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(spans[0].parent(), "b7ad6b7169203331");
}
