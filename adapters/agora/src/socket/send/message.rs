//! A message to a group.

use conclave_core::event::Actor;
use conclave_core::model::{Sender, Traits, UserId};
use conclave_core::operation::SendMessage;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::FindUsers;
use serde_json::Value;

use super::{Sent, Upward, refused, worded};
use crate::dialect::content::Content;
use crate::dialect::ids::fold;
use crate::dialect::message;
use crate::socket::content;
use crate::socket::frame::Refused;
use crate::socket::login::Login;
use crate::socket::wire::{route, status};

pub(super) async fn send(login: &Login, upward: &Upward) -> Result<Sent, Refused> {
    let app = &login.app;
    let said = content::read(&upward.body).ok_or_else(|| Refused::new(status::WRONG_PARAMETER, "bad message"))?;
    let size = Value::from(said.body.clone()).to_string().len() + Value::from(said.ext.clone()).to_string().len();
    if size > app.settings.message_bytes {
        return Err(refused::too_large());
    }
    if !app.pace.takes(app.now(), 1, app.settings.message_rate) {
        return Err(Refused::new(status::PERMISSION_DENIED, "traffic limit"));
    }
    let targets = targets(login, upward).await?;
    let unknown = || Refused::new(status::WRONG_PARAMETER, "bad message");
    let content = Content::read(said.kind, said.body).ok_or_else(unknown)?;
    let (body, labels) = message::neutral(&content, Some(&said.ext));
    let targeted = !targets.is_empty();
    let wants_receipts = upward.body.msg_config.and_then(|config| config.allow_group_ack) == Some(true);
    let operation = SendMessage {
        targets,
        counted: !targeted && content.is_counted(),
        shown_last: !targeted,
        stored: upward.meta.routetype != Some(route::ONLINE),
        traits: Traits { receipts: wants_receipts, ..Traits::default() },
        labels,
        ..SendMessage::new(upward.group.clone(), Sender::User(login.user().clone()), body)
    };
    let posted = app.groups.run(&login.actor(), operation).await;
    let posted = posted.map_err(|refusal| worded(login, &refusal))?;
    Ok(Sent::done(message::number(&posted.message.id)))
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
    let found = found.map_err(|refusal| worded(login, &refusal))?;
    let targets: Vec<UserId> = found.0.into_iter().flatten().map(|user| user.id.clone()).collect();
    if targets.is_empty() { Err(Refused::new(status::FAIL, "not in group or chatroom")) } else { Ok(targets) }
}
