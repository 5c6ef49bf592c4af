//! `/entrust/group/join.json`: brings users in at once, whatever `joinPerm` says; answers with the group.

use conclave_core::model::GroupId;
use conclave_core::operation::{AddMembers, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet};
use serde::Serialize;

use super::{GroupTexts, owner};
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    group_id: &'a GroupId,
    name: &'a str,
    #[serde(flatten)]
    texts: GroupTexts,
    owner: &'a str,
    create_time: u64,
    member_count: u32,
}

pub(crate) async fn join(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let group = call.hosted_group().await?;
    call.check_newcomers("userIds", &users).await?;
    let add = AddMembers {
        group: group.id.clone(),
        members: users.into_iter().map(NewMember::now).collect(),
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Register,
        on_member: OnMember::RefuseIfAll,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
    };
    let added = call.run(add).await?;
    envelope::with(&Wire {
        group_id: &group.id,
        name: &group.profile.name,
        texts: GroupTexts::of(&group)?,
        owner: owner(&group),
        create_time: group.created.0,
        member_count: added.members,
    })
}
