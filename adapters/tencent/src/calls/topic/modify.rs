//! `modify_topic`: changes a topic's texts, and mutes all in it.

use conclave_core::event::ProfileChange;
use conclave_core::operation::UpdateTopic;
use serde::Deserialize;

use super::{Words, community};
use crate::calls::wire::{Account, Switch};
use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    topic_id: Option<String>,
    topic_name: Option<String>,
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    custom_string: Option<String>,
    face_url: Option<String>,
    notification: Option<String>,
    introduction: Option<String>,
    /// Clients send the older name.
    #[serde(alias = "ShutUpAllMember")]
    mute_all_member: Option<Switch>,
}

pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let topic = call.topic_id(request.topic_id)?;
    let topic = call.required("TopicId", topic)?;
    let from = call.acting_user("From_Account", request.from)?;
    if request.topic_name.as_deref() == Some("") {
        return Err(call.parameter("TopicName is illegal"));
    }
    let words = Words {
        name: request.topic_name.as_deref(),
        introduction: request.introduction.as_deref(),
        notification: request.notification.as_deref(),
        face_url: request.face_url.as_deref(),
        custom: request.custom_string.as_deref(),
    };
    words.check(call)?;
    community(call, &group).await?;
    let profile = ProfileChange {
        name: request.topic_name,
        introduction: request.introduction,
        avatar: request.face_url,
        custom: request.custom_string,
        ..ProfileChange::default()
    };
    let all_muted = request.mute_all_member.map(Switch::is_on);
    let update = UpdateTopic { group, topic, profile, announcement: request.notification, all_muted };
    call.run_for(from, update).await?;
    envelope::done()
}
