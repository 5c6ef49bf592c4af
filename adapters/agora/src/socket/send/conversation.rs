//! A member marks a group's conversation as read.

use conclave_core::operation::MarkRead;
use conclave_core::ports::GroupsExt as _;

use super::{Sent, Upward, failure_for};
use crate::socket::frame::Refused;
use crate::socket::login::Login;

pub(super) async fn send(login: &Login, upward: &Upward) -> Result<Sent, Refused> {
    // up to the latest message
    let mark = MarkRead { group: upward.group.clone(), user: login.user().clone(), sequence: u64::MAX };
    login.app.groups.run(&login.actor(), mark).await.map_err(|refusal| failure_for(login, &refusal))?;
    Ok(Sent::done(upward.meta.id))
}
