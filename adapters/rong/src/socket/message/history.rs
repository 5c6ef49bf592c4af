//! `qryGMsg` and `qryMsg`: the history.

use std::collections::HashSet;
use std::sync::Arc;

use conclave_core::model::{GroupId, Message, MessageState, Millis};
use conclave_core::query::{MessageById, Messages, Start};
use conclave_core::refusal::Refusal;
use prost::Message as _;

use super::{down, extended, is_persisted};
use crate::dialect::limits;
use crate::dialect::message;
use crate::refusals::client;
use crate::socket::call::{Call, Denied, QueryReply, decode, millis};
use crate::socket::feed::BYTES;
use crate::socket::wire::{DownStreamMessage, HistoryMsgInput, HistoryMsgOuput, MsgQuery, MsgQueryAck};

/// For how many messages the extensions are read at a time.
const EXTENDED: usize = 20;
/// How often the history is read for one reply: recalled and unpersisted messages are skipped.
const LOOKS: usize = 20;

/// A page of a group's history: newest first and older than a timestamp, or oldest first and newer.
pub(crate) async fn query(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: HistoryMsgInput = decode(body)?;
    let group = GroupId::new(asked.target_id.unwrap_or_default()).map_err(|_| denied(client::NOT_IN_GROUP))?;
    let count = usize::try_from(asked.count.unwrap_or(20)).unwrap_or(0).clamp(1, limits::CLIENT_HISTORY);
    let time = u64::try_from(asked.time.unwrap_or(0)).unwrap_or(0);
    let newest_first = asked.order != Some(1);
    let start = match (newest_first, time) {
        (true, 0) => Start::Edge,
        (true, time) => Start::Time(Millis(time - 1)),
        (false, time) => Start::Time(Millis(time).plus(1)),
    };
    let (found, more) = page(call, group, start, newest_first, count).await.map_err(|refusal| refused(&refusal))?;
    let fitting = fitting(call, &found).await.map_err(|refusal| refused(&refusal))?;
    let more = more || fitting.len() < found.len();
    let last = found[..fitting.len()].last();
    let sync_time = last.map_or(asked.time.unwrap_or(0), |last| millis(last.at.0));
    Ok(HistoryMsgOuput { list: fitting, sync_time, has_msg: i32::from(more) }.encode_to_vec())
}

/// As many of these as fit into one reply, and at least one. Those of one millisecond are kept together.
async fn fitting(call: &Call<'_>, found: &[Arc<Message>]) -> Result<Vec<DownStreamMessage>, Refusal> {
    let mut list: Vec<DownStreamMessage> = Vec::with_capacity(found.len());
    let mut bytes = 0;
    for part in found.chunks(EXTENDED) {
        for sent in extended(call.app, part.to_vec()).await? {
            let message = down(&sent, call.user);
            let size = message.encoded_len();
            let parts = list.last().is_some_and(|last| last.data_time != message.data_time);
            if parts && bytes + size > BYTES {
                return Ok(list);
            }
            bytes += size;
            list.push(message);
        }
    }
    Ok(list)
}

/// So many readable messages, and whether there are more. Clients continue from the last one's timestamp, so all
/// messages of that millisecond are included.
pub(super) async fn page(
    call: &Call<'_>,
    group: GroupId,
    mut start: Start,
    newest_first: bool,
    count: usize,
) -> Result<(Vec<Arc<Message>>, bool), Refusal> {
    let mut found: Vec<Arc<Message>> = Vec::with_capacity(count);
    for _ in 0..LOOKS {
        let limit = (count + 1).saturating_sub(found.len()).max(2);
        let page = call.try_ask(Messages { group: group.clone(), start, newest_first, limit }).await?;
        for sent in page.messages {
            if sent.state != MessageState::Kept || !is_persisted(&sent) {
                continue;
            }
            if found.len() >= count && found.last().is_none_or(|last| last.at != sent.at) {
                return Ok((found, true));
            }
            found.push(sent);
        }
        match page.next {
            Some(next) => start = Start::Sequence(next),
            None => return Ok((found, false)),
        }
    }
    Ok((found, true))
}

/// Messages by their ids; unreadable ones are listed.
pub(crate) async fn named(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: MsgQuery = decode(body)?;
    if asked.query.len() > limits::CLIENT_HISTORY {
        return Err(denied(client::BAD_PARAMETER));
    }
    let mut answer = MsgQueryAck::default();
    let (mut bytes, mut seen) = (0, HashSet::new());
    for wanted in asked.query {
        if !seen.insert(wanted.msg_uid.clone()) {
            continue;
        }
        let Some(sent) = find(call, &asked.target_id, &wanted.msg_uid).await? else {
            answer.not_exist_msg_id.push(wanted.msg_uid);
            continue;
        };
        for sent in extended(call.app, vec![sent]).await.map_err(|refusal| refused(&refusal))? {
            let message = down(&sent, call.user);
            bytes += message.encoded_len();
            // there is no cursor: a message that does not fit is left out, and found when it is requested again
            if bytes > BYTES && !answer.list.is_empty() {
                return Ok(answer.encode_to_vec());
            }
            answer.list.push(message);
        }
    }
    Ok(answer.encode_to_vec())
}

async fn find(call: &Call<'_>, group: &str, uid: &str) -> Result<Option<Arc<Message>>, Denied> {
    let Some(id) = message::id_of(uid) else { return Ok(None) };
    match call.try_ask(MessageById { message: id }).await {
        Ok(found) => {
            let readable = found.0.state == MessageState::Kept && found.0.group.as_str() == group;
            Ok(readable.then_some(found.0))
        }
        Err(Refusal::MessageIdNotFound(_)) => Ok(None),
        Err(refusal) => Err(refused(&refusal)),
    }
}

fn denied(status: u16) -> Denied {
    Denied::status(status)
}

fn refused(refusal: &Refusal) -> Denied {
    denied(client::speech(refusal))
}
