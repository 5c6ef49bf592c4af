//! Messages that are pinned in a group, for all its members; any member pins and unpins. Sources: the SDKs' calls, and the
//! vendor's guide to pinned messages for their number.

use conclave_core::model::{GroupId, MessageId, MessageState};
use conclave_core::operation::PinMessage;
use conclave_core::query::{GroupById, MessageById, Messages, Start};
use conclave_core::refusal::Refusal;
use serde_json::json;

use super::body::Fields;
use super::call::Call;
use super::conversations::meta;
use super::envelope::Reply;
use super::joined::whose;
use crate::dialect::ids::{APP_ADMIN, shown};
use crate::dialect::limits;
use crate::refusals::{self, Failure};

/// `POST /sdk/user/{user}/user_channel/pin`.
pub(crate) async fn pin(call: &Call<'_>) -> Result<Reply, Failure> {
    set(call, true).await
}

/// `DELETE /sdk/user/{user}/user_channel/pin`.
pub(crate) async fn unpin(call: &Call<'_>) -> Result<Reply, Failure> {
    set(call, false).await
}

async fn set(call: &Call<'_>, pinned: bool) -> Result<Reply, Failure> {
    whose(call).await?;
    let fields = Fields::read(call.body)?;
    let text = |name| Ok::<_, Failure>(fields.text(&[name])?.unwrap_or_default());
    // conversations of two users are not served: no group has their names
    text("type")?;
    let group = group(call, &text("to")?)?;
    let message = MessageId::new(text("pin_msg_id")?).map_err(|error| call.word(&error.into()))?;
    let found = call.ask(MessageById { message: message.clone() }).await?.0;
    if found.group != group {
        return Err(call.word(&Refusal::MessageIdNotFound(message)));
    }
    call.run(PinMessage { group, sequence: found.sequence, pinned, most: limits::PINS }).await?;
    Ok(Reply::data(&json!({})))
}

/// `GET /sdk/user/{user}/user_channel/pin`: the latest pin first. Recalled messages are not in the list.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    whose(call).await?;
    let _ = call.query.get("type");
    let id = group(call, call.query.get("to").unwrap_or_default())?;
    let limit = call.page("limit", limits::PINS_PAGE, limits::PINS);
    let after = match call.query.get("cursor").filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => Some(cursor.parse::<u64>().map_err(|_| refusals::invalid("cursor is illegal"))?),
        None => None,
    };
    let found = call.ask(GroupById { group: id.clone() }).await?.group;
    let latest: Vec<_> = found.pins.iter().rev().collect();
    // the cursor is the number of the last message of a page
    let skipped = after.and_then(|after| latest.iter().position(|pin| pin.sequence == after)).map_or(0, |at| at + 1);
    let mut msg_infos = Vec::new();
    for pin in latest.iter().skip(skipped).take(limit) {
        // only members read messages
        let at = Messages { group: id.clone(), start: Start::Sequence(pin.sequence), newest_first: false, limit: 1 };
        let messages = call.ask(at).await?.messages;
        let is_shown = |message: &&std::sync::Arc<conclave_core::model::Message>| {
            message.sequence == pin.sequence && message.state == MessageState::Kept
        };
        if let Some(message) = messages.iter().find(is_shown) {
            let operator = pin.by.as_ref().map_or(APP_ADMIN.into(), shown);
            msg_infos.push(json!({"message": meta(message), "pin_opt_at": pin.at, "pin_operator": operator}));
        }
    }
    let more = latest.len() > skipped.saturating_add(limit);
    let last = latest.iter().skip(skipped).take(limit).next_back().filter(|_| more);
    let cursor = last.map(|pin| pin.sequence.to_string()).unwrap_or_default();
    Ok(Reply::data(&json!({"msg_infos": msg_infos, "cursor": cursor})))
}

fn group(call: &Call<'_>, id: &str) -> Result<GroupId, Failure> {
    GroupId::new(id).map_err(|error| call.word(&error.into()))
}
