//! Callbacks of topics. They share the switches of the group's own, and have no time field.

use conclave_core::event::{Event, ProfileChange};
use conclave_core::model::{Profile, TopicId};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::TopicMessages;
use conclave_core::refusal::Refusal;
use conclave_core::{event::Actor, model::Message, model::MessageState};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{after, before};

pub(super) const CREATE: &str = "Group.CallbackAfterCreateTopic";
pub(super) const DESTROYED: &str = "Group.CallbackAfterTopicDestroyed";
pub(super) const INFO: &str = "Group.CallbackAfterTopicInfoChanged";
/// Before a topic is created.
pub(crate) const BEFORE: &str = "Group.CallbackBeforeCreateTopic";

/// The callback whose switch applies to this one.
pub(super) fn switch(command: &str) -> &str {
    match command {
        CREATE => after::CREATE,
        DESTROYED => after::DESTROYED,
        INFO => after::INFO,
        BEFORE => before::CREATE,
        own => own,
    }
}

/// Whether a callback is of a topic itself.
pub(super) fn is_of_topic(command: &str) -> bool {
    switch(command) != command
}

/// The callback of a new topic.
pub(super) fn made(topic: &TopicId, owner: &str, profile: &Profile) -> Value {
    json!({ "TopicId": topic, "Owner_Account": owner, "Name": profile.name })
}

/// The callback of a changed topic; `None` when none of its fields has changed.
pub(super) fn changed(topic: &TopicId, profile: &ProfileChange, announcement: Option<&String>) -> Option<Value> {
    let texts = [
        ("Name", profile.name.as_ref()),
        ("Introduction", profile.introduction.as_ref()),
        ("FaceUrl", profile.avatar.as_ref()),
        ("Notification", announcement),
    ];
    let changed = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?.as_str()))));
    let mut body: Map<String, Value> = changed.collect();
    if body.is_empty() {
        return None;
    }
    body.insert("TopicId".to_owned(), json!(topic));
    Some(Value::from(body))
}

/// The message of a topic with this number, if it can still be read.
pub(super) async fn said(
    event: &Event,
    topic: &TopicId,
    sequence: u64,
    groups: &dyn Groups,
) -> Result<Option<Arc<Message>>, Refusal> {
    let Some(group) = event.group.clone() else { return Ok(None) };
    let ask = TopicMessages { group, topic: topic.clone(), from: Some(sequence), limit: 1 };
    match groups.ask(&Actor::app(), ask).await {
        Ok(page) => {
            let found = page.messages.into_iter().next();
            Ok(found.filter(|found| found.sequence == sequence && found.state == MessageState::Kept))
        }
        // it was deleted since, with its messages
        Err(Refusal::GroupNotFound { .. } | Refusal::TopicNotFound { .. }) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
