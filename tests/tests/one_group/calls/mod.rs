//! How each vendor's client does a step; where only the server API can, that.

mod agora;
mod rong;
mod tencent;

use std::time::{SystemTime, UNIX_EPOCH};

use conclave_tests::vendor::Vendor;
use http::Method;
use serde_json::{Value, json};

use crate::cast::Story;
use crate::steps::{Action, By, SILENT, Step, VENDORS, creator, inviter, member};

/// A call.
pub(crate) enum Call {
    /// Of a method of the acting user's SDK.
    Client { method: &'static str, args: Value },
    /// Of Agora's server API.
    AgoraServer { method: Method, path: String, body: Option<Value> },
    /// Of Tencent's.
    TencentServer { command: &'static str, body: Value },
    /// Of `RongCloud`'s, with a form.
    RongServer { path: &'static str, fields: Vec<(&'static str, String)> },
}

/// A call, or why the vendor has none for the step.
pub(crate) type Means = Result<Call, &'static str>;

#[allow(clippy::unnecessary_wraps, reason = "the answer of most steps")]
fn client(method: &'static str, args: Value) -> Means {
    Ok(Call::Client { method, args })
}

/// How this is done with the acting vendor's means.
pub(crate) fn call(step: &Step, story: &Story) -> Means {
    match story.acting {
        Vendor::Agora => agora::call(step, story),
        Vendor::Tencent => tencent::call(step, story),
        Vendor::Rong => rong::call(step, story),
    }
}

/// The members from the creation on: one of each vendor's clients, and one without a client.
fn first_members() -> Vec<&'static str> {
    VENDORS.into_iter().map(member).chain([SILENT]).collect()
}

/// The time in milliseconds.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
    u64::try_from(now).expect("a time")
}

/// The same object with these fields.
fn with(mut object: Value, more: &Value) -> Value {
    let more = more.as_object().expect("fields").clone();
    object.as_object_mut().expect("an object").extend(more);
    object
}

/// How a client sends a text whose sender wants to know who reads it.
pub(crate) fn asking(vendor: Vendor, group: &str) -> (&'static str, Value) {
    match vendor {
        Vendor::Agora => {
            let config = json!({"allowGroupAck": true});
            let options =
                json!({"chatType": "groupChat", "type": "txt", "to": group, "msg": "read?", "msgConfig": config});
            ("say", json!([options]))
        }
        Vendor::Tencent => ("send", json!(["Text", group, {"text": "read?"}, {"needReadReceipt": true}])),
        Vendor::Rong => {
            let conversation = json!({"conversationType": 3, "targetId": group});
            ("sendMessage", json!([conversation, {"$text": {"content": "read?"}}, {"needReceipt": true}]))
        }
    }
}

/// How a client sends a text, for members of whom it is known that they may not.
pub(crate) fn attempt(vendor: Vendor, group: &str) -> (&'static str, Value) {
    match vendor {
        Vendor::Agora => ("say", json!([{"chatType": "groupChat", "type": "txt", "to": group, "msg": "muted"}])),
        Vendor::Tencent => ("send", json!(["Text", group, {"text": "muted"}])),
        Vendor::Rong => {
            let text = json!({"$text": {"content": "muted"}});
            ("sendMessage", json!([{"conversationType": 3, "targetId": group}, text]))
        }
    }
}

/// What the SDK refuses a call with: its code, if it does.
pub(crate) fn refusal(vendor: Vendor, answer: &Value) -> Option<i64> {
    match vendor {
        Vendor::Agora => answer["refused"]["type"].as_i64(),
        Vendor::Tencent => answer["refused"]["code"].as_i64(),
        Vendor::Rong => answer["code"].as_i64().filter(|code| *code != 0),
    }
}

/// What users are called in the matrix, so that the same step by different vendors' users reads the same.
pub(crate) fn names(step: &Step, acting: Vendor, observer: &'static str) -> Vec<(&'static str, &'static str)> {
    let receiver = (observer, "receiver");
    match (step.action, step.by) {
        (Action::DeclineInvitation(vendor) | Action::AcceptInvitation(vendor), _) => {
            vec![
                receiver,
                (member(acting), "actor"),
                (inviter(vendor, acting), "inviter"),
                (creator(acting), "creator"),
            ]
        }
        (Action::Transfer, _) => vec![(creator(acting), "actor"), (member(acting), "new owner"), receiver],
        (_, By::Member) => vec![receiver, (member(acting), "actor"), (creator(acting), "creator")],
        (_, By::Creator) => vec![receiver, (creator(acting), "actor")],
    }
}
