//! Messages, and what happens to them: recalls, edits, extensions, receipts, mentions and read marks.
//!
//! Messages and recalls are documented. The rest is read from the vendor's own web SDK, which finds each by its key and
//! does not look at the number of the event, except for mentions.

use std::collections::BTreeMap;

use conclave_core::event::Actor;
use conclave_core::model::{Mention, Message, MessageState, Sender, TopicId, UserId};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{Receipts, TopicMessages};
use conclave_core::refusal::Refusal;
use conclave_kit::{Recipients, message_at};
use serde_json::{Map, Value, json};

use super::people::People;
use super::{Content, Pushed, Pushing, kind, low};
use crate::dialect::client_message::{ClientMessage, place, revoker, sender};
use crate::dialect::events::{Notice, Tip, What};
use crate::dialect::limits;
use crate::dialect::message::{self, label};
use crate::dialect::tiny_id;
use crate::realm::App;

/// `IsPlaceMsg` of a recalled message.
const RECALLED: u32 = 2;

/// How extensions of a message changed (`MsgOptType`).
mod extension {
    pub(super) const SET: u32 = 1;
    pub(super) const DELETED: u32 = 2;
    pub(super) const CLEARED: u32 = 3;
}

/// Who is mentioned (`GroupAtType`).
const AT_ME: u32 = 1;
const AT_ALL: u32 = 2;

/// How a message mentions a user (`GroupAtType`), if it does: not one of their own.
pub(crate) fn mentions(message: &Message, user: &UserId) -> Option<u32> {
    if message.state != MessageState::Kept || message.sender == Sender::User(user.clone()) || !message.is_for(user) {
        return None;
    }
    match message.mention.as_ref()? {
        Mention::All => Some(AT_ALL),
        Mention::Users(users) => users.contains(user).then_some(AT_ME),
    }
}

/// The entry of `EventArray` that tells somebody that a message mentions them. `number` distinguishes it from others.
pub(crate) fn mention_entry(
    app: &App,
    message: &Message,
    topic: Option<&TopicId>,
    kinds: &[u32],
    number: u64,
) -> Value {
    let mut tips = json!({
        "GroupId": message.group,
        "From_Account": sender(message, app.admin()),
        "MsgSeq": message.sequence,
        "GroupAtType": kinds,
    });
    if let Some(topic) = topic {
        tips["TopicId"] = json!(topic);
    }
    let item = json!({ "MsgRandom": low(number), "ClientSeq": low(number), "GroupAtTips": tips });
    json!({ "Event": kind::MENTION, "GroupTips": [item] })
}

impl Pushing<'_> {
    /// A message that was sent; users who are mentioned in it are notified of that, too.
    pub(super) async fn sent(&self, to: Recipients) -> Result<Vec<Pushed>, Refusal> {
        let message = match self.what() {
            What::Passed(message) => Message::clone(message),
            What::Sent { sequence, id } => {
                let found = self.message_at(*sequence).await?;
                let is_there = |message: &Message| message.id == **id && message.state == MessageState::Kept;
                let Some(found) = found.filter(is_there) else { return Ok(Vec::new()) };
                found
            }
            _ => return Ok(Vec::new()),
        };
        let admin = self.app.admin();
        let people = People::find(self.app, self.group, &[sender(&message, admin)].into()).await?;
        let face = people.face(sender(&message, admin));
        let mut item = super::into_map(json!(ClientMessage::of(&message, self.group, &face, admin)));
        self.add_topic(item.get_mut("GroupInfo"));
        let pushed = Pushed {
            to: to.clone(),
            content: Content::Whole(json!({ "Event": kind::MESSAGE, "GroupMsgArray": [item] })),
        };
        Ok([Some(pushed), self.mentioned(&message, to)].into_iter().flatten().collect())
    }

    /// That somebody was mentioned: their conversation shows it.
    fn mentioned(&self, message: &Message, to: Recipients) -> Option<Pushed> {
        let mention = message.mention.as_ref()?;
        let from = match &message.sender {
            Sender::User(user) => Some(user.clone()),
            Sender::App => None,
        };
        let (kinds, to) = match mention {
            Mention::All => ([AT_ALL], to),
            Mention::Users(users) => {
                let users = users.iter().filter(|user| message.is_for(user)).cloned();
                ([AT_ME], Recipients { members: None, users: users.collect(), ..to })
            }
        };
        let entry = mention_entry(self.app, message, self.topic(), &kinds, self.fact.event.sequence);
        Some(Pushed { to: to.without(from), content: Content::Whole(entry) })
    }

    pub(super) async fn recall(&self) -> Result<Option<Value>, Refusal> {
        let What::Recalled(sequences) = self.what() else { return Ok(None) };
        let (mut recalled, mut by) = (Vec::new(), None);
        for sequence in *sequences {
            let found = self.message_at(*sequence).await?;
            let Some(message) = found.filter(|message| place(&message.state) == RECALLED) else { continue };
            let mut withdrawn = self.found_by(&message);
            withdrawn.insert("MsgTimeStamp".to_owned(), json!(message.at.seconds()));
            recalled.push(withdrawn);
            by = by.or_else(|| revoker(&message, self.app.admin()).map(|revoker| json!(revoker)));
        }
        if recalled.is_empty() {
            return Ok(None);
        }
        let body = json!({ "GroupWithdrawInfoArray": recalled });
        let mut item = self.notice_item(body);
        item.insert("RevokerInfo".to_owned(), by.unwrap_or_default());
        Ok(Some(json!({ "Event": kind::NOTICE, "GroupTips": [item] })))
    }

    /// A message that was edited. Clients accept it when its version is higher than theirs.
    pub(super) async fn edit(&self) -> Result<Option<Value>, Refusal> {
        let What::Edited(sequence) = self.what() else { return Ok(None) };
        let found = self.message_at(*sequence).await?;
        let Some(message) = found.filter(|message| message.state == MessageState::Kept) else { return Ok(None) };
        let mut item = self.found_by(&message);
        let kept = |label: &str| message.labels.get(label).map(String::as_str).unwrap_or_default();
        item.extend(super::into_map(json!({
            "From_Account": sender(&message, self.app.admin()),
            "MsgTimeStamp": message.at.seconds(),
            "MsgBody": message::elements(&message),
            "CloudCustomData": kept(label::CLOUD_DATA),
            "MsgVersion": message.traits.edits,
        })));
        Ok(Some(json!({ "Event": kind::FOUND_BY_KEY, "GroupMsgModNotifys": [item] })))
    }

    /// A message that is pinned, whole, or what clients find one by that no longer is.
    pub(super) async fn pin(&self, tip: Tip) -> Result<Option<Value>, Refusal> {
        let What::Pinned { sequence, pinned } = self.what() else { return Ok(None) };
        let Some(message) = self.message_at(*sequence).await? else { return Ok(None) };
        let mut body = super::into_map(self.words(&[]).await?.tip(tip));
        if *pinned {
            if message.state != MessageState::Kept {
                return Ok(None);
            }
            let admin = self.app.admin();
            let people = People::find(self.app, self.group, &[sender(&message, admin)].into()).await?;
            let face = people.face(sender(&message, admin));
            body.insert("PinnedMsg".to_owned(), json!(ClientMessage::of(&message, self.group, &face, admin)));
        } else {
            let found_by = self.found_by(&message);
            let of = |key: &str| found_by.get(key).cloned().unwrap_or_default();
            let id = json!({
                "ClientTime": of("MsgClientTime"),
                "Random": of("MsgRandom"),
                "SenderTinyId": of("TinyId"),
                "ServerTime": message.at.seconds(),
                "Sequence": message.sequence,
            });
            body.insert("SdkGroupMessageId".to_owned(), id);
        }
        Ok(Some(self.tip(None, Value::Object(body))))
    }

    /// What was added to a message, and taken away.
    pub(super) async fn extensions(&self) -> Result<Vec<Value>, Refusal> {
        let What::Extended { sequence, version, set, removed, cleared } = self.what() else { return Ok(Vec::new()) };
        let Some(message) = self.message_at(*sequence).await? else { return Ok(Vec::new()) };
        let found_by = self.found_by(&message);
        let notify = |kind: u32, list: &str, items: Value| {
            let mut notify = Map::new();
            notify.insert("TinyId".to_owned(), found_by.get("TinyId").cloned().unwrap_or_default());
            notify.insert("ExtensionGroupMsgInfo".to_owned(), json!(found_by));
            notify.insert("MsgOptType".to_owned(), json!(kind));
            notify.insert("MsgLastSeq".to_owned(), json!(version));
            notify.insert(list.to_owned(), items);
            json!({ "Event": kind::FOUND_BY_KEY, "MsgExtensionNotify": notify })
        };
        let mut entries = Vec::new();
        if *cleared {
            entries.push(notify(extension::CLEARED, "ClearKVInfo", json!([{ "ClearMsgSeq": version }])));
        } else if !removed.is_empty() {
            let pairs = removed.iter().map(|key| json!({ "Key": key, "Value": "", "Seq": version }));
            let items = json!([{ "MsgKeyValue": pairs.collect::<Vec<_>>() }]);
            entries.push(notify(extension::DELETED, "DeleteKVInfo", items));
        }
        if !set.is_empty() {
            let pairs = set.iter().map(|(key, value)| json!({ "Key": key, "Value": value, "Seq": version }));
            let items = json!([{ "MsgKeyValue": pairs.collect::<Vec<_>>() }]);
            entries.push(notify(extension::SET, "SetKVInfo", items));
        }
        Ok(entries)
    }

    /// How many members have read messages: each sender is notified of their own messages.
    pub(super) async fn receipts(&self) -> Result<Vec<Pushed>, Refusal> {
        let What::Receipts { user, sequences } = self.what() else { return Ok(Vec::new()) };
        let ask = Receipts {
            group: self.group.id.clone(),
            sequences: sequences.to_vec(),
            most_members: Some(limits::READERS),
        };
        let counts = match self.app.realm.groups.ask(&Actor::app(), ask).await {
            Ok(counts) => counts.0,
            // the group has outgrown receipts, or has ended
            Err(Refusal::LimitReached { .. } | Refusal::GroupNotFound { .. }) => return Ok(Vec::new()),
            Err(refusal) => return Err(refusal),
        };
        let mut by_sender: BTreeMap<UserId, Vec<Value>> = BTreeMap::new();
        for (sequence, count) in counts {
            let (Ok(count), Some(message)) = (count, self.message_at(sequence).await?) else { continue };
            let Sender::User(sender) = &message.sender else { continue };
            if sender == *user {
                continue;
            }
            let mut receipt = self.found_by(&message);
            receipt.insert("ReadNum".to_owned(), json!(count.read));
            receipt.insert("UnreadNum".to_owned(), json!(count.unread));
            by_sender.entry(sender.clone()).or_default().push(Value::Object(receipt));
        }
        let pushed = |(sender, receipts): (UserId, Vec<Value>)| {
            let body = json!({ "ReportType": Notice::Receipts as u8, "GroupMsgReceiptList": receipts });
            let content = json!({ "Event": kind::NOTICE, "GroupTips": [self.notice_item(body)] });
            Pushed { to: Recipients::users([sender]), content: Content::Whole(content) }
        };
        Ok(by_sender.into_iter().map(pushed).collect())
    }

    /// How far a user has read, for their other clients.
    pub(super) fn read_up_to(&self) -> Option<Value> {
        let What::ReadUpTo { sequence, .. } = self.what() else { return None };
        let read = json!({ "GroupId": self.group.id, "LastReadMsgSeq": sequence });
        let body = json!({ "ReportType": Notice::ReadUpTo as u8, "GroupReadInfoArray": [read] });
        Some(json!({ "Event": kind::NOTICE, "GroupTips": [self.notice_item(body)] }))
    }

    /// An item that is no notice to be shown, with this body.
    fn notice_item(&self, body: Value) -> Map<String, Value> {
        let sequence = self.fact.event.sequence;
        let mut item = self.item(low(sequence), sequence);
        item.insert("GroupInfo".to_owned(), Value::Object(self.group_info(super::SYSTEM)));
        item.insert("MsgBody".to_owned(), body);
        item
    }

    /// The message of this number, in the topic that the fact is of, if it is of one.
    async fn message_at(&self, sequence: u64) -> Result<Option<Message>, Refusal> {
        let groups = &*self.app.realm.groups;
        let Some(topic) = self.topic() else {
            let found = message_at(&self.group.id, sequence, groups).await?;
            return Ok(found.map(|message| Message::clone(&message)));
        };
        let (group, topic) = (self.group.id.clone(), TopicId::clone(topic));
        let ask = TopicMessages { group, topic, from: Some(sequence), limit: 1 };
        match groups.ask(&Actor::app(), ask).await {
            Ok(page) => {
                let found = page.messages.first().filter(|message| message.sequence == sequence);
                Ok(found.map(|message| Message::clone(message)))
            }
            Err(Refusal::GroupNotFound { .. } | Refusal::TopicNotFound { .. }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// What clients find a message by.
    fn found_by(&self, message: &Message) -> Map<String, Value> {
        let number = |label: &str| message.labels.get(label).and_then(|text| text.parse::<u64>().ok());
        let tiny_id =
            UserId::new(sender(message, self.app.admin())).map_or_else(|_| "0".to_owned(), |user| tiny_id::of(&user));
        let mut fields = super::into_map(json!({
            "GroupId": self.group.id,
            "MsgSeq": message.sequence,
            "MsgRandom": number(label::RANDOM).unwrap_or_default(),
            "MsgClientTime": number(label::CLIENT_TIME).unwrap_or(message.at.seconds()),
            "TinyId": tiny_id,
        }));
        if let Some(topic) = self.topic() {
            fields.insert("TopicId".to_owned(), json!(topic));
        }
        fields
    }
}
