//! `apply_join_group`: the user joins, or applies to. Source: the clients' protocol.

use conclave_core::model::GroupId;
use conclave_core::operation::{Applied, Apply};
use conclave_core::query::GroupById;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::most_members;
use crate::calls::{Call, envelope};
use crate::dialect::application;
use crate::dialect::kind::Kind;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    apply_msg: Option<String>,
    user_defined_field: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApplyResponse {
    joined_status: &'static str,
    #[serde(flatten)]
    live: Option<LiveRoom>,
}

/// Further fields for live rooms. Messages are pushed, so there is no key to poll with.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LiveRoom {
    huge_group_flag: u32,
    #[serde(rename = "AVChatRoomKey")]
    key: String,
}

pub(crate) async fn apply(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let most = most_members(call, &group).await?;
    let field = request.user_defined_field.filter(|field| !field.is_empty());
    let labels = field.map(|field| (application::USER_FIELD.to_owned(), field)).into_iter().collect();
    let message = request.apply_msg.unwrap_or_default();
    let apply = Apply { message, labels, most, ..Apply::of(group.clone()) };
    let applied = call.run(apply).await?;
    let joined_status = match applied {
        Applied::Waiting => "WaitAdminApproval",
        Applied::Joined | Applied::Already => "JoinedSuccess",
    };
    let live = is_live(call, &group).await?;
    // a reloaded page joins again the live rooms that its user never left
    if applied == Applied::Already && !live {
        return Err(Code::AlreadyMember.into());
    }
    let live = live.then(|| LiveRoom { huge_group_flag: 1, key: room_key(call, &group) });
    envelope::with(&ApplyResponse { joined_status, live })
}

async fn is_live(call: &Call<'_>, group: &GroupId) -> Result<bool, Failure> {
    let found = call.look_up(GroupById { group: group.clone() }).await?;
    Ok(Kind::of(&found.group) == Kind::AvChatRoom)
}

/// `AVChatRoomKey`: a text the client sends when it reads from the room. It is not checked: rights depend on
/// membership.
fn room_key(call: &Call<'_>, group: &GroupId) -> String {
    let seed = format!("room:{}:{group}", call.app.realm.credentials.sdkappid);
    hex::encode(&Sha256::digest(seed.as_bytes())[..16])
}
