//! `getmsg`: the notices for a user while their client was not connected. Source: the clients' protocol.
//!
//! `Cookie` is the number of the last event that a client was given notices up to. A client that has none yet begins
//! where the user's clients have got furthest, and the user's first one with the notices of the last seven days. What is
//! pushed is confirmed one by one; what was confirmed is not given once more.
//!
//! The last answer also has the mentions of the user in messages that they have not read.

use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{DeviceId, Group, Millis, Queue, UserId};
use conclave_core::operation::{Acknowledge, Begin, OpenDevice};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{DevicePositions, JoinedGroups, Messages, ReadMarks, ReadQueue, Start};
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, envelope};
use crate::VENDOR;
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::push::{self, Absent};
use crate::realm::App;
use crate::refusals::Failure;

/// Events of the user's queue that one request looks through; a client asks again while there is more.
const LOOKED_THROUGH: usize = 500;
/// Notices in one answer.
const PAGE: usize = 100;
/// About how many bytes of events one request reads.
const BYTES: usize = 1 << 20;
/// How long notices wait for the first client of a user.
const KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// What a cookie of ours begins with.
const COOKIE: &str = "e";
/// The same for a client that has not fetched everything that waited when it connected.
const NEW: &str = "n";

/// The cookie of a client that has the notices up to this event.
pub(crate) fn cookie(number: u64) -> String {
    format!("{COOKIE}{number}")
}

/// The event up to which a client with this cookie has the notices.
pub(crate) fn number(cookie: &str) -> Option<u64> {
    cookie.strip_prefix(COOKIE).or_else(|| cookie.strip_prefix(NEW))?.parse().ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    cookie: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MissedResponse {
    /// Never empty: clients ignore a response with an empty one.
    cookie: String,
    /// 1 while there are more, 2 at the end.
    sync_flag: u32,
    /// One-to-one messages, which are not supported.
    msg_list: Vec<Value>,
    event_array: Vec<Value>,
}

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let user = call.signed_in()?;
    let last = call.app.realm.log.last().await.map_err(|refusal| call.failure(&refusal))?;
    let known = request.cookie.as_deref().and_then(number).filter(|known| *known <= last);
    let is_new = known.is_none() || request.cookie.is_some_and(|cookie| cookie.starts_with(NEW));
    let client = Absent { user, device: call.device(), is_new };
    // a client that is new acts on what is pushed, and not on what it is given here: it has just read its lists
    let end = call.pushed_after().filter(|_| client.is_new).map_or(last, |pushed_after| pushed_after.min(last));
    let known = match call.device() {
        Some(device) => begin(call, user, device, known).await?,
        None => known.unwrap_or(last),
    };
    let ask = ReadQueue { user: user.clone(), queue: Queue::Own, after: known, limit: LOOKED_THROUGH, bytes: BYTES };
    let page = call.ask(ask).await?;
    let (mut seen, mut more, mut event_array) = (page.last, page.more, Vec::new());
    for item in &page.items {
        if item.event.sequence > end {
            (seen, more) = (end, false);
            break;
        }
        if event_array.len() >= PAGE {
            (seen, more) = (item.event.sequence - 1, true);
            break;
        }
        let notices = push::notices_for(call.app, &item.event, &client).await;
        event_array.extend(notices.map_err(|refusal| call.failure(&refusal))?);
    }
    // what was committed before the queue was read is in it, or for others
    let seen = if more { seen } else { end.max(known) };
    if !more {
        // clients forget the earlier ones when they connect again
        event_array.extend(mentions(call, user).await?);
    }
    envelope::with(&MissedResponse {
        cookie: if more && is_new { format!("{NEW}{seen}") } else { cookie(seen) },
        sync_flag: if more { 1 } else { 2 },
        msg_list: Vec::new(),
        event_array,
    })
}

/// The mentions of a user in unread messages, as entries of `EventArray`.
async fn mentions(call: &Call<'_>, user: &UserId) -> Result<Vec<Value>, Failure> {
    let joined = call.ask(JoinedGroups::all(user.clone())).await?.groups.into_iter();
    let mut groups: Vec<Arc<Group>> = joined
        .map(|(group, _)| group)
        .filter(|group| Kind::of(group) != Kind::AvChatRoom && group.last_message.is_some())
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.last_message));
    groups.truncate(limits::MENTIONED_GROUPS);
    let of = groups.iter().map(|group| (group.id.clone(), user.clone())).collect();
    let marks = call.ask(ReadMarks { of }).await?.0;
    let mut found = Vec::new();
    // of all groups together, so that what a client's sign-in costs does not grow with them
    let mut left = limits::MENTIONED_IN_ALL;
    for (group, read) in groups.iter().zip(marks) {
        let read = read.unwrap_or_default();
        if group.next_message.saturating_sub(1) <= read {
            continue;
        }
        if left == 0 {
            break;
        }
        let newest = Messages {
            group: group.id.clone(),
            start: Start::Sequence(group.next_message),
            newest_first: true,
            limit: limits::MENTIONED_MESSAGES.min(left),
        };
        let messages = match call.try_ask(newest).await {
            Ok(page) => page.messages,
            // it ended meanwhile, or the user has left it
            Err(Refusal::GroupNotFound { .. } | Refusal::NotPermitted { .. } | Refusal::NotMembers { .. }) => continue,
            Err(refusal) => return Err(call.failure(&refusal)),
        };
        left = left.saturating_sub(messages.len());
        let unread = messages.iter().rev().filter(|message| message.sequence > read);
        found.extend(unread.filter_map(|message| {
            let kind = push::mentions(message, user)?;
            Some(push::mention_entry(call.app, message, None, &[kind], message.sequence))
        }));
    }
    Ok(found)
}

/// The event after which notices are given to a client that has got as far as it says.
async fn begin(call: &Call<'_>, user: &UserId, device: &str, known: Option<u64>) -> Result<u64, Failure> {
    let Some(id) = device_id(device) else { return Ok(known.unwrap_or_default()) };
    if let Some(known) = known {
        // a client that sends a cookie has everything up to it
        confirm(call.app, user, device, known).await.map_err(|refusal| call.failure(&refusal))?;
    } else {
        let oldest = Millis(call.now().0.saturating_sub(KEPT_MS));
        let waiting = call.app.realm.log.position_at(oldest).await.map_err(|refusal| call.failure(&refusal))?.before;
        let open = OpenDevice { user: user.clone(), device: id.clone(), begin: Begin::FurthestOr(waiting) };
        call.run(open).await?;
    }
    let ask = DevicePositions { user: user.clone(), device: id, queues: vec![Queue::Own] };
    let places = call.ask(ask).await?.0.unwrap_or_default();
    Ok(places.first().map_or(0, |place| place.after).max(known.unwrap_or_default()))
}

/// A client has the notices up to this event, and is not given them once more.
pub(crate) async fn confirm(app: &App, user: &UserId, device: &str, number: u64) -> Result<(), Refusal> {
    let Some(device) = device_id(device) else { return Ok(()) };
    let confirmed = Acknowledge::new(user.clone(), device, Queue::Own, number);
    app.realm.groups.run(&Actor::app(), confirmed).await
}

/// The notices that wait for a client that polls: those after this event that it has not confirmed, each with the number of
/// its event.
pub(crate) async fn notices_after(
    app: &App,
    user: &UserId,
    device: &str,
    began: u64,
) -> Result<Vec<(u64, Value)>, Refusal> {
    let Some(id) = device_id(device) else { return Ok(Vec::new()) };
    let groups = &app.realm.groups;
    let open = OpenDevice { user: user.clone(), device: id.clone(), begin: Begin::FurthestOr(began) };
    groups.run(&Actor::app(), open).await?;
    let ask = DevicePositions { user: user.clone(), device: id, queues: vec![Queue::Own] };
    let places = groups.ask(&Actor::app(), ask).await?.0.unwrap_or_default();
    let mut after = places.first().map_or(0, |place| place.after).max(began);
    let client = Absent { user, device: Some(device), is_new: false };
    let mut notices = Vec::new();
    loop {
        let ask = ReadQueue { user: user.clone(), queue: Queue::Own, after, limit: LOOKED_THROUGH, bytes: BYTES };
        let page = groups.ask(&Actor::app(), ask).await?;
        for item in &page.items {
            let entries = push::notices_for(app, &item.event, &client).await?.into_iter();
            notices.extend(entries.map(|entry| (item.event.sequence, entry)));
        }
        after = page.last;
        if !page.more || notices.len() >= LOOKED_THROUGH {
            return Ok(notices);
        }
    }
}

/// The device of this vendor with this name.
fn device_id(device: &str) -> Option<DeviceId> {
    let id = conclave_kit::Device::id_of(VENDOR, device)?;
    Some(DeviceId::from(&conclave_kit::Device::new(VENDOR, id)))
}
