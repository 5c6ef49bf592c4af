//! Shielding: a member stays in the group and receives no messages.

use std::borrow::Cow;

use conclave_core::model::Receive;
use conclave_core::operation::UpdateMember;
use conclave_core::query::ListMembers;
use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::shown;
use crate::refusals::{self, Failure};

/// `POST /chatgroups/{id}/shield`.
pub(crate) async fn add(call: &Call<'_>) -> Result<Reply, Failure> {
    set(call, Receive::Discard, "add_shield").await
}

/// `DELETE /chatgroups/{id}/shield`.
pub(crate) async fn remove(call: &Call<'_>) -> Result<Reply, Failure> {
    set(call, Receive::Notify, "remove_shield").await
}

async fn set(call: &Call<'_>, receive: Receive, action: &str) -> Result<Reply, Failure> {
    let group = call.group()?;
    let user = call.caller().cloned().ok_or_else(refusals::not_yours)?;
    call.run(UpdateMember { receive: Some(receive), ..UpdateMember::of(group.clone(), user.clone()) }).await?;
    Ok(Reply::data(&json!({"result": true, "action": action, "user": shown(&user), "groupid": group})))
}

/// `GET /chatgroups/{id}/shield`: the members who shield.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let members = call.ask(ListMembers::all(call.group()?)).await?.members;
    let ids: Vec<Cow<'_, str>> =
        members.iter().filter(|member| member.receive == Receive::Discard).map(|member| shown(&member.user)).collect();
    Ok(Reply::data(&ids).count(ids.len()))
}
