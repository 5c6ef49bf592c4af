//! `group_msg_get_simple`: up to twenty messages, newest first, from a number downwards.

use std::sync::Arc;

use conclave_core::model::{Message, MessageState, Sender};
use conclave_core::query::{Messages, Start, TopicMessages};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::message::label;
use crate::dialect::{limits, message};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    req_msg_number: Option<usize>,
    req_msg_seq: Option<u64>,
    with_recalled_msg: Option<u32>,
    topic_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wire<'g> {
    group_id: &'g str,
    /// 1 when there is nothing before these.
    is_finished: u32,
    rsp_msg_list: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    #[serde(rename = "From_Account")]
    from: String,
    /// 1 deleted, 2 recalled.
    is_place_msg: u32,
    msg_body: Value,
    msg_priority: u32,
    msg_random: u64,
    msg_seq: u64,
    msg_time_stamp: u64,
}

pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    let limit = call.required("ReqMsgNumber", request.req_msg_number)?;
    if !(1..=limits::HISTORY_PAGE).contains(&limit) {
        return Err(call.parameter("ReqMsgNumber is out of range"));
    }
    let group = call.group(&id).await?;
    if Kind::of(&group) == Kind::AvChatRoom {
        return Err(Code::NoHistory.into());
    }
    let start = request.req_msg_seq.filter(|sequence| *sequence != 0).map_or(Start::Edge, Start::Sequence);
    let (messages, next) = match call.topic_id(request.topic_id)? {
        None => {
            let page = call.ask(Messages { group: id, start, newest_first: true, limit }).await?;
            (page.messages, page.next)
        }
        Some(topic) => {
            let from = request.req_msg_seq.filter(|sequence| *sequence != 0);
            let page = call.ask(TopicMessages { group: id, topic, from, limit }).await?;
            (page.messages, page.next)
        }
    };
    let recalled_too = request.with_recalled_msg == Some(1);
    envelope::with(&Wire {
        group_id: group.id.as_str(),
        is_finished: u32::from(next.is_none()),
        rsp_msg_list: messages.iter().map(|message| item(call, message, recalled_too)).collect(),
    })
}

fn item(call: &Call<'_>, message: &Arc<Message>, recalled_too: bool) -> Item {
    let (is_place_msg, shown) = match message.state {
        MessageState::Kept => (0, true),
        MessageState::Deleted => (1, false),
        MessageState::Recalled { .. } => (2, recalled_too),
    };
    let number = |label: &str| message.labels.get(label).and_then(|text| text.parse().ok());
    Item {
        from: match &message.sender {
            Sender::User(user) => user.as_str().to_owned(),
            Sender::App => call.admin().to_owned(),
        },
        is_place_msg,
        msg_body: if shown { message::elements(message) } else { json!([]) },
        msg_priority: priority(message.labels.get(label::PRIORITY).map(String::as_str)),
        msg_random: number(label::RANDOM).unwrap_or_default(),
        msg_seq: message.sequence,
        msg_time_stamp: message.at.seconds(),
    }
}

fn priority(word: Option<&str>) -> u32 {
    match word {
        Some("High") => 1,
        Some("Low") => 3,
        Some("Lowest") => 4,
        _ => 2,
    }
}
