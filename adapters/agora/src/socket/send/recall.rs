//! The sender recalls a message.

use conclave_core::operation::RecallMessages;
use conclave_core::ports::GroupsExt as _;

use super::{Sent, Upward, failure_for};
use crate::socket::frame::Refused;
use crate::socket::login::Login;

pub(super) async fn send(login: &Login, upward: &Upward) -> Result<Sent, Refused> {
    let message = upward.about(login, upward.body.ack_message_id).await?;
    let recall =
        RecallMessages { group: upward.group.clone(), sequences: vec![message.sequence], reason: String::new() };
    let recalled = login.app.groups.run(&login.actor(), recall).await;
    let recalled = recalled.map_err(|refusal| failure_for(login, &refusal))?;
    match recalled.outcomes.into_iter().next() {
        Some((_, Err(refusal))) => Err(failure_for(login, &refusal)),
        _ => Ok(Sent::done(upward.body.ack_message_id)),
    }
}
