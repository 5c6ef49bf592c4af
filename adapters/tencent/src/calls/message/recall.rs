//! `group_msg_recall`: recalls messages one by one; a recall notice takes the place of each.

use conclave_core::operation::RecallMessages;
use serde::{Deserialize, Serialize};

use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    msg_seq_list: Option<Vec<Entry>>,
    reason: Option<String>,
    topic_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    msg_seq: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecallResponse {
    recall_ret_list: Vec<RecallOutcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecallOutcome {
    msg_seq: u64,
    ret_code: u32,
}

pub(crate) async fn recall(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let list = call.required("MsgSeqList", request.msg_seq_list.filter(|list| !list.is_empty()))?;
    let reason = request.reason.unwrap_or_default();
    if list.len() > limits::RECALLED || reason.len() > limits::RECALL_REASON {
        return Err(call.parameter("MsgSeqList or Reason is too long"));
    }
    let sequences: Vec<u64> = list.into_iter().map(|entry| entry.msg_seq).collect();
    if Kind::of(&*call.group(&group).await?) == Kind::AvChatRoom {
        let (ret_code, _) = Code::RecallUnsupported.row();
        let outcome = |msg_seq| RecallOutcome { msg_seq, ret_code };
        return envelope::with(&RecallResponse { recall_ret_list: sequences.into_iter().map(outcome).collect() });
    }
    let topic = call.topic_id(request.topic_id)?;
    let done = call.run_at(topic.as_ref(), RecallMessages { group, sequences, reason }).await?;
    let outcome = |(msg_seq, outcome): (u64, Result<(), _>)| RecallOutcome {
        msg_seq,
        ret_code: outcome.err().map_or(0, |refusal| call.failure(&refusal).code.row().0),
    };
    envelope::with(&RecallResponse { recall_ret_list: done.outcomes.into_iter().map(outcome).collect() })
}
