//! `getmsg`: the notices for a user while their client was not connected. Source: the clients' protocol.
//!
//! `Cookie` is the number of the last event whose notices a client has received. A client without one has just read the
//! list of its groups, and begins with the next event. Pushed notices are confirmed one by one.

use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, envelope};
use crate::push;
use crate::refusals::Failure;

/// Events that are read for one request; a client repeats it while there are more.
const LOOKED_THROUGH: usize = 500;
/// The prefix of our cookies.
pub(crate) const PREFIX: &str = "e";
/// Notices in one response.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    cookie: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MissedResponse {
    /// Never empty: clients ignore a response with an empty one.
    cookie: String,
    /// 1 while there are more, 2 at the end.
    sync_flag: u32,
    /// One-to-one messages, which are not supported.
    msg_list: Vec<Value>,
    event_array: Vec<Value>,
}

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let user = call.signed_in()?;
    let failed = |refusal: Refusal| call.failure(&refusal);
    let log = &call.app.realm.log;
    let last = log.last().await.map_err(failed)?;
    let known = request.cookie.and_then(|cookie| cookie.strip_prefix(PREFIX)?.parse::<u64>().ok());
    let Some(known) = known.filter(|known| *known <= last) else {
        return answer(last, true, Vec::new());
    };
    // notices that were confirmed over an earlier connection are not returned again
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

fn answer(seen: u64, is_all: bool, event_array: Vec<Value>) -> Result<envelope::ResponseBody, Failure> {
    let sync_flag = if is_all { 2 } else { 1 };
    envelope::with(&MissedResponse { cookie: format!("{PREFIX}{seen}"), sync_flag, msg_list: Vec::new(), event_array })
}
