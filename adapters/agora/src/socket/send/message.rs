//! A message to a group.

use std::collections::BTreeMap;

use conclave_core::event::Actor;
use conclave_core::model::{Sender, UserId};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;

use super::{Sent, Upward, failure_for, refused};
use crate::calls::send_message::{self, NotSent, Outgoing};
use crate::dialect::ids::fold;
use crate::dialect::message;
use crate::socket::content;
use crate::socket::frame::Refused;
use crate::socket::login::Login;
use crate::socket::wire::{route, status};

pub(super) async fn send(login: &Login, upward: &Upward) -> Result<Sent, Refused> {
    let app = &login.app;
    let read = content::read(&upward.body);
    let (content, ext) = read.ok_or_else(|| Refused::new(status::WRONG_PARAMETER, "bad message"))?;
    let wants_receipts = upward.body.msg_config.and_then(|config| config.allow_group_ack) == Some(true);
    let mut message = Outgoing {
        from: Sender::User(login.user().clone()),
        content,
        ext: Some(ext),
        users: Vec::new(),
        labels: BTreeMap::new(),
        stored: upward.meta.routetype != Some(route::ONLINE),
        receipts: wants_receipts,
        client_id: None,
    };
    message.check(app).map_err(|why| not_sent(login, why))?;
    if !app.may_send(1) {
        return Err(Refused::new(status::PERMISSION_DENIED, "traffic limit"));
    }
    message.users = targets(login, upward).await?;
    let groups = std::slice::from_ref(&upward.group);
    let posted = send_message::send(app, &login.actor(), groups, &message).await;
    let posted = posted.map_err(|why| not_sent(login, why))?.into_iter().next();
    let posted = posted.unwrap_or_else(|| Err(Refusal::Unavailable("nothing was sent".to_owned())));
    let posted = posted.map_err(|refusal| failure_for(login, &refusal))?;
    Ok(Sent::done(message::number(&posted.message.id)))
}

/// The client protocol's words for a message that was not sent.
fn not_sent(login: &Login, why: NotSent) -> Refused {
    match why {
        NotSent::TooLarge => refused::too_large(),
        NotSent::TooManyUsers { .. } => Refused::new(status::FAIL, "limit directed users"),
        NotSent::Refused(refusal) => failure_for(login, &refusal),
    }
}

/// The recipients, when it is not for all members.
async fn targets(login: &Login, upward: &Upward) -> Result<Vec<UserId>, Refused> {
    let names = &upward.meta.directed_users;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    if names.len() > login.app.settings.message_users {
        return Err(Refused::new(status::FAIL, "limit directed users"));
    }
    let ids: Vec<UserId> = names.iter().filter_map(|name| UserId::new(fold(name)).ok()).collect();
    let found = login.app.groups.ask(&Actor::app(), FindUsers { ids, folded: true }).await;
    let found = found.map_err(|refusal| failure_for(login, &refusal))?;
    let targets: Vec<UserId> = found.0.into_iter().flatten().map(|user| user.id.clone()).collect();
    if targets.is_empty() { Err(Refused::new(status::FAIL, "not in group or chatroom")) } else { Ok(targets) }
}
