//! Changes of groups in the older format: `chat_type` `muc`, one notification for each affected user.
//!
//! `from` is the acting user and `to` the affected one; the group if all of it is affected.

use std::borrow::Cow;
use std::collections::BTreeMap;

use conclave_core::event::{Actor, Event, ProfileChange};
use conclave_core::model::{FileId, Group, GroupId, Millis, Policy, Request, Stage, UserId};
use conclave_kit::Notice;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{App, HOST, notice};
use crate::dialect::events::{Fact, Info, Muc, Push, What};
use crate::dialect::flags::Flags;
use crate::dialect::ids::{file_uuid, shown};
use crate::dialect::message::ADMIN;

/// The device when it is unknown.
const RESOURCE: &str = "server";

#[derive(Serialize)]
struct MucNotification<'a> {
    chat_type: &'static str,
    #[serde(rename = "callId")]
    call_id: &'a str,
    security: String,
    payload: Payload<'a>,
    group_id: &'a GroupId,
    host: &'static str,
    appkey: &'a str,
    from: String,
    to: Cow<'a, str>,
    #[serde(rename = "eventType")]
    event_type: &'static str,
    msg_id: String,
    timestamp: Millis,
}

#[derive(Serialize)]
struct Payload<'a> {
    muc_id: String,
    reason: &'a str,
    is_chatroom: bool,
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_info: Option<EventInfo<'a>>,
}

#[derive(Serialize)]
struct Status {
    description: &'static str,
    error_code: &'static str,
}

const OK: Status = Status { description: "", error_code: "ok" };

#[derive(Serialize)]
struct EventInfo<'a> {
    ext: &'a str,
    r#type: &'static str,
}

/// One notification, without the common fields.
#[derive(Clone)]
struct Change<'e> {
    operation: &'static str,
    /// The acting user; `None` is the app.
    from: Option<&'e UserId>,
    /// The affected user; `None` is the whole group.
    to: Option<&'e UserId>,
    reason: Cow<'e, str>,
    /// JSON, as text.
    info: Option<String>,
}

impl<'e> Change<'e> {
    /// A change that affects the whole group.
    fn new(operation: &'static str, from: Option<&'e UserId>) -> Self {
        Self { operation, from, to: None, reason: Cow::Borrowed(""), info: None }
    }

    fn to(self, user: &'e UserId) -> Self {
        Self { to: Some(user), ..self }
    }

    fn saying(self, reason: impl Into<Cow<'e, str>>) -> Self {
        Self { reason: reason.into(), ..self }
    }

    fn with(self, info: &Value) -> Self {
        Self { info: Some(info.to_string()), ..self }
    }

    /// The n-th notification of an event.
    fn notice(&self, event: &Event, place: usize, app: &App) -> Option<Notice> {
        let group = event.group.as_ref()?;
        let msg_id = (app.id(event, place).as_u64_pair().0 >> 4).to_string();
        let call_id = app.call_id(&msg_id);
        // joining and leaving have no status
        let status = (!matches!(self.operation, "presence" | "absence")).then_some(OK);
        let device = match &event.actor {
            Actor::User { user, device: Some(device) } if self.from == Some(user) => device.as_str(),
            _ => RESOURCE,
        };
        let from = self.from.map_or(Cow::Borrowed(ADMIN), shown);
        let wire = MucNotification {
            chat_type: "muc",
            security: app.sign(&call_id, event.at),
            call_id: &call_id,
            payload: Payload {
                muc_id: format!("{}_{group}@conference.easemob.com", app.key),
                reason: &self.reason,
                is_chatroom: false,
                operation: self.operation,
                status,
                event_info: self.info.as_ref().map(|ext| EventInfo { ext, r#type: "event_none" }),
            },
            group_id: group,
            host: HOST,
            appkey: &app.key,
            from: format!("{}_{from}@easemob.com/{device}", app.key),
            to: self.to.map_or(Cow::Borrowed(group.as_str()), shown),
            event_type: "chat",
            msg_id,
            timestamp: event.at,
        };
        notice(self.operation, &wire)
    }
}

/// The notifications of a fact in this group: one for each affected user.
pub(super) fn notices(fact: &Fact<'_>, group: &Group, app: &App) -> Vec<Notice> {
    let operations = fact.operations(group);
    let mut changes: Vec<(usize, Change<'_>)> = Vec::new();
    for push in operations.iter().filter(|push| push.has_callback) {
        let change = change(fact, push, group, app);
        match push.operation {
            // sent by the user, to the whole group
            Muc::Presence | Muc::Absence => {
                let each = push.about.iter().map(|user| Change { from: Some(user), to: None, ..change.clone() });
                changes.extend(each.enumerate());
            }
            _ if push.about.is_empty() => changes.push((0, change)),
            _ => changes.extend(push.about.iter().map(|user| change.clone().to(user)).enumerate()),
        }
    }
    // all notifications about one user follow each other
    changes.sort_by_key(|(position, _)| *position);
    let changes = changes.into_iter().map(|(_, change)| change).enumerate();
    changes.filter_map(|(place, change)| change.notice(fact.event, place, app)).collect()
}

/// An operation with its reason and further fields.
fn change<'e>(fact: &Fact<'e>, push: &Push<'e>, group: &Group, app: &App) -> Change<'e> {
    let by = fact.event.actor.behind();
    let at = fact.event.at;
    let change = Change::new(push.operation.word(), push.from);
    match &fact.what {
        What::Requested(request) => change.saying(reason(request)),
        What::Left { reason, .. } if push.operation == Muc::Kick => change.saying(*reason),
        What::Announcement(text) => change.saying(*text),
        What::Blocked { reason, .. } => change.saying(*reason),
        What::Unblocked(_) => change.saying("undefined"),
        What::Info(info) => change.with(&update(info, group, app, at)),
        What::MemberAttributes { user, attributes } => change.with(&metadata(user, attributes)),
        What::FileShared { file, name, size } => change.saying(uploaded(file, name, *size, by, at)),
        What::FileDeleted { file } => change.saying(file_uuid(file)),
        What::Created { .. }
        | What::Destroyed { .. }
        | What::Joined { .. }
        | What::Left { .. }
        | What::OwnerChanged { .. }
        | What::Disabled(_)
        | What::AllMuted(_)
        | What::Admins { .. }
        | What::Muted { .. }
        | What::Unmuted(_)
        | What::Allowed(_)
        | What::Disallowed(_)
        | What::Shield { .. }
        | What::Sent(_)
        | What::Passed(_)
        | What::Recalled(_)
        | What::Edited(_)
        | What::Pinned { .. }
        | What::Read { .. } => change,
    }
}

/// The text of a request while it waits, and then the one of the decision.
fn reason(request: &Request) -> &str {
    match request.stage {
        Stage::AwaitsManagers | Stage::AwaitsInvitee => &request.message,
        Stage::Joined | Stage::RefusedByManagers | Stage::Declined => {
            request.verdict.as_ref().map_or("", |verdict| &*verdict.reason)
        }
    }
}

/// The changed texts and flags.
fn update(info: &Info<'_>, group: &Group, app: &App, at: Millis) -> Value {
    let mut changed = info.profile.map(profile).unwrap_or_default();
    if let Some((before, after)) = info.policy {
        changed.extend(flags(before, after, group, app));
    }
    modified(changed, at)
}

/// The changed profile fields.
fn profile(change: &ProfileChange) -> Map<String, Value> {
    let texts = [
        ("name", &change.name),
        ("description", &change.introduction),
        ("avatar", &change.avatar),
        ("custom", &change.custom),
    ];
    let changed = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(text.as_ref()?))));
    changed.collect()
}

/// The changed flags.
fn flags(before: &Policy, after: &Policy, group: &Group, app: &App) -> Map<String, Value> {
    let read = |policy| {
        let flags = Flags::read(policy, &group.labels, &app.settings);
        [
            ("public", json!(flags.public)),
            ("members_only", json!(flags.membersonly)),
            ("allow_user_invites", json!(flags.allowinvites)),
            ("invite_need_confirm", json!(flags.invite_need_confirm)),
            ("max_users", json!(flags.maxusers)),
        ]
    };
    let changed = read(before).into_iter().zip(read(after)).filter(|(before, after)| before != after);
    changed.map(|(_, (key, value))| (key.to_owned(), value)).collect()
}

fn modified(mut changed: Map<String, Value>, at: Millis) -> Value {
    changed.insert("last_modified".to_owned(), json!(at));
    Value::from(changed)
}

fn metadata(user: &UserId, attributes: &BTreeMap<String, String>) -> Value {
    json!({ "username": shown(user), "properties": attributes })
}

fn uploaded(file: &FileId, name: &str, size: u64, by: Option<&UserId>, at: Millis) -> String {
    let owner = by.map_or(Cow::Borrowed(ADMIN), shown);
    let data = json!({
        "file_id": file_uuid(file),
        "file_name": name,
        "file_owner": owner,
        "file_size": size,
        "created": at,
    });
    json!({ "data": data }).to_string()
}
