//! `/group/refresh.json`: renames a group.

use super::enter::update_name;
use super::notify::Notice;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn refresh(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let group = call.group_id()?;
    let name = call.required("groupName")?;
    call.check_length("groupName", name, limits::GROUP_NAME)?;
    let notice = Notice::of(call)?;
    update_name(call, &group, name).await?;
    notice.post(call, &group).await
}
