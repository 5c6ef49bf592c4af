//! What clients are sent for events: the facts of `dialect::events` as tips, notices and messages.
//!
//! Each is built once, whatever the number of clients. A notice names its recipient, which is filled in for each.

mod body;
mod people;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conclave_core::event::Event;
use conclave_core::model::{Group, Message, MessageState, UserId};
use conclave_core::refusal::Refusal;
use conclave_kit::{Recipients, call_of, group_of, message_at, message_of};
use serde_json::{Map, Value, json};

use crate::dialect::client_message::{ClientMessage, place, revoker, sender};
use crate::dialect::events::{Delivery, Fact, Notice, Push, Tip, What, facts};
use crate::dialect::kind::Kind;
use crate::dialect::message::label;
use crate::dialect::{message, tiny_id};
use crate::realm::App;

use body::Words;
use people::People;

/// The sender of tips and notices.
pub(crate) const SYSTEM: &str = "@TIM#SYSTEM";

/// The vendor's event types in a push.
mod kind {
    pub(super) const MESSAGE: u32 = 3;
    pub(crate) const TIP: u32 = 4;
    pub(super) const NOTICE: u32 = 5;
    pub(super) const PASSING_TIP: u32 = 6;
}

/// One push, with its recipients.
pub(crate) struct Pushed {
    pub(crate) to: Recipients,
    pub(crate) content: Content,
}

/// The content of a push: one entry of `EventArray`.
pub(crate) enum Content {
    /// The same for all recipients.
    Whole(Value),
    /// A notice, without its recipient.
    Addressed(Addressed),
}

/// A notice without its recipient.
pub(crate) struct Addressed {
    /// `GroupInfo`, without `To_Account`.
    pub(crate) group_info: Map<String, Value>,
    /// The rest, without `To_Account`.
    pub(crate) rest: Map<String, Value>,
}

impl Addressed {
    /// The entry of `EventArray` for this user.
    fn entry(self, user: &UserId) -> Value {
        let Self { mut group_info, mut rest } = self;
        group_info.insert("To_Account".to_owned(), json!(user));
        rest.insert("To_Account".to_owned(), json!(user));
        rest.insert("GroupInfo".to_owned(), Value::Object(group_info));
        json!({ "Event": kind::NOTICE, "GroupTips": [rest] })
    }
}

/// The pushes of an event, in order.
pub(crate) async fn pushes(app: &App, event: &Arc<Event>) -> Result<Vec<Pushed>, Refusal> {
    if event.audience.silent {
        return Ok(Vec::new());
    }
    let realm = &app.realm;
    let Some(group) = group_of(event, &*realm.groups, &*realm.log).await? else { return Ok(Vec::new()) };
    let call = call_of(event, &*realm.log).await?;
    // several changes of a profile in one call are one fact, which belongs to the first event
    let facts = facts(call.iter().map(|event| &**event));
    let Some(fact) = facts.iter().find(|fact| fact.event.sequence == event.sequence) else { return Ok(Vec::new()) };
    let deliveries = fact.deliveries(&group);
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let pushing = Pushing { app, group: &group, fact };
    let mut pushed = Vec::with_capacity(deliveries.len());
    for Delivery { push, to } in deliveries {
        if let Some(content) = pushing.content(&push).await? {
            pushed.push(Pushed { to, content });
        }
    }
    Ok(pushed)
}

/// The notices of an event for a user, as entries of `EventArray`.
pub(crate) async fn notices_for(app: &App, event: &Arc<Event>, user: &UserId) -> Result<Vec<Value>, Refusal> {
    let pushed = pushes(app, event).await?.into_iter();
    let entry = |Pushed { to, content }| match content {
        Content::Addressed(notice) if to.users.contains(user) && !to.except_users.contains(user) => {
            Some(notice.entry(user))
        }
        _ => None,
    };
    Ok(pushed.filter_map(entry).collect())
}

/// The tips of a group's history, by number: the same items as are pushed, built from the events of each number.
pub(crate) async fn history_tips(
    app: &App,
    group: &Group,
    numbered: &[(u64, &[Arc<Event>])],
) -> Result<BTreeMap<u64, Map<String, Value>>, Refusal> {
    let facts: Vec<(u64, Fact<'_>)> = numbered
        .iter()
        .filter_map(|(number, events)| Some((*number, facts(events.iter().map(|event| &**event)).into_iter().next()?)))
        .collect();
    let tips = facts.iter().flat_map(|(number, fact)| {
        let tip = |delivery: Delivery<'_>| match delivery.push {
            Push::Tip { tip, about, .. } => Some((*number, fact, tip, about.into_iter().cloned().collect::<Vec<_>>())),
            _ => None,
        };
        fact.deliveries(group).into_iter().filter_map(tip).collect::<Vec<_>>()
    });
    let tips: Vec<(u64, &Fact<'_>, Tip, Vec<UserId>)> = tips.collect();
    let operators = tips.iter().map(|(_, fact, ..)| body::operator(fact, app.admin()));
    let ids: BTreeSet<&str> = tips.iter().flat_map(|(.., about)| about).map(UserId::as_str).chain(operators).collect();
    let people = People::find(app, group, &ids).await?;
    let item = |(number, fact, tip, about): &(u64, &Fact<'_>, Tip, Vec<UserId>)| {
        let pushing = Pushing { app, group, fact };
        let about: Vec<&UserId> = about.iter().collect();
        let body = pushing.worded(&about, people.clone()).tip(*tip);
        (*number, pushing.tip_item(Some(*number), body))
    };
    Ok(tips.iter().map(item).collect())
}

/// The context in which a fact is encoded.
struct Pushing<'f> {
    app: &'f App,
    group: &'f Group,
    fact: &'f Fact<'f>,
}

impl Pushing<'_> {
    /// The content; nothing where the client format is not known.
    async fn content(&self, push: &Push<'_>) -> Result<Option<Content>, Refusal> {
        if matches!(self.fact.what, What::InTopic(..)) {
            return Ok(None);
        }
        match push {
            Push::Tip { tip, about, number } => {
                let body = self.words(about).await?.tip(*tip);
                Ok(Some(Content::Whole(self.tip(*number, body))))
            }
            Push::Notice { notice, about } => {
                let body = self.words(about).await?.notice(*notice);
                Ok(body.map(|body| Content::Addressed(self.notice(*notice, body))))
            }
            Push::Message => {
                let Some(message) = message_of(self.fact.event, &*self.app.realm.groups).await? else {
                    return Ok(None);
                };
                Ok(Some(Content::Whole(self.message(&message).await?)))
            }
            Push::Recall => Ok(self.recall().await?.map(Content::Whole)),
            Push::Attributes => Ok(body::attributes(self.fact).map(|body| self.passing(body))),
            Push::Counters => Ok(body::counters(self.fact).map(|body| self.passing(body))),
            // the client format of these is not published; clients read them with the message
            Push::Edit | Push::Extensions => Ok(None),
        }
    }

    async fn words<'w>(&'w self, about: &'w [&'w UserId]) -> Result<Words<'w>, Refusal> {
        let operator = body::operator(self.fact, self.app.admin());
        let mut ids: BTreeSet<&str> = about.iter().map(|user| user.as_str()).collect();
        ids.insert(operator);
        let people = People::find(self.app, self.group, &ids).await?;
        Ok(self.worded(about, people))
    }

    fn worded<'w>(&'w self, about: &'w [&'w UserId], people: People) -> Words<'w> {
        let operator = body::operator(self.fact, self.app.admin());
        let people = people.with_former(self.fact);
        Words { app: self.app, group: self.group, fact: self.fact, about, operator, people }
    }

    /// The fields that every item has. `number` is that of the group's history; `random` distinguishes items of one
    /// second.
    fn item(&self, number: u64, random: u64) -> Map<String, Value> {
        let event = self.fact.event;
        let seconds = event.at.seconds();
        let fields = json!({
            "ClientSeq": low(random),
            "From_Account": SYSTEM,
            "ToGroupId": self.group.id,
            "MsgSeq": number,
            "MsgRandom": low(random),
            "MsgTimeStamp": seconds,
            "MsgClientTime": seconds,
            "MsgPriority": message::priority(Some("High")),
        });
        into_map(fields)
    }

    fn group_info(&self, from: &str) -> Map<String, Value> {
        into_map(json!({
            "GroupId": self.group.id,
            "GroupName": self.group.profile.name,
            "GroupType": Kind::of(self.group).word(),
            "From_Account": from,
        }))
    }

    fn tip_item(&self, number: Option<u64>, body: Value) -> Map<String, Value> {
        // the same random as in the history
        let mut item = self.item(number.unwrap_or_default(), self.fact.event.sequence);
        item.insert("NoticeSeq".to_owned(), json!(0));
        item.insert("GroupInfo".to_owned(), Value::Object(self.group_info(SYSTEM)));
        item.insert("MsgBody".to_owned(), body);
        item
    }

    fn tip(&self, number: Option<u64>, body: Value) -> Value {
        let item = self.tip_item(number, body);
        // a tip about the group itself without a number is not part of the history
        let event = if number.is_some() { kind::TIP } else { kind::PASSING_TIP };
        json!({ "Event": event, "GroupTips": [item] })
    }

    fn passing(&self, body: Value) -> Content {
        let mut item = self.item(0, self.fact.event.sequence);
        item.insert("GroupInfo".to_owned(), Value::Object(self.group_info(SYSTEM)));
        item.insert("MsgBody".to_owned(), body);
        Content::Whole(json!({ "Event": kind::PASSING_TIP, "GroupTips": [item] }))
    }

    fn notice(&self, notice: Notice, body: Value) -> Addressed {
        let sequence = self.fact.event.sequence;
        // distinguishes two notices of one event
        let random = (sequence << 8) | u64::from(notice as u8);
        let operator = body["Operator_Account"].as_str().unwrap_or_default().to_owned();
        let mut rest = self.item(low(random), random);
        rest.insert("NoticeSeq".to_owned(), json!(low(sequence)));
        rest.insert("MsgBody".to_owned(), body);
        Addressed { group_info: self.group_info(&operator), rest }
    }

    async fn message(&self, message: &Message) -> Result<Value, Refusal> {
        let admin = self.app.admin();
        let ids = [sender(message, admin)].into();
        let people = People::find(self.app, self.group, &ids).await?;
        let face = people.face(sender(message, admin));
        let item = ClientMessage::of(message, self.group, &face, admin);
        Ok(json!({ "Event": kind::MESSAGE, "GroupMsgArray": [item] }))
    }

    async fn recall(&self) -> Result<Option<Value>, Refusal> {
        let What::Recalled(sequences) = &self.fact.what else { return Ok(None) };
        let (mut recalled, mut by) = (Vec::new(), None);
        for sequence in *sequences {
            let found = message_at(&self.group.id, *sequence, &*self.app.realm.groups).await?;
            let Some(message) = found.filter(|message| place(&message.state) == RECALLED) else { continue };
            recalled.push(withdrawn(&message, self.group, self.app.admin()));
            by = by.or_else(|| revoker(&message, self.app.admin()).map(|revoker| json!(revoker)));
        }
        if recalled.is_empty() {
            return Ok(None);
        }
        let sequence = self.fact.event.sequence;
        let mut item = self.item(low(sequence), sequence);
        item.insert("GroupInfo".to_owned(), Value::Object(self.group_info(SYSTEM)));
        item.insert("RevokerInfo".to_owned(), by.unwrap_or_default());
        item.insert("MsgBody".to_owned(), json!({ "GroupWithdrawInfoArray": recalled }));
        Ok(Some(json!({ "Event": kind::NOTICE, "GroupTips": [item] })))
    }
}

/// `IsPlaceMsg` of a recalled message.
const RECALLED: u32 = 2;

/// The fields by which clients find a recalled message.
fn withdrawn(message: &Message, group: &Group, admin: &str) -> Value {
    debug_assert!(matches!(message.state, MessageState::Recalled { .. }));
    let number = |label: &str| message.labels.get(label).and_then(|text| text.parse::<u64>().ok());
    json!({
        "GroupId": group.id,
        "MsgSeq": message.sequence,
        "MsgRandom": number(label::RANDOM).unwrap_or_default(),
        "MsgTimeStamp": message.at.seconds(),
        "MsgClientTime": number(label::CLIENT_TIME).unwrap_or(message.at.seconds()),
        "TinyId": UserId::new(sender(message, admin)).map_or_else(|_| "0".to_owned(), |user| tiny_id::of(&user)),
    })
}

/// The lowest 31 bits: clients accept no larger numbers.
fn low(number: u64) -> u64 {
    number & 0x7fff_ffff
}

fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
