//! `/entrust/group/join.json`: adds users at once, whatever `joinPerm` says; returns the group.

use conclave_core::model::GroupId;
use serde::Serialize;

use super::{GroupTexts, owner};
use crate::calls::join;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinResponse<'a> {
    group_id: &'a GroupId,
    name: &'a str,
    #[serde(flatten)]
    texts: GroupTexts,
    owner: &'a str,
    create_time: u64,
    member_count: u32,
}

pub(crate) async fn join(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let group = call.group_id()?;
    let (group, added) = join::add(&call.caller(), group, users).await.map_err(|why| call.not_done(why))?;
    envelope::with(&JoinResponse {
        group_id: &group.id,
        name: &group.profile.name,
        texts: GroupTexts::of(&group)?,
        owner: owner(&group),
        create_time: group.created.0,
        member_count: added.members,
    })
}
