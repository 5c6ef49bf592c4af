//! A member has read a message whose sender asked for receipts.

use conclave_core::operation::ReadMessages;
use conclave_core::ports::GroupsExt as _;
use conclave_core::refusal::Refusal;

use super::{Sent, Upward, failure_for};
use crate::dialect::limits;
use crate::socket::frame::Refused;
use crate::socket::login::Login;

pub(super) async fn send(login: &Login, upward: &Upward) -> Result<Sent, Refused> {
    let message = upward.about(login, upward.body.ack_message_id).await?;
    let read = ReadMessages {
        group: upward.group.clone(),
        user: login.user().clone(),
        sequences: vec![message.sequence],
        note: upward.body.ack_content.clone().unwrap_or_default(),
        most_members: Some(limits::READERS),
    };
    match login.app.groups.run(&login.actor(), read).await {
        // the sender asked for no receipts
        Ok(()) | Err(Refusal::NoReceipts { .. }) => Ok(Sent::done(upward.body.ack_message_id)),
        Err(refusal) => Err(failure_for(login, &refusal)),
    }
}
