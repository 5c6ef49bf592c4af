//! `/group/user/gag/*.json`: mutes of single users, in one group or, without `groupId`, in all. They are kept when a
//! membership ends, and the users need not be members.

use std::sync::Arc;

use conclave_core::model::{GroupId, Mute as Entry, Until, UserId};
use conclave_core::operation::{Mute, MuteEverywhere, Unmute};
use conclave_core::query::{Mutes, MutesEverywhere};
use serde::Serialize;

use crate::dialect::{limits, time};
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

/// Milliseconds of a minute.
const MINUTE: u64 = 60_000;

/// The group of the call, if it names one.
fn group(call: &Call<'_>) -> Result<Option<GroupId>, Failure> {
    call.form.given("groupId").map(|id| call.as_group_id(id)).transpose()
}

pub(crate) async fn add(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userId", limits::MUTED_USERS)?;
    call.required("minute")?;
    let until = match call.number("minute", 0, 0..=limits::MUTE_MINUTES)? {
        0 => Until::Forever,
        minutes => Until::At(call.app.realm.groups.now().plus(minutes * MINUTE)),
    };
    if let Some(group) = group(call)? {
        call.run(Mute { group, users, until, members_only: false, spare_owner: false }).await?;
    } else {
        let most = Some(call.settings().muted_everywhere);
        call.run(MuteEverywhere { users, until: Some(until), most }).await?;
    }
    envelope::done()
}

pub(crate) async fn rollback(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userId", limits::MUTED_USERS)?;
    if let Some(group) = group(call)? {
        call.run(Unmute { group, users }).await?;
    } else {
        call.run(MuteEverywhere { users, until: None, most: None }).await?;
    }
    envelope::done()
}

#[derive(Serialize)]
struct GagResponse {
    users: Vec<Muted>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Muted {
    start_time: String,
    time: String,
    user_id: UserId,
}

pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let mutes = match group(call)? {
        Some(group) => call.ask(Mutes::all(group)).await?.entries,
        None => call.ask(MutesEverywhere { users: None, after: None, limit: usize::MAX }).await?.entries,
    };
    let offset = call.settings().utc_offset_minutes;
    envelope::with(&GagResponse { users: mutes.iter().map(|mute| muted(mute, offset)).collect() })
}

fn muted(mute: &Arc<Entry>, offset: i32) -> Muted {
    Muted {
        start_time: time::text(mute.since, offset),
        time: match mute.until {
            Until::At(end) => time::text(end, offset),
            Until::Forever => time::FAR_FUTURE.to_owned(),
        },
        user_id: mute.user.clone(),
    }
}
