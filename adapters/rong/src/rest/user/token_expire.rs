//! `/user/token/expire.json`: tokens issued before a moment (milliseconds) no longer count.

use conclave_core::model::Millis;
use conclave_core::operation::UpdateUser;

use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn expire(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    call.required("time")?;
    let time = call.number("time", 0, 0..=u64::MAX)?;
    call.run(UpdateUser { tokens_from: Some(Millis(time)), ..UpdateUser::of(user) }).await?;
    envelope::done()
}
