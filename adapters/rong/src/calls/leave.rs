//! Leaving a hosted group, removing members, and dismissing it.

use conclave_core::model::{GroupId, UserId};
use conclave_core::operation::{Cleanup, Disband, Leave, OnOutsider, Quiet, RemoveMembers};

use super::{Caller, NotDone};

/// Users leave: a calling user only themself. The owner cannot. Of the users that the app names, non-members are
/// skipped unless none is a member.
pub(crate) async fn quit(
    caller: &Caller<'_>,
    group: GroupId,
    users: Vec<UserId>,
    cleanup: Cleanup,
) -> Result<(), NotDone> {
    // legacy groups have calls of their own for leaving
    caller.hosted_group(&group).await?;
    let on_outsider = if caller.user().is_some() { OnOutsider::Refuse } else { OnOutsider::RefuseIfAll };
    caller.run(Leave { group, users, cleanup, on_outsider, keep_owner: true }).await.map(drop)
}

/// Removes users. The owner cannot be removed; non-members are skipped unless none is a member.
pub(crate) async fn kick(
    caller: &Caller<'_>,
    group: GroupId,
    users: Vec<UserId>,
    cleanup: Cleanup,
) -> Result<(), NotDone> {
    caller.hosted_group(&group).await?;
    let (reason, quiet, on_outsider) = (String::new(), Quiet::Nobody, OnOutsider::RefuseIfAll);
    let remove = RemoveMembers { group, users, reason, cleanup, quiet, on_outsider, skip_owner: false };
    caller.run(remove).await.map(drop)
}

/// Deletes the group.
pub(crate) async fn dismiss(caller: &Caller<'_>, group: GroupId) -> Result<(), NotDone> {
    caller.hosted_group(&group).await?;
    caller.run(Disband { group }).await.map(drop)
}
