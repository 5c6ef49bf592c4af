//! `destroy_group`: deletes a group of any type.

use conclave_core::operation::Disband;
use serde::Deserialize;

use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
}

pub(crate) async fn destroy(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    call.run(Disband { group: call.group_id(request.group_id)? }).await?;
    envelope::done()
}
