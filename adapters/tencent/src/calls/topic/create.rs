//! `create_topic`: adds a topic to a community; and `import_topic`, with a creation time in the past.

use conclave_core::model::{GroupId, Millis, Profile, UserId};
use conclave_core::operation::MakeTopic;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Words, community};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::{kind::Kind, topic};
use crate::refusals::Failure;
use crate::webhooks::{self, topics};

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
    /// For an import: the type of the group; only communities have topics.
    r#type: Option<String>,
    /// For an import: Unix seconds.
    create_time: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreateResponse {
    topic_id: String,
}

pub(crate) async fn create(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let from = call.acting_user("From_Account", request.from.clone())?;
    let make = wanted(call, request)?;
    community(call, &make.group).await?;
    if call.asks_before(topics::BEFORE) {
        let mut body = webhooks::of_new_topic(&make);
        let operator = from.as_ref().map_or(call.account(), UserId::as_str);
        body.insert("Operator_Account".to_owned(), Value::from(operator));
        call.ask_before(topics::BEFORE, body).await?;
    }
    let made = call.run_for(from, make).await?;
    envelope::with(&CreateResponse { topic_id: made.topic.as_str().to_owned() })
}

pub(crate) async fn import(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    if request.r#type.as_deref().is_some_and(|word| word != Kind::Community.word()) {
        return Err(call.parameter("Type is illegal"));
    }
    let created = request.create_time;
    let make = wanted(call, request)?;
    let group = community(call, &make.group).await?;
    // without a time the topic is created now; the given second may begin before the group's creation
    let created = created.filter(|second| *second != 0).map(Millis::from_seconds);
    let created = created
        .map_or(call.now(), |at| if at.seconds() == group.created.seconds() { at.max(group.created) } else { at });
    let made = call.run(MakeTopic { created: Some(created), ..make }).await?;
    envelope::with(&CreateResponse { topic_id: made.topic.as_str().to_owned() })
}

fn wanted(call: &Call<'_>, request: Request) -> Result<MakeTopic, Failure> {
    let group: GroupId = call.group_id(request.group_id)?;
    let name = call.required("TopicName", request.topic_name.filter(|name| !name.is_empty()))?;
    let words = Words {
        name: Some(&name),
        introduction: request.introduction.as_deref(),
        notification: request.notification.as_deref(),
        face_url: request.face_url.as_deref(),
        custom: request.custom_string.as_deref(),
    };
    words.check(call)?;
    let id = match request.topic_id.filter(|id| !id.is_empty()) {
        Some(id) => Some(topic::chosen(&group, &id).ok_or_else(|| call.parameter("TopicId is illegal"))?),
        None => None,
    };
    let profile = Profile {
        name,
        introduction: request.introduction.unwrap_or_default(),
        avatar: request.face_url.unwrap_or_default(),
        custom: request.custom_string.unwrap_or_default(),
        ..Profile::default()
    };
    let prefix = topic::prefix(&group);
    let announcement = request.notification.unwrap_or_default();
    Ok(MakeTopic { group, id, prefix, profile, announcement, created: None })
}
