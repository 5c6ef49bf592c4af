//! `/group/sync.json`: the given groups replace all groups of a user.

use conclave_core::operation::{OnUnknown, SyncGroups};

use crate::dialect::{limits, permissions};
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn sync(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    call.check_new_members("userId", std::slice::from_ref(&user)).await?;
    let mut groups = Vec::new();
    for (id, name) in call.form.keyed("group") {
        let group = call.as_group_id(&id)?;
        // an id that the vendor would not permit for a new group is valid only for an existing one
        if !limits::is_group_id(group.as_str()) && call.find_group(&group).await?.is_none() {
            call.check_new_group_id(&group)?;
        }
        call.check_length("groupName", &name, limits::GROUP_NAME)?;
        groups.push((group, name));
    }
    let policy = permissions::unhosted(call.settings().group_capacity);
    call.run(SyncGroups { user, groups, policy, on_unknown: OnUnknown::Register }).await?;
    envelope::done()
}
