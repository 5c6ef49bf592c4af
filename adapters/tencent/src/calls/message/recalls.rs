//! `batch_get_group_notify`: the messages that were recalled while a client was away. Source: the clients' protocol.

use std::sync::Arc;

use conclave_core::model::{GroupId, Message, MessageState};
use conclave_core::query::{Messages, Start};
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use crate::calls::{Call, envelope};
use crate::dialect::client_message::{Revoker, revoker};
use crate::dialect::limits;
use crate::dialect::message::label;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    notify_req_list: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    group_id: Option<String>,
    limit: Option<usize>,
    /// Unix milliseconds, exclusive.
    begin_time: Option<u64>,
    /// Unix milliseconds.
    end_time: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecallsResponse<'m> {
    notify_rsp_list: Vec<OfGroup<'m>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfGroup<'m> {
    group_id: &'m str,
    /// 0 ends the list; otherwise the start of the next page.
    next_msg_time: u64,
    notify_msg_list: Vec<Item<'m>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'m> {
    msg_seq: u64,
    msg_random: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoker_info: Option<Revoker<'m>>,
}

/// The newest messages of a group, among which recalled ones are searched.
const LOOKED_THROUGH: usize = 200;

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let list = request.notify_req_list.unwrap_or_default();
    if list.len() > limits::READ_GROUPS {
        return Err(call.parameter(format!("NotifyReqList: at most {} groups", limits::READ_GROUPS)));
    }
    let mut found = Vec::with_capacity(list.len());
    for entry in list {
        let group = call.group_id(entry.group_id.clone())?;
        found.push((group.clone(), recalled(call, group, &entry).await?));
    }
    let admin = call.admin();
    let lists = found.iter().map(|(group, (messages, next))| OfGroup {
        group_id: group.as_str(),
        next_msg_time: *next,
        notify_msg_list: messages.iter().map(|message| item(message, admin)).collect(),
    });
    envelope::with(&RecallsResponse { notify_rsp_list: lists.collect() })
}

fn item<'m>(message: &'m Message, admin: &'m str) -> Item<'m> {
    let random = message.labels.get(label::RANDOM).and_then(|text| text.parse().ok());
    Item { msg_seq: message.sequence, msg_random: random.unwrap_or_default(), revoker_info: revoker(message, admin) }
}

/// The messages recalled in a period, earliest recall first, and the start of the next page.
async fn recalled(call: &Call<'_>, group: GroupId, asked: &Entry) -> Result<(Vec<Arc<Message>>, u64), Failure> {
    let messages = match newest(call, group).await {
        Ok(messages) => messages,
        // a group the user has left has nothing to report
        Err(Refusal::NotPermitted { .. } | Refusal::GroupNotFound { .. }) => Vec::new(),
        Err(refusal) => return Err(call.failure(&refusal)),
    };
    let (begin, end) = (asked.begin_time.unwrap_or(0), asked.end_time.filter(|end| *end != 0).unwrap_or(u64::MAX));
    let time = |message: &Arc<Message>| match &message.state {
        MessageState::Recalled { at, .. } if at.0 > begin && at.0 <= end => Some(at.0),
        _ => None,
    };
    let mut recalled: Vec<(u64, Arc<Message>)> =
        messages.into_iter().filter_map(|message| Some((time(&message)?, message))).collect();
    recalled.sort_by_key(|(at, _)| *at);
    let limit = asked.limit.filter(|limit| *limit != 0).unwrap_or(limits::HISTORY_PAGE).min(LOOKED_THROUGH);
    let more = recalled.len() > limit;
    recalled.truncate(limit);
    let next = recalled.last().filter(|_| more).map_or(0, |(at, _)| *at);
    Ok((recalled.into_iter().map(|(_, message)| message).collect(), next))
}

/// The latest messages of a group, as many as are looked through.
async fn newest(call: &Call<'_>, group: GroupId) -> Result<Vec<Arc<Message>>, Refusal> {
    let (mut messages, mut start) = (Vec::new(), Start::Edge);
    loop {
        let limit = LOOKED_THROUGH - messages.len();
        let page = call.try_ask(Messages { group: group.clone(), start, newest_first: true, limit }).await?;
        messages.extend(page.messages);
        match page.next {
            // a page of long messages is shorter
            Some(next) if messages.len() < LOOKED_THROUGH => start = Start::Sequence(next),
            _ => return Ok(messages),
        }
    }
}
