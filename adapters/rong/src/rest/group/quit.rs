//! `/group/quit.json`: removes users. Non-members are skipped; mutes and allowlist entries are kept.

use conclave_core::operation::{Cleanup, Leave, OnOutsider};
use conclave_core::refusal::Refusal;

use super::notify::Notice;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn quit(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userId", limits::LEGACY_USERS)?;
    let group = call.group_id()?;
    let notice = Notice::of(call)?;
    let leave = Leave {
        group: group.clone(),
        users,
        cleanup: Cleanup::default(),
        on_outsider: OnOutsider::Skip,
        keep_owner: true,
    };
    let steps = [leave.into()].into_iter().chain(notice.to_group(&group)).collect();
    match call.attempt_all(steps).await {
        Ok(mut replies) => {
            let left = replies.next_of::<Leave>().map_err(|refusal| call.failure(&refusal))?;
            notice.answer(call, &mut replies, left.members)
        }
        Err(Refusal::GroupNotFound { .. }) => envelope::done(),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
