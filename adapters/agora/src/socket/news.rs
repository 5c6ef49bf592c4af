//! Projects events to items that clients receive (`Meta`), with the recipients of each.
//!
//! An item belongs to the queue that its event is in for the user: the user's own where the event names them, otherwise
//! the group's. Items that are read from a queue and items that are pushed at once are both built here.

mod writer;

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conclave_core::event::{Actor, Event};
use conclave_core::model::{Group, GroupId, Message, MessageState, Millis, Queue, Role, UserId};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::Receipts;
use conclave_core::refusal::Refusal;
use conclave_kit::{Fact as KitFact, Frame, Recipients, SharedFrame, call_of, group_of, message_at};
use prost::Message as _;

use super::names::Names;
use super::session::Encoding;
use super::wire::{Meta, ns, route};
use super::{content, frame};
use crate::dialect::events::{self, Fact, What};
use crate::dialect::message;
use crate::realm::App;
use writer::NoticeWriter;

/// A key is the number of the event and, in these low bits, that of the item. They are enough for every event: the core
/// bounds an event's texts (`bounds::EVENT_BYTES`), which leaves 123,361 users, each with two items at most.
pub(super) const KEY_BITS: u32 = 20;
const _: () = assert!(2 * (conclave_core::bounds::EVENT_BYTES / 17 + 1) < 1 << KEY_BITS);

/// The key of an item of an event.
fn key(sequence: u64, item: u64) -> u64 {
    sequence << KEY_BITS | (item + 1)
}

/// The highest key of an event.
pub(super) fn key_of_all(sequence: u64) -> u64 {
    sequence << KEY_BITS | ((1 << KEY_BITS) - 1)
}

/// The event's number in a key.
pub(super) fn sequence_of(key: u64) -> u64 {
    key >> KEY_BITS
}

/// One item for clients.
#[derive(Debug)]
pub(super) struct News {
    /// The number of the event.
    pub(super) sequence: u64,
    /// Its key in its queue; unique among the items of one event.
    pub(super) key: u64,
    pub(super) at: Millis,
    pub(super) group: GroupId,
    /// The users that the event names.
    named: Vec<UserId>,
    /// In no queue: only for online users.
    pub(super) passing: bool,
    /// A message, which members who shield the group do not receive.
    pub(super) is_message: bool,
    /// Whether the affected user shields the group from here on, or no longer does.
    pub(super) shields: Option<bool>,
    form: Form,
    to: Recipients,
    actor: Actor,
    pub(super) meta: Meta,
}

/// Which SDKs support this form of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    All,
    /// SDKs that support lists of members.
    Lists,
    /// SDKs that do not.
    Single,
}

/// One item for clients, delivered to those online.
#[derive(Debug)]
pub(crate) struct AgoraFact {
    pub(super) news: News,
    names: Names,
    /// Encoded for the group's queue, the same for all members: as bytes, and as text.
    shared: [OnceLock<Arc<SharedFrame>>; 2],
}

/// A client that may be among the recipients of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client<'a> {
    pub(super) user: &'a UserId,
    /// Its user's role in the group of the event.
    pub(super) role: Option<Role>,
    /// Whether its user shields the group.
    pub(super) shields: bool,
    /// The device as actors name it.
    pub(super) device: &'a str,
    /// Whether its SDK supports lists of members.
    pub(super) knows_lists: bool,
}

impl News {
    /// The queue it is in for a user.
    pub(super) fn queue(&self, user: &UserId) -> Queue {
        if self.named.contains(user) { Queue::Own } else { Queue::Group(self.group.clone()) }
    }

    /// Whether a client's SDK supports this form.
    pub(super) fn is_known_to(&self, knows_lists: bool) -> bool {
        match self.form {
            Form::All => true,
            Form::Lists => knows_lists,
            Form::Single => !knows_lists,
        }
    }

    /// Whether a client receives it.
    pub(super) fn is_for(&self, client: Client<'_>) -> bool {
        self.is_known_to(client.knows_lists)
            && !(self.is_message && client.shields)
            && includes(&self.to, client, &self.actor)
    }

    /// Whether this device caused it.
    pub(super) fn is_by(&self, device: &str) -> bool {
        matches!(&self.actor, Actor::User { device: Some(actor), .. } if actor == device)
    }

    /// The recipients among the online clients, including the acting device if it needs the item too.
    fn recipients(&self) -> Recipients {
        Recipients { except_acting_device: self.to.except_acting_device && self.shields.is_none(), ..self.to.clone() }
    }
}

/// Whether a client receives the result of this actor's action.
fn includes(to: &Recipients, client: Client<'_>, actor: &Actor) -> bool {
    let is_member = client.role.is_some_and(|role| to.members.is_some_and(|members| members.includes(role)));
    let acted = matches!(actor, Actor::User { user, device: Some(device) }
        if user == client.user && device == client.device);
    (is_member || to.users.contains(client.user))
        && !to.except_users.contains(client.user)
        && !(to.except_acting_device && acted)
}

impl AgoraFact {
    /// The frame that pushes it to the group's queue; encoded once for everybody.
    pub(super) fn shared(&self, encoding: Encoding) -> Arc<SharedFrame> {
        let News { group, meta, key, at, .. } = &self.news;
        let bytes = || frame::items(self.names.group(group), vec![meta.clone()], *key, *at);
        let [binary, text] = &self.shared;
        let shared = match encoding {
            Encoding::Binary => binary.get_or_init(|| SharedFrame::new(Frame::binary(bytes()))),
            Encoding::Text => text.get_or_init(|| SharedFrame::new(Frame::text(STANDARD.encode(bytes())))),
        };
        Arc::clone(shared)
    }
}

/// The items of an event for online clients.
pub(super) async fn project(app: &App, event: &Arc<Event>) -> Result<Vec<KitFact<AgoraFact>>, Refusal> {
    if !events::is_of_group(event) && !events::is_of_messages(event) {
        return Ok(Vec::new());
    }
    let Some(group) = group_of(event, &*app.groups, &*app.log).await? else { return Ok(Vec::new()) };
    let call = call_of(event, &*app.log).await?;
    let facts = events::facts(call.iter().map(|event| &**event), &group, &app.settings);
    let mut news = Vec::new();
    // a fact of several events is reported with the first of them
    for fact in facts.iter().filter(|fact| fact.event.sequence == event.sequence) {
        news.extend(of_fact(app, fact, &group, None).await?);
    }
    let fact = |news: News| {
        let (to, bytes) = (news.recipients(), 2 * news.meta.encoded_len());
        let names = app.names();
        KitFact::new(to, AgoraFact { news, names, shared: Default::default() }).of_bytes(bytes)
    };
    Ok(news.into_iter().map(fact).collect())
}

/// The items of a fact. `message` is the message it is about, if already known.
pub(super) async fn of_fact(
    app: &App,
    fact: &Fact<'_>,
    group: &Group,
    message: Option<Arc<Message>>,
) -> Result<Vec<News>, Refusal> {
    let names = app.names();
    let writer = NoticeWriter { app, names: &names, event: fact.event, group };
    let at = async |sequence: u64| match &message {
        Some(message) if message.sequence == sequence => Ok(Some(Arc::clone(message))),
        _ => message_at(&group.id, sequence, &*app.groups).await,
    };
    let mut news = match &fact.what {
        What::Sent(sequence) => {
            let message = at(*sequence).await?.filter(|message| message.state == MessageState::Kept);
            message.map(|message| writer.sent(&message, fact.message_recipients())).into_iter().collect()
        }
        What::Passed(message) => {
            vec![News { passing: true, ..writer.sent(message, fact.message_recipients()) }]
        }
        What::Recalled(sequences) => {
            let mut news = Vec::new();
            for sequence in *sequences {
                let Some(message) = at(*sequence).await? else { continue };
                news.push(writer.recalled(&message, fact.message_recipients()));
            }
            news
        }
        What::Edited(sequence) => {
            let message = at(*sequence).await?.filter(|message| message.state == MessageState::Kept);
            message.map(|message| writer.edited(&message, fact.message_recipients())).into_iter().collect()
        }
        What::Pinned { sequence, pinned } => {
            let message = at(*sequence).await?;
            message.map(|message| writer.pinned(&message, *pinned, fact.message_recipients())).into_iter().collect()
        }
        What::Read { user, sequences, note } => {
            let asked = Receipts { group: group.id.clone(), sequences: sequences.to_vec(), most_members: None };
            let counts = app.groups.ask(&Actor::app(), asked).await?.0;
            let mut news = Vec::new();
            for (sequence, count) in counts {
                let (Ok(count), Some(message)) = (count, at(sequence).await?) else { continue };
                news.push(writer.read(user, &message, count.read, note));
            }
            news
        }
        _ => writer.operations(fact, &app.settings),
    };
    for (item, news) in (0..).zip(&mut news) {
        news.key = key(news.sequence, item);
        // the key identifies the item, except for a message itself, which has its own id
        if news.meta.id.is_none() {
            news.meta.id = Some(news.key);
        }
    }
    Ok(news)
}

/// A message of the history in the client format.
pub(crate) fn history_item(app: &App, message: &Message) -> Vec<u8> {
    let names = app.names();
    let meta = Meta {
        id: message::number(&message.id),
        from: Some(names.named(&message::sender(message))),
        to: Some(names.group(&message.group)),
        timestamp: Some(message.at.0),
        ns: Some(ns::CHAT),
        payload: Some(content::write(app, message).encode_to_vec().into()),
        routetype: Some(route::ALL),
        ..Meta::default()
    };
    meta.encode_to_vec()
}
