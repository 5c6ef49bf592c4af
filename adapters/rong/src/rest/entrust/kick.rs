//! `/entrust/group/member/kick.json`: puts users out. The owner stays; users who are not in are left out unless
//! none is in.

use conclave_core::operation::{OnOutsider, Quiet, RemoveMembers};

use super::cleanup;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn kick(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let cleanup = cleanup(call)?;
    let group = call.hosted_group().await?;
    let remove = RemoveMembers {
        group: group.id.clone(),
        users,
        reason: String::new(),
        cleanup,
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::RefuseIfAll,
        skip_owner: false,
    };
    call.run(remove).await?;
    envelope::done()
}
