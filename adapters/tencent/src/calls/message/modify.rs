//! `openim/modify_group_msg`: edits a message for all its readers.

use std::collections::BTreeMap;

use conclave_core::operation::ChangeMessage;
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::history::page;
use super::{body, check_beside};
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::message::{self, label};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    msg_seq: Option<u64>,
    msg_body: Option<Vec<Value>>,
    cloud_custom_data: Option<String>,
    topic_id: Option<String>,
    /// Of clients: the version that they have changed. Another one is in conflict.
    msg_version: Option<u32>,
}

pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let sequence = call.required("MsgSeq", request.msg_seq)?;
    if request.msg_body.is_none() && request.cloud_custom_data.is_none() {
        return Err(call.parameter("MsgBody or CloudCustomData is required"));
    }
    check_beside(request.cloud_custom_data.as_deref()).map_err(|failure| own(call, failure))?;
    let mut labels: BTreeMap<String, Option<String>> = BTreeMap::new();
    let body = match request.msg_body {
        None => None,
        Some(elements) => {
            let (body, kept) = body(Some(elements)).map_err(|failure| own(call, failure))?;
            labels.extend(kept.into_iter().map(|(label, value)| (label, Some(value))));
            Some(body)
        }
    };
    labels.extend(request.cloud_custom_data.map(|data| (label::CLOUD_DATA.to_owned(), Some(data))));
    // messages of live rooms are not stored
    if Kind::of(&*call.group(&group).await?) == Kind::AvChatRoom {
        return Err(Code::NoPermission.into());
    }
    let topic = call.topic_id(request.topic_id)?;
    let edits = request.msg_version.filter(|_| call.user().is_some());
    let change = ChangeMessage { group: group.clone(), sequence, body, labels, edits };
    let is_conflict = match call.attempt_at(topic.as_ref(), change).await {
        Ok(_) => false,
        Err(Refusal::VersionConflict { .. }) => true,
        Err(refusal) => return Err(call.failure(&refusal)),
    };
    if call.user().is_none() {
        return envelope::done_saying("succeed");
    }
    // clients put what the response says in place of what they have
    let now = page(call, group, topic, Some(sequence), 1).await?.messages();
    let now = now.first().filter(|message| message.sequence == sequence).map(|message| Changed {
        msg_version: message.traits.edits,
        msg_body: message::elements(message),
        cloud_custom_data: message.labels.get(label::CLOUD_DATA).cloned().unwrap_or_default(),
    });
    match now {
        Some(now) if is_conflict => Err(Failure::from(Code::EditConflict).with(json!(now))),
        Some(now) => envelope::with(&now),
        None if is_conflict => Err(Code::NoMessage.into()),
        None => envelope::done(),
    }
}

/// A message as its sender's client has it from now on.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changed {
    msg_version: u32,
    msg_body: Value,
    cloud_custom_data: String,
}

/// This service's error code for invalid elements.
fn own(call: &Call<'_>, failure: Failure) -> Failure {
    match failure.code {
        Code::TextTooLong => Code::MessageTooLong.into(),
        _ => call.parameter(failure.text),
    }
}
