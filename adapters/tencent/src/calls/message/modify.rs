//! `openim/modify_group_msg`: edits a message for all its readers.

use std::collections::BTreeMap;

use conclave_core::operation::ChangeMessage;
use serde::Deserialize;
use serde_json::Value;

use super::{body, check_beside};
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::message::label;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    msg_seq: Option<u64>,
    msg_body: Option<Vec<Value>>,
    cloud_custom_data: Option<String>,
    topic_id: Option<String>,
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
    call.run_at(topic.as_ref(), ChangeMessage { group, sequence, body, labels }).await?;
    envelope::done_saying("succeed")
}

/// This service's error code for invalid elements.
fn own(call: &Call<'_>, failure: Failure) -> Failure {
    match failure.code {
        Code::TextTooLong => Code::MessageTooLong.into(),
        _ => call.parameter(failure.text),
    }
}
