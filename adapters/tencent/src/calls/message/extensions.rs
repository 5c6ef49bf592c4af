//! `group_get_key_values` and `group_set_key_values`: keys and values added to a message that permits extensions.

use std::sync::Arc;

use conclave_core::model::{Extensions, Group, GroupId};
use conclave_core::operation::{ExtensionChange, SpeakCheck, WriteExtensions};
use conclave_core::query::MessageExtensions;
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    msg_seq: Option<u64>,
    /// Only versions from this one on are requested.
    start_seq: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExtensionsResponse {
    /// 1 when the list is complete.
    complete_flag: u32,
    latest_seq: u64,
    clear_seq: u64,
    extension_list: Vec<Pair>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    key: String,
    value: String,
    seq: u64,
}

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    let sequence = call.required("MsgSeq", request.msg_seq)?;
    let group = extensible_group(call, &id).await?;
    let found = call.ask(MessageExtensions { group: group.id.clone(), sequences: vec![sequence] }).await?;
    let missing = || Err(Refusal::MessageNotFound { group: id, sequence });
    let all: Arc<Extensions> =
        found.0.into_iter().next().unwrap_or_else(missing).map_err(|refusal| call.failure(&refusal))?;
    let from = request.start_seq.unwrap_or(0);
    let mut pairs: Vec<Pair> = all
        .entries
        .iter()
        .filter(|(_, (_, seq))| *seq >= from)
        .map(|(key, (value, seq))| Pair { key: key.clone(), value: value.clone(), seq: *seq })
        .collect();
    pairs.sort_by(|one, other| (one.seq, &one.key).cmp(&(other.seq, &other.key)));
    let complete = pairs.len() <= limits::EXTENSION_PAGE;
    pairs.truncate(limits::EXTENSION_PAGE);
    envelope::with(&ExtensionsResponse {
        complete_flag: u32::from(complete),
        latest_seq: all.version,
        clear_seq: all.cleared,
        extension_list: pairs,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    group_id: Option<String>,
    msg_seq: Option<u64>,
    /// 1 set, 2 delete, 3 clear.
    operate_type: Option<u32>,
    extension_list: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: Option<String>,
    value: Option<String>,
    /// The version that the writer has seen; without it, any version is overwritten.
    seq: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcomes {
    extension_list: Vec<ExtensionOutcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExtensionOutcome {
    error_code: u32,
    extension: Pair,
}

pub(crate) async fn write(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Change = call.read()?;
    let id = call.group_id(request.group_id)?;
    let sequence = call.required("MsgSeq", request.msg_seq)?;
    let list = request.extension_list.unwrap_or_default();
    let (clear, changes) = match call.required("OperateType", request.operate_type)? {
        1 => (false, changes(call, list, true)?),
        2 => (false, changes(call, list, false)?),
        3 => (true, Vec::new()),
        _ => return Err(call.parameter("OperateType is 1, 2 or 3")),
    };
    extensible_group(call, &id).await?;
    let most = Some(limits::EXTENSIONS);
    let written =
        call.run(WriteExtensions { group: id, sequence, clear, changes, most, check: SpeakCheck::Skipped }).await?;
    let outcome = |(key, outcome): (String, Result<u64, Refusal>)| {
        let (value, seq) = written.now.entries.get(&key).cloned().unwrap_or_default();
        let (error_code, seq) = match outcome {
            Ok(version) => (0, version),
            Err(Refusal::VersionConflict { .. }) => (Code::ExtensionConflict.row().0, seq),
            Err(refusal) => (call.failure(&refusal).code.row().0, seq),
        };
        ExtensionOutcome { error_code, extension: Pair { key, value, seq } }
    };
    envelope::with(&Outcomes { extension_list: written.outcomes.clone().into_iter().map(outcome).collect() })
}

fn changes(call: &Call<'_>, list: Vec<Entry>, set: bool) -> Result<Vec<ExtensionChange>, Failure> {
    let list = call.required("ExtensionList", Some(list).filter(|list| !list.is_empty()))?;
    if list.len() > limits::EXTENDED {
        return Err(call.parameter(format!("ExtensionList: at most {} keys", limits::EXTENDED)));
    }
    let change = |Entry { key, value, seq }: Entry| {
        let key = call.required("Key", key.filter(|key| !key.is_empty()))?;
        let value = if set { Some(call.required("Value", value)?) } else { None };
        let fits = key.len() <= limits::EXTENSION_KEY
            && value.as_ref().is_none_or(|value| value.len() <= limits::EXTENSION_VALUE);
        if !fits {
            return Err(call.parameter("Key or Value is too long"));
        }
        Ok(ExtensionChange { key, value, seen: seq })
    };
    list.into_iter().map(change).collect()
}

/// The group, if its messages are stored.
async fn extensible_group(call: &Call<'_>, id: &GroupId) -> Result<Arc<Group>, Failure> {
    let group = call.group(id).await?;
    if Kind::of(&group) == Kind::AvChatRoom {
        return Err(Code::NoPermission.into());
    }
    Ok(group)
}
