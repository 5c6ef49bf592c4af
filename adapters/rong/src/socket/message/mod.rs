//! Maps messages between their neutral form and the client protocol.
//!
//! Fields that the core does not have are stored with a message under `rong.<field>`, as for messages of the server
//! API.

pub(crate) mod conversations;
mod expansion;
pub(crate) mod history;
pub(crate) mod modify;
pub(crate) mod recall;
pub(crate) mod receipts;
pub(crate) mod send;

use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{Labels, Message, Sender, UserId};
use conclave_core::ports::GroupsExt;
use conclave_core::query::MessageExtensions;
use conclave_core::refusal::Refusal;
use serde_json::{Value, json};

use super::call::millis;
use super::wire::{DownStreamMessage, GROUP, PushExtra, ReferenceData, UpStreamMessage};
use crate::dialect::events::Extended;
use crate::dialect::message;
use crate::realm::App;

/// The flags a client sends with a message.
mod flag {
    pub(super) const PERSISTED: i32 = 1;
    pub(super) const COUNTED: i32 = 2;
    pub(super) const MENTIONS: i32 = 4;
    pub(super) const SILENT: i32 = 32;
    pub(super) const EXPANDABLE: i32 = 64;
}

/// The options a client sends with a message.
mod option {
    /// Not the conversation's last message.
    pub(super) const NOT_LAST: i64 = 1;
    /// The sender asks for read receipts.
    pub(super) const RECEIPTS: i64 = 2;
}

/// The flag of messages that are not stored.
const PASSING: i64 = 64;
/// The flag of messages that were edited.
const MODIFIED: i64 = 4;
/// The prefix of tokens made of a client's numbers.
const TOKEN: &str = "rong:";

/// The label of a field.
fn label(field: &str) -> String {
    format!("rong.{field}")
}

fn text(labels: &Labels, field: &str) -> Option<String> {
    labels.get(&label(field)).cloned()
}

fn number<N: std::str::FromStr>(labels: &Labels, field: &str) -> Option<N> {
    labels.get(&label(field)).and_then(|text| text.parse().ok())
}

/// The flags of a message, as its sender's client would have sent them.
fn flags(message: &Message) -> i32 {
    let is = |field: &str, value: &str| message.labels.get(&label(field)).is_some_and(|text| text == value);
    let kept = number::<i32>(&message.labels, "session");
    let own = kept.unwrap_or_else(|| {
        let persisted = if is("isPersisted", "0") { 0 } else { flag::PERSISTED };
        let expandable = if is("expansion", "true") { flag::EXPANDABLE } else { 0 };
        persisted | expandable
    });
    let own = own & (flag::PERSISTED | flag::SILENT | flag::EXPANDABLE);
    let counted = if message.counted { flag::COUNTED } else { 0 };
    let mentions = if message.mention.is_some() { flag::MENTIONS } else { 0 };
    own | counted | mentions
}

/// Whether a message is in the history.
fn is_persisted(message: &Message) -> bool {
    flags(message) & flag::PERSISTED != 0
}

/// The same flags, in the numbers of outgoing messages.
fn status(flags: i32) -> i64 {
    let rows = [
        (flag::PERSISTED, 16),
        (flag::COUNTED, 32),
        (flag::MENTIONS, 64),
        (flag::SILENT, 512),
        (flag::EXPANDABLE, 1024),
    ];
    rows.into_iter().filter(|(flag, _)| flags & flag != 0).map(|(_, bit)| bit).sum()
}

/// 1 sent by the reader, 2 received.
fn direction(sender: &Sender, reader: &UserId) -> i32 {
    if matches!(sender, Sender::User(user) if user == reader) { 1 } else { 2 }
}

/// A message for a reader.
pub(crate) fn down(sent: &Message, reader: &UserId) -> DownStreamMessage {
    let (classname, content) = message::object(&sent.body, sent.mention.as_ref(), &sent.labels);
    let labels = &sent.labels;
    DownStreamMessage {
        from_user_id: message::sender(sent),
        kind: GROUP,
        group_id: Some(sent.group.to_string()),
        classname,
        content,
        data_time: millis(sent.at.0),
        status: status(flags(sent)),
        msg_id: Some(message::uid(&sent.id)),
        direction: Some(direction(&sent.sender, reader)),
        client_unique_id: client_id(sent),
        extra_content: expansion(labels),
        push_content: text(labels, "pushContent"),
        config_flag: number(labels, "configFlag"),
        push_ext: push_ext(labels),
        bus_channel: text(labels, "busChannel"),
        // numbers begin at 1: a message without one is not stored
        ext_status: match (sent.sequence, sent.traits.changed) {
            (0, _) => Some(PASSING),
            (_, true) => Some(MODIFIED),
            (_, false) => None,
        },
        to_user_ids: sent.targets.iter().map(ToString::to_string).collect(),
        option_bits: options(sent),
        ref_data: quoted(labels),
    }
}

/// A message as its sender's client sent it, for the sender's other devices.
pub(crate) fn up(sent: &Message) -> UpStreamMessage {
    let (classname, content) = message::object(&sent.body, sent.mention.as_ref(), &sent.labels);
    let labels = &sent.labels;
    UpStreamMessage {
        session_id: flags(sent),
        classname,
        content,
        push_text: text(labels, "pushContent"),
        app_data: text(labels, "pushData"),
        to_user_ids: sent.targets.iter().map(ToString::to_string).collect(),
        config_flag: number(labels, "configFlag"),
        client_unique_id: client_id(sent),
        extra_content: expansion(labels),
        push_ext: push_ext(labels),
        bus_channel: text(labels, "busChannel"),
        option_bits: options(sent),
        ref_data: quoted(labels),
    }
}

/// The notice that a message was recalled, for a reader.
pub(crate) fn recall_notice(gone: &Message, event: &Event, reader: &UserId) -> DownStreamMessage {
    let by = event.actor.behind();
    let (classname, content) = message::recall_object(gone, by);
    DownStreamMessage {
        from_user_id: by.map_or_else(|| message::sender(gone), ToString::to_string),
        kind: GROUP,
        group_id: Some(gone.group.to_string()),
        classname,
        content,
        data_time: millis(event.at.0),
        status: status(flag::PERSISTED),
        msg_id: Some(message::recall_uid(&gone.id)),
        direction: Some(if by == Some(reader) { 1 } else { 2 }),
        ..DownStreamMessage::default()
    }
}

/// The notices that extensions of a message were written and removed, for a reader.
pub(crate) fn extension_notices(
    about: &Message,
    extended: Extended<'_>,
    event: &Event,
    reader: &UserId,
) -> Vec<DownStreamMessage> {
    let by = event.actor.behind();
    message::expansion_objects(about, extended)
        .into_iter()
        .map(|(msg_id, content)| DownStreamMessage {
            from_user_id: by.map_or_else(|| message::SYSTEM.to_owned(), ToString::to_string),
            kind: GROUP,
            group_id: Some(about.group.to_string()),
            classname: message::EXPANSION.to_owned(),
            content,
            data_time: millis(event.at.0),
            status: status(flag::PERSISTED),
            msg_id: Some(msg_id),
            direction: Some(if by == Some(reader) { 1 } else { 2 }),
            ..DownStreamMessage::default()
        })
        .collect()
}

/// Messages of one group with their current extensions, where they permit extensions.
pub(crate) async fn extended(app: &App, mut sent: Vec<Arc<Message>>) -> Result<Vec<Arc<Message>>, Refusal> {
    let takes = |sent: &&mut Arc<Message>| sent.traits.extensible && sent.sequence != 0;
    let wanted: Vec<&mut Arc<Message>> = sent.iter_mut().filter(takes).collect();
    let Some(group) = wanted.first().map(|first| first.group.clone()) else { return Ok(sent) };
    let sequences = wanted.iter().map(|sent| sent.sequence).collect();
    let added = match app.realm.groups.ask(&Actor::app(), MessageExtensions { group, sequences }).await {
        Ok(found) => found.0,
        // the group was deleted since
        Err(Refusal::GroupNotFound { .. }) => return Ok(sent),
        Err(refusal) => return Err(refusal),
    };
    for (sent, added) in wanted.into_iter().zip(added) {
        // a message that was recalled since is shown as it was read
        let Ok(added) = added else { continue };
        let labels = &mut Arc::make_mut(sent).labels;
        match message::extra_content(&added) {
            Some(content) => _ = labels.insert(label("extraContent"), content),
            None => _ = labels.remove(&label("extraContent")),
        }
    }
    Ok(sent)
}

/// The sending client's number of a message.
fn client_id(sent: &Message) -> Option<i64> {
    sent.token.as_deref().and_then(|token| token.strip_prefix(TOKEN)).and_then(|number| number.parse().ok())
}

fn options(sent: &Message) -> Option<i64> {
    let own = || {
        let hidden = if sent.shown_last { 0 } else { option::NOT_LAST };
        let receipts = if sent.traits.receipts { option::RECEIPTS } else { 0 };
        Some(hidden | receipts).filter(|bits| *bits != 0)
    };
    number::<i64>(&sent.labels, "optionBits").or_else(own)
}

/// The extensions of a message: clients have `{"k":{"v":"text"}}`, the server API `{"k":"text"}`.
fn expansion(labels: &Labels) -> Option<String> {
    let kept = text(labels, "extraContent")?;
    let Ok(Value::Object(mut pairs)) = serde_json::from_str(&kept) else { return None };
    for value in pairs.values_mut() {
        if !value.is_object() {
            *value = json!({ "v": value.take() });
        }
    }
    Some(Value::Object(pairs).to_string())
}

/// The push notification: JSON with the server API's fields.
fn push_ext(labels: &Labels) -> Option<PushExtra> {
    let kept: Value = serde_json::from_str(&text(labels, "pushExt")?).ok()?;
    let text = |key: &str| match kept.get(key) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    };
    Some(PushExtra {
        title: text("title"),
        push_id: text("pushId"),
        push_configs: text("pushConfigs"),
        template_id: text("templateId"),
    })
}

fn push_label(push: &PushExtra) -> String {
    json!({
        "title": push.title,
        "pushId": push.push_id,
        "pushConfigs": push.push_configs,
        "templateId": push.template_id,
    })
    .to_string()
}

/// The quoted message: its id, its sender and its type.
fn quoted(labels: &Labels) -> Option<ReferenceData> {
    let kept: [Option<String>; 3] = serde_json::from_str(&text(labels, "quoted")?).ok()?;
    let [msg_id, from_user_id, classname] = kept;
    Some(ReferenceData { msg_id, from_user_id, classname })
}

fn quote_label(quoted: &ReferenceData) -> String {
    json!([quoted.msg_id, quoted.from_user_id, quoted.classname]).to_string()
}
