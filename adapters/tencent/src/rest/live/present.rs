//! `check_members`: which of these users are in a live room.

use conclave_core::model::UserId;
use serde::{Deserialize, Serialize};

use super::{room, there};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};
use crate::rest::wire::Account;
use crate::rest::{Call, envelope};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Member_Account")]
    users: Option<Vec<Account>>,
}

#[derive(Serialize)]
struct Wire {
    #[serde(rename = "Member_Account")]
    present: Vec<UserId>,
}

pub(crate) async fn present(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let users = call.user_ids("Member_Account", request.users, limits::ROLES, Code::Parameter)?;
    let group = room(call, &group).await?;
    let there = there(call, &group).await?;
    let present = users.into_iter().filter(|user| there.contains(user)).collect();
    envelope::with(&Wire { present })
}
