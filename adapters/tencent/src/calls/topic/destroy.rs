//! `destroy_topic`: deletes topics, with an outcome for each.

use conclave_core::model::TopicId;
use conclave_core::operation::EndTopics;
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::{OK, community};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    topic_id_list: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DestroyResponse {
    destroy_result_item: Vec<TopicOutcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopicOutcome {
    error_code: u32,
    error_info: String,
    topic_id: String,
}

pub(crate) async fn destroy(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let from = call.acting_user("From_Account", request.from)?;
    let list = call.required("TopicIdList", request.topic_id_list.filter(|list| !list.is_empty()))?;
    if list.len() > limits::TOPICS {
        return Err(call.parameter(format!("TopicIdList: at most {} topics", limits::TOPICS)));
    }
    community(call, &group).await?;
    // an invalid id has no topic
    let topics: Vec<TopicId> = list.iter().filter_map(|id| TopicId::new(id).ok()).collect();
    let mut ended = call.run_for(from, EndTopics { group, topics }).await?.outcomes.into_iter();
    let outcome = |topic_id: String| {
        let known = TopicId::new(&topic_id).is_ok();
        let outcome = if known { ended.next().map(|(_, outcome)| outcome) } else { None };
        outcome_of(call, topic_id, outcome)
    };
    envelope::with_word(OK, &DestroyResponse { destroy_result_item: list.into_iter().map(outcome).collect() })
}

fn outcome_of(call: &Call<'_>, topic_id: String, outcome: Option<Result<(), Refusal>>) -> TopicOutcome {
    let failure: Failure = match outcome {
        Some(Ok(())) => return TopicOutcome { error_code: 0, error_info: OK.to_owned(), topic_id },
        Some(Err(refusal)) => call.failure(&refusal),
        None => Code::NoTopic.into(),
    };
    TopicOutcome { error_code: failure.number(), error_info: failure.text.into_owned(), topic_id }
}
