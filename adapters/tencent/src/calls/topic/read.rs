//! `get_topic`: topics of a community, with one member's state in them.

use std::sync::Arc;

use conclave_core::model::{GroupId, Member, Topic, TopicId, UserId};
use conclave_core::query::{MembersNamed, TopicMutes, Topics};
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{OK, community};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::{limits, receive, time};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    topic_id_list: Option<Vec<String>>,
    /// Ignored: its possible names are not documented, so all fields are returned.
    #[serde(rename = "ResponseFilter")]
    _filter: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReadResponse {
    topic_and_self_info: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    error_code: u32,
    error_info: String,
    topic_info: Info,
    #[serde(skip_serializing_if = "Option::is_none")]
    self_info: Option<Own>,
}

/// A topic; a missing one has its id only.
#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Info {
    topic_id: String,
    #[serde(rename = "GroupID")]
    group_id: String,
    #[serde(flatten)]
    rest: Option<Rest>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rest {
    topic_name: String,
    custom_string: String,
    face_url: String,
    notification: String,
    introduction: String,
    create_time: u64,
    next_msg_seq: u64,
    last_msg_time: u64,
    shut_up_all_flag: u32,
}

/// A member's state in a topic. Read positions are reported by clients only.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Own {
    msg_seq: u64,
    shut_up_time: u64,
    msg_flag: &'static str,
}

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let from = call.acting_user("From_Account", request.from)?;
    let list = request.topic_id_list.filter(|list| !list.is_empty());
    if list.as_ref().is_some_and(|list| list.len() > limits::TOPICS) {
        return Err(call.parameter(format!("TopicIdList: at most {} topics", limits::TOPICS)));
    }
    community(call, &group).await?;
    let own_member = match &from {
        Some(from) => member(call, &group, from).await?,
        None => None,
    };
    let mut items = Vec::new();
    for (id, topic) in topics(call, &group, list).await? {
        items.push(match topic {
            Ok(topic) => {
                let own = match &from {
                    Some(from) => Some(own(call, &topic.id, from, (&group, own_member.as_deref())).await?),
                    None => None,
                };
                let topic_info = Info { topic_id: id, group_id: group.as_str().to_owned(), rest: Some(rest(&topic)) };
                Item { error_code: 0, error_info: OK.to_owned(), topic_info, self_info: own }
            }
            Err(failure) => Item {
                error_code: failure.number(),
                error_info: failure.text.into_owned(),
                topic_info: Info { topic_id: id, group_id: group.as_str().to_owned(), rest: None },
                self_info: None,
            },
        });
    }
    envelope::with_word(OK, &ReadResponse { topic_and_self_info: items })
}

type Found = Vec<(String, Result<Arc<Topic>, Failure>)>;

/// The requested topics, or all.
async fn topics(call: &Call<'_>, group: &GroupId, list: Option<Vec<String>>) -> Result<Found, Failure> {
    let ids = list.as_ref().map(|list| list.iter().filter_map(|id| TopicId::new(id).ok()).collect());
    let found = call.ask(Topics { group: group.clone(), topics: ids }).await?.0;
    let outcome = |topic: Result<Arc<Topic>, Refusal>| topic.map_err(|refusal| call.failure(&refusal));
    let Some(list) = list else {
        return Ok(found.into_iter().map(|(id, topic)| (id.as_str().to_owned(), outcome(topic))).collect());
    };
    let mut found = found.into_iter();
    let one = |id: String| {
        let topic = if TopicId::new(&id).is_ok() { found.next().map(|(_, topic)| outcome(topic)) } else { None };
        (id, topic.unwrap_or_else(|| Err(Code::NoTopic.into())))
    };
    Ok(list.into_iter().map(one).collect())
}

fn rest(topic: &Topic) -> Rest {
    Rest {
        topic_name: topic.profile.name.clone(),
        custom_string: topic.profile.custom.clone(),
        face_url: topic.profile.avatar.clone(),
        notification: topic.announcement.clone(),
        introduction: topic.profile.introduction.clone(),
        create_time: topic.created.seconds(),
        next_msg_seq: topic.next_message,
        last_msg_time: time::seconds(topic.last_message),
        shut_up_all_flag: u32::from(topic.all_muted),
    }
}

async fn member(call: &Call<'_>, group: &GroupId, user: &UserId) -> Result<Option<Arc<Member>>, Failure> {
    let named = call.ask(MembersNamed { group: group.clone(), users: vec![user.clone()] }).await?;
    Ok(named.members.into_iter().next().flatten())
}

async fn own(
    call: &Call<'_>,
    topic: &TopicId,
    user: &UserId,
    (group, member): (&GroupId, Option<&Member>),
) -> Result<Own, Failure> {
    let mutes = call.ask(TopicMutes { group: group.clone(), topic: topic.clone() }).await?.0;
    let mute = mutes.iter().find(|mute| mute.user == *user);
    Ok(Own {
        msg_seq: 0,
        shut_up_time: mute.map_or(0, |mute| time::end(mute.until)),
        msg_flag: receive::word(member.map(|member| member.receive).unwrap_or_default()),
    })
}
