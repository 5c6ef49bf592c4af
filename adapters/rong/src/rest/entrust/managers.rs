//! `/entrust/group/manager/add.json` and `…/remove.json`.

use conclave_core::model::UserId;
use serde::Serialize;

use crate::calls::managers;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ManagersResponse {
    /// The users who were not made managers because they are not members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_ids: Vec<UserId>,
}

pub(crate) async fn add(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let group = call.group_id()?;
    let added = managers::add(&call.caller(), group, users).await;
    envelope::with(&ManagersResponse { user_ids: added.map_err(|why| call.not_done(why))? })
}

pub(crate) async fn remove(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userIds", limits::MANAGERS)?;
    let group = call.group_id()?;
    managers::remove(&call.caller(), group, users).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}
