//! `/group/refresh.json`: renames a group.

use conclave_core::operation::UpdateGroup;
use conclave_core::refusal::Refusal;

use super::enter::renaming;
use super::notify::Notice;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn refresh(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let group = call.group_id()?;
    let name = call.required("groupName")?;
    call.check_length("groupName", name, limits::GROUP_NAME)?;
    let notice = Notice::of(call)?;
    let steps = [renaming(&group, name).into()].into_iter().chain(notice.to_group(&group)).collect();
    // renaming does not change the number of members
    let members = call.find_group(&group).await?.map_or(0, |found| found.members);
    match call.attempt_all(steps).await {
        Ok(mut replies) => {
            replies.next_of::<UpdateGroup>().map_err(|refusal| call.failure(&refusal))?;
            notice.answer(call, &mut replies, members)
        }
        // a missing group has no name to change
        Err(Refusal::GroupNotFound { .. }) => envelope::done(),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
