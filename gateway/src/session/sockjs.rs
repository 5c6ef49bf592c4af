//! `SockJS`: frames over a WebSocket, or in HTTP requests where those are blocked.
//!
//! Implements sockjs-protocol 0.3.3: `info`, `websocket` (with and without framing), `xhr_streaming`, `eventsource` and
//! `xhr`, with `xhr_send`. The transports of browsers without cross-origin requests (`htmlfile`, `jsonp`, iframes) are
//! not offered: clients try the next one.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use conclave_kit::{Body, Endpoint, Frame, OutFrame};
use futures_util::stream::unfold;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::driver::Link;
use super::http::{Carrier, open};
use super::polled::{Key, Received, Receiver};
use crate::activity::InFlight;
use crate::payload::{self, Payload};

/// The interval of heartbeats to a receiving client.
const HEARTBEAT: Duration = Duration::from_secs(25);
/// Bytes after which a streaming response ends, and the client sends another request: browsers keep all of it in
/// memory.
const STREAM_BYTES: usize = 128 * 1024;
/// Most frames in one message.
const AT_ONCE: usize = 64;

/// The close frame for a connection that this side has closed.
pub(super) const GO_AWAY: &str = r#"c[3000,"Go away!"]"#;
/// The close frame when another request of the same session receives.
const STILL_OPEN: &str = r#"c[2010,"Another connection still open"]"#;

/// What a request below an endpoint is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Greeting,
    Info,
    /// A WebSocket without framing.
    RawSocket,
    /// A WebSocket.
    Socket,
    /// A request of a session, by the session's id.
    Session(Kind, String),
}

/// What a request of a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Poll,
    Stream,
    EventSource,
    Send,
}

/// What the rest of a path below an endpoint is for.
pub(super) fn wanted(rest: &[&str]) -> Option<Wanted> {
    match rest {
        [] => Some(Wanted::Greeting),
        ["info"] => Some(Wanted::Info),
        ["websocket"] => Some(Wanted::RawSocket),
        [server, session, kind] => {
            if server.contains('.') || session.contains('.') || session.len() > 128 {
                return None;
            }
            let kind = match *kind {
                "websocket" => return Some(Wanted::Socket),
                "xhr" => Kind::Poll,
                "xhr_streaming" => Kind::Stream,
                "eventsource" => Kind::EventSource,
                "xhr_send" => Kind::Send,
                _ => return None,
            };
            // the server part only serves load balancers
            Some(Wanted::Session(kind, (*session).to_owned()))
        }
        _ => None,
    }
}

/// Responds to a request that is not a WebSocket.
pub(super) async fn answer(
    carrier: Carrier<'_>,
    endpoint: Endpoint,
    wanted: Wanted,
    (parts, body): (Parts, Incoming),
    in_flight: InFlight,
    link: Link,
) -> Response<Payload> {
    let mut answer = match (&parts.method, wanted) {
        (&Method::OPTIONS, _) => preflight(&parts.headers),
        (&Method::GET, Wanted::Greeting) => text(StatusCode::OK, "text/plain; charset=UTF-8", "Welcome to SockJS!\n"),
        (&Method::GET, Wanted::Info) => info(),
        (&Method::GET, Wanted::RawSocket | Wanted::Socket) => {
            text(StatusCode::BAD_REQUEST, "text/plain; charset=UTF-8", "Can \"Upgrade\" only to \"WebSocket\".")
        }
        (&Method::POST, Wanted::Session(Kind::Send, session)) => {
            let key = key(&carrier, endpoint, session);
            send(&carrier, endpoint, &key, &parts, body).await
        }
        (&Method::POST, Wanted::Session(kind @ (Kind::Poll | Kind::Stream), session))
        | (&Method::GET, Wanted::Session(kind @ Kind::EventSource, session)) => {
            let key = key(&carrier, endpoint, session);
            let headers = parts.headers.clone();
            let mut answer = receive(carrier, endpoint, kind, key, parts, in_flight, link).await;
            credentials(answer.headers_mut(), &headers);
            return answer;
        }
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=UTF-8", ""),
    };
    credentials(answer.headers_mut(), &parts.headers);
    answer.map(|body| Payload::new(body, Some(in_flight)))
}

fn key(carrier: &Carrier<'_>, endpoint: Endpoint, session: String) -> Key {
    (carrier.mounted.vendor, endpoint.name, session)
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut answer = Response::new(Body::Whole(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn info() -> Response<Body> {
    let entropy = rand::random::<u32>();
    let info = format!(r#"{{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":{entropy}}}"#);
    let mut answer = text(StatusCode::OK, "application/json; charset=UTF-8", info);
    answer.headers_mut().insert(CACHE_CONTROL, no_cache());
    answer
}

fn no_cache() -> HeaderValue {
    HeaderValue::from_static("no-store, no-cache, no-transform, must-revalidate, max-age=0")
}

fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let allowed = answer.headers_mut();
    allowed.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("OPTIONS, GET, POST"));
    allowed.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    if let Some(asked) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        allowed.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    answer
}

/// Clients send requests with credentials, though there are none: browsers then require the origin by name.
fn credentials(answer: &mut HeaderMap, request: &HeaderMap) {
    let Some(origin) = request.get(ORIGIN).filter(|origin| *origin != "null") else { return };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    answer.insert(VARY, HeaderValue::from_static("Origin"));
}

/// `xhr_send`: frames of the client, for an existing session.
async fn send(
    carrier: &Carrier<'_>,
    endpoint: Endpoint,
    key: &Key,
    parts: &Parts,
    mut body: Incoming,
) -> Response<Body> {
    const PLAIN: &str = "text/plain; charset=UTF-8";
    let refuse = |status, why: &'static str| text(status, PLAIN, why);
    let Ok(body) = payload::frames(&mut body, &parts.headers, carrier.limits, carrier.buffer()).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large.");
    };
    if body.is_empty() {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "Payload expected.");
    }
    let Some(frames) = frames(&body) else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "Broken JSON encoding.");
    };
    if frames.iter().any(|frame| frame.bytes().len() > endpoint.limits.frame_bytes) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large.");
    }
    let Some(session) = carrier.sessions.polled.find(key) else { return refuse(StatusCode::NOT_FOUND, "") };
    match tokio::time::timeout(carrier.limits.request_time(), session.bring(frames)).await {
        Ok(Ok(())) => text(StatusCode::NO_CONTENT, PLAIN, ""),
        Ok(Err(_)) => refuse(StatusCode::NOT_FOUND, ""),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "Busy."),
    }
}

/// The frames of a message from a client: a JSON array of texts, or one text. `None` when it is neither.
pub(super) fn frames(message: &[u8]) -> Option<Vec<Frame>> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Message {
        Many(Vec<String>),
        One(String),
    }
    let texts = match serde_json::from_slice(message).ok()? {
        Message::Many(texts) => texts,
        Message::One(text) => vec![text],
    };
    Some(texts.into_iter().map(Frame::text).collect())
}

/// The message with these frames.
pub(super) fn message(frames: &[OutFrame]) -> String {
    let mut message = String::from("a[");
    for (at, frame) in frames.iter().enumerate() {
        let literal = frame.wrapped(|frame| Bytes::from(literal(frame)));
        if at > 0 {
            message.push(',');
        }
        message.push_str(&String::from_utf8_lossy(&literal));
    }
    message.push(']');
    message
}

/// A frame as a JSON text. Characters that browsers change in transit are escaped, as sockjs-protocol requires.
fn literal(frame: &Frame) -> String {
    let text = String::from_utf8_lossy(frame.bytes());
    let quoted = serde_json::Value::from(&*text).to_string();
    let mut literal = String::with_capacity(quoted.len());
    for character in quoted.chars() {
        match character {
            '\u{70f}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{600}'..='\u{604}'
            | '\u{200c}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{ffff}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}' => {
                let _ = write!(literal, "\\u{:04x}", u32::from(character));
            }
            other => literal.push(other),
        }
    }
    literal
}

/// A receiving request: `xhr`, `xhr_streaming` or `eventsource`.
async fn receive(
    carrier: Carrier<'_>,
    endpoint: Endpoint,
    kind: Kind,
    key: Key,
    parts: Parts,
    in_flight: InFlight,
    link: Link,
) -> Response<Payload> {
    let heartbeat = HEARTBEAT.min(carrier.quiet());
    let (exchange, is_new) = carrier.sessions.polled.find_or_open(&key);
    if is_new && let Err(fault) = open(&carrier, endpoint, &key, &exchange, parts, link) {
        return carrier.mounted.surface.fault(fault).map(|body| Payload::new(body, Some(in_flight)));
    }
    let receiver = exchange.receive();
    if kind == Kind::Poll {
        let message = match receiver {
            None => STILL_OPEN.to_owned(),
            Some(_) if is_new => "o".to_owned(),
            Some(mut receiver) => next(&mut receiver, heartbeat).await.0,
        };
        return in_answer(kind, Body::from(format!("{message}\n")), in_flight);
    }
    let prelude = match kind {
        Kind::EventSource => "\r\n".to_owned(),
        _ => "h".repeat(2048) + "\n",
    };
    let first = match (&receiver, is_new) {
        (None, _) => Some(STILL_OPEN.to_owned()),
        (Some(_), true) => Some("o".to_owned()),
        (Some(_), false) => None,
    };
    let begin = match first {
        Some(first) => prelude + &in_stream(kind, &first),
        None => prelude,
    };
    let stream = Stream { kind, receiver, begin: Some(begin), sent: 0, heartbeat };
    let parts = unfold(stream, |mut stream| async {
        let part = stream.next().await?;
        Some((Ok(Bytes::from(part)), stream))
    });
    in_answer(kind, Body::Stream(Box::pin(parts)), in_flight)
}

fn in_answer(kind: Kind, body: Body, in_flight: InFlight) -> Response<Payload> {
    let mut answer = Response::new(Payload::new(body, Some(in_flight)));
    let content = match kind {
        Kind::EventSource => "text/event-stream",
        _ => "application/javascript; charset=UTF-8",
    };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
    answer.headers_mut().insert(CACHE_CONTROL, no_cache());
    answer
}

/// A message in a streaming response.
fn in_stream(kind: Kind, message: &str) -> String {
    match kind {
        Kind::EventSource => format!("data: {message}\r\n\r\n"),
        _ => format!("{message}\n"),
    }
}

/// The next message for a client, and whether it is the last.
async fn next(receiver: &mut Receiver, heartbeat: Duration) -> (String, bool) {
    match receiver.next(AT_ONCE, Instant::now() + heartbeat).await {
        Received::Frames(frames) => (message(&frames), false),
        Received::Nothing => ("h".to_owned(), false),
        Received::Ended => (GO_AWAY.to_owned(), true),
    }
}

/// A streaming response.
struct Stream {
    kind: Kind,
    /// `None` when the response is to end.
    receiver: Option<Receiver>,
    begin: Option<String>,
    sent: usize,
    heartbeat: Duration,
}

impl Stream {
    async fn next(&mut self) -> Option<String> {
        if let Some(begin) = self.begin.take() {
            return Some(begin);
        }
        let receiver = self.receiver.as_mut()?;
        let (message, is_last) = next(receiver, self.heartbeat).await;
        let part = in_stream(self.kind, &message);
        self.sent += part.len();
        if is_last || self.sent >= STREAM_BYTES {
            self.receiver = None;
        }
        Some(part)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_kit::SharedFrame;

    use super::*;

    #[test]
    fn paths_below_the_base_are_distinguished() {
        assert_eq!(wanted(&[]), Some(Wanted::Greeting));
        assert_eq!(wanted(&["info"]), Some(Wanted::Info));
        assert_eq!(wanted(&["websocket"]), Some(Wanted::RawSocket));
        assert_eq!(wanted(&["000", "abcd", "websocket"]), Some(Wanted::Socket));
        assert_eq!(wanted(&["000", "abcd", "xhr"]), Some(Wanted::Session(Kind::Poll, "abcd".to_owned())));
        for unknown in [&["x"][..], &["a", "b"], &["0.0", "b", "xhr"], &["0", "b", "jsonp"], &["a", "b", "xhr", "c"]] {
            assert_eq!(wanted(unknown), None, "{unknown:?}");
        }
    }

    #[test]
    fn frames_are_texts_in_json() {
        let shared = SharedFrame::new(Frame::text("\u{2028}\"é"));
        let out = [OutFrame::from(Frame::text("a")), OutFrame::from(shared)];
        assert_eq!(message(&out), r#"a["a","\u2028\"é"]"#);
        assert_eq!(frames(br#"["a","b"]"#).unwrap(), [Frame::text("a"), Frame::text("b")]);
        assert_eq!(frames(br#""a""#).unwrap(), [Frame::text("a")]);
        assert_eq!((frames(b"[1]"), frames(b"[\"a\""), frames(b"")), (None, None, None));
    }
}
