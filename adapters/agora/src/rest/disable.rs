//! Deleting a group, banning it, unbanning it.

use conclave_core::operation::{Disband, SetDisabled};
use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use crate::refusals::Failure;

/// `DELETE /chatgroups/{id}`.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    call.run(Disband { group: group.clone() }).await?;
    // the documentation says groupid, client typings id
    Ok(Reply::data(&json!({"success": true, "groupid": group, "id": group})))
}

/// `POST /chatgroups/{id}/disable`.
pub(crate) async fn disable(call: &Call<'_>) -> Result<Reply, Failure> {
    set(call, true).await
}

/// `POST /chatgroups/{id}/enable`.
pub(crate) async fn enable(call: &Call<'_>) -> Result<Reply, Failure> {
    set(call, false).await
}

async fn set(call: &Call<'_>, disabled: bool) -> Result<Reply, Failure> {
    call.run(SetDisabled { group: call.group()?, disabled }).await?;
    Ok(Reply::data(&json!({"disabled": disabled})))
}
