//! `/group/ban/*.json`: mutes of all members of a group.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId};
use conclave_core::operation::{OnRefusal, UpdateGroup};
use conclave_core::query::{AllMutedGroups, FindGroups};
use conclave_core::refusal::Refusal;
use serde::Serialize;

use crate::dialect::limits;
use crate::refusals::{Code, Failure};
use crate::rest::call::missing;
use crate::rest::{Call, envelope};

fn groups(call: &Call<'_>) -> Result<Vec<GroupId>, Failure> {
    let ids = call.form.list("groupId");
    if ids.len() > limits::MUTED_GROUPS {
        return Err(Code::Parameter.saying(format!("groupId count > {}", limits::MUTED_GROUPS)));
    }
    ids.iter().map(|id| call.as_group_id(id)).collect()
}

pub(crate) async fn add(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    set(call, true).await
}

pub(crate) async fn rollback(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    set(call, false).await
}

/// Refused as a whole if one of the groups does not exist.
async fn set(call: &Call<'_>, muted: bool) -> Result<envelope::ResponseBody, Failure> {
    let groups = groups(call)?;
    if groups.is_empty() {
        return Err(missing("groupId"));
    }
    let muting = |group| UpdateGroup { all_muted: Some(muted), ..UpdateGroup::of(group) };
    call.run_each(OnRefusal::RefuseAll, groups.into_iter().map(muting).collect()).await?;
    envelope::done()
}

#[derive(Serialize)]
struct BanResponse {
    groupinfo: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    group_id: GroupId,
    stat: u8,
}

/// The named groups, or a page of all groups in which all are muted. With paging, names are ignored.
pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    // 0 is what SDKs send for a number that is not set
    let paged = ["page", "size"].iter().any(|key| call.form.given(key).is_some_and(|number| number.trim() != "0"));
    let wanted = if paged { Vec::new() } else { groups(call)? };
    if !wanted.is_empty() {
        return envelope::with(&BanResponse { groupinfo: named(call, wanted).await? });
    }
    let (skip, size) = if paged { page(call)? } else { (0, usize::MAX) };
    let muted = all_muted(call).await?.into_iter().skip(skip).take(size);
    envelope::with(&BanResponse { groupinfo: muted.map(|group_id| Entry { group_id, stat: 1 }).collect() })
}

async fn named(call: &Call<'_>, wanted: Vec<GroupId>) -> Result<Vec<Entry>, Failure> {
    let found = call.ask(FindGroups { groups: wanted.clone() }).await?.0;
    let stat = |group: &Result<Arc<Group>, Refusal>| u8::from(group.as_ref().is_ok_and(|group| group.all_muted));
    Ok(wanted.into_iter().zip(&found).map(|(id, group)| Entry { stat: stat(group), group_id: id }).collect())
}

async fn all_muted(call: &Call<'_>) -> Result<Vec<GroupId>, Failure> {
    Ok(call.ask(AllMutedGroups { after: None, limit: usize::MAX }).await?.groups)
}

fn page(call: &Call<'_>) -> Result<(usize, usize), Failure> {
    let page = call.count("page", 1, u32::MAX.into())?;
    let size = call.size(50, 200)?;
    Ok(((page - 1).saturating_mul(size), size))
}
