//! `/group/user/ban/whitelist/*.json`: users who may send messages while all are muted. A mute of their own still
//! applies.

use conclave_core::model::UserId;
use conclave_core::operation::{Allow, Disallow};
use conclave_core::query::Allowlist;
use serde::Serialize;

use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn add(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userId", limits::MUTED_USERS)?;
    call.run(Allow { group: call.group_id()?, users, members_only: false }).await?;
    envelope::done()
}

pub(crate) async fn rollback(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userId", limits::MUTED_USERS)?;
    call.run(Disallow { group: call.group_id()?, users }).await?;
    envelope::done()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WhitelistResponse {
    user_ids: Vec<UserId>,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let found = call.ask(Allowlist::all(call.group_id()?)).await?;
    envelope::with(&WhitelistResponse { user_ids: found.entries.iter().map(|entry| entry.user.clone()).collect() })
}
