//! A user's conversations as client SDKs list them: the groups, each with its last message and the number of unread ones.

use std::sync::Arc;

use conclave_core::model::{Group, Member, Message, MessageState};
use conclave_core::query::{JoinedGroups, JoinedPage, Messages, ReadMarks, Start};
use serde_json::{Value, json};

use super::call::Call;
use super::envelope::Reply;
use super::joined::whose;
use crate::dialect::limits;
use crate::dialect::message;
use crate::refusals::Failure;

/// `GET /sdk/user/{user}/user_channels/list`: latest joined first. Conversations cannot be pinned, so `is_top` returns none.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    // marks are not supported: the response is the same with and without them
    let _ = call.query.get("need_mark");
    if call.query.is_true("is_top") {
        return Ok(Reply::data(&json!({"channel_infos": [], "cursor": ""})));
    }
    let limit = call.page("limit", limits::CONVERSATIONS_PAGE, limits::CONVERSATIONS_PAGE_MOST);
    let page = call.ask(JoinedGroups { after: call.cursor()?, limit, ..JoinedGroups::all(user) }).await?;
    let cursor = page.next.as_ref().map(conclave_kit::encode_cursor).unwrap_or_default();
    Ok(Reply::data(&json!({"channel_infos": rows(call, &page).await?, "cursor": cursor})))
}

/// `GET /users/{user}/user_channels/page`: the same by page number, from 1. `GET /users/{user}/user_channels` has no page
/// number and returns the first page.
pub(crate) async fn page(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    let limit = call.page("pageSize", limits::CONVERSATIONS_PAGE_MOST, limits::CONVERSATIONS_PAGE_MOST);
    let skip = call.query.number("pageNum").unwrap_or(1).saturating_sub(1).saturating_mul(limit);
    let page = call.ask(JoinedGroups { skip, limit, ..JoinedGroups::all(user) }).await?;
    Ok(Reply::data(&json!({"channel_infos": rows(call, &page).await?})))
}

async fn rows(call: &Call<'_>, page: &JoinedPage) -> Result<Vec<Value>, Failure> {
    let of = page.groups.iter().map(|(group, member)| (group.id.clone(), member.user.clone())).collect();
    let marks = call.ask(ReadMarks { of }).await?.0;
    let mut rows = Vec::with_capacity(page.groups.len());
    for ((group, member), mark) in page.groups.iter().zip(marks) {
        rows.push(row(call, group, member, mark.unwrap_or_default()).await?);
    }
    Ok(rows)
}

async fn row(call: &Call<'_>, group: &Group, member: &Member, mark: u64) -> Result<Value, Failure> {
    let messages = newest(call, group).await?;
    let mut kept = messages.iter().filter(|message| message.state == MessageState::Kept);
    let last = kept.clone().next().map(|message| meta(message));
    let unread = |message: &&Arc<Message>| {
        let is_own = message::sender(message) == crate::dialect::ids::shown(&member.user);
        message.sequence > mark && message.at >= member.joined && message.targets.is_empty() && !is_own
    };
    let unread = kept.by_ref().filter(unread).count();
    let app = call.app.key();
    Ok(json!({
        // older and newer names of the same fields
        "channel_id": format!("{app}_{}@conference.easemob.com", group.id),
        "session_to": group.id,
        "session_type": "groupchat",
        "is_top": false,
        "unread_num": unread,
        "meta": last.unwrap_or_else(|| json!({})),
    }))
}

/// The latest messages, as many as are counted.
async fn newest(call: &Call<'_>, group: &Group) -> Result<Vec<Arc<Message>>, Failure> {
    let (mut messages, mut start) = (Vec::new(), Start::Edge);
    loop {
        let limit = limits::UNREAD_COUNTED - messages.len();
        let page = call.ask(Messages { group: group.id.clone(), start, newest_first: true, limit }).await?;
        messages.extend(page.messages);
        match page.next {
            // a page of long messages is shorter
            Some(next) if messages.len() < limits::UNREAD_COUNTED => start = Start::Sequence(next),
            _ => return Ok(messages),
        }
    }
}

/// A message as the SDKs read it here: `payload` is a string that contains JSON.
fn meta(message: &Message) -> Value {
    let payload = json!({
        "bodies": [message::body(message)],
        "ext": message::ext(message),
        "from": message::sender(message),
        "to": message.group,
        "type": "groupchat",
    });
    json!({
        "id": message.id,
        "from": message::sender(message),
        "to": format!("{}@conference.easemob.com", message.group),
        "timestamp": message.at,
        "payload": payload.to_string(),
    })
}
