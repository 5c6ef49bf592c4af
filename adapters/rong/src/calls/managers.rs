//! Adds and removes managers.

use conclave_core::model::{GroupId, UserId};
use conclave_core::operation::{Demote, OnOutsider, Promote};

use super::{Caller, NotDone};
use crate::refusals::{Code, Failure};

/// Makes members managers. If the app calls, non-members are returned and the others become managers; if a user calls,
/// all have to be members.
pub(crate) async fn add(caller: &Caller<'_>, group: GroupId, users: Vec<UserId>) -> Result<Vec<UserId>, NotDone> {
    let found = caller.hosted_group(&group).await?;
    let most = caller.app.realm.settings.managers;
    let on_outsider = if caller.user().is_some() {
        OnOutsider::Refuse
    } else {
        if users.len() > most as usize {
            return Err(Failure { manager_count: Some(found.admins.into()), ..Code::TooMany.into() }.into());
        }
        OnOutsider::Skip
    };
    Ok(caller.run(Promote { group, users, most: Some(most), on_outsider }).await?.outsiders)
}

/// Makes managers ordinary members; refuses when one of them is not a manager.
pub(crate) async fn remove(caller: &Caller<'_>, group: GroupId, users: Vec<UserId>) -> Result<(), NotDone> {
    caller.hosted_group(&group).await?;
    caller.run(Demote { group, users, skip_others: false }).await
}
