//! `import_group_member`: imports up to three hundred members with their join time and unread count.

use std::collections::HashSet;

use conclave_core::model::{Group, Millis, Role, UserId};
use conclave_core::operation::{
    AddMembers, AddOutcome, Added, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet,
};
use conclave_core::refusal::Refusal;
use serde::Deserialize;

use crate::calls::member::Became;
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::{Capabilities, Kind};
use crate::dialect::{limits, role};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    member_list: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "Member_Account")]
    account: Option<Account>,
    role: Option<String>,
    /// Unix seconds.
    join_time: Option<u64>,
    unread_msg_num: Option<u64>,
}

pub(crate) async fn import(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    let list = call.required("MemberList", request.member_list.filter(|list| !list.is_empty()))?;
    if list.len() > limits::ADDED {
        return Err(Code::TooManyAccounts.into());
    }
    let group = call.group(&id).await?;
    let can = Capabilities::of(&group);
    if !can.members {
        return Err(Code::NoPermission.into());
    }
    let mut named = Vec::with_capacity(list.len());
    let mut members = Vec::with_capacity(list.len());
    for entry in list {
        let user = call.user_id("Member_Account", entry.account)?;
        let admin = entry.role.as_deref() == Some(role::ADMIN) && can.admins;
        let role = if admin { Role::Admin } else { Role::Member };
        // members with a join time before the group's creation, or in the future, are skipped
        if let Some(joined) = joined(call, &group, entry.join_time) {
            let unread = Some(entry.unread_msg_num.unwrap_or(0));
            members.push(NewMember { role, joined: Some(joined), unread, ..NewMember::now(user.clone()) });
        }
        named.push(user);
    }
    let accounts = call.admin_accounts(&named).await?;
    let add = AddMembers {
        group: id,
        members,
        ask: false,
        message: String::new(),
        quiet: Quiet::Everybody,
        on_unknown: call.on_unknown(OnUnknown::Skip),
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Skip,
        on_full: OnFull::Partial,
        most: Kind::of(&group).capacity(call.settings()),
    };
    let added = call.run_after(accounts, add).await?;
    envelope::with(&Became::of(named.clone(), &HashSet::new(), &in_order(&named, &added), false))
}

/// The join time: a second since the group's creation; now, if missing.
fn joined(call: &Call<'_>, group: &Group, wanted: Option<u64>) -> Option<Millis> {
    let now = call.now();
    let Some(second) = wanted.filter(|second| *second != 0) else { return Some(now) };
    let in_life = (group.created.seconds()..=now.seconds()).contains(&second);
    in_life.then(|| Millis::from_seconds(second).max(group.created))
}

/// The outcomes of all users, in the requested order.
fn in_order(named: &[UserId], added: &Added) -> Added {
    let left_out = || {
        AddOutcome::LeftOut(Refusal::InvalidValue(
            "the joining time of a member must lie between the creation of the group and now",
        ))
    };
    let mut outcomes: Vec<(UserId, AddOutcome)> = Vec::with_capacity(named.len());
    for user in named {
        if outcomes.iter().any(|(other, _)| other == user) {
            continue;
        }
        let found = added.outcomes.iter().find(|(other, _)| other == user);
        outcomes.push((user.clone(), found.map_or_else(left_out, |(_, outcome)| outcome.clone())));
    }
    Added { outcomes, members: added.members, full: added.full }
}
