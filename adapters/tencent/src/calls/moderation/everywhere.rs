//! `setnospeaking` and `getnospeaking`: a user is muted in every group of the app. Source: the vendor's documentation of its
//! server API, messages.

use conclave_core::operation::MuteEverywhere;
use conclave_core::query::MutesEverywhere;
use serde::{Deserialize, Serialize};

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::time;
use crate::refusals::Failure;

#[derive(Deserialize)]
struct Set {
    #[serde(rename = "Set_Account")]
    user: Option<Account>,
    /// Seconds; 0 ends the mute, the largest number of 32 bits is for ever.
    #[serde(rename = "GroupmsgNospeakingTime")]
    groups: Option<u64>,
    /// The same for one-to-one chat, which is not served: without effect.
    #[serde(rename = "C2CmsgNospeakingTime")]
    single: Option<u64>,
}

/// `setnospeaking`.
pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Set = call.read()?;
    let user = call.user_id("Set_Account", request.user)?;
    if request.groups.is_none() && request.single.is_none() {
        return Err(call.parameter("C2CmsgNospeakingTime or GroupmsgNospeakingTime is required"));
    }
    if [request.groups, request.single].into_iter().flatten().any(|seconds| seconds > time::FOREVER) {
        return Err(call.parameter("the time is out of range"));
    }
    call.check_account(&user).await?;
    if let Some(seconds) = request.groups {
        let until = (seconds != 0).then(|| time::until(call.now(), seconds));
        call.run(MuteEverywhere { users: vec![user], until, most: None }).await?;
    }
    envelope::done()
}

#[derive(Deserialize)]
struct Get {
    #[serde(rename = "Get_Account")]
    user: Option<Account>,
}

#[derive(Serialize)]
struct GetResponse {
    #[serde(rename = "C2CmsgNospeakingTime")]
    single: u64,
    #[serde(rename = "GroupmsgNospeakingTime")]
    groups: u64,
}

/// `getnospeaking`: how many seconds a user is still muted.
pub(crate) async fn get(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Get = call.read()?;
    let user = call.user_id("Get_Account", request.user)?;
    call.check_account(&user).await?;
    let found = call.ask(MutesEverywhere { users: Some(vec![user]), after: None, limit: 1 }).await?.entries;
    let groups = found.first().map_or(0, |mute| time::left(mute.until, call.now()));
    envelope::with(&GetResponse { single: 0, groups })
}
