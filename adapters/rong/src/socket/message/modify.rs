//! `modifyMsg`: a sender's message says something else.

use conclave_core::model::MessageState;
use conclave_core::operation::ChangeMessage;
use conclave_core::query::MessageById;
use conclave_core::refusal::Refusal;
use prost::Message as _;

use super::down;
use crate::dialect::{limits, message};
use crate::refusals::client;
use crate::socket::call::{Call, Denied, QueryReply, decode, millis};
use crate::socket::wire::{GROUP, ModifyMsgResp, MsgChangeReq};

/// Changes it; the type of the message stays as it is.
pub(crate) async fn modify(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: MsgChangeReq = decode(body)?;
    let content = asked.content.unwrap_or_default();
    if content.len() > limits::CONTENT_BYTES {
        return Err(Denied::status(client::CONTENT_TOO_LONG));
    }
    if asked.kind != GROUP || content.is_empty() {
        return Err(Denied::status(client::NOT_MODIFIABLE));
    }
    let refused = |refusal: Refusal| Denied::status(client::modification(&refusal));
    let id = message::id_of(&asked.msg_uid).ok_or(Denied::status(client::NOT_MODIFIABLE))?;
    let about = call.try_ask(MessageById { message: id.clone() }).await.map_err(refused)?.0;
    if about.group.as_str() != asked.target_id || about.state != MessageState::Kept || !about.is_by(call.user) {
        return Err(Denied::status(client::NOT_MODIFIABLE));
    }
    let object_name = message::object(&about.body, about.mention.as_ref(), &about.labels).0;
    let (body, labels) = message::body(&object_name, &content);
    let labels = labels.into_iter().map(|(label, value)| (label, Some(value))).collect();
    let change =
        ChangeMessage { group: about.group.clone(), sequence: about.sequence, body: Some(body), labels, edits: None };
    call.try_run(change).await.map_err(refused)?;
    let edited = call.try_ask(MessageById { message: id }).await.map_err(refused)?.0;
    let modify_time = Some(millis(call.app.realm.groups.now().0));
    Ok(ModifyMsgResp { modify_time, msg: Some(down(&edited, call.user)) }.encode_to_vec())
}
