//! `import_group_msg`: imports up to seven past messages, oldest first, with an outcome for each.

use conclave_core::model::{Millis, Sender};
use conclave_core::operation::{ImportMessages, OldMessage};
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calls::message::body;
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::dialect::message::label;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    msg_list: Option<Vec<Entry>>,
    topic_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    send_time: Option<u64>,
    random: Option<u64>,
    msg_body: Option<Vec<Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MessagesResponse {
    import_msg_result: Vec<ImportOutcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImportOutcome {
    /// 0 when it was skipped.
    msg_seq: u64,
    msg_time: u64,
    result: u32,
}

pub(crate) async fn import(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let list = call.required("MsgList", request.msg_list.filter(|list| !list.is_empty()))?;
    if list.len() > limits::IMPORTED_MESSAGES {
        return Err(call.parameter(format!("MsgList: at most {} messages", limits::IMPORTED_MESSAGES)));
    }
    if Kind::of(&*call.group(&group).await?) == Kind::AvChatRoom {
        return Err(Code::NoPermission.into());
    }
    let topic = call.topic_id(request.topic_id)?;
    let times: Vec<u64> = list.iter().map(|entry| entry.send_time.unwrap_or_default()).collect();
    let read: Vec<Result<OldMessage, Failure>> = list.into_iter().map(|entry| old(call, entry)).collect();
    let messages = read.iter().filter_map(|message| message.as_ref().ok()).cloned().collect();
    let mut imported = call.run_at(topic.as_ref(), ImportMessages { group, messages }).await?.outcomes.into_iter();
    let missing = || Err(Refusal::InvalidValue("no outcome"));
    let result = |(message, msg_time): (Result<OldMessage, Failure>, u64)| {
        let outcome =
            message.and_then(|_| imported.next().unwrap_or_else(missing).map_err(|refusal| call.failure(&refusal)));
        let (msg_seq, result) = outcome.map_or_else(|failure| (0, failure.code.row().0), |sequence| (sequence, 0));
        ImportOutcome { msg_seq, msg_time, result }
    };
    envelope::with(&MessagesResponse { import_msg_result: read.into_iter().zip(times).map(result).collect() })
}

fn old(call: &Call<'_>, entry: Entry) -> Result<OldMessage, Failure> {
    let sender = Sender::User(call.user_id("From_Account", entry.from)?);
    let at = Millis::from_seconds(call.required("SendTime", entry.send_time.filter(|time| *time != 0))?);
    let (body, mut labels) = body(entry.msg_body)?;
    labels.extend(entry.random.map(|random| (label::RANDOM.to_owned(), random.to_string())));
    Ok(OldMessage { sender, at, body, labels })
}
