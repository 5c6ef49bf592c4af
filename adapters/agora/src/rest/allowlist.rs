//! The allowlist: members who may send messages while all are muted. Owner and admins are always on it.

use std::borrow::Cow;

use conclave_core::model::{Role, UserId};
use conclave_core::operation::{Allow, Disallow};
use conclave_core::query::{Allowlist, ListMembers, MaySpeak, MembersNamed};
use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use super::listed::{to_remove, users};
use super::members::usernames;
use super::rows::Changed;
use crate::dialect::ids::shown;
use crate::refusals::{self, Failure};

const ADD: &str = "add_user_whitelist";
const REMOVE: &str = "remove_user_whitelist";

/// `GET /chatgroups/{id}/white/users`.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let allowed = call.ask(Allowlist::all(group.clone())).await?.entries;
    let allowed: Vec<UserId> = allowed.iter().map(|entry| entry.user.clone()).collect();
    // another vendor keeps the places of those who have left
    let members = call.ask(MembersNamed { group: group.clone(), users: allowed }).await?.members;
    let managers = ListMembers { roles: vec![Role::Owner, Role::Admin], ..ListMembers::all(group) };
    let managers = call.ask(managers).await?.members;
    let mut ids: Vec<Cow<'_, str>> = managers.iter().map(|member| shown(&member.user)).collect();
    for member in members.iter().flatten() {
        let id = shown(&member.user);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(Reply::data(&ids).count(ids.len()))
}

/// `GET /chatgroups/{id}/white/users/{user}`.
pub(crate) async fn is_allowed(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let user = call.user(call.param("user")).await?.id.clone();
    let voices = call.ask(MaySpeak { group: group.clone(), users: vec![user.clone()] }).await?;
    let member = call.ask(MembersNamed { group, users: vec![user.clone()] }).await?.members.pop().flatten();
    let white = voices.users.iter().any(|voice| voice.member && voice.allowance.is_some())
        || member.is_some_and(|member| member.role >= Role::Admin);
    Ok(Reply::data(&json!({"member": shown(&user), "white": white})))
}

/// `POST /chatgroups/{id}/white/users/{user}`.
pub(crate) async fn add_one(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let user = call.user_or_same(call.param("user")).await?;
    call.run(Allow { group: group.clone(), users: vec![user.clone()], members_only: true }).await?;
    let rows = Changed::done(call, &group, ADD, std::iter::once(shown(&user).into_owned()));
    Ok(Reply::data(&rows.first()))
}

/// `POST /chatgroups/{id}/white/users`.
pub(crate) async fn add_many(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = usernames(call, "usernames size is more than max limit : ")?;
    let (names, users) = call.known(&group, &names).await?;
    let listed = call.run(Allow { group: group.clone(), users, members_only: true }).await?;
    Ok(Reply::data(&Changed::all(call, &group, ADD, &names, &listed)))
}

/// `DELETE /chatgroups/{id}/white/users/{user[,user…]}`: always a list.
pub(crate) async fn remove(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = call.users();
    let most = call.app.settings.batch_remove;
    if names.len() > most {
        return Err(refusals::invalid(format!("removeWhitelist size is more than max limit : {most}")));
    }
    let list = async || {
        let allowed = call.ask(Allowlist::all(group.clone())).await?.entries;
        Ok(allowed.iter().map(|entry| entry.user.clone()).collect())
    };
    let removing = to_remove(call, &group, &names, |voice| voice.allowance.is_some(), list).await?;
    call.run(Disallow { group: group.clone(), users: users(&removing) }).await?;
    Ok(Reply::data(&Changed::done(call, &group, REMOVE, names.into_iter())))
}
