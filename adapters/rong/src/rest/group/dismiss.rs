//! `/group/dismiss.json`: deletes a group. `userId` only names the operator; any is accepted.

use conclave_core::operation::Disband;
use conclave_core::refusal::Refusal;

use super::notify::Notice;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn dismiss(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    call.user_id("userId")?;
    let group = call.group_id()?;
    let notice = Notice::of(call)?;
    // the bound message has to be sent before the group is deleted
    let steps = notice.to_group(&group).into_iter().chain([Disband { group }.into()]).collect();
    match call.attempt_all(steps).await {
        Ok(mut replies) => notice.answer(call, &mut replies, 0),
        Err(Refusal::GroupNotFound { .. }) => envelope::done(),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
