//! `/v3/message/group/query.json`: a user's history of a group, oldest first. Source: the vendor's server SDK for Go; the
//! order and the largest page are not published.

use std::sync::Arc;

use conclave_core::bounds::message_bytes;
use conclave_core::model::{Message, MessageState, Millis};
use conclave_core::query::{MessageExtensions, Messages, Start};
use serde::Serialize;

use crate::dialect::limits;
use crate::dialect::message;
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

/// How often the history is read for one page: messages that the user does not read are passed over.
const LOOKS: usize = 20;

#[derive(Serialize)]
struct Wire {
    data: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    target_id: String,
    from_user_id: String,
    #[serde(rename = "messageUID")]
    message_uid: String,
    msg_time: Millis,
    object_name: String,
    content: String,
    expansion: bool,
    /// JSON as text; "" is none.
    extra_content: String,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let group = call.as_group_id(call.required("targetId")?)?;
    call.required("startTime")?;
    call.required("endTime")?;
    let (from, until) = (call.number("startTime", 0, 0..=u64::MAX)?, call.number("endTime", 0, 0..=u64::MAX)?);
    let size = call.count("pageSize", limits::HISTORY_PAGE, limits::HISTORY_PAGE_MOST)?;
    let includes_start = match call.form.given("includeStart") {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(Code::Parameter.saying("includeStart must be true or false")),
    };
    let first = if includes_start { from } else { from.saturating_add(1) };
    let mut start = Start::Time(Millis(first));
    let (mut found, mut bytes) = (Vec::new(), 0);
    'pages: for _ in 0..LOOKS {
        let ask = Messages { group: group.clone(), start, newest_first: false, limit: size };
        let page = call.ask(ask).await?;
        for sent in page.messages {
            if sent.state != MessageState::Kept || !sent.is_for(&user) || sent.at.0 > until {
                continue;
            }
            // the caller continues from the last one's time, so all messages of that millisecond are included
            let is_full = found.len() >= size || bytes >= limits::HISTORY_PAGE_BYTES;
            if is_full && found.last().is_none_or(|last: &Arc<Message>| last.at != sent.at) {
                break 'pages;
            }
            bytes += message_bytes(&sent);
            found.push(sent);
        }
        match page.next {
            Some(next) => start = Start::Sequence(next),
            None => break,
        }
    }
    let mut data = Vec::with_capacity(found.len());
    for sent in found {
        let (object_name, content) = message::object(&sent.body, sent.mention.as_ref(), &sent.labels);
        let extra = if sent.traits.extensible {
            let ask = MessageExtensions { group: group.clone(), sequences: vec![sent.sequence] };
            call.ask(ask).await?.0.pop().and_then(Result::ok).and_then(|found| message::extra_content(&found))
        } else {
            None
        };
        data.push(Entry {
            target_id: group.to_string(),
            from_user_id: message::sender(&sent),
            message_uid: message::uid(&sent.id),
            msg_time: sent.at,
            object_name,
            content,
            expansion: sent.traits.extensible,
            extra_content: extra.unwrap_or_default(),
        });
    }
    envelope::with(&Wire { data })
}
