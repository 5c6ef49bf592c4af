//! The announcement: read, set, and (with "") removed.

use conclave_core::operation::UpdateGroup;
use conclave_core::query::GroupById;
use conclave_core::refusal::{Needs, Refusal};
use serde_json::json;

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use crate::refusals::{self, Failure};

/// `GET /chatgroups/{id}/announcement`: members only, even of a public group.
pub(crate) async fn get(call: &Call<'_>) -> Result<Reply, Failure> {
    let found = call.ask(GroupById { group: call.group()? }).await?;
    if call.caller().is_some() && found.own.is_none() {
        let group = found.group.id.clone();
        return Err(call.word(&Refusal::NotPermitted { group, needs: Needs::Membership }));
    }
    let text = found.group.announcement.as_ref().map_or("", |announcement| &announcement.text);
    Ok(Reply::data(&json!({"announcement": text})))
}

/// `POST /chatgroups/{id}/announcement`.
pub(crate) async fn set(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let text = Fields::read(call.body)?.text(&["announcement"])?;
    let text = text.ok_or_else(|| refusals::group_illegal("announcement is null"))?;
    if text.chars().count() > call.app.settings.announcement_chars {
        return Err(refusals::announcement_too_long());
    }
    call.run(UpdateGroup { announcement: Some(text), ..UpdateGroup::of(group.clone()) }).await?;
    Ok(Reply::data(&json!({"id": group, "result": true})))
}
