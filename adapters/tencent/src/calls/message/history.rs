//! `group_msg_get_simple`, and `group_msg_get` for clients: up to twenty messages, newest first, from a number downwards.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use conclave_core::event::Event;
use conclave_core::model::{Group, GroupId, Message, MessageState, TopicId, UserId};
use conclave_core::query::{FindUsers, History, MembersNamed, Numbered, TopicMessages};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::calls::{Call, envelope};
use crate::dialect::client_message::{ClientMessage, Face, place, sender};
use crate::dialect::kind::Kind;
use crate::dialect::message::label;
use crate::dialect::{limits, message};
use crate::push::{SYSTEM, history_tips};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    req_msg_number: Option<usize>,
    req_msg_seq: Option<u64>,
    with_recalled_msg: Option<u32>,
    topic_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HistoryResponse<'g> {
    group_id: &'g str,
    /// 1 when there are no earlier messages.
    is_finished: u32,
    rsp_msg_list: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    #[serde(rename = "From_Account")]
    from: String,
    /// 1 deleted, 2 recalled.
    is_place_msg: u32,
    /// 1 for a tip: an event of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_system_msg: Option<u32>,
    msg_body: Value,
    msg_priority: u32,
    msg_random: u64,
    msg_seq: u64,
    msg_time_stamp: u64,
}

/// `group_msg_get_simple`.
pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    // more may be asked for, of which so many are returned
    let limit = call.required("ReqMsgNumber", request.req_msg_number)?.min(limits::HISTORY_PAGE);
    if limit == 0 {
        return Err(call.parameter("ReqMsgNumber is out of range"));
    }
    let group = with_history(call, &id).await?;
    let topic = call.topic_id(request.topic_id)?;
    let page = page(call, id, topic, request.req_msg_seq, limit).await?;
    let recalled_too = request.with_recalled_msg == Some(1);
    envelope::with(&HistoryResponse {
        group_id: group.id.as_str(),
        is_finished: u32::from(page.next.is_none()),
        rsp_msg_list: page.entries.iter().map(|entry| item(call, entry, recalled_too)).collect(),
    })
}

/// A group whose messages are stored.
async fn with_history(call: &Call<'_>, id: &GroupId) -> Result<Arc<Group>, Failure> {
    let group = call.group(id).await?;
    if Kind::of(&group) == Kind::AvChatRoom {
        return Err(Code::NoHistory.into());
    }
    Ok(group)
}

/// Messages and tips, newest first, and where the next page begins.
pub(super) struct Page {
    entries: Vec<(u64, Numbered)>,
    next: Option<u64>,
}

impl Page {
    pub(super) fn messages(&self) -> Vec<Arc<Message>> {
        let messages = self.entries.iter().filter_map(|(_, entry)| match entry {
            Numbered::Message(message) => Some(Arc::clone(message)),
            Numbered::Events(_) => None,
        });
        messages.collect()
    }
}

/// The page of this number and those below it; 0 is the newest.
pub(super) async fn page(
    call: &Call<'_>,
    group: GroupId,
    topic: Option<TopicId>,
    from: Option<u64>,
    limit: usize,
) -> Result<Page, Failure> {
    let from = from.filter(|sequence| *sequence != 0);
    if let Some(topic) = topic {
        let page = call.ask(TopicMessages { group, topic, from, limit }).await?;
        let numbered = |message: Arc<Message>| (message.sequence, Numbered::Message(message));
        return Ok(Page { entries: page.messages.into_iter().map(numbered).collect(), next: page.next });
    }
    let page = call.ask(History { group, from, limit }).await?;
    Ok(Page { entries: page.entries, next: page.next })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ClientRequest {
    group_id: Option<String>,
    req_msg_number: Option<usize>,
    req_msg_seq: Option<u64>,
    /// These numbers instead of a page.
    req_msg_seq_list: Option<Vec<u64>>,
    /// Without effect: recalled messages are always returned, as such.
    #[serde(rename = "WithRecalledMsg")]
    _with_recalled: Option<u32>,
    topic_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ClientWire<'g> {
    group_id: &'g str,
    /// 1 when there are more, 2 when there are not.
    is_finished: u32,
    next_req_msg_seq: u64,
    rsp_msg_list: Vec<ClientItem<'g>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ClientItem<'g> {
    event: u32,
    #[serde(flatten)]
    entry: ClientEntry<'g>,
}

#[derive(Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "written at once")]
enum ClientEntry<'g> {
    Message(ClientMessage<'g>),
    Tip(Map<String, Value>),
}

/// The event type of a message in the client protocol.
const MESSAGE: u32 = 3;
/// The event type of a tip of the history in the client protocol.
pub(in crate::calls) const TIP: u32 = 4;

/// `group_msg_get`. Source: the clients' protocol.
pub(crate) async fn read_as_client(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: ClientRequest = call.read()?;
    let id = call.group_id(request.group_id)?;
    let group = with_history(call, &id).await?;
    let topic = call.topic_id(request.topic_id)?;
    let page = if let Some(list) = request.req_msg_seq_list.filter(|list| !list.is_empty()) {
        picked(call, &id, topic.as_ref(), list).await?
    } else {
        let limit = request.req_msg_number.unwrap_or(limits::HISTORY_PAGE).clamp(1, limits::HISTORY_PAGE);
        page(call, id, topic, request.req_msg_seq, limit).await?
    };
    let messages = page.messages();
    let faces = faces(call, &group, &messages).await?;
    let mut tips = tips(call, &group, &page.entries).await?;
    let (admin, unknown) = (call.admin(), Face::default());
    let items = page.entries.iter().filter_map(|(number, entry)| match entry {
        Numbered::Message(message) => {
            let face = faces.get(sender(message, admin)).unwrap_or(&unknown);
            let message = ClientMessage::of(message, &group, face, admin);
            Some(ClientItem { event: MESSAGE, entry: ClientEntry::Message(message) })
        }
        Numbered::Events(_) => {
            let mut tip = tips.remove(number)?;
            tip.insert("IsPlaceMsg".to_owned(), json!(0));
            tip.insert("IsSystemMsg".to_owned(), json!(1));
            Some(ClientItem { event: TIP, entry: ClientEntry::Tip(tip) })
        }
    });
    envelope::with(&ClientWire {
        group_id: group.id.as_str(),
        is_finished: if page.next.is_some() { 1 } else { 2 },
        next_req_msg_seq: page.next.unwrap_or_default(),
        rsp_msg_list: items.collect(),
    })
}

/// The messages with certain numbers, as far as they can be read.
async fn picked(
    call: &Call<'_>,
    group: &GroupId,
    topic: Option<&TopicId>,
    mut numbers: Vec<u64>,
) -> Result<Page, Failure> {
    if numbers.len() > limits::HISTORY_PAGE {
        return Err(call.parameter(format!("ReqMsgSeqList: at most {} messages", limits::HISTORY_PAGE)));
    }
    numbers.sort_unstable_by_key(|number| Reverse(*number));
    numbers.dedup();
    let mut entries = Vec::with_capacity(numbers.len());
    for number in numbers.into_iter().filter(|number| *number != 0) {
        let found = page(call, group.clone(), topic.cloned(), Some(number), 1).await?.entries;
        entries.extend(found.into_iter().filter(|(found, _)| *found == number));
    }
    Ok(Page { entries, next: None })
}

/// The displayed names and avatars of senders, by account.
pub(in crate::calls) async fn faces(
    call: &Call<'_>,
    group: &Group,
    messages: &[Arc<Message>],
) -> Result<HashMap<String, Face>, Failure> {
    let senders: BTreeSet<&str> = messages.iter().map(|message| sender(message, call.admin())).collect();
    let ids: Vec<UserId> = senders.into_iter().filter_map(|sender| UserId::new(sender).ok()).collect();
    let users = call.look_up(FindUsers { ids: ids.clone(), folded: false }).await?.0;
    let members = call.look_up(MembersNamed { group: group.id.clone(), users: ids.clone() }).await?.members;
    let mut faces = HashMap::with_capacity(ids.len());
    for ((id, user), member) in ids.into_iter().zip(users).zip(members) {
        let (nick, avatar) = user.map(|user| (user.nick.clone(), user.avatar.clone())).unwrap_or_default();
        let card = member.map(|member| member.card.clone()).unwrap_or_default();
        faces.insert(id.as_str().to_owned(), Face { nick, avatar, card });
    }
    Ok(faces)
}

/// The tips among these, by number, in the client format.
pub(in crate::calls) async fn tips(
    call: &Call<'_>,
    group: &Group,
    entries: &[(u64, Numbered)],
) -> Result<BTreeMap<u64, Map<String, Value>>, Failure> {
    let events = |(number, entry): &'_ (u64, Numbered)| match entry {
        Numbered::Events(events) => Some((*number, events.clone())),
        Numbered::Message(_) => None,
    };
    let numbered: Vec<(u64, Vec<Arc<Event>>)> = entries.iter().filter_map(events).collect();
    if numbered.is_empty() {
        return Ok(BTreeMap::new());
    }
    let numbered: Vec<(u64, &[Arc<Event>])> = numbered.iter().map(|(number, events)| (*number, &**events)).collect();
    history_tips(call.app, group, &numbered).await.map_err(|refusal| call.failure(&refusal))
}

/// A tip: the server API shows that there is one, without its content.
fn simple_tip(number: u64, events: &[Arc<Event>]) -> Item {
    Item {
        from: SYSTEM.to_owned(),
        is_place_msg: 0,
        is_system_msg: Some(1),
        msg_body: json!([]),
        msg_priority: message::priority(Some("High")),
        // distinguishes two tips of one second, and is the one that is pushed to clients
        msg_random: events.first().map_or(0, |event| event.sequence & 0x7fff_ffff),
        msg_seq: number,
        msg_time_stamp: events.first().map_or(0, |event| event.at.seconds()),
    }
}

fn item(call: &Call<'_>, (number, entry): &(u64, Numbered), recalled_too: bool) -> Item {
    let message = match entry {
        Numbered::Message(message) => message,
        Numbered::Events(events) => return simple_tip(*number, events),
    };
    let shown = match message.state {
        MessageState::Kept => true,
        MessageState::Deleted => false,
        MessageState::Recalled { .. } => recalled_too,
    };
    let number = |label: &str| message.labels.get(label).and_then(|text| text.parse().ok());
    Item {
        from: sender(message, call.admin()).to_owned(),
        is_place_msg: place(&message.state),
        is_system_msg: None,
        msg_body: if shown { message::elements(message) } else { json!([]) },
        msg_priority: message::priority(message.labels.get(label::PRIORITY).map(String::as_str)),
        msg_random: number(label::RANDOM).unwrap_or_default(),
        msg_seq: message.sequence,
        msg_time_stamp: message.at.seconds(),
    }
}
