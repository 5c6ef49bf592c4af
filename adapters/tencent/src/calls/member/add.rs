//! `add_group_member`: adds up to three hundred users at once, whatever the options say; returns an outcome for each.

use std::collections::HashSet;

use conclave_core::model::{Group, UserId};
use conclave_core::operation::{
    AddMembers, AddOutcome, Added, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet,
};
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::{Capabilities, Kind};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};
use crate::webhooks::{self, before};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    member_list: Option<Vec<Entry>>,
    silence: Option<u32>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "Member_Account")]
    account: Option<Account>,
}

/// The body of the response: the outcome of each user.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::calls) struct Became {
    member_list: Vec<OneBecame>,
}

/// The outcome of one user.
#[derive(Serialize)]
struct OneBecame {
    #[serde(rename = "Member_Account")]
    account: UserId,
    #[serde(rename = "Result")]
    result: u32,
}

const FAILED: u32 = 0;
const ADDED: u32 = 1;
const ALREADY: u32 = 2;
const AWAITS_CONSENT: u32 = 3;
/// For users: the invited user is in the maximum number of groups.
const IN_TOO_MANY: u32 = 4;

pub(crate) async fn add(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    let list = call.required("MemberList", request.member_list.filter(|list| !list.is_empty()))?;
    if list.len() > limits::ADDED {
        return Err(Code::TooManyAccounts.into());
    }
    let users: Vec<UserId> =
        list.into_iter().map(|entry| call.user_id("Member_Account", entry.account)).collect::<Result<_, _>>()?;
    let group = call.group(&id).await?;
    if !Capabilities::of(&group).members {
        return Err(Code::NoPermission.into());
    }
    let refused = refused(call, &group, &users).await?;
    let invited: Vec<UserId> = users.iter().filter(|user| !refused.contains(user.as_str())).cloned().collect();
    let accounts = call.admin_accounts(&invited).await?;
    let add = AddMembers {
        group: id,
        members: invited.into_iter().map(NewMember::now).collect(),
        ask: false,
        message: String::new(),
        quiet: if request.silence == Some(1) && call.user().is_none() { Quiet::Clients } else { Quiet::Nobody },
        on_unknown: call.on_unknown(OnUnknown::Skip),
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Skip,
        on_full: OnFull::Partial,
        most: Kind::of(&group).capacity(call.settings()),
    };
    let added = call.run_after(accounts, add).await?;
    refuse_if_nobody_fits(call, &added)?;
    let of_user = call.user().is_some();
    envelope::with(&Became::of(users, &refused, &added, of_user))
}

/// The users that the app's server refuses, if it is asked.
async fn refused(call: &Call<'_>, group: &Group, users: &[UserId]) -> Result<HashSet<String>, Failure> {
    if !call.asks_before(before::INVITE) {
        return Ok(HashSet::new());
    }
    let mut body = webhooks::of_group(group);
    body.insert("DestinationMembers".to_owned(), webhooks::accounts(users));
    Ok(call.ask_before(before::INVITE, body).await?.refused.into_iter().collect())
}

/// A group that was full before, and a user in too many groups, have error codes of their own.
fn refuse_if_nobody_fits(call: &Call<'_>, added: &Added) -> Result<(), Failure> {
    let mut reasons = added.outcomes.iter().map(|(_, outcome)| match outcome {
        AddOutcome::LeftOut(refusal @ Refusal::GroupFull { .. }) => Some(refusal),
        AddOutcome::LeftOut(refusal @ Refusal::TooManyGroupsOfUser(_)) if call.user().is_none() => Some(refusal),
        _ => None,
    });
    match reasons.next() {
        Some(Some(refusal)) if reasons.all(|reason| reason.is_some()) => Err(call.failure(refusal)),
        _ => Ok(()),
    }
}

impl Became {
    /// One outcome for each user, in the requested order; a user who is named twice is a member the second time.
    pub(in crate::calls) fn of(users: Vec<UserId>, refused: &HashSet<String>, added: &Added, of_user: bool) -> Self {
        let mut seen = HashSet::new();
        let mut outcomes = added.outcomes.iter().map(|(_, outcome)| outcome);
        let mut failed = HashSet::new();
        let member_list = users
            .into_iter()
            .map(|account| {
                let result = if refused.contains(account.as_str()) {
                    FAILED
                } else if seen.insert(account.clone()) {
                    outcomes.next().map_or(FAILED, |outcome| result(outcome, of_user))
                } else if failed.contains(&account) {
                    FAILED
                } else {
                    ALREADY
                };
                if result == FAILED {
                    failed.insert(account.clone());
                }
                OneBecame { account, result }
            })
            .collect();
        Self { member_list }
    }
}

fn result(outcome: &AddOutcome, of_user: bool) -> u32 {
    match outcome {
        AddOutcome::Joined => ADDED,
        AddOutcome::Already => ALREADY,
        AddOutcome::AwaitsInvitee | AddOutcome::AwaitsManagers => AWAITS_CONSENT,
        AddOutcome::LeftOut(Refusal::TooManyGroupsOfUser(_)) if of_user => IN_TOO_MANY,
        AddOutcome::LeftOut(_) => FAILED,
    }
}
