//! `/entrust/group/member/follow.json`, `…/unfollow.json` and `…/followed/get.json`: the members whose messages a user
//! is notified of in any case.

use conclave_core::model::{GroupId, UserId};
use serde::Serialize;

use crate::calls::follow;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn follow(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let users = call.user_ids("followUserIds", limits::HOSTED_USERS)?;
    let group = call.group_id()?;
    follow::follow(&call.caller(), group, user, users).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}

pub(crate) async fn unfollow(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let users = call.user_ids("followUserIds", limits::HOSTED_USERS)?;
    let group = call.group_id()?;
    follow::unfollow(&call.caller(), group, user, users).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FollowResponse<'a> {
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

pub(crate) async fn followed(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let group = call.group_id()?;
    let found = follow::followed(&call.caller(), group.clone(), user.clone()).await;
    let found = found.map_err(|why| call.not_done(why))?;
    let members = found.into_iter().map(|(user_id, since)| Entry { user_id, timestamp: since.0 }).collect();
    envelope::with(&FollowResponse { user_id: &user, group_id: &group, members })
}
