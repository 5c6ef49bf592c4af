//! Members: list, add, remove.

use std::borrow::Cow;
use std::sync::Arc;

use conclave_core::model::{GroupId, Member, Millis, Role, UserId};
use conclave_core::operation::{
    AddMembers, NewMember, OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, Quiet, RemoveMembers,
};
use conclave_core::query::ListMembers;
use conclave_core::refusal::Refusal;
use serde::Serialize;
use serde_json::json;

use super::body::Fields;
use super::call::Call;
use super::envelope::{Reply, encoded};
use super::rendered::{self, RenderedFrom};
use crate::dialect::CLEANUP;
use crate::dialect::ids::{fold, shown};
use crate::dialect::limits;
use crate::refusals::{self, Failure};

/// The key of an admin's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AdminKey {
    /// The same as any member's.
    Member,
    /// A key of its own.
    Admin,
}

/// A member: an object with the role as key and the id as value.
#[derive(Serialize, Default)]
pub(crate) struct Row<'m> {
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Cow<'m, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<Cow<'m, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<Cow<'m, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_time: Option<Millis>,
}

impl<'m> Row<'m> {
    pub(crate) fn of(member: &'m Member, admins: AdminKey, joined_time: bool) -> Self {
        let id = Some(shown(&member.user));
        let row = match (member.role, admins) {
            (Role::Owner, _) => Self { owner: id, ..Self::default() },
            (Role::Admin, AdminKey::Admin) => Self { admin: id, ..Self::default() },
            _ => Self { member: id, ..Self::default() },
        };
        Self { joined_time: joined_time.then_some(member.joined), ..row }
    }

    pub(crate) fn owner(owner: &'m UserId) -> Self {
        Self { owner: Some(shown(owner)), ..Self::default() }
    }
}

/// `GET /chatgroups/{id}/users`: by page number, or by cursor; the newer server SDK reads plain ids by cursor.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let query = &call.query;
    let numbered = query.get("pagenum").is_some() || query.get("pagesize").is_some();
    let by_cursor = query.get("limit").is_some() || query.get("cursor").is_some();
    let list = ListMembers { newest_first: query.get("sort") != Some("asc"), ..ListMembers::all(call.group()?) };
    match (by_cursor && !numbered, query.is_v3()) {
        (true, true) => plain(call, list).await,
        (true, false) => {
            let list = ListMembers { after: call.cursor()?, limit: limit(call), ..list };
            rows(call, list, AdminKey::Admin).await
        }
        (false, _) => {
            let most = call.app.settings.members_page;
            let limit = call.page("pagesize", most, most);
            let number = query.number("pagenum").unwrap_or(1).max(1) - 1;
            let list = ListMembers { skip: number.saturating_mul(limit), limit, ..list };
            rows(call, list, AdminKey::Member).await
        }
    }
}

fn limit(call: &Call<'_>) -> usize {
    call.page("limit", limits::MEMBERS_PAGE, call.app.settings.members_page)
}

async fn rows(call: &Call<'_>, list: ListMembers, admins: AdminKey) -> Result<Reply, Failure> {
    let page = call.ask(list).await?;
    let joined_time = call.query.is_true("joined_time");
    let (next, count) = (page.next.filter(|_| admins == AdminKey::Admin), page.members.len());
    let request = rendered::Request::Members { admins, joined_time };
    let from = RenderedFrom { request, group: page.group, own: None, members: page.members };
    let reply = Reply::rendered_data(call, from, |from| {
        let rows = from.members.iter().map(|member| Row::of(member, admins, joined_time));
        encoded(&rows.collect::<Vec<_>>())
    });
    Ok(reply.cursor(next.as_ref()).count(count))
}

/// Ids only, without the owner.
async fn plain(call: &Call<'_>, list: ListMembers) -> Result<Reply, Failure> {
    let roles = vec![Role::Admin, Role::Member];
    let page = call.ask(ListMembers { roles, after: call.cursor()?, limit: limit(call), ..list }).await?;
    let ids: Vec<Cow<'_, str>> = page.members.iter().map(|member: &Arc<Member>| shown(&member.user)).collect();
    Ok(Reply::data(&ids).cursor(page.next.as_ref()).count(ids.len()))
}

/// An addition without users yet: immediate, and refused as a whole. The app may ask for no notifications.
pub(super) fn adding(call: &Call<'_>, group: GroupId) -> AddMembers {
    AddMembers {
        group,
        members: Vec::new(),
        ask: false,
        message: String::new(),
        quiet: quiet(call),
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: call.app.settings.most_maxusers,
    }
}

/// Who is not notified: with `need_notify=false`, no client is.
fn quiet(call: &Call<'_>) -> Quiet {
    if call.query.get("need_notify") == Some("false") { Quiet::Clients } else { Quiet::Nobody }
}

/// `POST /chatgroups/{id}/users/{user}`.
pub(crate) async fn add_one(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let user = call.user(call.param("user")).await?.id.clone();
    call.run(AddMembers { members: vec![NewMember::now(user.clone())], ..adding(call, group.clone()) }).await?;
    Ok(Reply::data(&json!({"result": true, "groupid": group, "action": "add_member", "user": shown(&user)})))
}

/// `POST /chatgroups/{id}/users`: existing members are skipped, unless all of them are.
pub(crate) async fn add_many(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = usernames(call, "usernames size is more than max limit : ")?;
    let users = call.all_users(&names).await?;
    let members = users.into_iter().map(NewMember::now).collect();
    let operation = AddMembers { members, on_member: OnMember::RefuseIfAll, ..adding(call, group.clone()) };
    let added = call.run(operation).await?;
    let mut newmembers: Vec<Cow<'_, str>> = added.joined().map(shown).collect();
    // the last member to join comes first, as in every list of members
    newmembers.reverse();
    Ok(Reply::data(&json!({"newmembers": newmembers, "groupid": group, "action": "add_member"})))
}

/// The users in a body, without duplicates; refused when empty or too many, for which each operation has its own error.
pub(super) fn usernames(call: &Call<'_>, too_many: &str) -> Result<Vec<String>, Failure> {
    let names = Fields::read(call.body)?.texts(&["usernames"])?.unwrap_or_default();
    if names.is_empty() {
        return Err(refusals::invalid("usernames must be provided"));
    }
    let most = call.app.settings.batch_add;
    if names.len() > most {
        return Err(refusals::invalid(format!("{too_many}{most}")));
    }
    Ok(names)
}

/// `DELETE /chatgroups/{id}/users/{user[,user…]}`: one user gets an object or an error, several get a row each.
pub(crate) async fn remove(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = call.users();
    let most = call.app.settings.batch_remove;
    if names.len() > most {
        return Err(refusals::invalid(format!("kickMember: kickMembers number more than maxSize : {most}")));
    }
    let removing = RemoveMembers {
        group: group.clone(),
        users: Vec::new(),
        reason: String::new(),
        cleanup: CLEANUP,
        quiet: quiet(call),
        on_outsider: OnOutsider::Refuse,
        skip_owner: false,
    };
    match names.as_slice() {
        [] => Err(refusals::invalid("username must be provided")),
        [name] => {
            let user = call.user_or_same(name).await?;
            call.run(RemoveMembers { users: vec![user.clone()], ..removing }).await?;
            Ok(Reply::data(&removed(&group, &shown(&user), None)))
        }
        _ => remove_many(call, &names, removing).await,
    }
}

async fn remove_many(call: &Call<'_>, names: &[String], removing: RemoveMembers) -> Result<Reply, Failure> {
    let group = removing.group.clone();
    let found = call.find_users(names).await?;
    let users = found.iter().flatten().map(|user| user.id.clone()).collect();
    let operation = RemoveMembers { users, on_outsider: OnOutsider::Skip, skip_owner: true, ..removing };
    let done = call.run(operation).await?;
    let reason = |user: &UserId| -> Option<&Refusal> {
        done.left_out.iter().find(|(other, _)| other == user).map(|(_, refusal)| refusal)
    };
    let rows: Vec<serde_json::Value> = names
        .iter()
        .zip(&found)
        .map(|(name, user)| match user {
            None => removed(&group, &fold(name), Some(format!("user {} doesn't exist.", fold(name)))),
            Some(user) => {
                removed(&group, &shown(&user.id), reason(&user.id).map(|refusal| call.word(refusal).description))
            }
        })
        .collect();
    Ok(Reply::data(&rows))
}

fn removed(group: &GroupId, user: &str, reason: Option<String>) -> serde_json::Value {
    let mut row = json!({"result": reason.is_none(), "action": "remove_member", "user": user, "groupid": group});
    if let Some(reason) = reason {
        row["reason"] = reason.into();
    }
    row
}
