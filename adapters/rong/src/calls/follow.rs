//! Followed members: a member is notified of their messages in any case.

use conclave_core::model::{GroupId, Millis, UserId};
use conclave_core::operation::{Follow, Unfollow};
use conclave_core::query::Follows;

use super::{Caller, NotDone};

/// The user follows these members.
pub(crate) async fn follow(
    caller: &Caller<'_>,
    group: GroupId,
    user: UserId,
    users: Vec<UserId>,
) -> Result<(), NotDone> {
    caller.own_group(&group).await?;
    caller.run(Follow { group, user, users, most: Some(caller.app.realm.settings.follows) }).await
}

/// The user no longer follows these members.
pub(crate) async fn unfollow(
    caller: &Caller<'_>,
    group: GroupId,
    user: UserId,
    users: Vec<UserId>,
) -> Result<(), NotDone> {
    caller.own_group(&group).await?;
    caller.run(Unfollow { group, user, users }).await
}

/// The members that the user follows, and since when.
pub(crate) async fn followed(
    caller: &Caller<'_>,
    group: GroupId,
    user: UserId,
) -> Result<Vec<(UserId, Millis)>, NotDone> {
    caller.own_group(&group).await?;
    Ok(caller.ask(Follows { group, user }).await?.0)
}
