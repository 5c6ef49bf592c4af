//! Changes of groups as older rules tell them: `chat_type` `muc`, one for each user whom it is about.
//!
//! `from` is who did it and `to` whom it is about; where it is about the whole group, the group.

use std::borrow::Cow;
use std::collections::BTreeMap;

use conclave_core::event::{Actor, Event, Happening, Joining, Leaving, ProfileChange};
use conclave_core::model::{FileId, Group, GroupId, Millis, Policy, Receive, Request, RequestKind, Stage, UserId};
use conclave_kit::Notice;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::operation::is_shown;
use super::{App, HOST, notice};
use crate::dialect::flags::Flags;
use crate::dialect::ids::{file_uuid, shown};
use crate::dialect::message::ADMIN;

/// The device of whoever has none, or none that is known.
const RESOURCE: &str = "server";

#[derive(Serialize)]
struct Wire<'a> {
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
    event_info: Option<Info<'a>>,
}

#[derive(Serialize)]
struct Status {
    description: &'static str,
    error_code: &'static str,
}

const OK: Status = Status { description: "", error_code: "ok" };

#[derive(Serialize)]
struct Info<'a> {
    ext: &'a str,
    r#type: &'static str,
}

/// One thing to tell.
struct Change<'e> {
    operation: &'static str,
    /// Who did it; `None` is the app.
    from: Option<&'e UserId>,
    /// Whom it is about; `None` is the whole group.
    to: Option<&'e UserId>,
    reason: Cow<'e, str>,
    /// JSON, as text.
    info: Option<String>,
}

impl<'e> Change<'e> {
    /// About the whole group.
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

    /// The n-th thing that is told of an event.
    fn told(&self, event: &Event, place: usize, app: &App) -> Option<Notice> {
        let group = event.group.as_ref()?;
        let msg_id = (app.id(event, place).as_u64_pair().0 >> 4).to_string();
        let call_id = app.call_id(&msg_id);
        // who comes and goes is told of, not answered
        let status = (!matches!(self.operation, "presence" | "absence")).then_some(OK);
        let device = match &event.actor {
            Actor::User { user, device: Some(device) } if self.from == Some(user) => device.as_str(),
            _ => RESOURCE,
        };
        let from = self.from.map_or(Cow::Borrowed(ADMIN), shown);
        let wire = Wire {
            chat_type: "muc",
            security: app.sign(&call_id, event.at),
            call_id: &call_id,
            payload: Payload {
                muc_id: format!("{}_{group}@conference.easemob.com", app.key),
                reason: &self.reason,
                is_chatroom: false,
                operation: self.operation,
                status,
                event_info: self.info.as_ref().map(|ext| Info { ext, r#type: "event_none" }),
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

/// Whether there may be something to tell of it.
pub(super) fn is_told(what: &Happening) -> bool {
    match what {
        Happening::MembersJoined { how, .. } => *how != Joining::Imported,
        Happening::ProfileChanged(change) => is_shown(change),
        Happening::RequestChanged(_)
        | Happening::GroupCreated { .. }
        | Happening::GroupGoverned { .. }
        | Happening::GroupDisbanded { .. }
        | Happening::MembersLeft { .. }
        | Happening::OwnerChanged { .. }
        | Happening::PolicyChanged { .. }
        | Happening::ReceiveChanged { .. }
        | Happening::MemberAttributesChanged { .. } => true,
        what => each(what).is_some() || whole(what).is_some(),
    }
}

/// What is told of an event in this group.
pub(super) fn notices(event: &Event, group: &Group, app: &App) -> Vec<Notice> {
    let changes = changes(event, group, app).into_iter().enumerate();
    changes.filter_map(|(place, change)| change.told(event, place, app)).collect()
}

fn changes<'e>(event: &'e Event, group: &'e Group, app: &App) -> Vec<Change<'e>> {
    let by = event.actor.behind();
    let one = match &event.what {
        Happening::GroupCreated { owner, .. } => {
            let create = Change::new("create", by.or(owner.as_ref()));
            match owner {
                Some(owner) => create.to(owner),
                None => create,
            }
        }
        Happening::GroupDisbanded { .. } => Change::new("destroy", by),
        Happening::RequestChanged(request) => return asked(request, by, group).into_iter().collect(),
        Happening::MembersJoined { users, how, .. } => return joined(users, how, by),
        Happening::MembersLeft { users, how, reason, .. } => return left(users, *how, reason, by),
        Happening::OwnerChanged { from, to: Some(to), .. } => Change::new("assing_owner", from.as_ref().or(by)).to(to),
        Happening::GroupGoverned { owner } => Change::new("assing_owner", by).to(owner),
        Happening::ProfileChanged(change) => Change::new("update", by).with(&profile(change, event.at)),
        Happening::PolicyChanged { before, after } => match flags(before, after, group, app, event.at) {
            Some(changed) => Change::new("update", by).with(&changed),
            None => return Vec::new(),
        },
        Happening::ReceiveChanged { user, receive, before } => match (receive, before) {
            (Receive::Discard, _) => Change::new("block", Some(user)),
            (_, Some(Receive::Discard)) => Change::new("unblock", Some(user)),
            _ => return Vec::new(),
        },
        Happening::MemberAttributesChanged { user, attributes } => {
            Change::new("group_member_metadata_update", by).with(&metadata(user, attributes))
        }
        Happening::FileAdded { file, name, size } => {
            Change::new("upload_file", by).saying(uploaded(file, name, *size, by, event.at))
        }
        Happening::FileRemoved { file, .. } => Change::new("delete_file", by).saying(file_uuid(file)),
        what => {
            if let Some((operation, users, reason)) = each(what) {
                return users.iter().map(|user| Change::new(operation, by).to(user).saying(reason)).collect();
            }
            match whole(what) {
                Some((operation, reason)) => Change::new(operation, by).saying(reason),
                None => return Vec::new(),
            }
        }
    };
    vec![one]
}

/// What is told to each of these users, with the reason.
fn each(what: &Happening) -> Option<(&'static str, &[UserId], &str)> {
    let each: (_, &[UserId], _) = match what {
        Happening::AdminsAdded(users) => ("add_admin", users, ""),
        Happening::AdminsRemoved(users) => ("remove_admin", users, ""),
        Happening::Muted { users, .. } => ("add_mute", users, ""),
        Happening::Unmuted(users) => ("remove_mute", users, ""),
        Happening::Allowed(users) => ("add_user_white_list", users, ""),
        Happening::Disallowed(users) => ("remove_user_white_list", users, ""),
        Happening::Blocked { users, reason, .. } => ("ban", users, reason),
        Happening::Unblocked(users) => ("allow", users, "undefined"),
        _ => return None,
    };
    Some(each)
}

/// What is told once, with the reason.
fn whole(what: &Happening) -> Option<(&'static str, &str)> {
    match what {
        Happening::AnnouncementChanged(text) if text.is_empty() => Some(("delete_announcement", "")),
        Happening::AnnouncementChanged(text) => Some(("update_announcement", text)),
        Happening::AllMutedChanged(true) => Some(("ban_group", "")),
        Happening::AllMutedChanged(false) => Some(("remove_ban_group", "")),
        // worded where what they need is at hand
        Happening::FileAdded { .. } => Some(("upload_file", "")),
        Happening::FileRemoved { .. } => Some(("delete_file", "")),
        _ => None,
    }
}

/// Somebody asks, is asked, or is answered.
fn asked<'e>(request: &'e Request, by: Option<&'e UserId>, group: &'e Group) -> Option<Change<'e>> {
    let Request { user, inviter, kind, stage, message, verdict, .. } = request;
    let reason = verdict.as_ref().map_or("", |verdict| &*verdict.reason);
    let answer = |operation: &'static str, to: Option<&'e UserId>| {
        let change = Change::new(operation, if *kind == RequestKind::Application { by } else { Some(user) });
        let change = change.saying(reason);
        match to {
            Some(to) => change.to(to),
            None => change,
        }
    };
    let change = match (kind, stage) {
        (RequestKind::Application, Stage::AwaitsManagers) => {
            let apply = Change::new("apply", Some(user)).saying(&**message);
            match &group.owner {
                Some(owner) => apply.to(owner),
                None => apply,
            }
        }
        (RequestKind::Application, Stage::Joined) => answer("apply_accept", Some(user)),
        (RequestKind::Application, Stage::RefusedByManagers) => answer("apply_decline", Some(user)),
        (RequestKind::Invitation, Stage::AwaitsInvitee) => {
            Change::new("invite", inviter.as_ref()).to(user).saying(&**message)
        }
        // who was let in without having been asked has accepted nothing
        (RequestKind::Invitation, Stage::Joined) if by == Some(user) => answer("invite_accept", inviter.as_ref()),
        (RequestKind::Invitation, Stage::Declined) => answer("invite_decline", inviter.as_ref()),
        _ => return None,
    };
    Some(change)
}

/// Who was added hears so; that they are there is told to the group.
fn joined<'e>(users: &'e [UserId], how: &'e Joining, by: Option<&'e UserId>) -> Vec<Change<'e>> {
    let added = match how {
        Joining::Created | Joining::Added => Some(by),
        Joining::Invited { by: inviter, agreed: false } => Some(inviter.as_ref().or(by)),
        Joining::Invited { agreed: true, .. } | Joining::Asked { .. } | Joining::Imported => None,
    };
    let mut changes = Vec::with_capacity(2 * users.len());
    for user in users {
        changes.extend(added.map(|by| Change::new("direct_joined", by).to(user)));
        changes.push(Change::new("presence", Some(user)));
    }
    changes
}

/// Who was removed hears so; that they are gone is told to the group.
fn left<'e>(users: &'e [UserId], how: Leaving, reason: &'e str, by: Option<&'e UserId>) -> Vec<Change<'e>> {
    let removed = matches!(how, Leaving::Removed | Leaving::Blocked);
    let mut changes = Vec::with_capacity(2 * users.len());
    for user in users {
        changes.extend(removed.then(|| Change::new("kick", by).to(user).saying(reason)));
        changes.push(Change::new("absence", Some(user)));
    }
    changes
}

/// What changed of the profile.
fn profile(change: &ProfileChange, at: Millis) -> Value {
    let texts = [
        ("name", &change.name),
        ("description", &change.introduction),
        ("avatar", &change.avatar),
        ("custom", &change.custom),
    ];
    let changed = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(text.as_ref()?))));
    modified(changed.collect(), at)
}

/// What changed of the flags, if anything.
fn flags(before: &Policy, after: &Policy, group: &Group, app: &App, at: Millis) -> Option<Value> {
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
    let changed: Map<String, Value> = changed.map(|(_, (key, value))| (key.to_owned(), value)).collect();
    (!changed.is_empty()).then(|| modified(changed, at))
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
