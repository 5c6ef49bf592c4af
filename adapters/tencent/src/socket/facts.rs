//! Facts as frames: encoded once for all clients that receive them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::model::UserId;
use conclave_core::refusal::Refusal;
use conclave_kit::{Fact, Frame, OutFrame, SharedFrame};
use serde_json::{Map, Value};

use super::frame;
use super::session::Encoding;
use crate::calls::cookie;
use crate::push::{Addressed, Content, Pushed, pushes};
use crate::realm::App;

/// What a client is sent for an event.
pub(crate) struct TencentFact {
    /// The number of the event.
    number: u64,
    what: What,
}

enum What {
    /// The same frame for all; its bytes are the same in both encodings.
    Whole(Whole),
    /// A notice: `GroupInfo` and the rest of it as JSON objects, without the user it is for.
    Addressed { group_info: Bytes, rest: Bytes, is_kept: bool },
}

/// What is the same for all, in each encoding: made once when the first client of that encoding is to receive it.
struct Whole {
    bytes: Bytes,
    binary: Arc<SharedFrame>,
    text: Arc<SharedFrame>,
    compressed: OnceLock<Arc<SharedFrame>>,
    /// The entry of `EventArray`, and the response to a poll that it makes.
    entry: Bytes,
    polled: OnceLock<Arc<SharedFrame>>,
}

/// What clients are sent for an event.
pub(super) async fn facts(app: &App, event: &Arc<Event>) -> Result<Vec<Fact<TencentFact>>, Refusal> {
    let pushed = pushes(app, event).await?.into_iter();
    Ok(pushed.map(|Pushed { to, content }| fact(event, to, content)).collect())
}

fn fact(event: &Event, to: conclave_kit::Recipients, content: Content) -> Fact<TencentFact> {
    let number = event.sequence;
    let (what, bytes) = match content {
        Content::Whole(entry) => {
            let entry = json(&entry);
            let bytes = frame::push(number, &[&entry], None);
            let length = bytes.len();
            let end = length.saturating_sub(frame::AFTER_ENTRIES);
            let entry = bytes.slice(end.saturating_sub(entry.len())..end);
            let whole = Whole {
                binary: SharedFrame::new(Frame::Binary(bytes.clone())),
                text: SharedFrame::new(Frame::Text(bytes.clone())),
                compressed: OnceLock::new(),
                bytes,
                entry,
                polled: OnceLock::new(),
            };
            (What::Whole(whole), length)
        }
        Content::Addressed(Addressed { group_info, rest }) => {
            let (group_info, rest) = (object(group_info), object(rest));
            let length = group_info.len() + rest.len();
            (What::Addressed { group_info, rest, is_kept: to.members.is_none() }, length)
        }
    };
    Fact::new(to, TencentFact { number, what }).of_bytes(bytes)
}

impl TencentFact {
    /// The number of the event, of a notice that waits for clients that are not connected.
    pub(super) fn kept_notice(&self) -> Option<u64> {
        matches!(self.what, What::Addressed { is_kept: true, .. }).then_some(self.number)
    }

    /// The frame for this user.
    pub(super) fn frame(&self, user: &UserId, encoding: Encoding) -> OutFrame {
        match (&self.what, encoding) {
            (What::Whole(whole), Encoding::Binary) => Arc::clone(&whole.binary).into(),
            (What::Whole(whole), Encoding::Text) => Arc::clone(&whole.text).into(),
            (What::Whole(whole), Encoding::Compressed) => {
                let encode = || SharedFrame::new(Encoding::Compressed.frame(whole.bytes.clone()));
                Arc::clone(whole.compressed.get_or_init(encode)).into()
            }
            (What::Addressed { group_info, rest, .. }, _) => {
                let entry = addressed(user, group_info, rest);
                encoding.frame(frame::push(self.number, &[&entry], Some(&cookie(self.number)))).into()
            }
        }
    }

    /// A poll's response that holds this fact, for this user.
    pub(super) fn polled(&self, user: &UserId) -> OutFrame {
        match &self.what {
            What::Whole(whole) => {
                let encode = || SharedFrame::new(Frame::Text(frame::polled(&[b"[", &whole.entry[..], b"]"].concat())));
                Arc::clone(whole.polled.get_or_init(encode)).into()
            }
            What::Addressed { group_info, rest, .. } => {
                let entry = addressed(user, group_info, rest);
                Frame::Text(frame::polled(&[b"[", &entry[..], b"]"].concat())).into()
            }
        }
    }
}

/// The entry of `EventArray` with a notice for this user.
fn addressed(user: &UserId, group_info: &[u8], rest: &[u8]) -> Vec<u8> {
    // objects without their opening braces
    let (group_info, rest) = (group_info.get(1..).unwrap_or_default(), rest.get(1..).unwrap_or_default());
    let user = serde_json::to_vec(user).unwrap_or_default();
    let parts: [&[u8]; 9] = [
        br#"{"Event":5,"GroupTips":[{"To_Account":"#,
        &user,
        br#","GroupInfo":{"To_Account":"#,
        &user,
        b",",
        group_info,
        b",",
        rest,
        b"]}",
    ];
    parts.concat()
}

fn json(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn object(map: Map<String, Value>) -> Bytes {
    json(&Value::Object(map)).into()
}
