//! `ban_group_member`, `unban_group_member`, `get_group_ban_member`: temporary bans from a group.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId, UserId};
use conclave_core::operation::{Block, Unblock};
use conclave_core::query::Blocklist;
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::{CLEANUP, limits, time};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Members_Account")]
    members: Option<Vec<Account>>,
    /// Seconds.
    duration: Option<u64>,
    description: Option<String>,
}

/// `ban_group_member`: removes the members among them, and none of the users may join until the ban ends.
pub(crate) async fn ban(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    let users = call.user_ids("Members_Account", request.members, limits::BANNED, Code::TooManyAccounts)?;
    let seconds = call.required("Duration", request.duration)?;
    if !(1..=time::FOREVER).contains(&seconds) {
        return Err(call.parameter("Duration is out of range"));
    }
    let reason = request.description.unwrap_or_default();
    if reason.len() > limits::BAN_REASON {
        return Err(call.parameter("Description is too long"));
    }
    let group = with_bans(call, &id).await?;
    if let Some(owner) = group.owner.as_ref().filter(|owner| users.contains(owner)) {
        return Err(call.failure(&Refusal::OwnerProtected { group: id, owner: owner.clone() }));
    }
    let until = time::until(call.now(), seconds);
    call.run(Block { group: id, users, until, reason, members_only: false, cleanup: CLEANUP }).await?;
    envelope::done()
}

/// `unban_group_member`: lets users join again, without adding them.
pub(crate) async fn unban(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let users = call.user_ids("Members_Account", request.members, limits::BANNED, Code::TooManyAccounts)?;
    with_bans(call, &group).await?;
    call.run(Unblock { group, users }).await?;
    envelope::done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    group_id: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Banned {
    banned_account_list: Vec<BannedAccount>,
    /// 0 at the end.
    next_offset: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BannedAccount {
    #[serde(rename = "Member_Account")]
    account: UserId,
    banned_until: u64,
}

/// `get_group_ban_member`: the active bans, page by page.
pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: List = call.read()?;
    let group = call.group_id(request.group_id)?;
    let limit = request.limit.filter(|limit| *limit != 0).unwrap_or(limits::BAN_PAGE);
    if limit > limits::BAN_PAGE {
        return Err(call.parameter(format!("Limit: at most {}", limits::BAN_PAGE)));
    }
    let offset = request.offset.unwrap_or(0);
    with_bans(call, &group).await?;
    let end = offset.saturating_add(limit);
    let found = call.ask(Blocklist { group, after: None, limit: end }).await?;
    let entry = |block: &Arc<conclave_core::model::Block>| BannedAccount {
        account: block.user.clone(),
        banned_until: time::end(block.until),
    };
    envelope::with(&Banned {
        banned_account_list: found.entries.iter().skip(offset).map(entry).collect(),
        next_offset: if found.next.is_some() { end } else { 0 },
    })
}

/// The group, if its type has bans and the setting is on.
async fn with_bans(call: &Call<'_>, id: &GroupId) -> Result<Arc<Group>, Failure> {
    let group = call.group(id).await?;
    if !call.settings().bans || Kind::of(&group) == Kind::Community {
        return Err(Code::NoPermission.into());
    }
    Ok(group)
}
