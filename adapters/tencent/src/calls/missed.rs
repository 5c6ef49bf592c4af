//! `getmsg`: the notices that were for a user while their client was not connected. Source: the clients' protocol.
//!
//! `Cookie` is the number of the last event that a client was given notices up to. A client without one has read the list
//! of its groups just now, and begins with what happens next. Notices that are pushed are confirmed one by one.

use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, envelope};
use crate::push;
use crate::refusals::Failure;

/// Events that one request looks through; a client asks again while there is more.
const LOOKED_THROUGH: usize = 500;
/// What a cookie of ours begins with.
pub(crate) const PREFIX: &str = "e";
/// Notices in one answer.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    cookie: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    /// Never empty: clients pass over an answer without one.
    cookie: String,
    /// 1 while there is more, 2 at the end.
    sync_flag: u32,
    /// Messages between two users, which there are not.
    msg_list: Vec<Value>,
    event_array: Vec<Value>,
}

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let user = call.signed_in()?;
    let failed = |refusal: Refusal| call.failure(&refusal);
    let log = &call.app.realm.log;
    let last = log.last().await.map_err(failed)?;
    let known = request.cookie.and_then(|cookie| cookie.strip_prefix(PREFIX)?.parse::<u64>().ok());
    let Some(known) = known.filter(|known| *known <= last) else {
        return answer(last, true, Vec::new());
    };
    // what was confirmed over an earlier connection is not given once more
    let confirmed = call.device().map_or(0, |device| call.app.confirmed.of(user, device));
    let known = known.max(confirmed.min(last));
    let events = log.read(known, LOOKED_THROUGH).await.map_err(failed)?;
    let (mut seen, mut notices) = (known, Vec::new());
    for event in &events {
        if notices.len() >= PAGE {
            break;
        }
        seen = event.sequence;
        if event.audience.users.contains(user) {
            notices.extend(push::notices_for(call.app, event, user).await.map_err(failed)?);
        }
    }
    answer(seen, seen >= last || events.is_empty(), notices)
}

fn answer(seen: u64, is_all: bool, event_array: Vec<Value>) -> Result<envelope::Answer, Failure> {
    let sync_flag = if is_all { 2 } else { 1 };
    envelope::with(&Wire { cookie: format!("{PREFIX}{seen}"), sync_flag, msg_list: Vec::new(), event_array })
}
