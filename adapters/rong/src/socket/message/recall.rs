//! `recallMsg`: a sender recalls a message.

use conclave_core::model::Millis;
use conclave_core::operation::RecallMessages;
use conclave_core::query::MessageById;
use conclave_core::refusal::Refusal;
use serde::Deserialize;

use crate::dialect::message;
use crate::dialect::message::RECALL;
use crate::refusals::client;
use crate::socket::call::{Call, decode};
use crate::socket::frame::Request;
use crate::socket::wire::{GROUP, UpStreamMessage};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    conversation_type: i32,
    #[serde(default)]
    target_id: String,
    #[serde(rename = "messageUId")]
    message_uid: String,
    #[serde(default)]
    extra: String,
}

/// Recalls it: returns the time, and the id of the notice; or the status of the refusal.
pub(crate) async fn recall(call: &Call<'_>, request: &Request) -> Result<(Millis, String), u16> {
    let up: UpStreamMessage = decode(&request.body).map_err(|denied| denied.status)?;
    if up.classname != RECALL {
        return Err(client::UNSUPPORTED);
    }
    let wanted: Wanted = serde_json::from_str(&up.content).map_err(|_| client::BAD_PARAMETER)?;
    if wanted.conversation_type != GROUP {
        return Err(client::UNSUPPORTED);
    }
    let refused = |refusal: Refusal| client::recall(&refusal);
    let id = message::id_of(&wanted.message_uid).ok_or(client::RECALL_FAILED)?;
    let sent = call.try_ask(MessageById { message: id }).await.map_err(refused)?.0;
    if sent.group.as_str() != wanted.target_id {
        return Err(client::RECALL_FAILED);
    }
    let recall = RecallMessages { group: sent.group.clone(), sequences: vec![sent.sequence], reason: wanted.extra };
    let recalled = call.try_run(recall).await.map_err(refused)?;
    for (_, outcome) in recalled.outcomes {
        match outcome {
            // repeated because the reply was lost
            Ok(()) | Err(Refusal::MessageRecalled { .. }) => {}
            Err(refusal) => return Err(refused(refusal)),
        }
    }
    Ok((call.app.realm.groups.now(), message::recall_uid(&sent.id)))
}
