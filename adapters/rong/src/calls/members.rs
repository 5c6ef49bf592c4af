//! The members of a hosted group, with their nicknames.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Member, Role, UserId};
use conclave_core::operation::UpdateMember;
use conclave_core::query::{ListMembers, MemberPage, MembersNamed};

use super::{Caller, NotDone};
use crate::dialect::page::{PageStart, Pages};

/// Named members; users who are not members are skipped.
pub(crate) async fn named(
    caller: &Caller<'_>,
    group: GroupId,
    users: Vec<UserId>,
) -> Result<Vec<Arc<Member>>, NotDone> {
    caller.own_group(&group).await?;
    Ok(caller.ask(MembersNamed { group, users }).await?.members.into_iter().flatten().collect())
}

/// A requested page of members.
pub(crate) struct Page<'a> {
    /// Only those of this role; `None` is all.
    pub(crate) role: Option<Role>,
    /// The page token.
    pub(crate) token: Option<&'a str>,
    pub(crate) size: usize,
    /// Latest joined first.
    pub(crate) newest_first: bool,
    /// The page tokens of this list.
    pub(crate) pages: Pages,
}

/// A page of members that was found.
pub(crate) struct PageFound {
    pub(crate) members: Vec<Arc<Member>>,
    /// How many members have the role.
    pub(crate) total: u32,
    /// The token of the next page; "" at the end.
    pub(crate) token: String,
}

/// A page of members in the order of joining, all or of one role.
pub(crate) async fn by_role(caller: &Caller<'_>, group: GroupId, page: Page<'_>) -> Result<PageFound, NotDone> {
    caller.own_group(&group).await?;
    let (after, skip) = match page.pages.place(page.token)? {
        None => (None, 0),
        Some(PageStart::After(cursor)) => (Some(cursor), 0),
        Some(PageStart::Skip(entries)) => (None, entries),
    };
    let list = ListMembers {
        group,
        roles: page.role.into_iter().collect(),
        after,
        skip,
        limit: page.size,
        newest_first: page.newest_first,
        with_detail: false,
        with_read_marks: false,
        with_mutes: false,
    };
    let found = caller.ask(list).await?;
    let total = total(&found.group, page.role);
    let token = page.pages.token(next(&found, page.role, skip + found.members.len(), total));
    Ok(PageFound { members: found.members, total, token })
}

/// Managers and owner are few and paged by an offset; other lists continue at the core's cursor.
fn next(found: &MemberPage, role: Option<Role>, read: usize, total: u32) -> Option<PageStart> {
    if matches!(role, Some(Role::Admin | Role::Owner)) {
        return (!found.members.is_empty() && read < total as usize).then_some(PageStart::Skip(read));
    }
    found.next.clone().map(PageStart::After)
}

fn total(group: &Group, role: Option<Role>) -> u32 {
    let owners = u32::from(group.owner.is_some());
    match role {
        None => group.members,
        Some(Role::Owner) => owners,
        Some(Role::Admin) => group.admins,
        Some(Role::Member) => group.members.saturating_sub(group.admins).saturating_sub(owners),
    }
}

/// Sets a member's nickname and `extra`; missing fields stay as they are.
pub(crate) async fn set(
    caller: &Caller<'_>,
    group: GroupId,
    user: UserId,
    (nickname, extra): (Option<String>, Option<String>),
) -> Result<(), NotDone> {
    caller.own_group(&group).await?;
    caller.run(UpdateMember { card: nickname, extra, ..UpdateMember::of(group, user) }).await
}
