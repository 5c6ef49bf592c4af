//! `quit_group`: the user leaves. The owner cannot, except in groups of type Private. Source: the clients' protocol.

use conclave_core::operation::{Leave, OnOutsider};
use conclave_core::refusal::Refusal;
use serde::Deserialize;

use crate::calls::{Call, envelope};
use crate::dialect::CLEANUP;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
}

pub(crate) async fn quit(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let users = call.user().cloned().into_iter().collect();
    // a mute still applies to a user who leaves and joins again
    let leave = Leave { group, users, cleanup: CLEANUP, on_outsider: OnOutsider::Refuse, keep_owner: false };
    match call.attempt(None, leave).await {
        Ok(_) => envelope::done(),
        Err(Refusal::NotMembers { .. }) => Err(Code::NoPermission.into()),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
