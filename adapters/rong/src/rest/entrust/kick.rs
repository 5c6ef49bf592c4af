//! `/entrust/group/member/kick.json`: removes users.

use super::cleanup;
use crate::calls::leave;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn kick(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let cleanup = cleanup(call)?;
    let group = call.group_id()?;
    leave::kick(&call.caller(), group, users, cleanup).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}
