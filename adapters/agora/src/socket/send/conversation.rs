//! A member has read a group so far.

use conclave_core::operation::MarkRead;
use conclave_core::ports::GroupsExt as _;

use super::{Sent, Upward, worded};
use crate::socket::frame::Refused;
use crate::socket::login::Login;

pub(super) async fn send(login: &Login, upward: &Upward) -> Result<Sent, Refused> {
    // up to the last message there is
    let mark = MarkRead { group: upward.group.clone(), user: login.user().clone(), sequence: u64::MAX };
    login.app.groups.run(&login.actor(), mark).await.map_err(|refusal| worded(login, &refusal))?;
    Ok(Sent::done(upward.meta.id))
}
