//! `/entrust/joined/group/query.json`: a page of a user's hosted groups in the order of joining, all or of one role.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Key, Member};
use conclave_core::query::{Cursor, JoinedGroups, RemarksOf};
use serde::Serialize;

use super::{GroupTexts, owner};
use crate::dialect::page::PageStart;
use crate::dialect::role;
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinedResponse<'a> {
    page_token: String,
    total_count: usize,
    groups: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    group_id: &'a GroupId,
    name: &'a str,
    /// The user's own name for the group.
    #[serde(skip_serializing_if = "String::is_empty")]
    remark_name: String,
    #[serde(flatten)]
    texts: GroupTexts,
    create_time: u64,
    join_time: u64,
    role: u8,
    /// Number of members.
    count: u32,
    owner: &'a str,
}

type Joined = (Arc<Group>, Arc<Member>);

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let wanted = role::filter(call.number("role", 0, 0..=role::MOST)?, call.settings().joined_role_owner_first);
    let size = call.size(50, 100)?;
    let newest_first = call.newest_first()?;
    let pages = call.pages(&format!("joined {user} {wanted:?}"));
    let after = match pages.place(call.form.given("pageToken"))? {
        None => None,
        Some(PageStart::After(cursor)) => Some(cursor),
        Some(PageStart::Skip(_)) => return Err(Code::PageToken.into()),
    };

    // the total counts matching groups, so all of the user's groups are read
    let mut joined = call.ask(JoinedGroups { newest_first, ..JoinedGroups::all(user.clone()) }).await?.groups;
    joined.retain(|(group, member)| group.governed && wanted.is_none_or(|role| role == member.role));
    let total = joined.len();
    if let Some(after) = &after {
        joined.retain(|entry| if newest_first { place(entry).0 < after.0 } else { place(entry).0 > after.0 });
    }
    let more = joined.len() > size;
    joined.truncate(size);
    let next = joined.last().filter(|_| more).map(place).map(PageStart::After);
    let ids = joined.iter().map(|(group, _)| group.id.clone()).collect();
    let remarks = call.ask(RemarksOf { user, groups: ids }).await?.0;
    let groups = joined.iter().zip(remarks).map(|(joined, remark)| entry(joined, remark)).collect::<Result<_, _>>()?;
    envelope::with(&JoinedResponse { page_token: pages.token(next), total_count: total, groups })
}

/// An entry's position in the order of joining.
fn place((group, member): &Joined) -> Cursor {
    Cursor(Key::Joined(member.user.clone(), member.joined, group.id.clone()).encode())
}

fn entry((group, member): &Joined, remark_name: String) -> Result<Entry<'_>, Failure> {
    Ok(Entry {
        group_id: &group.id,
        name: &group.profile.name,
        remark_name,
        texts: GroupTexts::of(group)?,
        create_time: group.created.0,
        join_time: member.joined.0,
        role: role::number(member.role),
        count: group.members,
        owner: owner(group),
    })
}
