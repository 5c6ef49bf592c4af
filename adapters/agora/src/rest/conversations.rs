//! A user's conversations as client SDKs list them: the groups, each with its last message and the number of unread ones.

use std::cmp::Reverse;
use std::sync::Arc;

use conclave_core::model::{Group, Member, Message, MessageState, Millis, UserId};
use conclave_core::query::{Cursor, JoinedGroups, Messages, ReadMarks, Start};
use serde_json::{Value, json};

use super::call::Call;
use super::envelope::Reply;
use super::joined::whose;
use crate::dialect::limits;
use crate::dialect::message;
use crate::refusals::{self, Failure};

/// `GET /sdk/user/{user}/user_channels/list`: the conversation with the latest message first. Conversations cannot be
/// pinned, so `is_top` returns none.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    // marks are not supported: the response is the same with and without them
    let _ = call.query.get("need_mark");
    if call.query.is_true("is_top") {
        return Ok(Reply::data(&json!({"channel_infos": [], "cursor": ""})));
    }
    let after = call.cursor()?.map(|cursor| Place::read(&cursor).ok_or_else(|| refusals::invalid("cursor is illegal")));
    let after = after.transpose()?;
    let limit = call.page("limit", limits::CONVERSATIONS_PAGE, limits::CONVERSATIONS_PAGE_MOST);
    let mut found = conversations(call, user).await?;
    if let Some(after) = after {
        found.retain(|(group, _)| Place::of(group) > after);
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let cursor =
        found.last().filter(|_| more).map(|(group, _)| conclave_kit::encode_cursor(&Place::of(group).cursor()));
    Ok(Reply::data(&json!({"channel_infos": rows(call, &found).await?, "cursor": cursor.unwrap_or_default()})))
}

/// `GET /users/{user}/user_channels/page`: the same by page number, from 1. `GET /users/{user}/user_channels` has no page
/// number and returns the first page.
pub(crate) async fn page(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    let limit = call.page("pageSize", limits::CONVERSATIONS_PAGE_MOST, limits::CONVERSATIONS_PAGE_MOST);
    let skip = call.query.number("pageNum").unwrap_or(1).saturating_sub(1).saturating_mul(limit);
    let found: Vec<_> = conversations(call, user).await?.into_iter().skip(skip).take(limit).collect();
    Ok(Reply::data(&json!({"channel_infos": rows(call, &found).await?})))
}

/// The position of a conversation in the list. Messages that are sent between two pages move their conversations to the
/// front, where the client has them from its events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The latest message first.
    latest: Reverse<Millis>,
    group: String,
}

impl Place {
    fn of(group: &Group) -> Self {
        Self { latest: Reverse(group.last_message.unwrap_or_default()), group: group.id.to_string() }
    }

    fn cursor(&self) -> Cursor {
        Cursor([&self.latest.0.0.to_be_bytes()[..], self.group.as_bytes()].concat())
    }

    fn read(cursor: &Cursor) -> Option<Self> {
        let (latest, group) = cursor.0.split_first_chunk()?;
        Some(Self {
            latest: Reverse(Millis(u64::from_be_bytes(*latest))),
            group: str::from_utf8(group).ok()?.to_owned(),
        })
    }
}

/// A user's groups in which messages were sent. A conversation begins with its first message.
async fn conversations(call: &Call<'_>, user: UserId) -> Result<Vec<(Arc<Group>, Arc<Member>)>, Failure> {
    let mut found = call.ask(JoinedGroups::all(user)).await?.groups;
    found.retain(|(group, _)| group.last_message.is_some());
    found.sort_by_cached_key(|(group, _)| Place::of(group));
    Ok(found)
}

async fn rows(call: &Call<'_>, page: &[(Arc<Group>, Arc<Member>)]) -> Result<Vec<Value>, Failure> {
    let of = page.iter().map(|(group, member)| (group.id.clone(), member.user.clone())).collect();
    let marks = call.ask(ReadMarks { of }).await?.0;
    let mut rows = Vec::with_capacity(page.len());
    for ((group, member), mark) in page.iter().zip(marks) {
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
pub(super) fn meta(message: &Message) -> Value {
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
