//! `/entrust/group/remarkname/*.json`: a user's own name for a group.

use serde::Serialize;

use crate::calls::remark;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let name = call.required("remarkName")?.to_owned();
    let group = call.group_id()?;
    remark::set(&call.caller(), group, user, name).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}

pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let group = call.group_id()?;
    remark::delete(&call.caller(), group, user).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemarknameResponse {
    remark_name: String,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let group = call.group_id()?;
    let remark_name = remark::get(&call.caller(), group, user).await.map_err(|why| call.not_done(why))?;
    envelope::with(&RemarknameResponse { remark_name })
}
