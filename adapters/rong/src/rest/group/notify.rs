//! The message bound to an operation on a group (`bindNotifyMsg`): posted to the group together with it, told in
//! the answer by `messageUID` and `memberCount`. Go and Java SDKs 4.x.

use conclave_core::model::GroupId;
use serde::Serialize;

use crate::dialect::message;
use crate::refusals::Failure;
use crate::rest::message::Draft;
use crate::rest::{Call, envelope};

/// The bound message, read and checked before the operation.
pub(super) struct Notice<'c>(Option<Draft<'c>>);

/// What is told of it afterwards.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "messageUID")]
    message_uid: String,
    member_count: u32,
}

impl<'c> Notice<'c> {
    pub(super) fn of(call: &'c Call<'_>) -> Result<Self, Failure> {
        let bound = call.form.given("bindNotifyMsg") == Some("true");
        Ok(Self(bound.then(|| Draft::of(call)).transpose()?))
    }

    /// Posts it; the answer of an operation without one is plain.
    pub(super) async fn post(&self, call: &Call<'_>, group: &GroupId) -> Result<envelope::Answer, Failure> {
        match &self.0 {
            Some(_) => self.post_counting(call, group, None).await,
            None => envelope::done(),
        }
    }

    /// Posts it to a group that has so many members after the operation; without a count, as many as it has now.
    pub(super) async fn post_counting(
        &self,
        call: &Call<'_>,
        group: &GroupId,
        count: Option<u32>,
    ) -> Result<envelope::Answer, Failure> {
        let Some(draft) = &self.0 else { return envelope::done() };
        // a group that is not there hears nothing
        let Some(found) = call.find_group(group).await? else { return envelope::done() };
        let posted = call.run(draft.to_group(group.clone(), Vec::new(), true)).await?;
        let member_count = count.unwrap_or(found.members);
        envelope::with(&Wire { message_uid: message::uid(&posted.message.id), member_count })
    }
}
