//! `/user/info.json`: the profile of an account.

use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;
use serde::Serialize;

use crate::dialect::time;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InfoResponse<'a> {
    user_name: &'a str,
    user_portrait: &'a str,
    /// `YYYY-MM-DD HH:MM:SS` in the data centre's time.
    create_time: String,
}

pub(crate) async fn info(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let found = call.ask(FindUsers { ids: vec![user.clone()], folded: false }).await?.0.pop().flatten();
    let found = found.ok_or_else(|| call.failure(&Refusal::UserNotFound(user)))?;
    envelope::with(&InfoResponse {
        user_name: &found.nick,
        user_portrait: &found.avatar,
        create_time: time::text(found.created, call.settings().utc_offset_minutes),
    })
}
