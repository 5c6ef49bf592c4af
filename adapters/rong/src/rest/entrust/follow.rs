//! `/entrust/group/member/follow.json`, `…/unfollow.json` and `…/followed/get.json`: whose messages a member is
//! told of in any case.

use conclave_core::model::{GroupId, UserId};
use conclave_core::operation::{Follow, Unfollow};
use conclave_core::query::Follows;
use serde::Serialize;

use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn follow(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    let users = call.user_ids("followUserIds", limits::HOSTED_USERS)?;
    let group = call.hosted_group().await?;
    call.run(Follow { group: group.id.clone(), user, users, most: Some(call.settings().follows) }).await?;
    envelope::done()
}

pub(crate) async fn unfollow(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    let users = call.user_ids("followUserIds", limits::HOSTED_USERS)?;
    let group = call.hosted_group().await?;
    call.run(Unfollow { group: group.id.clone(), user, users }).await?;
    envelope::done()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    user_id: &'a UserId,
    group_id: &'a GroupId,
    members: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    user_id: UserId,
    /// Since when, milliseconds.
    timestamp: u64,
}

pub(crate) async fn followed(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    let group = call.hosted_group().await?;
    let found = call.ask(Follows { group: group.id.clone(), user: user.clone() }).await?;
    let members = found.0.into_iter().map(|(user_id, since)| Entry { user_id, timestamp: since.0 }).collect();
    envelope::with(&Wire { user_id: &user, group_id: &group.id, members })
}
