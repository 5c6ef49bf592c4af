//! `/entrust/group/member/specific/query.json`: the memberships of named users; non-members are skipped.

use serde::Serialize;

use super::MemberWire;
use crate::calls::members;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
struct MembersNamedResponse<'a> {
    members: Vec<MemberWire<'a>>,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let group = call.group_id()?;
    let members = members::named(&call.caller(), group, users).await.map_err(|why| call.not_done(why))?;
    envelope::with(&MembersNamedResponse { members: members.iter().map(|member| MemberWire::of(member)).collect() })
}
