//! `/user/group/query.json`: a user's groups, hosted or not. Without paging, the first 5000.

use conclave_core::model::GroupId;
use conclave_core::query::JoinedGroups;
use serde::Serialize;

use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
struct GroupsResponse<'a> {
    groups: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    id: &'a GroupId,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let page = usize::try_from(call.number("page", 0, 0..=u64::from(u32::MAX))?).unwrap_or(usize::MAX);
    let size = call.size(50, 1000)?;
    let (skip, limit) = if page == 0 { (0, limits::GROUPS_UNPAGED) } else { ((page - 1).saturating_mul(size), size) };
    let found = call.ask(JoinedGroups { user, after: None, skip, limit, newest_first: false }).await?;
    let groups = found.groups.iter().map(|(group, _)| Entry { name: &group.profile.name, id: &group.id }).collect();
    envelope::with(&GroupsResponse { groups })
}
