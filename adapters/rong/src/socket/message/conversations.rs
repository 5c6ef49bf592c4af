//! `qryRelationR` and `qryRLBatch`: the caller's conversations, which are the caller's groups with messages.

use std::collections::HashSet;
use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Millis};
use conclave_core::query::{FindGroups, JoinedGroups, Start};
use conclave_core::refusal::Refusal;
use prost::Message as _;

use super::{down, extended, history};
use crate::dialect::limits;
use crate::refusals::client;
use crate::socket::call::{Call, Denied, QueryReply, decode, millis};
use crate::socket::feed::BYTES;
use crate::socket::wire::{GROUP, RelationDelBatchReq, RelationInfo, RelationQryInput, RelationsOutput};

/// Only bots, which are not supported.
const ROBOTS_ONLY: i32 = 2;

/// A page of conversations by their last message: older than a timestamp and newest first, or newer.
pub(crate) async fn list(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: RelationQryInput = decode(body)?;
    let count = usize::try_from(asked.count.unwrap_or(0)).unwrap_or(0).clamp(1, limits::CONVERSATIONS);
    let time = u64::try_from(asked.start_time.unwrap_or(0)).unwrap_or(0);
    let newest_first = asked.order != Some(1);
    let other = !asked.channel_type.is_empty() && !asked.channel_type.contains(&GROUP);
    let mut found: Vec<(Millis, Arc<Group>)> = if other || asked.bot_type == Some(ROBOTS_ONLY) {
        Vec::new()
    } else {
        let joined = call.ask(JoinedGroups::all(call.user.clone())).await?.groups;
        joined.into_iter().filter_map(|(group, _)| Some((group.last_message?, group))).collect()
    };
    found.retain(|(at, _)| if newest_first { time == 0 || at.0 < time } else { at.0 > time });
    found.sort_by(|(one, a), (other, b)| (one, &a.id).cmp(&(other, &b.id)));
    if newest_first {
        found.reverse();
    }
    let mut more = found.len() > count;
    found.truncate(count);
    let (mut info, mut bytes, mut pull_time) = (Vec::with_capacity(found.len()), 0, Millis(time));
    for (at, group) in &found {
        let conversation = relation(call, group, *at).await?;
        bytes += conversation.encoded_len();
        // clients continue from the last one's timestamp, so all of one millisecond are included
        if bytes > BYTES && pull_time != *at && !info.is_empty() {
            more = true;
            break;
        }
        info.push(conversation);
        pull_time = *at;
    }
    let pull_time = pull_time.0;
    let answer = RelationsOutput { info, is_finished: Some(!more), pull_time: Some(millis(pull_time)) };
    Ok(answer.encode_to_vec())
}

/// Named conversations with their last messages.
pub(crate) async fn named(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: RelationDelBatchReq = decode(body)?;
    if asked.relation.len() > limits::CONVERSATIONS_NAMED {
        return Err(Denied::status(client::BAD_PARAMETER));
    }
    let mut seen = HashSet::new();
    let wanted = asked.relation.iter().filter(|relation| relation.conversation_type == GROUP);
    let wanted = wanted.filter(|relation| seen.insert(&relation.conversation_id));
    let groups: Vec<GroupId> = wanted.filter_map(|relation| GroupId::new(&relation.conversation_id).ok()).collect();
    let (mut info, mut bytes) = (Vec::with_capacity(groups.len()), 0);
    for group in call.ask(FindGroups { groups }).await?.0.into_iter().flatten() {
        let mut conversation = relation(call, &group, group.last_message.unwrap_or_default()).await?;
        bytes += conversation.encoded_len();
        // there is no cursor: a conversation that does not fit is returned without its message
        if bytes > BYTES {
            conversation.msg = None;
        }
        info.push(conversation);
    }
    Ok(RelationsOutput { info, is_finished: Some(true), pull_time: None }.encode_to_vec())
}

async fn relation(call: &Call<'_>, group: &Group, at: Millis) -> Result<RelationInfo, Denied> {
    // a conversation whose messages the caller may not read is returned without one
    let last = match history::page(call, group.id.clone(), Start::Edge, true, 1).await {
        Err(refusal @ Refusal::Unavailable(_)) => return Err(Denied::status(client::speech(&refusal))),
        page => page.unwrap_or_default().0,
    };
    let last = extended(call.app, last).await.map_err(|refusal| Denied::status(client::speech(&refusal)))?;
    Ok(RelationInfo {
        kind: GROUP,
        user_id: group.id.to_string(),
        msg: last.iter().find(|sent| sent.shown_last).map(|sent| down(sent, call.user)),
        version_time: Some(millis(at.0)),
    })
}
