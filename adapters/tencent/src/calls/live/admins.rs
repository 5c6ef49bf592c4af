//! `modify_admin`, `get_admin_list`: up to five users who are admins of a live room whenever they are in it.

use conclave_core::model::UserId;
use conclave_core::operation::{Appoint, Dismiss, OnUnknown};
use conclave_core::query::Admins;
use serde::{Deserialize, Serialize};

use super::marks::is_on;
use super::{faces, room};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    group_id: Option<String>,
    command_type: Option<u32>,
    #[serde(rename = "Admin_Account")]
    users: Option<Vec<Account>>,
}

/// `modify_admin`.
pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Change = call.read()?;
    let group = call.group_id(request.group_id)?;
    let on = is_on(call, request.command_type)?;
    let users = call.user_ids("Admin_Account", request.users, limits::ROOM_ADMINS as usize, Code::TooManyAccounts)?;
    room(call, &group).await?;
    if on {
        let accounts = call.admin_accounts(&users).await?;
        let on_unknown = call.on_unknown(OnUnknown::Refuse);
        call.run_after(accounts, Appoint { group, users, on_unknown, most: Some(limits::ROOM_ADMINS) }).await?;
    } else {
        call.run(Dismiss { group, users }).await?;
    }
    envelope::done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
}

#[derive(Serialize)]
struct AdminsResponse {
    #[serde(rename = "Admin_List")]
    admins: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "Admin_Account")]
    account: UserId,
    avatar: String,
    nick_name: String,
}

/// `get_admin_list`: appointed users, in the room or not; then admins that were added through another vendor.
pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = room(call, &call.group_id(request.group_id)?).await?;
    let mut users = group.appointed.clone();
    let made = call.ask(Admins { group: group.id.clone() }).await?.0;
    users.extend(made.into_iter().filter(|user| !group.appointed.contains(user)));
    let faces = faces(call, users.clone()).await?;
    let admins = users.into_iter().zip(faces);
    let admins = admins.map(|(account, (nick_name, avatar))| Entry { account, avatar, nick_name });
    envelope::with(&AdminsResponse { admins: admins.collect() })
}
