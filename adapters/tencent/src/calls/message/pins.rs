//! `pin_message`, `unpin_message` and `get_pinned_messages`: messages that a group shows at the top. Any member may pin.
//! Source: the clients' protocol; the limit and the codes are documented for the vendor's mobile SDKs.

use conclave_core::model::{GroupId, MessageState};
use conclave_core::operation::PinMessage;
use conclave_core::query::{Messages, Start};
use serde::{Deserialize, Serialize};

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    msg_seq: Option<u64>,
    topic_id: Option<String>,
    #[serde(rename = "Pinner_Account", alias = "UnPinner_Account")]
    user: Option<Account>,
}

/// `pin_message`.
pub(crate) async fn pin(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    if set(call, true).await? { envelope::done() } else { Err(Code::AlreadyPinned.into()) }
}

/// `unpin_message`: of a message that is not pinned, it is done.
pub(crate) async fn unpin(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    set(call, false).await?;
    envelope::done()
}

/// Returns whether it was not so before.
async fn set(call: &Call<'_>, pinned: bool) -> Result<bool, Failure> {
    let request: Request = call.read()?;
    let group = ordinary_group(call, request.group_id, request.topic_id).await?;
    call.acting_user("Pinner_Account", request.user)?;
    let sequence = call.required("MsgSeq", request.msg_seq)?;
    Ok(call.run(PinMessage { group, sequence, pinned, most: limits::PINS }).await?.changed)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRequest {
    group_id: Option<String>,
    topic_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListResponse {
    pinned_msg_list: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    msg_seq: u64,
    #[serde(rename = "Pinner_Account")]
    user: String,
}

/// `get_pinned_messages`: for members. Recalled messages are not in the list.
pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: ListRequest = call.read()?;
    let id = ordinary_group(call, request.group_id, request.topic_id).await?;
    let group = call.group(&id).await?;
    let mut pinned_msg_list = Vec::new();
    for pin in &group.pins {
        // only members read messages
        let at = Messages { group: id.clone(), start: Start::Sequence(pin.sequence), newest_first: false, limit: 1 };
        let found = call.ask(at).await?.messages;
        if found.iter().any(|message| message.sequence == pin.sequence && message.state == MessageState::Kept) {
            let user = pin.by.as_ref().map_or(call.admin(), |user| user.as_str()).to_owned();
            pinned_msg_list.push(Item { msg_seq: pin.sequence, user });
        }
    }
    if group.pins.is_empty() {
        let any = Messages { group: id, start: Start::Sequence(group.next_message), newest_first: true, limit: 1 };
        call.ask(any).await?;
    }
    envelope::with(&ListResponse { pinned_msg_list })
}

/// A group that has pinned messages: none of a live room, whose messages are not stored, and no topic.
async fn ordinary_group(call: &Call<'_>, id: Option<String>, topic: Option<String>) -> Result<GroupId, Failure> {
    let id = call.group_id(id)?;
    let is_live = Kind::of(&*call.group(&id).await?) == Kind::AvChatRoom;
    if is_live || topic.is_some_and(|topic| !topic.is_empty()) {
        return Err(Code::NoPermission.into());
    }
    Ok(id)
}
