//! `get_online_member_num`: how many members are connected, through any vendor's protocol.

use serde::{Deserialize, Serialize};

use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnlineResponse {
    online_member_num: usize,
}

pub(crate) async fn count(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group(&call.group_id(request.group_id)?).await?;
    envelope::with(&OnlineResponse { online_member_num: call.app.realm.presence.online_in(&group.id).await.len() })
}
