//! `/user/checkOnline.json`: whether a user is connected, through any vendor's protocol. Unknown users are offline.

use serde::Serialize;

use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
struct CheckOnlineResponse {
    /// A text at this vendor: "1" is online, "0" is offline.
    status: &'static str,
}

pub(crate) async fn check(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let online = call.app.realm.presence.connections(&[user]).await.iter().any(|connections| !connections.is_empty());
    envelope::with(&CheckOnlineResponse { status: if online { "1" } else { "0" } })
}
