//! `/message/group/publish.json`: a message to up to three groups, or to some members of one.
//! `/statusmessage/group/publish.json`: the same, not stored and only for members who are online.

use conclave_core::model::GroupId;
use conclave_core::operation::{OnRefusal, Posted};
use serde::Serialize;

use super::{Draft, groups};
use crate::dialect::{limits, message};
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublishResponse {
    #[serde(rename = "messageUIDs")]
    message_uids: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    group_id: GroupId,
    #[serde(rename = "messageUID")]
    message_uid: String,
}

pub(crate) async fn publish(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    send(call, true).await
}

pub(crate) async fn publish_status(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    send(call, false).await
}

async fn send(call: &Call<'_>, stored: bool) -> Result<envelope::ResponseBody, Failure> {
    let draft = Draft::of(call)?;
    let targets = call.optional_user_ids("toUserId", limits::LEGACY_USERS)?;
    let groups = groups(call, !targets.is_empty())?;
    // refused as a whole if one of the groups does not exist
    let messages = groups.iter().map(|group| draft.to_group(group.clone(), targets.clone(), stored)).collect();
    let posted = call.run_each(OnRefusal::RefuseAll, messages).await?.into_iter().flatten();
    let entry = |(group_id, posted): (GroupId, Posted)| {
        let message_uid = message::uid(&posted.message.id);
        Entry { group_id, message_uid }
    };
    let message_uids = groups.into_iter().zip(posted).map(entry).collect();
    envelope::with(&PublishResponse { message_uids })
}
