//! `/entrust/group/member/query.json`: a page of members by joining, all or of one role.

use conclave_core::model::{Group, Role};
use conclave_core::query::{ListMembers, MemberPage};
use serde::Serialize;

use super::MemberWire;
use crate::dialect::page::Place;
use crate::dialect::role;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    /// How many members have the role asked for.
    total_count: u32,
    page_token: String,
    members: Vec<MemberWire<'a>>,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let wanted = role::filter(call.number("type", 0, 0..=role::MOST)?, false);
    let size = call.size(50, 100)?;
    let newest_first = call.newest_first()?;
    let group = call.hosted_group().await?;
    let pages = call.pages(&format!("members {} {wanted:?}", group.id));
    let (after, skip) = match pages.place(call.form.given("pageToken"))? {
        None => (None, 0),
        Some(Place::After(cursor)) => (Some(cursor), 0),
        Some(Place::Skip(entries)) => (None, entries),
    };
    let list = ListMembers {
        group: group.id.clone(),
        roles: wanted.into_iter().collect(),
        after,
        skip,
        limit: size,
        newest_first,
        with_detail: false,
    };
    let found = call.ask(list).await?;
    let total = total(&found.group, wanted);
    envelope::with(&Wire {
        total_count: total,
        page_token: pages.token(next(&found, wanted, skip + found.members.len(), total)),
        members: found.members.iter().map(|member| MemberWire::of(member)).collect(),
    })
}

/// Managers and owner are few and told by counting; others go on where the core says.
fn next(found: &MemberPage, wanted: Option<Role>, read: usize, total: u32) -> Option<Place> {
    if matches!(wanted, Some(Role::Admin | Role::Owner)) {
        return (!found.members.is_empty() && read < total as usize).then_some(Place::Skip(read));
    }
    found.next.clone().map(Place::After)
}

fn total(group: &Group, wanted: Option<Role>) -> u32 {
    let owners = u32::from(group.owner.is_some());
    match wanted {
        None => group.members,
        Some(Role::Owner) => owners,
        Some(Role::Admin) => group.admins,
        Some(Role::Member) => group.members.saturating_sub(group.admins).saturating_sub(owners),
    }
}
