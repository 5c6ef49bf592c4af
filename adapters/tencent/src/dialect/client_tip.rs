//! A tip as clients get it, in history and by push alike: something that happened to the group, with a number among its
//! messages or, for what is only passing, without. Source: the clients' protocol, group tips (Event 4 and 6).

use std::collections::HashMap;

use conclave_core::event::Joining;
use conclave_core::model::{Group, Millis, Role, Until, UserId};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::client_message::Face;
use super::custom;
use super::events::{Fact, Info, Tip, What};
use super::kind::Kind;
use super::time::FOREVER;

/// Who tips are from.
pub(crate) const SYSTEM: &str = "@TIM#SYSTEM";
/// `MsgPriority` of tips: high.
pub(crate) const PRIORITY: u32 = 1;

/// Somebody whom a tip names, as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) face: Face,
    /// Their role; `None` when they are no member.
    pub(crate) role: Option<Role>,
}

/// What a tip is worded with.
#[derive(Clone, Copy)]
pub(crate) struct Wording<'a> {
    pub(crate) group: &'a Group,
    /// Whom the tip names; others are shown by their ids alone.
    pub(crate) people: &'a HashMap<UserId, Person>,
    /// Who did it where nobody is named.
    pub(crate) admin: &'a str,
    /// The keys of custom fields that the app has configured.
    pub(crate) group_keys: &'a [String],
}

/// A tip.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ClientTip<'a> {
    #[serde(rename = "From_Account")]
    from: &'static str,
    to_group_id: &'a str,
    msg_seq: u64,
    msg_random: u64,
    msg_time_stamp: u64,
    msg_client_time: u64,
    client_seq: u64,
    msg_priority: u32,
    is_place_msg: u32,
    is_system_msg: u32,
    notice_seq: u64,
    group_info: Value,
    msg_body: Value,
}

/// The users a tip names: whoever did it, and whom it is about.
pub(crate) fn people_of(fact: &Fact<'_>) -> Vec<UserId> {
    let mut people = fact.event.what.about();
    people.extend(fact.event.actor.behind());
    people.into_iter().cloned().collect()
}

/// A fact as a tip with this number; `None` when it is no tip.
pub(crate) fn tip<'a>(fact: &Fact<'_>, number: u64, wording: Wording<'a>) -> Option<ClientTip<'a>> {
    let group = wording.group;
    let at = fact.event.at.seconds();
    // tells two tips of one second apart, and stays the same
    let random = fact.event.sequence & u64::from(u32::MAX);
    Some(ClientTip {
        from: SYSTEM,
        to_group_id: group.id.as_str(),
        msg_seq: number,
        msg_random: random,
        msg_time_stamp: at,
        msg_client_time: at,
        client_seq: random,
        msg_priority: PRIORITY,
        is_place_msg: 0,
        is_system_msg: 1,
        notice_seq: 0,
        // clients do without none of it
        group_info: json!({
            "GroupId": group.id,
            "GroupName": group.profile.name,
            "GroupType": Kind::of(group).word(),
            "From_Account": SYSTEM,
        }),
        msg_body: Value::Object(wording.body(fact)?),
    })
}

impl Wording<'_> {
    fn body(&self, fact: &Fact<'_>) -> Option<Map<String, Value>> {
        let own = fact.event.actor.behind().map_or(self.admin, UserId::as_str);
        let (tip, operator, more) = match &fact.what {
            What::Joined { users, how, members } => {
                let themself = users.first().map(UserId::as_str);
                let (kind, operator) = match how {
                    Joining::Asked { approved_by } => {
                        (1, approved_by.as_ref().map(UserId::as_str).or(themself).unwrap_or(own))
                    }
                    Joining::Invited { by, .. } => (2, by.as_ref().map_or(own, UserId::as_str)),
                    Joining::Created | Joining::Added | Joining::Imported => (2, own),
                };
                let more = json!({ "List_Account": users, "MemberNum": members, "GroupJoinType": kind,
                    "MsgMemberExtraInfo": self.shown(users) });
                (Tip::Joined, operator, more)
            }
            What::Left { users, how: conclave_core::event::Leaving::Removed, members, reason } => {
                let kicked: Vec<Value> = users.iter().map(|user| json!({ "User_Account": user })).collect();
                let more = json!({ "List_Account": users, "MemberNum": members, "MsgMemberInfo": kicked,
                    "MemberExtraInfo": { "Reason": reason } });
                (Tip::Kicked, own, more)
            }
            What::Left { users, members, .. } => {
                let operator = users.first().map_or(own, UserId::as_str);
                (Tip::Quit, operator, json!({ "List_Account": users, "MemberNum": members }))
            }
            What::Role { users, admin } => {
                let tip = if *admin { Tip::AdminSet } else { Tip::AdminUnset };
                (tip, own, json!({ "List_Account": users, "MsgMemberExtraInfo": self.shown(users) }))
            }
            What::Info(info) => (Tip::Profile, own, json!({ "MsgGroupNewInfo": self.info(info) })),
            What::OwnerChanged { to, .. } => (Tip::Profile, own, json!({ "MsgGroupNewInfo": { "Owner_Account": to } })),
            What::Muted { users, until } => {
                let seconds = until.map_or(0, |until| seconds_left(until, fact.event.at));
                let muted = users.iter().map(|user| json!({ "User_Account": user, "ShutupTime": seconds }));
                (Tip::Member, own, json!({ "MsgMemberInfo": muted.collect::<Vec<_>>() }))
            }
            What::Created { .. }
            | What::Destroyed { .. }
            | What::Activated
            | What::Card { .. }
            | What::Requested(_)
            | What::Banned { .. }
            | What::Unbanned { .. }
            | What::Attributes { .. }
            | What::Counters { .. }
            | What::Receive { .. }
            | What::Sent(_)
            | What::Passed(_)
            | What::Dropped { .. }
            | What::Recalled(_)
            | What::Edited(_)
            | What::Extended(_)
            | What::Receipts { .. }
            | What::ReadUpTo { .. }
            | What::Custom(_)
            | What::TopicCreated { .. }
            | What::TopicChanged { .. }
            | What::TopicsDestroyed(_)
            | What::InTopic(..) => return None,
        };
        let mut body = Map::from_iter([
            ("OpType".to_owned(), json!(tip as u32)),
            ("Operator_Account".to_owned(), json!(operator)),
            ("MsgOperatorMemberExtraInfo".to_owned(), self.person(operator)),
            ("MemberNum".to_owned(), json!(self.group.members)),
        ]);
        if let Value::Object(more) = more {
            body.extend(more);
        }
        Some(body)
    }

    fn shown(&self, users: &[UserId]) -> Vec<Value> {
        users.iter().map(|user| self.person(user.as_str())).collect()
    }

    fn person(&self, account: &str) -> Value {
        let known = UserId::new(account).ok().and_then(|user| self.people.get(&user)).cloned().unwrap_or_default();
        let role = match known.role {
            Some(Role::Owner) => 400,
            Some(Role::Admin) => 300,
            Some(Role::Member) | None => 200,
        };
        json!({
            "UserId": account,
            "NickName": known.face.nick,
            "ImageUrl": known.face.avatar,
            "NameCard": known.face.card,
            "Role": role,
        })
    }

    /// What has changed of the profile, and nothing else.
    fn info(&self, info: &Info<'_>) -> Map<String, Value> {
        let texts = [
            ("GroupName", info.profile.and_then(|profile| profile.name.as_ref())),
            ("GroupIntroduction", info.profile.and_then(|profile| profile.introduction.as_ref())),
            ("GroupFaceUrl", info.profile.and_then(|profile| profile.avatar.as_ref())),
            ("GroupNotification", info.announcement),
        ];
        let changed = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?.as_str()))));
        let mut changed: Map<String, Value> = changed.collect();
        let fields = info.profile.map(|profile| custom::pairs(self.group_keys, None, &profile.fields));
        if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
            changed.insert("MsgAppDefinedData".to_owned(), json!(fields));
        }
        changed
    }
}

/// How long a mute lasts from its beginning.
fn seconds_left(until: Until, from: Millis) -> u64 {
    match until {
        Until::At(end) => end.0.saturating_sub(from.0).div_ceil(1000),
        Until::Forever => FOREVER,
    }
}
