//! Facts as the vendor's callbacks after an operation. One call is one callback, even if it causes several events.

use conclave_core::event::{Actor, Event, Joining, Leaving, ProfileChange};
use conclave_core::model::{Group, Mention, Message, Sender, TopicId, UserId};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::{ReadCount, Receipts};
use conclave_core::refusal::{Limit, Refusal};
use conclave_kit::message_of;
use serde_json::{Map, Value, json};

use super::{App, accounts, of_group, topics};
use crate::dialect::custom;
use crate::dialect::events::{Fact, Info, What};
use crate::dialect::kind::Kind;
use crate::dialect::limits::READERS;
use crate::dialect::message::{self, label};
use crate::dialect::role;
use crate::refusals::Code;

pub(super) const CREATE: &str = "Group.CallbackAfterCreateGroup";
pub(super) const JOIN: &str = "Group.CallbackAfterNewMemberJoin";
pub(super) const EXIT: &str = "Group.CallbackAfterMemberExit";
pub(super) const SEND: &str = "Group.CallbackAfterSendMsg";
pub(super) const FULL: &str = "Group.CallbackAfterGroupFull";
pub(super) const DESTROYED: &str = "Group.CallbackAfterGroupDestroyed";
pub(super) const INFO: &str = "Group.CallbackAfterGroupInfoChanged";
pub(super) const MEMBER: &str = "Group.CallbackAfterMemberFieldChanged";
pub(super) const OWNER: &str = "Group.CallbackAfterChangeGroupOwner";
pub(super) const ATTRIBUTES: &str = "Group.CallbackAfterGroupAttrChanged";
pub(super) const RECALL: &str = "Group.CallbackAfterRecallMsg";
pub(super) const READ: &str = "Group.CallbackAfterReadReceipt";
pub(crate) const EXCEPTION: &str = "Group.CallbackSendMsgException";

/// A value of `ForbidCallbackControl`: no callback for this message.
pub(crate) const NO_CALLBACK: &str = "ForbidAfterSendMsgCallback";

/// One callback, without the common fields.
pub(super) struct Callback {
    pub(super) command: &'static str,
    pub(super) body: Map<String, Value>,
}

/// Whether there is a callback for a fact.
pub(super) fn has_callback(what: &What<'_>) -> bool {
    match what {
        What::Created { .. }
        | What::Destroyed { .. }
        | What::Left { .. }
        | What::OwnerChanged { .. }
        | What::Role { .. }
        | What::Card { .. }
        | What::Attributes { .. }
        | What::Sent { .. }
        | What::Passed(_)
        | What::Dropped { .. }
        | What::Receipts { .. }
        | What::TopicCreated { .. }
        | What::TopicChanged { .. }
        | What::TopicsDestroyed(_)
        | What::Recalled(_) => true,
        // first members are in the callback of the creation
        What::Joined { how, .. } => **how != Joining::Created,
        What::Info(info) => !info.is_custom_only(),
        What::InTopic(_, what) => has_callback(what),
        What::Activated
        | What::Muted { .. }
        | What::Requested(_)
        | What::Banned { .. }
        | What::Unbanned { .. }
        | What::Counters { .. }
        | What::Receive { .. }
        | What::Edited(_)
        | What::Pinned { .. }
        | What::Extended { .. }
        | What::Options { .. }
        | What::ReadUpTo { .. }
        | What::Custom(_) => false,
    }
}

/// The callbacks of a fact in this group: usually one.
pub(super) async fn callbacks(
    fact: &Fact<'_>,
    group: &Group,
    app: &App,
    groups: &dyn Groups,
) -> Result<Vec<Callback>, Refusal> {
    if !has_callback(&fact.what) {
        return Ok(Vec::new());
    }
    let context = EventContext { event: fact.event, group, app };
    let one = match &fact.what {
        What::Created { profile, owner, members } => {
            let custom = custom::pairs(&app.settings.group_keys, None, &profile.fields);
            let mut body = context.by_operator(json!({
                "Owner_Account": account(*owner),
                "Name": profile.name,
                "MemberList": accounts(*members),
            }));
            if !custom.is_empty() {
                body.insert("UserDefinedDataList".to_owned(), json!(custom));
            }
            Callback { command: CREATE, body }
        }
        What::Destroyed { owner, profile, members, .. } => {
            let mut body = context.with(json!({ "Owner_Account": account(*owner), "Name": profile.name }));
            if Kind::of(group) != Kind::Community {
                body.insert("MemberList".to_owned(), accounts(*members));
            }
            Callback { command: DESTROYED, body }
        }
        What::Joined { users, how, members } => return Ok(context.joined(users, how, *members)),
        What::Left { users, how, .. } => context.left(users, *how),
        What::Info(info) => context.profile(info),
        What::OwnerChanged { from, to } => context.by(
            OWNER,
            json!({
                "OldOwner_Account": account(*from),
                "NewOwner_Account": to,
            }),
        ),
        What::Role { users, admin } => {
            let role = if *admin { role::ADMIN } else { role::MEMBER };
            return Ok(users.iter().map(|user| context.role(user, role)).collect());
        }
        What::Card { user, card } => context.member(user, "NameCard", card),
        What::Attributes { set, removed, replaced, .. } => {
            let (option, pairs): (_, Vec<Value>) = match (set.is_empty(), replaced) {
                (true, true) => ("clear", Vec::new()),
                (true, false) => ("delete", removed.iter().map(|key| json!({ "key": key })).collect()),
                (false, replaced) => {
                    let pairs = set.iter().map(|(key, value)| json!({ "key": key, "value": value }));
                    (if *replaced { "set" } else { "modify" }, pairs.collect())
                }
            };
            context.by(ATTRIBUTES, json!({ "OptionType": option, "GroupAttr": pairs }))
        }
        What::Sent { .. } | What::Passed(_) => {
            let passes = matches!(fact.what, What::Passed(_));
            let message = message_of(fact.event, groups).await?;
            return Ok(message.and_then(|message| context.message(&message, passes)).into_iter().collect());
        }
        What::TopicCreated { topic, profile } => {
            context.by(topics::CREATE, topics::made(topic, account(group.owner.as_ref()), profile))
        }
        What::TopicChanged { topic, profile, announcement, .. } => {
            let changed = topics::changed(topic, profile, *announcement);
            return Ok(changed.map(|changed| context.by(topics::INFO, changed)).into_iter().collect());
        }
        What::TopicsDestroyed(ended) => {
            let body = context.with(json!({ "TopicIdList": ended }));
            Callback { command: topics::DESTROYED, body }
        }
        What::InTopic(topic, what) => return context.in_topic(topic, what, groups).await,
        What::Dropped { message, stored } => context.dropped(message, !stored),
        What::Receipts { user, sequences } => return context.read(sequences, user, groups).await,
        What::Recalled(sequences) => context.recalled(sequences, ""),
        What::Activated
        | What::Muted { .. }
        | What::Requested(_)
        | What::Banned { .. }
        | What::Unbanned { .. }
        | What::Counters { .. }
        | What::Receive { .. }
        | What::Edited(_)
        | What::Pinned { .. }
        | What::Extended { .. }
        | What::Options { .. }
        | What::ReadUpTo { .. }
        | What::Custom(_) => return Ok(Vec::new()),
    };
    Ok(vec![one])
}

fn account(user: Option<&UserId>) -> &str {
    user.map_or("", UserId::as_str)
}

/// An event to report, with its group.
struct EventContext<'a> {
    event: &'a Event,
    group: &'a Group,
    app: &'a App,
}

impl EventContext<'_> {
    /// A body with these fields.
    fn with(&self, more: Value) -> Map<String, Value> {
        let mut body = of_group(self.group);
        if let Value::Object(more) = more {
            body.extend(more);
        }
        body
    }

    /// The same, with the operator.
    fn by_operator(&self, more: Value) -> Map<String, Value> {
        self.by_account(self.app.operator(&self.event.actor), more)
    }

    fn by_account(&self, operator: &str, more: Value) -> Map<String, Value> {
        let mut body = self.with(more);
        body.insert("Operator_Account".to_owned(), Value::from(operator));
        body
    }

    fn by(&self, command: &'static str, more: Value) -> Callback {
        Callback { command, body: self.by_operator(more) }
    }

    fn joined(&self, users: &[UserId], how: &Joining, members: u32) -> Vec<Callback> {
        let own = self.app.operator(&self.event.actor);
        let (kind, operator) = match how {
            Joining::Asked { approved_by } => {
                let themself = users.first().map(UserId::as_str);
                ("Apply", approved_by.as_ref().map(UserId::as_str).or(themself).unwrap_or(own))
            }
            Joining::Invited { by, .. } => ("Invited", by.as_ref().map_or(own, UserId::as_str)),
            Joining::Created | Joining::Added | Joining::Imported => ("Invited", own),
        };
        let body = self.by_account(operator, json!({ "JoinType": kind, "NewMemberList": accounts(users) }));
        let mut callbacks = vec![Callback { command: JOIN, body }];
        if self.group.policy.capacity == Some(members) {
            let body = Map::from_iter([("GroupId".to_owned(), Value::from(self.group.id.as_str()))]);
            callbacks.push(Callback { command: FULL, body });
        }
        callbacks
    }

    fn left(&self, users: &[UserId], how: Leaving) -> Callback {
        let own = self.app.operator(&self.event.actor);
        let (kind, operator) = match how {
            Leaving::Left => ("Quit", users.first().map_or(own, UserId::as_str)),
            Leaving::AccountDeleted => ("Quit", own),
            Leaving::Removed | Leaving::Blocked => ("Kicked", own),
        };
        let body = self.by_account(operator, json!({ "ExitType": kind, "ExitMemberList": accounts(users) }));
        Callback { command: EXIT, body }
    }

    fn profile(&self, info: &Info<'_>) -> Callback {
        let none = ProfileChange::default();
        let change = info.profile.unwrap_or(&none);
        let texts = [
            ("Name", change.name.as_ref()),
            ("Introduction", change.introduction.as_ref()),
            ("FaceUrl", change.avatar.as_ref()),
            ("Notification", info.announcement),
        ];
        let changed = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?.as_str()))));
        let mut more: Map<String, Value> = changed.collect();
        let custom = custom::pairs(&self.app.settings.group_keys, None, &change.fields);
        if !custom.is_empty() {
            more.insert("UserDefinedDataList".to_owned(), json!(custom));
        }
        self.by(INFO, Value::from(more))
    }

    fn role(&self, user: &UserId, role: &str) -> Callback {
        self.member(user, "Role", role)
    }

    /// A change of one member. The account has two names: the documentation's, and a server SDK's.
    fn member(&self, user: &UserId, key: &str, value: &str) -> Callback {
        self.by(MEMBER, json!({ "Member_Account": user, "Modified_Account": user, key: value }))
    }

    fn message(&self, message: &Message, passes: bool) -> Option<Callback> {
        let kept = |label: &str| message.labels.get(label).map(String::as_str);
        if kept(label::FORBIDDEN).is_some_and(|words| words.split(',').any(|word| word == NO_CALLBACK)) {
            return None;
        }
        let mut more = self.words(message, passes);
        more["MsgPriority"] = Value::from(kept(label::PRIORITY).unwrap_or("Normal"));
        more["MsgId"] = json!(message.id);
        more["MsgSeq"] = Value::from(message.sequence);
        more["MsgTime"] = Value::from(message.at.seconds());
        if let Some(at) = at(message) {
            more["GroupAtInfo"] = at;
        }
        Some(self.by(SEND, more))
    }

    /// What happened in a topic: what is said there, and taken back.
    async fn in_topic(&self, topic: &TopicId, what: &What<'_>, groups: &dyn Groups) -> Result<Vec<Callback>, Refusal> {
        let callback = match what {
            What::Sent { sequence, .. } => {
                let message = topics::said(self.event, topic, *sequence, groups).await?;
                message.and_then(|message| self.message(&message, false))
            }
            What::Passed(message) => self.message(message, true),
            What::Dropped { message, stored } => Some(self.dropped(message, !stored)),
            What::Recalled(sequences) => Some(self.recalled(sequences, topic.as_str())),
            // nothing else in a topic has a callback
            _ => None,
        };
        let callback = callback.map(|mut callback| {
            callback.body.insert("TopicId".to_owned(), Value::from(topic.as_str()));
            callback
        });
        Ok(callback.into_iter().collect())
    }

    fn recalled(&self, sequences: &[u64], topic: &str) -> Callback {
        let list: Vec<Value> = sequences.iter().map(|sequence| json!({ "MsgSeq": sequence })).collect();
        self.by(RECALL, json!({ "MsgSeqList": list, "TopicId": topic }))
    }

    /// A message that was dropped because of the group's rate limit.
    fn dropped(&self, message: &Message, passes: bool) -> Callback {
        let mut more = self.words(message, passes);
        let (code, text) = Code::MessageRate.row();
        more["ErrorCode"] = Value::from(code);
        more["ErrorInfo"] = Value::from(text);
        self.by(EXCEPTION, more)
    }

    /// The fields of a message and its sender.
    fn words(&self, message: &Message, passes: bool) -> Value {
        let kept = |label: &str| message.labels.get(label).map(String::as_str);
        let from = match &message.sender {
            Sender::User(user) => user.as_str(),
            Sender::App => &self.app.admin,
        };
        let random: u64 = kept(label::RANDOM).and_then(|text| text.parse().ok()).unwrap_or_default();
        json!({
            "From_Account": from,
            "Random": random,
            "OnlineOnlyFlag": u32::from(passes),
            "MsgBody": message::elements(message),
            "CloudCustomData": kept(label::CLOUD_DATA).unwrap_or_default(),
        })
    }

    /// The number of readers of each of these messages now, including the reader.
    async fn read(&self, sequences: &[u64], reader: &UserId, groups: &dyn Groups) -> Result<Vec<Callback>, Refusal> {
        let ask = Receipts { group: self.group.id.clone(), sequences: sequences.to_vec(), most_members: Some(READERS) };
        let counts = match groups.ask(&Actor::app(), ask).await {
            Ok(counts) => counts.0,
            // the group was deleted since, with its messages; or it has too many members for receipts
            Err(Refusal::GroupNotFound { .. } | Refusal::LimitReached { limit: Limit::Readers, .. }) => {
                return Ok(Vec::new());
            }
            Err(refusal) => return Err(refusal),
        };
        let entry = |(sequence, count): (u64, Result<ReadCount, Refusal>)| {
            let count = count.ok()?;
            Some(json!({
                "MsgSeq": sequence,
                "ReadNum": count.read,
                "UnreadNum": count.unread,
                "ReadReceiptMembers": accounts([reader]),
            }))
        };
        let list: Vec<Value> = counts.into_iter().filter_map(entry).collect();
        if list.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Callback { command: READ, body: self.with(json!({ "GroupMsgReceiptList": list })) }])
    }
}

/// `GroupAtInfo`: as sent, or the closest equivalent of a message sent through another vendor.
fn at(message: &Message) -> Option<Value> {
    if let Some(at) = message.labels.get(label::AT).and_then(|at| serde_json::from_str(at).ok()) {
        return Some(at);
    }
    match message.mention.as_ref()? {
        Mention::All => Some(json!([{ "GroupAtAllFlag": 1 }])),
        Mention::Users(users) => {
            Some(users.iter().map(|user| json!({ "GroupAtAllFlag": 0, "GroupAt_Account": user })).collect())
        }
    }
}
