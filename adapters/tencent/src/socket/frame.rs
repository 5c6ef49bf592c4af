//! Requests, replies and pushes as bytes: one JSON object in each frame.

use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) head: Head,
    /// The JSON of `body`; `{}` when there is none.
    pub(super) body: Bytes,
}

/// The head of a request. Clients send more fields.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Head {
    /// `service.command`.
    pub(crate) servcmd: String,
    /// The client's number of the request, returned unchanged.
    pub(crate) seq: Number,
    /// The key of a signed-in client.
    #[serde(default, deserialize_with = "text")]
    pub(crate) a2: String,
    /// The user's number.
    #[serde(default, deserialize_with = "text")]
    pub(crate) tinyid: String,
    /// Before signing in: the user.
    #[serde(default, deserialize_with = "text")]
    pub(crate) identifier: String,
    /// Before signing in: the signature.
    #[serde(default, deserialize_with = "text")]
    pub(crate) usersig: String,
}

impl Head {
    /// The head of an HTTP request of a signed-in client.
    pub(crate) fn of_query(a2: &str, tinyid: &str) -> Self {
        Self {
            servcmd: String::new(),
            seq: Number::from(0),
            a2: a2.to_owned(),
            tinyid: tinyid.to_owned(),
            identifier: String::new(),
            usersig: String::new(),
        }
    }
}

#[derive(Deserialize)]
struct RequestFrame {
    head: Head,
    body: Option<Value>,
}

/// Most characters of `servcmd`.
const LONGEST_COMMAND: usize = 128;

impl Request {
    /// Decodes a frame. `None` for one that cannot be answered: not JSON, or without a command and a number.
    pub(super) fn decode(frame: &[u8]) -> Option<Self> {
        let RequestFrame { head, body } = serde_json::from_slice(frame).ok()?;
        if head.servcmd.len() > LONGEST_COMMAND {
            return None;
        }
        let body = match body {
            None => Bytes::from_static(b"{}"),
            Some(body) => serde_json::to_vec(&body).ok()?.into(),
        };
        Some(Self { head, body })
    }
}

/// A text; another type counts as missing.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Any;

    impl<'de> Visitor<'de> for Any {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_bool<E>(self, _: bool) -> Result<String, E> {
            Ok(String::new())
        }

        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_i64<E>(self, _: i64) -> Result<String, E> {
            Ok(String::new())
        }

        fn visit_f64<E>(self, _: f64) -> Result<String, E> {
            Ok(String::new())
        }

        fn visit_unit<E>(self) -> Result<String, E> {
            Ok(String::new())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<String, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(String::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<String, A::Error> {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(String::new())
        }
    }

    deserializer.deserialize_any(Any)
}

#[derive(Serialize)]
struct AnswerHead<'h> {
    ver: &'static str,
    servcmd: &'h str,
    seq: &'h Number,
}

/// The version of the envelope.
const VERSION: &str = "v4";

/// The reply to a request: its head unchanged, and this body, a JSON object.
pub(super) fn answer(head: &Head, body: &[u8]) -> Bytes {
    let head = AnswerHead { ver: VERSION, servcmd: &head.servcmd, seq: &head.seq };
    enclose(&serde_json::to_vec(&head).unwrap_or_default(), &[body])
}

/// The command of pushes about groups.
const PUSH: &str = "im_open_push.msg_push";

/// What follows the entry of a push without a cookie.
const NO_COOKIE: &str = r#"],"NeedAck":0,"SessionData":""}"#;
/// How many bytes follow the entry of a push without a cookie: those, and the brace of the envelope.
pub(super) const AFTER_ENTRIES: usize = NO_COOKIE.len() + 1;

/// A push: one entry of `EventArray`, in parts. The number is arbitrary.
///
/// A client confirms a push with a cookie by sending the cookie back.
pub(super) fn push(number: u64, entry: &[&[u8]], cookie: Option<&str>) -> Bytes {
    let head = AnswerHead { ver: VERSION, servcmd: PUSH, seq: &Number::from(number & 0x7fff_ffff) };
    let head = serde_json::to_vec(&head).unwrap_or_default();
    let mut pieces: Vec<&[u8]> = Vec::with_capacity(entry.len() + 2);
    pieces.push(br#"{"EventArray":["#);
    pieces.extend_from_slice(entry);
    let cookie = match cookie {
        None => NO_COOKIE.to_owned(),
        Some(cookie) => format!(r#"],"NeedAck":1,"SessionData":"{cookie}"}}"#),
    };
    pieces.push(cookie.as_bytes());
    enclose(&head, &pieces)
}

/// The response to a poll: these entries of `EventArray`, as a JSON array.
pub(super) fn polled(entries: &[u8]) -> Bytes {
    let mut body = BytesMut::with_capacity(entries.len() + 80);
    body.put_slice(br#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"EventArray":"#);
    body.put_slice(entries);
    body.put_slice(b"}");
    body.freeze()
}

/// A push of another command, with this body.
pub(super) fn order(servcmd: &str, body: &[u8]) -> Bytes {
    let head = AnswerHead { ver: VERSION, servcmd, seq: &Number::from(0) };
    enclose(&serde_json::to_vec(&head).unwrap_or_default(), &[body])
}

/// The command of pushes about the connection itself.
pub(super) const OFFLINE: &str = "im_open_status.stat_forceoffline";
/// Makes clients sign in again.
pub(super) const SIGN_IN_AGAIN: &str = "StatSvc.KickOther";

/// What a compressed frame begins with, before a gzip stream.
const COMPRESSED: &[u8] = b"COMP";
/// Shorter frames are sent as they are: compressed they are hardly shorter.
const WORTH_COMPRESSING: usize = 1024;

/// The frame for a client that takes compressed ones: compressed where that makes it shorter.
pub(super) fn compressed(frame: Bytes) -> Bytes {
    if frame.len() < WORTH_COMPRESSING {
        return frame;
    }
    let mut stream = GzEncoder::new(COMPRESSED.to_vec(), Compression::fast());
    match stream.write_all(&frame).and_then(|()| stream.finish()) {
        Ok(shorter) if shorter.len() < frame.len() => shorter.into(),
        Ok(_) | Err(_) => frame,
    }
}

fn enclose(head: &[u8], body: &[&[u8]]) -> Bytes {
    let length: usize = body.iter().map(|piece| piece.len()).sum();
    let mut frame = BytesMut::with_capacity(head.len() + length + 20);
    frame.put_slice(br#"{"head":"#);
    frame.put_slice(head);
    frame.put_slice(br#","body":"#);
    for piece in body {
        frame.put_slice(piece);
    }
    frame.put_slice(b"}");
    frame.freeze()
}
