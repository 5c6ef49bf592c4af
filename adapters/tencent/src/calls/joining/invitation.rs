//! `handle_invite_join_group`: the invited user accepts or declines. Source: the clients' protocol.

use conclave_core::operation::AnswerInvitation;
use serde::Deserialize;
use serde_json::Value;

use super::{is_agreed, most_members};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Inviter_Account")]
    inviter: Option<Account>,
    handle_msg: Option<String>,
    approval_msg: Option<String>,
    /// Not needed: inviter and group identify the invitation.
    #[serde(rename = "Authentication")]
    _authentication: Option<Value>,
    #[serde(rename = "MsgKey")]
    _number: Option<Value>,
}

pub(crate) async fn answer(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let inviter = Some(call.user_id("Inviter_Account", request.inviter)?);
    let accept = is_agreed(call, request.handle_msg.as_deref())?;
    let reason = request.approval_msg.unwrap_or_default();
    let user = call.signed_in()?.clone();
    let most = most_members(call, &group).await?;
    call.run(AnswerInvitation { group, user, inviter, accept, reason, most }).await?;
    envelope::done()
}
