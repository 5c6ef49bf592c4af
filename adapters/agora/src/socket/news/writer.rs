//! Encodes the facts about a group as items for clients.

use std::borrow::Cow;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{Group, Message, MessageState, Sender, UserId};
use conclave_kit::{Device, Recipients};
use prost::Message as _;
use serde_json::{Map, Value, json};

use super::{Form, News};
use crate::VENDOR;
use crate::dialect::events::{Fact, Info, Muc, Push, What};
use crate::dialect::flags::Flags;
use crate::dialect::ids::{APP_ADMIN, shown};
use crate::dialect::message::Edited;
use crate::dialect::{message, time};
use crate::realm::App;
use crate::settings::Settings;
use crate::socket::content;
use crate::socket::names::{Names, bare};
use crate::socket::wire::{
    EventInfo, Jid, KeyValue, MessageBody, MessageConfig, Meta, MucBody, chat_type, key_value, ns, route,
};

/// Encodes what an event means to clients.
pub(super) struct NoticeWriter<'e> {
    pub(super) app: &'e App,
    pub(super) names: &'e Names,
    pub(super) event: &'e Event,
    pub(super) group: &'e Group,
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

    fn meta(&self, ns: i32, from: Jid, payload: Vec<u8>) -> Meta {
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
    pub(super) fn sent(&self, message: &Message, readers: Recipients) -> News {
        let body = content::write(self.app, message).encode_to_vec();
        let resource = self.resource().filter(|_| self.event.actor.behind().is_some_and(|actor| message.is_by(actor)));
        let from = self.names.device(&message::sender(message), resource);
        let meta = self.meta(ns::CHAT, from, body);
        let meta = Meta { id: message::number(&message.id), timestamp: Some(message.at.0), ..meta };
        let meta = Meta { meta: Some(ONLINE.into()), ..meta };
        News { is_message: true, ..self.news(readers.without_acting_device(), meta) }
    }

    pub(super) fn recalled(&self, message: &Message, readers: Recipients) -> News {
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

    pub(super) fn edited(&self, message: &Message, readers: Recipients) -> News {
        let written = content::write(self.app, message);
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

    /// A message was pinned for all members, or unpinned. Not sent to the acting device, whose SDK would not report it.
    pub(super) fn pinned(&self, message: &Message, pinned: bool, readers: Recipients) -> News {
        let operator = self.operator();
        let notice = json!({"type": "conv", "data": {
            "op": if pinned { "pin" } else { "pin_delete" },
            "id": self.group.id,
            "type": "groupchat",
            "from": operator,
            "res": self.resource().unwrap_or_default(),
            "ext": message.id,
            "ts": self.event.at,
        }});
        let from = self.names.device(&operator, self.resource());
        let meta = self.meta(ns::NOTIFY, from, notice.to_string().into_bytes());
        self.news(readers.without_acting_device(), meta)
    }

    /// For the sender, with the number of readers.
    pub(super) fn read(&self, reader: &UserId, message: &Message, count: usize, note: &str) -> News {
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
            msg_config: Some(MessageConfig { allow_group_ack: Some(true) }),
            ext: vec![counts],
            ..MessageBody::default()
        };
        let meta = self.meta(ns::CHAT, self.names.device(&shown(reader), None), body.encode_to_vec());
        self.news(Recipients::users(sender_of(message).cloned()), meta)
    }

    // --- the group ---------------------------------------------------------------------------------------------

    pub(super) fn operations(&self, fact: &Fact<'_>, settings: &Settings) -> Vec<News> {
        let pushes = fact.operations(self.group);
        pushes.iter().filter(|push| !push.to.is_empty()).flat_map(|push| self.operation(fact, push, settings)).collect()
    }

    fn operation(&self, fact: &Fact<'_>, push: &Push<'_>, settings: &Settings) -> Vec<News> {
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
    fn more(&self, fact: &Fact<'_>, push: &Push<'_>, settings: &Settings, body: &mut MucBody) {
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
    fn changed(&self, changed: &Info<'_>, settings: &Settings) -> Value {
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
