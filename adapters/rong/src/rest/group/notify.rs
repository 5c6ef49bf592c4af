//! The message bound to an operation on a group (`bindNotifyMsg`): sent to the group in the same commit, returned as
//! `messageUID` and `memberCount`. Go and Java SDKs 4.x.

use conclave_core::model::GroupId;
use conclave_core::operation::{Operation, SendMessage};
use conclave_core::ports::Replies;
use serde::Serialize;

use crate::dialect::message;
use crate::refusals::Failure;
use crate::rest::message::Draft;
use crate::rest::{Call, envelope};

/// The bound message, checked before the operation.
pub(super) struct Notice<'c>(Option<Draft<'c>>);

/// The notification sent afterwards.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotifyResponse {
    #[serde(rename = "messageUID")]
    message_uid: String,
    member_count: u32,
}

impl<'c> Notice<'c> {
    pub(super) fn of(call: &'c Call<'_>) -> Result<Self, Failure> {
        let bound = call.form.given("bindNotifyMsg") == Some("true");
        Ok(Self(bound.then(|| Draft::of(call)).transpose()?))
    }

    /// The operation that sends it to a group; none without a bound message.
    pub(super) fn to_group(&self, group: &GroupId) -> Option<Operation> {
        self.0.as_ref().map(|draft| draft.to_group(group.clone(), Vec::new(), true).into())
    }

    /// The response; without a bound message a plain success. `replies` begin with the bound message's own, and `members`
    /// is the number of members after the operation.
    pub(super) fn answer(
        &self,
        call: &Call<'_>,
        replies: &mut Replies,
        members: u32,
    ) -> Result<envelope::ResponseBody, Failure> {
        if self.0.is_none() {
            return envelope::done();
        }
        let posted = replies.next_of::<SendMessage>().map_err(|refusal| call.failure(&refusal))?;
        envelope::with(&NotifyResponse { message_uid: message::uid(&posted.message.id), member_count: members })
    }
}
