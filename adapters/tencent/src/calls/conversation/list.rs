//! `page_get`: the user's conversations, latest first, in one page. Source: the clients' protocol.

use std::cmp::Reverse;
use std::sync::Arc;

use conclave_core::model::{Group, Member, Message, MessageState, Receive};
use conclave_core::query::{History, JoinedGroups, Numbered, ReadMarks};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calls::message::{TIP, faces, tips};
use crate::calls::{Call, envelope};
use crate::dialect::client_message::{Face, sender};
use crate::dialect::kind::Kind;
use crate::dialect::{limits, message, time};
use crate::refusals::Failure;

/// All conversations are in one page, so no parameter has an effect.
#[derive(Deserialize)]
struct Request {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListResponse {
    session_item: Vec<Item>,
    /// 1 ends the list: without it clients request pages for ever.
    complete_flag: u32,
    time_stamp: u64,
    start_index: u64,
    top_time_stamp: u64,
    top_start_index: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    r#type: u32,
    to_account: String,
    group_nick: String,
    group_image: String,
    group_type: &'static str,
    msg_time_stamp: u64,
    msg_seq: u64,
    group_next_msg_seq: u64,
    unread_msg_count: u64,
    msg_group_readed_seq: u64,
    #[serde(rename = "MsgGroupFrom_Account")]
    from: String,
    msg_group_from_nick_name: String,
    msg_group_from_card_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_msg: Option<Value>,
    /// 2 when the last message was recalled.
    last_msg_flags: u32,
    top_flags: u32,
    msg_recv_option: u32,
}

/// The conversation type of a group.
const GROUP: u32 = 2;

pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let Request {} = call.read()?;
    let user = call.signed_in()?.clone();
    let joined = call.ask(JoinedGroups::all(user.clone())).await?.groups;
    // a conversation begins with the first message or tip of its history
    let has_history = |group: &Group| Kind::of(group) != Kind::AvChatRoom && group.next_message > 1;
    let mut active: Vec<(Arc<Group>, Arc<Member>)> =
        joined.into_iter().filter(|(group, _)| has_history(group)).collect();
    active.sort_by_key(|(group, _)| Reverse(group.last_message.max(Some(group.changed))));
    active.truncate(limits::CONVERSATIONS);
    let mut session_item = Vec::with_capacity(active.len());
    let of = active.iter().map(|(group, _)| (group.id.clone(), user.clone())).collect();
    let marks = call.ask(ReadMarks { of }).await?.0;
    for ((group, member), read) in active.iter().zip(marks) {
        session_item.push(item(call, group, member, read.unwrap_or_default()).await?);
    }
    session_item.sort_by_key(|item| Reverse(item.msg_time_stamp));
    let time_stamp = call.now().seconds();
    envelope::with(&ListResponse {
        session_item,
        complete_flag: 1,
        time_stamp,
        start_index: 0,
        top_time_stamp: 0,
        top_start_index: 0,
    })
}

async fn item(call: &Call<'_>, group: &Arc<Group>, member: &Member, read: u64) -> Result<Item, Failure> {
    let newest = call.ask(History { group: group.id.clone(), from: None, limit: 1 }).await?.entries;
    let tip = tip_of(call, group, &newest).await?;
    let last: Vec<Arc<Message>> = newest
        .iter()
        .filter_map(|(_, entry)| match entry {
            Numbered::Message(message) => Some(Arc::clone(message)),
            Numbered::Events(_) => None,
        })
        .collect();
    let faces = faces(call, group, &last).await?;
    let last: Option<&Arc<Message>> = last.first();
    let said = newest.first().map(|(_, entry)| match entry {
        Numbered::Message(message) => message.at,
        Numbered::Events(events) => events.first().map(|event| event.at).unwrap_or_default(),
    });
    let from = last.map_or("", |last| sender(last, call.admin()));
    let Face { nick, card, .. } = faces.get(from).cloned().unwrap_or_default();
    let recalled = last.is_some_and(|last| matches!(last.state, MessageState::Recalled { .. }));
    let shown = |last: &Arc<Message>| json!({ "Event": 3, "MsgBody": message::elements(last) });
    Ok(Item {
        r#type: GROUP,
        to_account: group.id.as_str().to_owned(),
        group_nick: group.profile.name.clone(),
        group_image: group.profile.avatar.clone(),
        group_type: Kind::of(group).word(),
        msg_time_stamp: time::seconds(said),
        msg_seq: group.next_message.saturating_sub(1),
        group_next_msg_seq: group.next_message,
        unread_msg_count: (group.next_message.saturating_sub(1)).saturating_sub(read),
        msg_group_readed_seq: read,
        from: from.to_owned(),
        msg_group_from_nick_name: nick,
        msg_group_from_card_name: card,
        last_msg: last.filter(|last| last.state == MessageState::Kept).map(shown).or(tip),
        last_msg_flags: if recalled { 2 } else { 0 },
        top_flags: 0,
        msg_recv_option: option(member.receive),
    })
}

/// The tip that is the last of a conversation, if one is.
async fn tip_of(call: &Call<'_>, group: &Group, newest: &[(u64, Numbered)]) -> Result<Option<Value>, Failure> {
    let tip = tips(call, group, newest).await?.into_values().next();
    Ok(tip.map(|tip| json!({ "Event": TIP, "GroupTips": tip })))
}

/// `MsgRecvOption`.
fn option(receive: Receive) -> u32 {
    match receive {
        Receive::Notify => 0,
        Receive::Discard => 1,
        Receive::Silent => 2,
        Receive::SilentUnlessMentioned => 3,
    }
}
