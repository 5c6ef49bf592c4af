//! The sender edits a message.

use conclave_core::operation::ChangeMessage;
use conclave_core::ports::GroupsExt as _;
use serde_json::{Value, json};

use super::{Sent, Upward, failure_for, refused};
use crate::dialect::ids::shown;
use crate::dialect::message::{self, Edited};
use crate::socket::content;
use crate::socket::frame::Refused;
use crate::socket::login::Login;
use crate::socket::wire::{Meta, ns, status};

pub(super) async fn send(login: &Login, upward: &Upward) -> Result<Sent, Refused> {
    let app = &login.app;
    let before = upward.about(login, upward.body.edit_message_id).await?;
    let read = content::read(&upward.body);
    let (content, _) = read.ok_or_else(|| Refused::new(status::WRONG_PARAMETER, "bad message"))?;
    if Value::from(content.body()).to_string().len() > app.settings.message_bytes {
        return Err(refused::too_large());
    }
    let (body, labels) = message::neutral(&content, None);
    let edited = Edited {
        count: Edited::kept(&before).map_or(1, |edited| edited.count.saturating_add(1)),
        operator: shown(login.user()).into_owned(),
        edit_time: app.now(),
    };
    let labels = labels.into_iter().chain([edited.label()]).map(|(label, value)| (label, Some(value))).collect();
    let change =
        ChangeMessage { group: upward.group.clone(), sequence: before.sequence, body: Some(body), labels, edits: None };
    let done = app.groups.run(&login.actor(), change).await;
    done.map_err(|refusal| failure_for(login, &refusal))?;
    // the SDKs read the edit from the reply
    let payload = json!({ "edit_msg": edited.json(&before) }).to_string();
    let meta = Meta {
        id: upward.body.edit_message_id,
        from: Some(app.names().user(login.user())),
        to: Some(app.names().group(&upward.group)),
        timestamp: Some(edited.edit_time.0),
        ns: Some(ns::NOTIFY),
        payload: Some(payload.into()),
        ..Meta::default()
    };
    Ok(Sent { metas: vec![meta], ..Sent::done(upward.body.edit_message_id) })
}
