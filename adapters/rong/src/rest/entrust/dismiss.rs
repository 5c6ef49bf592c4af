//! `/entrust/group/dismiss.json`: deletes a hosted group.

use crate::calls::leave;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn dismiss(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    leave::dismiss(&call.caller(), call.group_id()?).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}
