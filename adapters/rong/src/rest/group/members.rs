//! `/group/user/query.json`: all members of a group, ids only.

use conclave_core::model::UserId;
use conclave_core::query::ListMembers;
use serde::Serialize;

use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
struct MembersResponse<'a> {
    users: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a UserId,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let group = call.group_id()?;
    if call.find_group(&group).await?.is_none() {
        return envelope::with(&MembersResponse { users: Vec::new() });
    }
    let found = call.ask(ListMembers::all(group)).await?;
    envelope::with(&MembersResponse { users: found.members.iter().map(|member| Entry { id: &member.user }).collect() })
}
