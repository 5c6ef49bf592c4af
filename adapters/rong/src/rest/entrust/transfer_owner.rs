//! `/entrust/group/transfer/owner.json`: transfers a group to one of its members.

use super::cleanup;
use crate::calls::transfer;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn transfer(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let to = call.user_id("newOwner")?;
    let leave = call.switch("isQuit", false)?.then(|| cleanup(call)).transpose()?;
    let group = call.group_id()?;
    transfer::transfer(&call.caller(), group, to, leave).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}
