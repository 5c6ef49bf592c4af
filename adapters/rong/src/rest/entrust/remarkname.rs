//! `/entrust/group/remarkname/*.json`: a user's own name for a group.

use conclave_core::operation::SetRemark;
use conclave_core::query::Remark;
use serde::Serialize;

use crate::dialect::limits;
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    let name = call.required("remarkName")?;
    call.check_length("remarkName", name, limits::REMARK)?;
    if name.trim().is_empty() {
        return Err(Code::BadFormat.saying("remarkName must not be blank"));
    }
    let group = call.hosted_group().await?;
    call.run(SetRemark { group: group.id.clone(), user, text: name.to_owned() }).await?;
    envelope::done()
}

pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    let group = call.hosted_group().await?;
    call.run(SetRemark { group: group.id.clone(), user, text: String::new() }).await?;
    envelope::done()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    remark_name: String,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    let group = call.hosted_group().await?;
    let remark_name = call.ask(Remark { group: group.id.clone(), user }).await?.0;
    envelope::with(&Wire { remark_name })
}
