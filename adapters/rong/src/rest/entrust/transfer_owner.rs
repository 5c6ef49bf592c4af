//! `/entrust/group/transfer/owner.json`: hands a group to one of its members; the old owner becomes an ordinary
//! member, or leaves.

use conclave_core::operation::Transfer;

use super::cleanup;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn transfer(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let to = call.user_id("newOwner")?;
    let leave = call.switch("isQuit", false)?.then(|| cleanup(call)).transpose()?;
    let group = call.hosted_group().await?;
    call.run(Transfer { group: group.id.clone(), to, leave }).await?;
    envelope::done()
}
