//! `msg_read_report` and `read_all_unread_msg`: the user's read position. Source: the clients' protocol.

use conclave_core::model::GroupId;
use conclave_core::operation::{MarkRead, OnRefusal};
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
pub(crate) async fn report(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let sequence = call.required("MsgReadedSeq", request.msg_readed_seq)?;
    if let Some(topic) = call.topic_id(request.topic_id)? {
        // read positions in topics are not stored
        call.topic(&group, &topic).await?;
        return envelope::done();
    }
    let user = call.signed_in()?.clone();
    match call.attempt(None, MarkRead { group, user, sequence }).await {
        Ok(()) => envelope::done(),
        Err(refusal) => Err(failure(call, &refusal)),
    }
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
struct ReadMarksResponse {
    group_read_info_array: Vec<ReadMarkOutcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReadMarkOutcome {
    group_id: String,
    msg_seq: u64,
    ret_code: u32,
}

/// `read_all_unread_msg`: several groups, with an outcome for each.
pub(crate) async fn report_all(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: All = call.read()?;
    let list = request.group_read_info.unwrap_or_default();
    if list.len() > limits::READ_GROUPS {
        return Err(call.parameter(format!("GroupReadInfo: at most {} groups", limits::READ_GROUPS)));
    }
    let user = call.signed_in()?;
    let known = |entry: &Entry| GroupId::new(entry.group_id.as_deref().unwrap_or_default()).ok();
    let mark = |entry: &Entry| {
        let sequence = entry.msg_seq.unwrap_or_default();
        Some(MarkRead { group: known(entry)?, user: user.clone(), sequence }.into())
    };
    let steps = list.iter().filter_map(mark).collect();
    let mut marked = call.run_steps(steps, OnRefusal::Skip).await?.into_iter();
    let outcome = |entry: Entry| {
        let ret_code = match known(&entry).and_then(|_| marked.next()) {
            Some(Ok(_)) => 0,
            Some(Err(refusal)) => failure(call, &refusal).number(),
            None => Code::NoGroup.row().0,
        };
        ReadMarkOutcome {
            group_id: entry.group_id.unwrap_or_default(),
            msg_seq: entry.msg_seq.unwrap_or_default(),
            ret_code,
        }
    };
    envelope::with(&ReadMarksResponse { group_read_info_array: list.into_iter().map(outcome).collect() })
}

/// Refuses users who are not members.
fn failure(call: &Call<'_>, refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::NotMembers { .. } => Code::NoPermission.into(),
        _ => call.failure(refusal),
    }
}
