//! `handle_apply_join_group` and `handle_invite_join_permission_group`: the managers decide about applications, and
//! about members' invitations. The first decision counts; later ones get 10024. Source: the clients' protocol.

use std::sync::Arc;

use conclave_core::model::{GroupId, Request as Filed, RequestKind, UserId};
use conclave_core::operation::DecideRequest;
use conclave_core::query::{Requests, RequestsOf};
use serde::Deserialize;

use super::{is_agreed, most_members};
use crate::calls::wire::{Account, Next};
use crate::calls::{Call, envelope};
use crate::dialect::application;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    /// The applicant; for an invitation, the inviter.
    #[serde(rename = "Applicant_Account")]
    applicant: Option<Account>,
    #[serde(rename = "Invited_Account")]
    invited: Option<Account>,
    handle_msg: Option<String>,
    approval_msg: Option<String>,
    authentication: Option<String>,
    #[serde(rename = "MsgKey")]
    number: Option<Next>,
}

/// `handle_apply_join_group`.
pub(crate) async fn application(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let applicant = call.user_id("Applicant_Account", request.applicant)?;
    let accept = is_agreed(call, request.handle_msg.as_deref())?;
    let named = Named { authentication: request.authentication.unwrap_or_default(), number: request.number };
    let reason = request.approval_msg.unwrap_or_default();
    let (user, inviter) = match invitation(call, &group, &applicant, &named).await? {
        Some(invitation) => (invitation.user.clone(), invitation.inviter.clone()),
        None => (applicant, None),
    };
    let most = most_members(call, &group).await?;
    call.run(DecideRequest { group, user, inviter, accept, reason, most }).await?;
    envelope::done()
}

/// `handle_invite_join_permission_group`.
pub(crate) async fn invited(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let inviter = Some(call.user_id("Applicant_Account", request.applicant)?);
    let user = call.user_id("Invited_Account", request.invited)?;
    let accept = is_agreed(call, request.handle_msg.as_deref())?;
    let reason = request.approval_msg.unwrap_or_default();
    let most = most_members(call, &group).await?;
    call.run(DecideRequest { group, user, inviter, accept, reason, most }).await?;
    envelope::done()
}

/// The identification of a request in a notice.
struct Named {
    authentication: String,
    number: Option<Next>,
}

impl Named {
    fn is(&self, call: &Call<'_>, filed: &Filed) -> bool {
        let number = self.number.is_some_and(|number| number.0 == application::number(filed));
        number && self.authentication == application::authentication(&call.app.realm.credentials.secret_key, filed)
    }
}

/// Requests that are read at a time.
const CHUNK: usize = 512;

/// The invitation that a decision names. Clients that decide from a notice always say that it is an application, with
/// the inviter as the applicant: then it is found by the notice's number and text.
async fn invitation(
    call: &Call<'_>,
    group: &GroupId,
    applicant: &UserId,
    named: &Named,
) -> Result<Option<Arc<Filed>>, Failure> {
    let own = call.ask(Requests::all(RequestsOf::Both(group.clone(), applicant.clone()))).await?.requests;
    if own.iter().any(|filed| filed.kind == RequestKind::Application) {
        return Ok(None);
    }
    let mut after = None;
    loop {
        let page = call.ask(Requests { of: RequestsOf::Group(group.clone()), after, limit: CHUNK }).await?;
        let is_meant = |filed: &&Arc<Filed>| filed.inviter.as_ref() == Some(applicant) && named.is(call, filed);
        if let Some(found) = page.requests.iter().find(is_meant) {
            return Ok(Some(found.clone()));
        }
        if page.next.is_none() {
            return Ok(None);
        }
        after = page.next;
    }
}
