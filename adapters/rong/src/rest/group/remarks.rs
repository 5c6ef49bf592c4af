//! `/group/remarks/*.json`: the name that push notifications show for a sender in a group. Not to be confused with the
//! remark name of hosted groups, which is a user's own name for the group.

use conclave_core::operation::SetPushName;
use conclave_core::query::PushName;
use serde::Serialize;

use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let name = call.required("remark")?.to_owned();
    call.run(SetPushName { group: call.group_id()?, user, name }).await?;
    envelope::done()
}

pub(crate) async fn del(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    call.run(SetPushName { group: call.group_id()?, user, name: String::new() }).await?;
    envelope::done()
}

#[derive(Serialize)]
struct RemarksResponse {
    remark: String,
}

pub(crate) async fn get(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let remark = call.ask(PushName { group: call.group_id()?, user }).await?.0;
    envelope::with(&RemarksResponse { remark })
}
