//! The blocklist: list, block, unblock. Blocking removes a member; unblocking does not add them again.

use std::borrow::Cow;
use std::sync::Arc;

use conclave_core::model::{Block as Entry, GroupId, Until, UserId};
use conclave_core::operation::{Block, Unblock};
use conclave_core::query::{Blocklist, Cursor};
use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use super::listed::{to_remove, users};
use super::members::usernames;
use super::rows::Changed;
use crate::dialect::CLEANUP;
use crate::dialect::ids::{fold, shown};
use crate::dialect::limits;
use crate::refusals::{self, Failure};

const ADD: &str = "add_blocks";
const REMOVE: &str = "remove_blocks";

/// `GET /chatgroups/{id}/blocks/users`: the latest first.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let mut entries = call.ask(Blocklist::all(call.group()?)).await?.entries;
    entries.sort_by_key(|entry| std::cmp::Reverse(place(entry)));
    let size = call.query.number("pageSize").filter(|size| *size > 0).map(|size| size.min(limits::BLOCKS_PAGE));
    if let Some(Cursor(after)) = call.cursor()? {
        entries.retain(|entry| place(entry) < after);
    }
    let limit = size.unwrap_or(limits::BLOCKS);
    let next = (size.is_some() && entries.len() > limit).then(|| Cursor(place(&entries[limit - 1])));
    let ids: Vec<Cow<'_, str>> = entries.iter().take(limit).map(|entry| shown(&entry.user)).collect();
    Ok(Reply::data(&ids).cursor(next.as_ref()).count(ids.len()))
}

/// An entry's sort key: by time, then by user.
fn place(entry: &Arc<Entry>) -> Vec<u8> {
    [&entry.since.0.to_be_bytes()[..], entry.user.as_str().as_bytes()].concat()
}

fn blocking(group: GroupId, users: Vec<UserId>) -> Block {
    Block { group, users, until: Until::Forever, reason: String::new(), members_only: true, cleanup: CLEANUP }
}

/// One row: an object in the older response format, a list in the newer.
fn one(call: &Call<'_>, group: &GroupId, action: &'static str, user: String) -> Reply {
    let rows = Changed::done(call, group, action, std::iter::once(user));
    if call.query.is_v3() { Reply::data(&rows) } else { Reply::data(&rows.first()) }
}

/// `POST /chatgroups/{id}/blocks/users/{user}`.
pub(crate) async fn add_one(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let user = call.user_or_same(call.param("user")).await?;
    call.run(blocking(group.clone(), vec![user.clone()])).await?;
    Ok(one(call, &group, ADD, shown(&user).into_owned()))
}

/// `POST /chatgroups/{id}/blocks/users`.
pub(crate) async fn add_many(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = usernames(call, "userNames is more than max limit : ")?;
    let (names, users) = call.known(&group, &names).await?;
    let listed = call.run(blocking(group.clone(), users)).await?;
    Ok(Reply::data(&Changed::all(call, &group, ADD, &names, &listed)))
}

/// `DELETE /chatgroups/{id}/blocks/users/{user[,user…]}`: users who are not blocked are reported as successfully unblocked.
pub(crate) async fn remove(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let names = call.users();
    let most = call.app.settings.batch_remove;
    if names.len() > most {
        return Err(refusals::invalid(format!("removeBlacklist: list size more than max limit : {most}")));
    }
    let list = async || {
        let blocked = call.ask(Blocklist::all(group.clone())).await?.entries;
        Ok(blocked.iter().map(|block| block.user.clone()).collect())
    };
    let removing = to_remove(call, &group, &names, |voice| voice.block.is_some(), list).await?;
    call.run(Unblock { group: group.clone(), users: users(&removing) }).await?;
    if let [name] = names.as_slice() {
        return Ok(one(call, &group, REMOVE, fold(name)));
    }
    Ok(Reply::data(&json!(Changed::done(call, &group, REMOVE, names.into_iter()))))
}
