//! `/entrust/group/member/specific/query.json`: the memberships of named users; who is not in is left out.

use std::sync::Arc;

use conclave_core::model::Member;
use conclave_core::query::MembersNamed;
use serde::Serialize;

use super::MemberWire;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
struct Wire<'a> {
    members: Vec<MemberWire<'a>>,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let group = call.hosted_group().await?;
    let found = call.ask(MembersNamed { group: group.id.clone(), users }).await?;
    let members: Vec<Arc<Member>> = found.members.into_iter().flatten().collect();
    envelope::with(&Wire { members: members.iter().map(|member| MemberWire::of(member)).collect() })
}
