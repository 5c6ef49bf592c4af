//! Adds users to a hosted group: the app adds them at once, a user invites them.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId, UserId};
use conclave_core::operation::{AddMembers, Added, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet};

use super::{Caller, NotDone};

/// Adds or invites these users; existing members are skipped unless all are. Accounts are created for users without
/// one.
///
/// Returns the group as it was before, and the outcome for each user.
pub(crate) async fn add(
    caller: &Caller<'_>,
    group: GroupId,
    users: Vec<UserId>,
) -> Result<(Arc<Group>, Added), NotDone> {
    let found = caller.hosted_group(&group).await?;
    caller.check_new_members("userIds", &users).await?;
    let add = AddMembers {
        group,
        members: users.into_iter().map(NewMember::now).collect(),
        ask: caller.user().is_some(),
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Register,
        on_member: OnMember::RefuseIfAll,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: Some(caller.app.realm.settings.group_capacity),
    };
    Ok((found, caller.run(add).await?))
}
