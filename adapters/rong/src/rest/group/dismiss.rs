//! `/group/dismiss.json`: ends a group. `userId` only names the operator; any is taken.

use conclave_core::operation::Disband;
use conclave_core::refusal::Refusal;

use super::notify::Notice;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn dismiss(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    call.user_id("userId")?;
    let group = call.group_id()?;
    let notice = Notice::of(call)?;
    // afterwards there is nobody left to hear it
    let answer = notice.post_counting(call, &group, Some(0)).await?;
    match call.attempt(Disband { group }).await {
        Ok(_) | Err(Refusal::GroupNotFound { .. }) => Ok(answer),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
