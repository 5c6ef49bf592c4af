//! `forbid_send_msg` and the list of muted users, under its new and its old name.

use conclave_core::model::UserId;
use conclave_core::operation::OnRefusal;
use conclave_core::query::{MutesNow, TopicMutes};
use serde::{Deserialize, Serialize};

use crate::calls::member::silence;
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Capabilities;
use crate::dialect::{limits, time};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Forbid {
    group_id: Option<String>,
    #[serde(rename = "Members_Account")]
    members: Option<Vec<Account>>,
    /// Seconds; 0 ends the mute.
    mute_time: Option<u64>,
    /// The older name.
    shut_up_time: Option<u64>,
    topic_id: Option<String>,
}

/// `forbid_send_msg`: mutes users, members or not, for a number of seconds; 0 unmutes.
pub(crate) async fn forbid(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Forbid = call.read()?;
    let group = call.group_id(request.group_id)?;
    let users = call.user_ids("Members_Account", request.members, limits::MUTED, Code::Parameter)?;
    let seconds = call.required("MuteTime", request.mute_time.or(request.shut_up_time))?;
    if seconds > time::FOREVER {
        return Err(call.parameter("MuteTime is out of range"));
    }
    let group = call.group(&group).await?;
    if !Capabilities::of(&group).mute {
        return Err(Code::NoPermission.into());
    }
    let topic = call.topic_id(request.topic_id)?;
    call.run_steps(vec![silence(call, group.id.clone(), topic, users, seconds)], OnRefusal::RefuseAll).await?;
    envelope::done()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    group_id: Option<String>,
    topic_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Muted<'g> {
    group_id: &'g str,
    muted_account_list: Vec<MutedAccount>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MutedAccount {
    #[serde(rename = "Member_Account")]
    account: UserId,
    muted_until: u64,
}

/// The same under the older names.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shutted<'g> {
    group_id: &'g str,
    shutted_uin_list: Vec<ShuttedUin>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShuttedUin {
    #[serde(rename = "Member_Account")]
    account: UserId,
    shutted_until: u64,
}

/// `get_group_muted_account`: the active mutes.
pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let (group_id, mutes) = mutes(call).await?;
    let entries = mutes.into_iter().map(|(account, muted_until)| MutedAccount { account, muted_until });
    envelope::with(&Muted { group_id: &group_id, muted_account_list: entries.collect() })
}

/// `get_group_shutted_uin`: the same list for older clients.
pub(crate) async fn list_in_old_names(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let (group_id, mutes) = mutes(call).await?;
    let entries = mutes.into_iter().map(|(account, shutted_until)| ShuttedUin { account, shutted_until });
    envelope::with(&Shutted { group_id: &group_id, shutted_uin_list: entries.collect() })
}

async fn mutes(call: &Call<'_>) -> Result<(String, Vec<(UserId, u64)>), Failure> {
    let request: List = call.read()?;
    let group = call.group(&call.group_id(request.group_id.clone())?).await?;
    if !Capabilities::of(&group).mute {
        return Err(Code::NoPermission.into());
    }
    let found = match call.topic_id(request.topic_id)? {
        Some(topic) => call.ask(TopicMutes { group: group.id.clone(), topic }).await?.0,
        None => call.ask(MutesNow { group: group.id.clone() }).await?.0,
    };
    let mutes = found.iter().map(|mute| (mute.user.clone(), time::end(mute.until))).collect();
    Ok((group.id.as_str().to_owned(), mutes))
}
