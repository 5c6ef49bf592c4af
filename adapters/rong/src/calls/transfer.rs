//! Transfers a hosted group to one of its members.

use conclave_core::model::{GroupId, UserId};
use conclave_core::operation::{Cleanup, Transfer};

use super::{Caller, NotDone};

/// The old owner becomes an ordinary member, or leaves, with the cleanup in `leave`.
pub(crate) async fn transfer(
    caller: &Caller<'_>,
    group: GroupId,
    to: UserId,
    leave: Option<Cleanup>,
) -> Result<(), NotDone> {
    caller.hosted_group(&group).await?;
    caller.run(Transfer { group, to, leave }).await
}
