//! `/entrust/group/profile/query.json`: the profiles of up to 50 groups. Missing groups, and those without hosting, are
//! skipped.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId};
use conclave_core::query::FindGroups;
use serde::Serialize;

use super::{GroupTexts, owner};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};
use crate::rest::call::missing;
use crate::rest::{Call, RenderedFrom, envelope};

#[derive(Serialize)]
struct ProfileQueryResponse<'a> {
    profiles: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    group_id: &'a GroupId,
    /// Documented.
    group_name: &'a str,
    /// Read by an edition of the Go SDK instead.
    name: &'a str,
    #[serde(flatten)]
    texts: GroupTexts,
    owner: &'a str,
    create_time: u64,
    member_count: u32,
}

impl<'a> Entry<'a> {
    fn of(group: &'a Group) -> Result<Self, Failure> {
        Ok(Self {
            group_id: &group.id,
            group_name: &group.profile.name,
            name: &group.profile.name,
            texts: GroupTexts::of(group)?,
            owner: owner(group),
            create_time: group.created.0,
            member_count: group.members,
        })
    }
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    // the documentation's table says groupIds, its example sends groupId
    let ids = [call.form.list("groupIds"), call.form.list("groupId")].into_iter().find(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| missing("groupIds"))?;
    if ids.len() > limits::PROFILES {
        return Err(Code::QueryCount.into());
    }
    let ids: Vec<GroupId> = ids.iter().map(|id| call.as_group_id(id)).collect::<Result<_, _>>()?;
    let found = call.ask(FindGroups { groups: ids }).await?;
    let groups: Vec<Arc<Group>> = found.0.into_iter().filter_map(Result::ok).filter(|group| group.governed).collect();
    envelope::ResponseBody::rendered(call, RenderedFrom::Profiles(groups), |from| {
        let RenderedFrom::Profiles(groups) = from else { return Err(Code::Internal.into()) };
        let profiles = groups.iter().map(|group| Entry::of(group)).collect::<Result<_, _>>()?;
        envelope::with(&ProfileQueryResponse { profiles })
    })
}
