//! `MsgBody` of tips and notices.

use conclave_core::event::Joining;
use conclave_core::model::{Group, Millis, RequestKind, Until, UserId};
use serde_json::{Map, Value, json};

use super::into_map;
use super::people::People;
use crate::dialect::custom::Pair;
use crate::dialect::events::{Fact, Info, Notice, Tip, What};
use crate::dialect::{application, receive, time};
use crate::realm::App;

/// `GroupJoinType`.
const BY_THEMSELF: u32 = 1;
const INVITED: u32 = 2;

/// The account that is shown as the author of a fact.
pub(super) fn operator<'f>(fact: &'f Fact<'_>, admin: &'f str) -> &'f str {
    let actor = fact.event.actor.behind().map_or(admin, UserId::as_str);
    match &fact.what {
        // users who join by themselves are shown as the author, even if somebody approved it
        What::Joined { users, how: Joining::Asked { .. }, .. } => users.first().map_or(actor, UserId::as_str),
        What::Joined { how: Joining::Invited { by: Some(by), .. }, .. } => by.as_str(),
        What::Requested(request) if request.stage.is_open() => {
            request.inviter.as_ref().unwrap_or(&request.user).as_str()
        }
        _ => actor,
    }
}

/// The data from which tips and notices are built.
pub(super) struct Words<'w> {
    pub(super) app: &'w App,
    pub(super) group: &'w Group,
    pub(super) fact: &'w Fact<'w>,
    pub(super) about: &'w [&'w UserId],
    pub(super) operator: &'w str,
    pub(super) people: People,
}

impl Words<'_> {
    fn shown(&self) -> Vec<Value> {
        self.about.iter().map(|user| self.people.shown(user.as_str())).collect()
    }

    pub(super) fn tip(&self, tip: Tip) -> Value {
        let members = match &self.fact.what {
            What::Joined { members, .. } | What::Left { members, .. } => *members,
            _ => self.group.members,
        };
        let mut body = into_map(json!({
            "OpType": tip as u8,
            "Operator_Account": self.operator,
            "MemberNum": members,
            "MsgOperatorMemberExtraInfo": self.people.shown(self.operator),
        }));
        if tip == Tip::Profile {
            body.insert("MsgGroupNewInfo".to_owned(), Value::Object(self.new_info()));
            return Value::Object(body);
        }
        if tip == Tip::Topic {
            body.insert("MsgTopicNewInfo".to_owned(), Value::Object(self.new_topic_info()));
            return Value::Object(body);
        }
        body.insert("List_Account".to_owned(), json!(self.about));
        body.insert("MsgMemberExtraInfo".to_owned(), json!(self.shown()));
        match &self.fact.what {
            What::Joined { how, .. } => {
                let by_themself = matches!(how, Joining::Asked { .. });
                let how = if by_themself { BY_THEMSELF } else { INVITED };
                body.insert("GroupJoinType".to_owned(), json!(how));
            }
            What::Muted { until, .. } => {
                let seconds = left(*until, self.fact.event.at);
                let muted = |user: &&UserId| json!({ "User_Account": user, "ShutupTime": seconds });
                body.insert("MsgMemberInfo".to_owned(), self.about.iter().map(muted).collect());
            }
            What::Left { .. } if tip == Tip::Kicked && !self.reason().is_empty() => {
                let kicked = |user: &&UserId| json!({ "User_Account": user });
                body.insert("MsgMemberInfo".to_owned(), self.about.iter().map(kicked).collect());
                body.insert("MemberExtraInfo".to_owned(), json!({ "Reason": self.reason() }));
            }
            _ => {}
        }
        Value::Object(body)
    }

    /// The changes of the group, under the names that tips use.
    fn new_info(&self) -> Map<String, Value> {
        let mut info = Map::new();
        let mut changed = |name: &str, value: Option<&String>| {
            if let Some(value) = value {
                info.insert(name.to_owned(), json!(value));
            }
        };
        match &self.fact.what {
            What::Info(Info { profile, announcement, .. }) => {
                changed("GroupNotification", *announcement);
                if let Some(profile) = profile {
                    changed("GroupName", profile.name.as_ref());
                    changed("GroupIntroduction", profile.introduction.as_ref());
                    changed("GroupFaceUrl", profile.avatar.as_ref());
                    let configured = &self.app.realm.settings.group_keys;
                    let fields = profile.fields.iter().filter(|(key, _)| configured.contains(key));
                    let pair = |(key, value): (&String, &String)| Pair { key: key.clone(), value: value.clone() };
                    let fields: Vec<Pair> = fields.map(pair).collect();
                    if !fields.is_empty() {
                        info.insert("MsgAppDefinedData".to_owned(), json!(fields));
                    }
                }
            }
            What::OwnerChanged { to, .. } => {
                info.insert("Owner_Account".to_owned(), json!(to));
            }
            What::Options { all_muted, join, invite } => {
                if let Some(on) = all_muted {
                    info.insert("ShutupAll".to_owned(), json!(u32::from(*on)));
                }
                if let Some(join) = join {
                    info.insert("GroupApplyJoinOption".to_owned(), json!(join.apply_word()));
                }
                if let Some(invite) = invite {
                    info.insert("InviteJoinOption".to_owned(), json!(invite.invite_word()));
                }
            }
            _ => {}
        }
        info
    }

    /// What has changed of a topic, under the names that tips have for it.
    fn new_topic_info(&self) -> Map<String, Value> {
        let mut info = Map::new();
        let What::TopicChanged { profile, announcement, all_muted, .. } = &self.fact.what else { return info };
        for (name, value) in [
            ("TopicName", profile.name.as_ref()),
            ("TopicIntroduction", profile.introduction.as_ref()),
            ("TopicFaceUrl", profile.avatar.as_ref()),
            ("TopicNotification", *announcement),
            ("CustomString", profile.custom.as_ref()),
        ] {
            info.extend(value.map(|value| (name.to_owned(), json!(value))));
        }
        info.extend(all_muted.map(|on| ("ShutupAll".to_owned(), json!(u32::from(on)))));
        info
    }

    fn reason(&self) -> &str {
        self.fact.reason()
    }

    pub(super) fn notice(&self, notice: Notice) -> Value {
        let mut body = into_map(json!({
            "ReportType": notice as u8,
            "Operator_Account": self.operator,
            "Authentication": "",
            "MsgKey": self.fact.event.at.0.saturating_mul(1000),
            "RemarkInfo": self.reason(),
            "UserDefinedField": "",
            "MsgMemberExtraInfo": self.people.shown(self.operator),
        }));
        match notice {
            Notice::Application
            | Notice::Accepted
            | Notice::Refused
            | Notice::Invited
            | Notice::InvitationAccepted
            | Notice::InvitationRefused
            | Notice::InvitationToApprove => self.request(&mut body),
            Notice::Custom => {
                if let What::Custom(content) = &self.fact.what {
                    body.insert("UserDefinedField".to_owned(), json!(content));
                }
            }
            Notice::Receive => {
                if let What::Receive { receive, .. } = &self.fact.what {
                    body.insert("MsgFlag".to_owned(), json!(receive::word(*receive)));
                }
            }
            Notice::Banned => {
                if let What::Banned { until, reason, .. } = &self.fact.what {
                    body.insert("BanDuration".to_owned(), json!(left(Some(*until), self.fact.event.at)));
                    body.insert("BanDescription".to_owned(), json!(reason));
                }
            }
            Notice::Kicked
            | Notice::Dissolved
            | Notice::Created
            | Notice::Added
            | Notice::Quit
            | Notice::AdminSet
            | Notice::AdminUnset
            | Notice::Muted
            | Notice::Unbanned
            // the topic is named beside the group
            | Notice::TopicCreated
            // encoded elsewhere: these are not shown to anyone
            | Notice::ReadUpTo
            | Notice::Receipts => {}
            Notice::TopicsDestroyed => {
                if let What::TopicsDestroyed(topics) = &self.fact.what {
                    body.insert("TopicIdArray".to_owned(), json!(topics));
                }
            }
        }
        Value::Object(body)
    }

    /// The fields that the deciding client sends back, and the text of the request.
    fn request(&self, body: &mut Map<String, Value>) {
        let What::Requested(request) = &self.fact.what else { return };
        let said = match &request.verdict {
            Some(verdict) => &verdict.reason,
            None => &request.message,
        };
        body.insert("RemarkInfo".to_owned(), json!(said));
        if !request.stage.is_open() {
            return;
        }
        let key = &self.app.realm.credentials.secret_key;
        body.insert("Authentication".to_owned(), json!(application::authentication(key, request)));
        body.insert("MsgKey".to_owned(), json!(application::number(request)));
        if let Some(field) = request.labels.get(application::USER_FIELD) {
            body.insert("UserDefinedField".to_owned(), json!(field));
        }
        if request.kind == RequestKind::Invitation {
            body.insert("MemberList_Account".to_owned(), json!(self.about));
            body.insert("MsgMemberExtraInfoList".to_owned(), json!(self.shown()));
        }
    }
}

/// The time from a point until an end, in seconds; 0 if there is none.
fn left(until: Option<Until>, from: Millis) -> u64 {
    until.map_or(0, |until| time::left(until, from))
}

/// The vendor's numbers for changes of attributes.
mod attribute {
    pub(super) const REPLACED: u32 = 1;
    pub(super) const SET: u32 = 2;
    pub(super) const CLEARED: u32 = 3;
    pub(super) const DELETED: u32 = 4;
}

/// A change of attributes.
pub(super) fn attributes(fact: &Fact<'_>) -> Option<Value> {
    let What::Attributes { version, set, removed, replaced } = &fact.what else { return None };
    let kind = match (set.is_empty(), replaced) {
        (true, true) => attribute::CLEARED,
        (false, true) => attribute::REPLACED,
        (true, false) => attribute::DELETED,
        (false, false) => attribute::SET,
    };
    let item = |(key, value): (&String, &String)| json!({ "Key": key, "Val": value, "SubKeySeq": version });
    let keys: Vec<&String> = if set.is_empty() { removed.iter().collect() } else { set.keys().collect() };
    let deleted = removed.iter().map(|key| json!({ "Key": key, "Val": "", "SubKeySeq": version }));
    let items: Vec<Value> = if kind == attribute::DELETED { deleted.collect() } else { set.iter().map(item).collect() };
    // a write that sets some keys and removes others has no number: clients read all attributes again
    let is_whole = removed.is_empty() || set.is_empty() || *replaced;
    Some(json!({
        "OpType": Tip::Profile as u8,
        "Operator_Account": fact.event.actor.behind().map_or("", UserId::as_str),
        "MsgGroupNewInfo": { "GroupAttrOption": {
            "GroupAttrSeq": version,
            "PushChangedAttrValFlag": u32::from(is_whole),
            "OpType": kind,
            "BytesChangedKeys": keys,
            "GroupAttrInfo": items,
        } },
    }))
}

/// The vendor's numbers for changes of counters.
const COUNTERS_SET: u32 = 0;
const COUNTERS_REMOVED: u32 = 1;

/// A change of counters.
pub(super) fn counters(fact: &Fact<'_>) -> Option<Value> {
    let What::Counters { set, removed } = &fact.what else { return None };
    let sequence = fact.event.sequence;
    let of = |kind: u32, counters: Vec<Value>| json!({ "Type": kind, "GroupCounterSeq": sequence, "GroupCounter": counters });
    let set: Vec<Value> = set.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let removed: Vec<Value> = removed.iter().map(|key| json!({ "Key": key, "Value": 0 })).collect();
    let lists = [(COUNTERS_SET, set), (COUNTERS_REMOVED, removed)].into_iter();
    let info: Vec<Value> = lists.filter(|(_, list)| !list.is_empty()).map(|(kind, list)| of(kind, list)).collect();
    Some(json!({ "OpType": Tip::Profile as u8, "GroupCounterInfo": info }))
}
