//! `/user/token/expire.json`: revokes the tokens, of one user or up to twenty, that were issued before a time
//! (milliseconds). A time in the future is treated as now. Refused as a whole if one of the users does not exist.

use conclave_core::model::Millis;
use conclave_core::operation::{OnRefusal, UpdateUser};

use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn expire(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userId", limits::EXPIRED_USERS)?;
    call.required("time")?;
    let time = call.number("time", 0, 0..=u64::MAX)?;
    let expired = |user| UpdateUser { tokens_from: Some(Millis(time)), ..UpdateUser::of(user) };
    call.run_each(OnRefusal::RefuseAll, users.into_iter().map(expired).collect()).await?;
    envelope::done()
}
