//! Facts as the vendor's `operation`s and their payloads.

use conclave_core::event::{Actor, Event, Joining, Leaving};
use conclave_core::model::{Group, Millis, Profile, UserId};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::Admins;
use conclave_core::refusal::Refusal;
use conclave_kit::Notice;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{App, notice};
use crate::dialect::events::{Fact, What};
use crate::dialect::flags::Flags;
use crate::dialect::ids::{file_uuid, shown};
use crate::dialect::time::end;

/// The operator when the app acts.
const ADMIN: &str = "@ppAdmin";

#[derive(Serialize)]
struct OperationNotification<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    security: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Value>,
    appkey: &'a str,
    id: &'a str,
    r#type: &'static str,
    event: &'static str,
    operation: &'static str,
    operator: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<u32>,
    timestamp: Millis,
}

/// One operation to send.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) payload: Option<Value>,
    pub(super) member_count: Option<u32>,
    /// The operator, if not the caller.
    pub(super) operator: Option<UserId>,
}

impl Operation {
    fn new(name: &'static str, payload: Value) -> Self {
        Self { name, payload: Some(payload), member_count: None, operator: None }
    }

    /// The n-th notification of an event.
    pub(super) fn notice(&self, event: &Event, place: usize, app: &App) -> Option<Notice> {
        let group = event.group.as_ref()?;
        let call_id = app.call_id(app.id(event, place));
        let operator = self.operator.as_ref().or_else(|| event.actor.behind()).map(shown);
        let wire = OperationNotification {
            security: app.sign(&call_id, event.at),
            call_id: &call_id,
            payload: self.payload.as_ref(),
            appkey: &app.key,
            id: group.as_str(),
            r#type: "GROUP",
            event: "group_op_event",
            operation: self.name,
            operator: operator.as_deref().unwrap_or(ADMIN),
            member_count: self.member_count,
            timestamp: event.at,
        };
        notice(self.name, &wire)
    }
}

/// The operations of a fact in this group: usually one, two when a group is deleted. Waiting requests and invitations
/// have none, and messages are sent by another rule.
pub(super) async fn operations(
    fact: &Fact<'_>,
    group: &Group,
    app: &App,
    groups: &dyn Groups,
) -> Result<Vec<Operation>, Refusal> {
    let owner = |owner: Option<&UserId>| owner.map(shown).unwrap_or_default().into_owned();
    let update = |payload| Operation::new("UPDATE", payload);
    let one = match &fact.what {
        What::Created { profile, owner, members } => {
            let info = info(group, profile, *owner, group.created, app);
            let role = roles(group, *owner, members, groups).await?;
            Operation::new("CREATE", json!({ "role": role, "member": names(members), "info": info }))
        }
        What::Destroyed { members } => {
            let delete = Operation { payload: None, ..Operation::new("DELETE", Value::Null) };
            return Ok(vec![delete, list("LEAVE", "member", members, "DELETE")]);
        }
        What::Joined { users, how, members } => joined(users, how, *members),
        What::Left { users, how, members, .. } => left(users, *how, *members),
        What::Info(_) => update_info(fact.event, group, app),
        What::OwnerChanged { from, to } => {
            update(json!({ "owner": owner(*from), "new_owner": owner(*to), "type": "OWNER" }))
        }
        What::Announcement("") => update(json!({ "type": "ANNOUNCEMENT" })),
        What::Announcement(text) => update(json!({ "type": "ANNOUNCEMENT", "announcement": text })),
        What::AllMuted(muted) => update(json!({ "mute": muted, "type": "MUTE" })),
        What::Disabled(disabled) => update(json!({ "disable": disabled, "type": "DISABLE" })),
        What::Admins { users, added } => list("ADMIN", "admin", users, if *added { "ADD" } else { "REMOVE" }),
        What::Muted { users, until } => until_then(list("MUTE", "member", users, "ADD"), end(*until)),
        What::Unmuted(users) => list("MUTE", "member", users, "REMOVE"),
        What::Allowed(users) => list("WHITE", "member", users, "ADD"),
        What::Disallowed(users) => list("WHITE", "member", users, "REMOVE"),
        What::Blocked { users, until, .. } => until_then(list("BLOCK", "member", users, "ADD"), end(*until)),
        What::Unblocked(users) => list("BLOCK", "member", users, "REMOVE"),
        What::FileShared { file, .. } => {
            Operation::new("SHARE_FILE", json!({ "share_file": [file_uuid(file)], "type": "ADD" }))
        }
        What::FileDeleted { file } => {
            Operation::new("SHARE_FILE", json!({ "share_file": [file_uuid(file)], "type": "REMOVE" }))
        }
        What::Shield { user, on } => {
            let what = if *on { "ADD" } else { "REMOVE" };
            Operation { operator: Some((*user).clone()), ..Operation::new("SHIELD", json!({ "type": what })) }
        }
        What::Requested(_)
        | What::MemberAttributes { .. }
        | What::Sent(_)
        | What::Passed(_)
        | What::Recalled(_)
        | What::Edited(_)
        | What::Pinned { .. }
        | What::Read { .. } => return Ok(Vec::new()),
    };
    Ok(vec![one])
}

fn list(name: &'static str, key: &str, users: &[UserId], what: &str) -> Operation {
    Operation::new(name, json!({ key: names(users), "type": what }))
}

fn until_then(operation: Operation, until: Millis) -> Operation {
    let mut payload = operation.payload.unwrap_or_default();
    payload["expire_timestamp"] = json!(until);
    Operation { payload: Some(payload), ..operation }
}

fn joined(users: &[UserId], how: &Joining, members: u32) -> Operation {
    let (what, themself) = match how {
        Joining::Created | Joining::Added | Joining::Imported => ("DIRECT", false),
        Joining::Asked { .. } => ("APPLY", true),
        Joining::Invited { .. } => ("INVITE", true),
    };
    // the user who applied or was invited counts as the operator
    let operator = users.first().filter(|_| themself).cloned();
    Operation { member_count: Some(members), operator, ..list("JOIN", "member", users, what) }
}

fn left(users: &[UserId], how: Leaving, members: u32) -> Operation {
    let (what, themself) = match how {
        Leaving::Left => ("QUIT", true),
        Leaving::AccountDeleted => ("QUIT", false),
        Leaving::Removed => ("KICK", false),
        Leaving::Blocked => ("BLOCK", false),
    };
    let operator = users.first().filter(|_| themself).cloned();
    Operation { member_count: Some(members), operator, ..list("LEAVE", "member", users, what) }
}

fn update_info(event: &Event, group: &Group, app: &App) -> Operation {
    let info = info(group, &group.profile, group.owner.as_ref(), event.at, app);
    Operation::new("UPDATE", json!({ "type": "INFO", "info": info }))
}

/// `info`: mostly texts, also numbers and booleans.
fn info(group: &Group, profile: &Profile, owner: Option<&UserId>, modified: Millis, app: &App) -> Value {
    let flags = Flags::of(group, &app.settings);
    let owner = owner.map(|owner| format!("{}_{}", app.key, shown(owner)));
    json!({
        "owner": owner.unwrap_or_default(),
        "created": group.created.0.to_string(),
        "custom": profile.custom,
        "description": profile.introduction,
        "mute": group.all_muted.to_string(),
        "mute_duration": -1,
        "avatar": profile.avatar,
        "title": profile.name,
        "max_users": flags.maxusers.to_string(),
        "invite_need_confirm": flags.invite_need_confirm.to_string(),
        "public": flags.public.to_string(),
        "allow_user_invites": flags.allowinvites.to_string(),
        "disabled": group.disabled.to_string(),
        "last_modified": modified.0.to_string(),
    })
}

/// Members who had a role from the start.
async fn roles(
    group: &Group,
    owner: Option<&UserId>,
    members: &[UserId],
    groups: &dyn Groups,
) -> Result<Map<String, Value>, Refusal> {
    let admins = match groups.ask(&Actor::app(), Admins { group: group.id.clone() }).await {
        Ok(admins) => admins.0,
        // the group, with its admins, was deleted since
        Err(Refusal::GroupNotFound { .. }) => Vec::new(),
        Err(refusal) => return Err(refusal),
    };
    let admins = admins.iter().filter(|admin| members.contains(admin)).map(|admin| (admin, "admin"));
    let all = owner.into_iter().map(|owner| (owner, "owner")).chain(admins);
    Ok(all.map(|(user, role)| (shown(user).into_owned(), Value::from(role))).collect())
}

fn names(users: &[UserId]) -> Vec<String> {
    users.iter().map(|user| shown(user).into_owned()).collect()
}
