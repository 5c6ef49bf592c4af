//! The message that a call is about.

use std::sync::Arc;

use conclave_core::model::{GroupId, Message};
use conclave_core::query::MessageById;
use conclave_core::refusal::Refusal;

use crate::dialect::message;
use crate::refusals::{Code, Failure};
use crate::rest::Call;

/// The conversation type of groups.
const GROUP: &str = "3";

/// The message by the id in a field of the form.
pub(super) async fn find(call: &Call<'_>, key: &str) -> Result<Arc<Message>, Failure> {
    let unknown = || Code::Parameter.saying(format!("{key} is illegal"));
    let id = message::id_of(call.required(key)?).ok_or_else(unknown)?;
    match call.attempt_to_ask(MessageById { message: id }).await {
        Ok(found) => Ok(found.0),
        Err(Refusal::MessageIdNotFound(_)) => Err(unknown()),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}

/// The same, which has to be a message of the group that the form names by type and target of the conversation.
pub(super) async fn find_in_conversation(call: &Call<'_>, key: &str) -> Result<Arc<Message>, Failure> {
    if call.required("conversationType")? != GROUP {
        return Err(Code::Parameter.saying("conversationType must be 3: only groups are served"));
    }
    let group: GroupId = call.as_group_id(call.required("targetId")?)?;
    let found = find(call, key).await?;
    if found.group == group { Ok(found) } else { Err(Code::Parameter.saying(format!("{key} is illegal"))) }
}
