//! A copy of each message after its delivery.

use std::borrow::Cow;

use conclave_core::event::Event;
use conclave_core::model::{GroupId, MessageId, Millis};
use conclave_core::ports::Groups;
use conclave_core::refusal::Refusal;
use conclave_kit::{Notice, message_of};
use serde::Serialize;
use serde_json::{Value, json};

use super::{App, HOST, notice};
use crate::dialect::message;

/// The vendor's name, the value of `eventType`.
const NAME: &str = "chat";

#[derive(Serialize)]
struct MessageNotification<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    #[serde(rename = "eventType")]
    event_type: &'static str,
    timestamp: Millis,
    chat_type: &'static str,
    group_id: &'a GroupId,
    from: Cow<'a, str>,
    to: &'a GroupId,
    msg_id: &'a MessageId,
    payload: Value,
    #[serde(rename = "securityVersion")]
    security_version: &'static str,
    security: String,
    appkey: &'a str,
    host: &'static str,
}

/// The message of an event. One notification per message, addressed to the group, however many recipients it has.
pub(super) async fn notices(event: &Event, app: &App, groups: &dyn Groups) -> Result<Vec<Notice>, Refusal> {
    let Some(message) = message_of(event, groups).await? else { return Ok(Vec::new()) };
    let call_id = app.call_id(app.id(event, 0));
    let wire = MessageNotification {
        security: app.sign(&call_id, message.at),
        call_id: &call_id,
        event_type: NAME,
        timestamp: message.at,
        chat_type: "groupchat",
        group_id: &message.group,
        from: message::sender(&message),
        to: &message.group,
        msg_id: &message.id,
        payload: json!({ "ext": message::ext(&message), "bodies": [message::body(&message)] }),
        security_version: "1.0.0",
        appkey: &app.key,
        host: HOST,
    };
    Ok(notice(NAME, &wire).into_iter().collect())
}
