//! `check_members`: which of these users are in a live room.

use std::sync::Arc;

use conclave_core::model::{Member, UserId};
use conclave_core::query::MembersNamed;
use serde::{Deserialize, Serialize};

use super::room;
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::dialect::marks::is_shown;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Member_Account")]
    users: Option<Vec<Account>>,
}

#[derive(Serialize)]
struct PresentResponse {
    #[serde(rename = "Member_Account")]
    present: Vec<UserId>,
}

pub(crate) async fn present(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let users = call.user_ids("Member_Account", request.users, limits::ROLES, Code::Parameter)?;
    let group = room(call, &group).await?;
    let members = call.ask(MembersNamed { group: group.id.clone(), users: users.clone() }).await?.members;
    let connections = call.app.realm.presence.connections(&users).await;
    let now = call.now();
    let is_there = |(member, connections): (Option<Arc<Member>>, Vec<_>)| {
        member.is_some_and(|member| !connections.is_empty() || is_shown(&member, now))
    };
    let there = members.into_iter().zip(connections).map(is_there);
    let present = users.into_iter().zip(there).filter_map(|(user, there)| there.then_some(user)).collect();
    envelope::with(&PresentResponse { present })
}
