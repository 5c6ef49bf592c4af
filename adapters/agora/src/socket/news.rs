//! Projects events to items that clients receive (`Meta`), with the recipients of each.
//!
//! An item belongs to the queue that its event is in for the user: the user's own where the event names them, otherwise
//! the group's. Items that are read from a queue and items that are pushed at once are both built here.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conclave_core::event::{Actor, Event};
use conclave_core::model::{Group, GroupId, Message, MessageState, Millis, Queue, Role, Sender, UserId};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::Receipts;
use conclave_core::refusal::Refusal;
use conclave_kit::{Device, Fact as KitFact, Frame, Recipients, SharedFrame, call_of, group_of, message_at};
use prost::Message as _;
use serde_json::{Map, Value, json};

use super::names::{Names, bare};
use super::session::Encoding;
use super::wire::{EventInfo, KeyValue, MessageBody, Meta, MucBody, chat_type, key_value, ns, route};
use super::{content, frame};
use crate::VENDOR;
use crate::dialect::events::{self, Fact, Info, Muc, Push, What};
use crate::dialect::flags::Flags;
use crate::dialect::ids::{APP_ADMIN, shown};
use crate::dialect::message::Edited;
use crate::dialect::{message, time};
use crate::realm::App;

/// Most items of one event; further ones are omitted.
const ITEMS: u64 = (1 << KEY_BITS) - 2;
/// A key is the number of the event and, in these low bits, that of the item.
const KEY_BITS: u32 = 12;

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
    let writer = NoticeWriter { names: &names, event: fact.event, group };
    let at = async |sequence: u64| match &message {
        Some(message) if message.sequence == sequence => Ok(Some(Arc::clone(message))),
        _ => message_at(&group.id, sequence, &*app.groups).await,
    };
    let mut news = match &fact.what {
        What::Sent(sequence) => {
            let message = at(*sequence).await?.filter(|message| message.state == MessageState::Kept);
            message.map(|message| writer.sent(&message, fact.readers())).into_iter().collect()
        }
        What::Passed(message) => {
            vec![News { passing: true, ..writer.sent(message, fact.readers()) }]
        }
        What::Recalled(sequences) => {
            let mut news = Vec::new();
            for sequence in *sequences {
                let Some(message) = at(*sequence).await? else { continue };
                news.push(writer.recalled(&message, fact.readers()));
            }
            news
        }
        What::Edited(sequence) => {
            let message = at(*sequence).await?.filter(|message| message.state == MessageState::Kept);
            message.map(|message| writer.edited(&message, fact.readers())).into_iter().collect()
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
    news.truncate(usize::try_from(ITEMS).unwrap_or(usize::MAX));
    for (item, news) in (0..).zip(&mut news) {
        news.key = key(news.sequence, item);
        // the key identifies the item, except for a message itself, which has its own id
        if news.meta.id.is_none() {
            news.meta.id = Some(news.key);
        }
    }
    Ok(news)
}

/// Encodes what an event means to clients.
struct NoticeWriter<'e> {
    names: &'e Names,
    event: &'e Event,
    group: &'e Group,
}

impl NoticeWriter<'_> {
    fn news(&self, to: Recipients, meta: Meta) -> News {
        let event = self.event;
        News {
            sequence: event.sequence,
            key: 0,
            at: event.at,
            group: self.group.id.clone(),
            named: event.audience.users.clone(),
            passing: false,
            is_message: false,
            shields: None,
            form: Form::All,
            to,
            actor: event.actor.clone(),
            meta,
        }
    }

    fn meta(&self, ns: i32, from: super::wire::Jid, payload: Vec<u8>) -> Meta {
        Meta {
            id: None,
            from: Some(from),
            to: Some(self.names.group(&self.group.id)),
            timestamp: Some(self.event.at.0),
            ns: Some(ns),
            payload: Some(payload.into()),
            routetype: Some(route::ALL),
            ..Meta::default()
        }
    }

    // --- messages ----------------------------------------------------------------------------------------------

    /// A message: for its readers and the sender's other devices.
    fn sent(&self, message: &Message, readers: Recipients) -> News {
        let body = content::write(message).encode_to_vec();
        let resource = self.resource().filter(|_| self.event.actor.behind().is_some_and(|actor| message.is_by(actor)));
        let from = self.names.device(&message::sender(message), resource);
        let meta = self.meta(ns::CHAT, from, body);
        let meta = Meta { id: message::number(&message.id), timestamp: Some(message.at.0), ..meta };
        let meta = Meta { meta: Some(ONLINE.into()), ..meta };
        News { is_message: true, ..self.news(readers.without_acting_device(), meta) }
    }

    fn recalled(&self, message: &Message, readers: Recipients) -> News {
        let by = match &message.state {
            MessageState::Recalled { by: Some(by), .. } => shown(by).into_owned(),
            _ => self.operator().into_owned(),
        };
        let body = MessageBody {
            r#type: Some(chat_type::RECALL),
            from: Some(bare(&*by)),
            to: Some(bare(self.group.id.as_str())),
            ack_message_id: message::number(&message.id),
            ..MessageBody::default()
        };
        let meta = self.meta(ns::CHAT, self.names.device(&by, self.resource()), body.encode_to_vec());
        let to = if message.targets.is_empty() {
            readers
        } else {
            Recipients::users(readers_of(message).into_iter().cloned())
        };
        News { is_message: true, ..self.news(to.without_acting_device(), meta) }
    }

    fn edited(&self, message: &Message, readers: Recipients) -> News {
        let written = content::write(message);
        let edited = Edited::of(message, self.event);
        let body = MessageBody {
            r#type: Some(chat_type::EDIT),
            edit_message_id: message::number(&message.id),
            edit_scope: Some(EDITED_BODY),
            meta: Some(json!({ "edit_msg": edited.json(message) }).to_string()),
            ..written
        };
        let from = self.names.device(&message::sender(message), None);
        let meta = self.meta(ns::CHAT, from, body.encode_to_vec());
        News { is_message: true, ..self.news(readers.without_acting_device(), meta) }
    }

    /// For the sender, with the number of readers.
    fn read(&self, reader: &UserId, message: &Message, count: usize, note: &str) -> News {
        let id = message::number(&message.id);
        let counts: Map<String, Value> = id.map(|id| (id.to_string(), count.into())).into_iter().collect();
        let counts = KeyValue {
            key: Some(COUNTS.to_owned()),
            r#type: Some(key_value::JSON_STRING),
            string_value: Some(Value::from(counts).to_string()),
            ..KeyValue::default()
        };
        let body = MessageBody {
            r#type: Some(chat_type::READ_ACK),
            from: Some(bare(shown(reader))),
            to: Some(bare(self.group.id.as_str())),
            ack_message_id: id,
            ack_content: (!note.is_empty()).then(|| note.to_owned()),
            msg_config: Some(super::wire::MessageConfig { allow_group_ack: Some(true) }),
            ext: vec![counts],
            ..MessageBody::default()
        };
        let meta = self.meta(ns::CHAT, self.names.device(&shown(reader), None), body.encode_to_vec());
        self.news(Recipients::users(sender_of(message).cloned()), meta)
    }

    // --- the group ---------------------------------------------------------------------------------------------

    fn operations(&self, fact: &Fact<'_>, settings: &crate::settings::Settings) -> Vec<News> {
        let pushes = fact.operations(self.group);
        pushes.iter().filter(|push| !push.to.is_empty()).flat_map(|push| self.operation(fact, push, settings)).collect()
    }

    fn operation(&self, fact: &Fact<'_>, push: &Push<'_>, settings: &crate::settings::Settings) -> Vec<News> {
        let named = |users: &[&UserId]| users.iter().map(|user| self.names.user(user)).collect::<Vec<_>>();
        let mut body = MucBody {
            muc_id: Some(self.names.group(&self.group.id)),
            operation: Some(push.operation as i32),
            from: Some(push.from.map_or_else(|| self.names.named(&self.operator()), |from| self.names.user(from))),
            to: named(&push.about),
            is_chatroom: Some(false),
            is_thread: Some(false),
            ..MucBody::default()
        };
        let shields = match (&fact.what, push.operation) {
            (What::Shield { on, .. }, _) => Some(*on),
            _ => None,
        };
        self.more(fact, push, settings, &mut body);
        let news = |body: &MucBody| {
            let meta = self.meta(ns::MUC, self.names.group(&self.group.id), body.encode_to_vec());
            News { shields, ..self.news(push.to.clone(), meta) }
        };
        if !matches!(push.operation, Muc::Presence | Muc::Absence) {
            return vec![news(&body)];
        }
        // a user who joins or leaves is in `from`; several are a list, which not every SDK supports
        body.to.clear();
        let single = |user: &UserId| news(&MucBody { from: Some(self.names.user(user)), ..body.clone() });
        let [user] = *push.about else {
            let members = push.about.iter().map(|user| shown(user).into_owned()).collect();
            let list = News { form: Form::Lists, ..news(&MucBody { members, ..body.clone() }) };
            let each = push.about.iter().map(|user| News { form: Form::Single, ..single(user) });
            return std::iter::once(list).chain(each).collect();
        };
        vec![single(user)]
    }

    /// Fields of particular operations.
    fn more(&self, fact: &Fact<'_>, push: &Push<'_>, settings: &crate::settings::Settings, body: &mut MucBody) {
        let info = |value: Value| Some(EventInfo { event_type: Some(0), ext: Some(value.to_string()) });
        let name = || Some(self.group.profile.name.clone());
        match (&fact.what, push.operation) {
            (What::Requested(request), Muc::Apply) => body.reason = Some(request.message.clone()),
            (What::Requested(request), Muc::ApplyDecline | Muc::InviteDecline) => {
                body.reason = request.verdict.as_ref().map(|verdict| verdict.reason.clone());
            }
            (_, Muc::Invite | Muc::DirectJoined) => body.muc_name = name(),
            (What::Joined { members, .. } | What::Left { members, .. }, Muc::Presence | Muc::Absence) => {
                body.muc_member_count = i32::try_from(*members).ok();
            }
            (What::Announcement(text), Muc::UpdateAnnouncement) => body.reason = Some((*text).to_owned()),
            (What::Info(changed), _) => body.event_info = info(self.changed(changed, settings)),
            (What::Muted { until, .. }, _) => {
                let until = time::end(*until);
                let times: Map<String, Value> =
                    push.about.iter().map(|user| (shown(user).into_owned(), until.0.into())).collect();
                body.ext = Some(json!({ "user_mute_time": times }).to_string());
            }
            (What::MemberAttributes { user, attributes }, _) => {
                body.event_info = info(json!({ "username": shown(user), "properties": attributes }));
                if let (Some(from), Some(resource)) = (&mut body.from, self.resource()) {
                    from.client_resource = Some(resource.to_owned());
                }
            }
            _ => {}
        }
    }

    /// The changed texts and flags of a group, under the names that clients know.
    fn changed(&self, changed: &Info<'_>, settings: &crate::settings::Settings) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
        if let Some(profile) = changed.profile {
            let texts = [
                ("name", &profile.name),
                ("description", &profile.introduction),
                ("avatar", &profile.avatar),
                ("custom", &profile.custom),
            ];
            for (name, text) in texts {
                if let Some(text) = text {
                    put(name, text.as_str().into());
                }
            }
        }
        if let Some((before, after)) = changed.policy {
            let flags = |policy| Flags::read(policy, &self.group.labels, settings);
            let (before, after) = (flags(before), flags(after));
            let switches = [
                ("public", before.public, after.public),
                ("members_only", before.membersonly, after.membersonly),
                ("allow_user_invites", before.allowinvites, after.allowinvites),
                ("invite_need_confirm", before.invite_need_confirm, after.invite_need_confirm),
            ];
            for (name, before, after) in switches {
                if before != after {
                    put(name, after.into());
                }
            }
            if before.maxusers != after.maxusers {
                put("max_users", after.maxusers.into());
            }
        }
        put("last_modified", self.event.at.0.into());
        fields.into()
    }

    /// The acting user, as clients name them.
    fn operator(&self) -> Cow<'_, str> {
        self.event.actor.behind().map_or(Cow::Borrowed(APP_ADMIN), shown)
    }

    /// The acting device, if it is one of this vendor's.
    fn resource(&self) -> Option<&str> {
        match &self.event.actor {
            Actor::User { device: Some(device), .. } => Device::id_of(VENDOR, device),
            _ => None,
        }
    }
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
        payload: Some(content::write(message).encode_to_vec().into()),
        routetype: Some(route::ALL),
        ..Meta::default()
    };
    meta.encode_to_vec()
}

/// Who sent a message, if a user did.
fn sender_of(message: &Message) -> Option<&UserId> {
    match &message.sender {
        Sender::User(user) => Some(user),
        Sender::App => None,
    }
}

/// The recipients of a message that is not for all members, and its sender.
fn readers_of(message: &Message) -> Vec<&UserId> {
    message.targets.iter().chain(sender_of(message)).collect()
}

/// The value for a sender who is online.
const ONLINE: &str = r#"{"is_online":1}"#;
/// The value for an edit that changes the body, not `ext`.
const EDITED_BODY: i32 = 1;
/// The key of the number of readers in a receipt. The SDKs read by position, not by key.
const COUNTS: &str = "group_read_count";
