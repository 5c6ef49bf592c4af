//! `/group/quit.json`: takes users out. Ids that are not in are left alone; mutes and the allowlist stay.

use conclave_core::operation::{Cleanup, Leave, OnOutsider};
use conclave_core::refusal::Refusal;

use super::notify::Notice;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn quit(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userId", limits::LEGACY_USERS)?;
    let group = call.group_id()?;
    let notice = Notice::of(call)?;
    let leave = Leave { group: group.clone(), users, cleanup: Cleanup::default(), on_outsider: OnOutsider::Skip };
    match call.attempt(leave).await {
        Ok(_) | Err(Refusal::GroupNotFound { .. }) => notice.post(call, &group).await,
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
