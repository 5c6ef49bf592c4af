//! `get_pendency`: requests that wait for the user's decision or were decided lately, newest first. Those of
//! communities are listed by a service of their own. Source: the clients' protocol.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_core::model::{Group, Millis, Request as Filed, UserId};
use conclave_core::query::{FindUsers, RequestsToDecide};
use serde::{Deserialize, Serialize};

use crate::calls::wire::{Account, Next};
use crate::calls::{Call, envelope};
use crate::dialect::application::{self, Pendency};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    /// The cursor: 0, or the end of the last page.
    start_time: Option<Next>,
    limit: Option<usize>,
    #[serde(rename = "Handle_Account")]
    user: Option<Account>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PendingResponse {
    pendency_list: Vec<Entry>,
    /// 0 ends the list: without it clients request pages for ever.
    next_start_time: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    group_id: String,
    group_name: String,
    #[serde(rename = "From_Account")]
    from: UserId,
    from_user_nick_name: String,
    #[serde(rename = "To_Account")]
    to: String,
    add_time: u64,
    apply_invite_msg: String,
    pendency_type: u32,
    /// 0 open, 1 decided by somebody else, 2 decided by the user.
    handled: u32,
    authentication: String,
}

/// `get_pendency` of all groups except communities.
pub(crate) async fn groups(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    list(call, |kind| kind != Kind::Community).await
}

/// `get_pendency` of communities.
pub(crate) async fn communities(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    list(call, |kind| kind == Kind::Community).await
}

async fn list(call: &Call<'_>, includes: fn(Kind) -> bool) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let user = call.signed_in()?.clone();
    call.acting_user("Handle_Account", request.user)?;
    let limit = request.limit.filter(|limit| *limit != 0).unwrap_or(limits::PENDING_PAGE).min(limits::PENDING_PAGE);
    let start = request.start_time.map_or(0, |next| next.0);
    let until = (start != 0).then_some(Millis(start / 1000));
    let found = call.ask(RequestsToDecide { user: user.clone(), until, limit: limits::PENDING }).await?.0;

    let mut listed: Vec<(u64, Arc<Group>, Arc<Filed>)> =
        found.into_iter().map(|(group, filed)| (application::number(&filed), group, filed)).collect();
    listed.retain(|(number, group, _)| (start == 0 || *number < start) && includes(Kind::of(group)));
    listed.sort_by_key(|(number, _, _)| std::cmp::Reverse(*number));
    let more = listed.len() > limit;
    listed.truncate(limit);
    let next_start_time = listed.last().filter(|_| more).map_or(0, |(number, _, _)| *number);

    let nicks = nicks(call, listed.iter().map(|(_, _, filed)| sender(filed).clone()).collect()).await?;
    let entry = |(number, group, filed): (u64, Arc<Group>, Arc<Filed>)| {
        let kind = Pendency::of(&filed, &user);
        Entry {
            group_id: group.id.as_str().to_owned(),
            group_name: group.profile.name.clone(),
            from_user_nick_name: nicks.get(sender(&filed)).cloned().unwrap_or_default(),
            from: sender(&filed).clone(),
            to: if kind == Pendency::Application { String::new() } else { filed.user.as_str().to_owned() },
            add_time: number,
            apply_invite_msg: filed.message.clone(),
            pendency_type: kind as u32,
            handled: handled(&filed, &user),
            authentication: application::authentication(&call.app.realm.credentials.secret_key, &filed),
        }
    };
    envelope::with(&PendingResponse { pendency_list: listed.into_iter().map(entry).collect(), next_start_time })
}

/// The applicant or the inviter.
fn sender(filed: &Filed) -> &UserId {
    filed.inviter.as_ref().unwrap_or(&filed.user)
}

fn handled(filed: &Filed, user: &UserId) -> u32 {
    let awaited = filed.stage.is_open() && {
        // an invitation that the managers have approved waits for the invited user only
        filed.verdict.is_none() || filed.user == *user
    };
    if awaited {
        return 0;
    }
    let own = filed.verdict.as_ref().is_some_and(|verdict| verdict.by.as_ref() == Some(user));
    if own { 2 } else { 1 }
}

async fn nicks(call: &Call<'_>, users: Vec<UserId>) -> Result<HashMap<UserId, String>, Failure> {
    let found = call.look_up(FindUsers { ids: users, folded: false }).await?.0;
    Ok(found.into_iter().flatten().map(|user| (user.id.clone(), user.nick.clone())).collect())
}
