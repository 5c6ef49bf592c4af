//! What clients are sent for events: the facts of `dialect::events` as tips, notices and messages.
//!
//! Each is built once, whatever the number of clients. A notice names its recipient, which is filled in for each.

mod body;
mod message;
mod people;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{Group, TopicId, UserId};
use conclave_core::refusal::Refusal;
use conclave_kit::{MemberFilter, Recipients, call_of, group_of};
use serde_json::{Map, Value, json};

use crate::dialect::community;
use crate::dialect::events::{Delivery, Fact, Notice, Push, Tip, What, facts};
use crate::dialect::kind::Kind;
use crate::dialect::message as messages;
use crate::realm::App;

use body::Words;
pub(crate) use message::{mention_entry, mentions};
use people::People;

/// The field of a notice that says which event it is of.
pub(crate) const NOTICE_NUMBER: &str = "NoticeSeq";

/// `MillionGroupFlag` of a community with topics.
const WITH_TOPICS: u32 = 2;

/// Who tips and notices are from.
pub(crate) const SYSTEM: &str = "@TIM#SYSTEM";

/// The vendor's event types in a push.
mod kind {
    pub(super) const MESSAGE: u32 = 3;
    pub(crate) const TIP: u32 = 4;
    pub(super) const NOTICE: u32 = 5;
    pub(super) const PASSING_TIP: u32 = 6;
    pub(super) const MENTION: u32 = 12;
    /// What clients find by its key. The vendor's numbers are not published; clients look at 4, 5, 6, 12, 14, 16, 24, 26
    /// and 100 only.
    pub(super) const FOUND_BY_KEY: u32 = 0;
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
        pushed.extend(pushing.pushed(&push, to).await?);
    }
    Ok(pushed)
}

/// A client that is given notices from while it was not connected.
pub(crate) struct Absent<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) device: Option<&'a str>,
    /// Whether it has just read its lists, so that what the user's other clients did is in them.
    pub(crate) is_new: bool,
}

impl Absent<'_> {
    fn receives(&self, event: &Event, to: &Recipients) -> bool {
        let acted = matches!(&event.actor, Actor::User { user, device: Some(device) }
            if user == self.user && Some(device.as_str()) == self.device);
        let knows = to.except_acting_device && (acted || self.is_new && event.actor.behind() == Some(self.user));
        to.users.contains(self.user) && !to.except_users.contains(self.user) && !knows
    }
}

/// The notices that a user is sent of an event, as entries of `EventArray`.
pub(crate) async fn notices_for(app: &App, event: &Arc<Event>, client: &Absent<'_>) -> Result<Vec<Value>, Refusal> {
    let pushed = pushes(app, event).await?.into_iter();
    let entry = |Pushed { to, content }| match content {
        Content::Addressed(notice) if client.receives(event, &to) => Some(notice.entry(client.user)),
        _ => None,
    };
    Ok(pushed.filter_map(entry).collect())
}

/// What an event is to somebody who watches the group without being a member: the messages and tips that all members are
/// sent, as items with the number of their kind.
pub(crate) async fn items_for_all(app: &App, event: &Arc<Event>) -> Result<Vec<Value>, Refusal> {
    let pushed = pushes(app, event).await?.into_iter();
    let items = |Pushed { to, content }: Pushed| match content {
        Content::Whole(mut entry) if to.members == Some(MemberFilter::All) => {
            let kind = entry["Event"].take();
            if ![kind::MESSAGE, kind::TIP, kind::PASSING_TIP].map(Value::from).contains(&kind) {
                return Vec::new();
            }
            let list = ["GroupMsgArray", "GroupTips"].into_iter().find_map(|key| match entry[key].take() {
                Value::Array(items) => Some(items),
                _ => None,
            });
            list.unwrap_or_default()
                .into_iter()
                .map(|mut item| {
                    item["Event"] = kind.clone();
                    item
                })
                .collect()
        }
        Content::Whole(_) | Content::Addressed(_) => Vec::new(),
    };
    Ok(pushed.flat_map(items).collect())
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
        let body = pushing.words_with(&about, people.clone()).tip(*tip);
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
    /// What clients are sent, and who of them.
    async fn pushed(&self, push: &Push<'_>, to: Recipients) -> Result<Vec<Pushed>, Refusal> {
        let whole = |entry: Value| Pushed { to: to.clone(), content: Content::Whole(entry) };
        match push {
            Push::Tip { tip, about, number } => {
                let body = self.words(about).await?.tip(*tip);
                Ok(vec![whole(self.tip(*number, body))])
            }
            Push::Options if self.app.realm.settings.option_tips => {
                let body = self.words(&[]).await?.tip(Tip::Profile);
                Ok(vec![whole(self.tip(None, body))])
            }
            Push::Options => Ok(Vec::new()),
            Push::Notice { notice: Notice::ReadUpTo, .. } => Ok(self.read_up_to().map(whole).into_iter().collect()),
            Push::Notice { notice: Notice::Receipts, .. } => self.receipts().await,
            Push::Notice { notice, about } => {
                let body = self.words(about).await?.notice(*notice);
                Ok(vec![Pushed { to, content: Content::Addressed(self.notice(*notice, body)) }])
            }
            Push::Message => self.sent(to).await,
            Push::Recall => Ok(self.recall().await?.map(whole).into_iter().collect()),
            Push::Edit => Ok(self.edit().await?.map(whole).into_iter().collect()),
            Push::Pin(tip) => Ok(self.pin(*tip).await?.map(whole).into_iter().collect()),
            Push::Extensions => Ok(self.extensions().await?.into_iter().map(whole).collect()),
            Push::Attributes => {
                Ok(body::attributes(self.fact).map(|body| self.passing(body, to)).into_iter().collect())
            }
            Push::Counters => Ok(body::counters(self.fact).map(|body| self.passing(body, to)).into_iter().collect()),
        }
    }

    /// What has happened, in the group or in a topic of it.
    fn what(&self) -> &What<'_> {
        match &self.fact.what {
            What::InTopic(_, what) => what,
            what => what,
        }
    }

    /// The topic that the fact is of, if it is of one.
    fn topic(&self) -> Option<&TopicId> {
        match &self.fact.what {
            What::InTopic(topic, _) | What::TopicCreated { topic, .. } | What::TopicChanged { topic, .. } => {
                Some(topic)
            }
            _ => None,
        }
    }

    async fn words<'w>(&'w self, about: &'w [&'w UserId]) -> Result<Words<'w>, Refusal> {
        let operator = body::operator(self.fact, self.app.admin());
        let mut ids: BTreeSet<&str> = about.iter().map(|user| user.as_str()).collect();
        ids.insert(operator);
        let people = People::find(self.app, self.group, &ids).await?;
        Ok(self.words_with(about, people))
    }

    fn words_with<'w>(&'w self, about: &'w [&'w UserId], people: People) -> Words<'w> {
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
            "MsgPriority": messages::priority(Some("High")),
        });
        into_map(fields)
    }

    fn group_info(&self, from: &str) -> Map<String, Value> {
        let mut info = json!({
            "GroupId": self.group.id,
            "GroupName": self.group.profile.name,
            "GroupType": Kind::of(self.group).word(),
            "From_Account": from,
        });
        self.add_topic(Some(&mut info));
        into_map(info)
    }

    /// Says in a `GroupInfo` that the community has topics, and which of them it is about.
    fn add_topic(&self, info: Option<&mut Value>) {
        let Some(info) = info.filter(|_| community::support_topic(&self.group.labels) == 1) else { return };
        info["MillionGroupFlag"] = json!(WITH_TOPICS);
        if let Some(topic) = self.topic() {
            info["TopicId"] = json!(topic);
        }
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

    fn passing(&self, body: Value, to: Recipients) -> Pushed {
        let mut item = self.item(0, self.fact.event.sequence);
        item.insert("GroupInfo".to_owned(), Value::Object(self.group_info(SYSTEM)));
        item.insert("MsgBody".to_owned(), body);
        Pushed { to, content: Content::Whole(json!({ "Event": kind::PASSING_TIP, "GroupTips": [item] })) }
    }

    fn notice(&self, notice: Notice, body: Value) -> Addressed {
        let sequence = self.fact.event.sequence;
        // distinguishes two notices of one event
        let random = (sequence << 8) | u64::from(notice as u8);
        let operator = body["Operator_Account"].as_str().unwrap_or_default().to_owned();
        let mut rest = self.item(low(random), random);
        rest.insert(NOTICE_NUMBER.to_owned(), json!(low(sequence)));
        rest.insert("MsgBody".to_owned(), body);
        Addressed { group_info: self.group_info(&operator), rest }
    }
}

/// The last 31 bits: what clients take for a number of theirs.
pub(crate) fn low(number: u64) -> u64 {
    number & 0x7fff_ffff
}

fn into_map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
