//! `msg_read_report` and `read_all_unread_msg`: how far the user has read. Source: the clients' protocol.

use conclave_core::model::GroupId;
use conclave_core::operation::MarkRead;
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    msg_readed_seq: Option<u64>,
    topic_id: Option<String>,
}

/// `msg_read_report`: one group. A mark never moves back.
pub(crate) async fn report(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let sequence = call.required("MsgReadedSeq", request.msg_readed_seq)?;
    if let Some(topic) = call.topic_id(request.topic_id)? {
        // how far topics are read is not kept
        call.topic(&group, &topic).await?;
        return envelope::done();
    }
    mark(call, group, sequence).await?;
    envelope::done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct All {
    group_read_info: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    group_id: Option<String>,
    msg_seq: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    group_read_info_array: Vec<Outcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    group_id: String,
    msg_seq: u64,
    ret_code: u32,
}

/// `read_all_unread_msg`: several groups, each by itself.
pub(crate) async fn report_all(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: All = call.read()?;
    let list = request.group_read_info.unwrap_or_default();
    if list.len() > limits::READ_GROUPS {
        return Err(call.parameter(format!("GroupReadInfo: at most {} groups", limits::READ_GROUPS)));
    }
    let mut group_read_info_array = Vec::with_capacity(list.len());
    for entry in list {
        let (group_id, msg_seq) = (entry.group_id.unwrap_or_default(), entry.msg_seq.unwrap_or_default());
        let marked = match GroupId::new(group_id.as_str()) {
            Ok(group) => mark(call, group, msg_seq).await,
            Err(_) => Err(Code::NoGroup.into()),
        };
        let ret_code = marked.err().map_or(0, |failure| failure.number());
        group_read_info_array.push(Outcome { group_id, msg_seq, ret_code });
    }
    envelope::with(&Wire { group_read_info_array })
}

async fn mark(call: &Call<'_>, group: GroupId, sequence: u64) -> Result<(), Failure> {
    let user = call.signed_in()?.clone();
    match call.attempt(None, MarkRead { group, user, sequence }).await {
        Ok(()) => Ok(()),
        // whoever is not in the group does nothing in it
        Err(Refusal::NotMembers { .. }) => Err(Code::NoPermission.into()),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
