//! Admins: list, add, remove.

use std::borrow::Cow;

use conclave_core::operation::{Demote, OnOutsider, Promote};
use conclave_core::query::Admins;
use serde_json::json;

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::shown;
use crate::refusals::{self, Failure};

/// `GET /chatgroups/{id}/admin`: all admins, without the owner.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let admins = call.ask(Admins { group: call.group()? }).await?.0;
    let ids: Vec<Cow<'_, str>> = admins.iter().map(shown).collect();
    Ok(Reply::data(&ids).count(ids.len()))
}

/// `POST /chatgroups/{id}/admin`: adding an admin again is not an error.
pub(crate) async fn add(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let named = Fields::read(call.body)?.text(&["newadmin"])?.filter(|name| !name.is_empty());
    let named = named.ok_or_else(|| refusals::invalid("newadmin must be provided"))?;
    let user = call.user_or_same(&named).await?;
    let most = Some(call.app.settings.most_admins);
    call.run(Promote { group, users: vec![user.clone()], most, on_outsider: OnOutsider::Refuse }).await?;
    Ok(Reply::data(&json!({"result": "success", "newadmin": shown(&user)})))
}

/// `DELETE /chatgroups/{id}/admin/{user}`.
pub(crate) async fn remove(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let user = call.user_or_same(call.param("user")).await?;
    call.run(Demote { group, users: vec![user.clone()], skip_others: false }).await?;
    Ok(Reply::data(&json!({"result": "success", "oldadmin": shown(&user)})))
}
