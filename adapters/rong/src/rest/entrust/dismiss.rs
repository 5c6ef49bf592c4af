//! `/entrust/group/dismiss.json`: ends a hosted group.

use conclave_core::operation::Disband;

use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn dismiss(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let group = call.hosted_group().await?;
    call.run(Disband { group: group.id.clone() }).await?;
    envelope::done()
}
