//! `/entrust/group/quit.json`: users leave. The owner cannot; users who are not in are left out unless none is in.

use conclave_core::operation::{Leave, OnOutsider};

use super::cleanup;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn quit(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let cleanup = cleanup(call)?;
    let group = call.hosted_group().await?;
    call.run(Leave { group: group.id.clone(), users, cleanup, on_outsider: OnOutsider::RefuseIfAll }).await?;
    envelope::done()
}
