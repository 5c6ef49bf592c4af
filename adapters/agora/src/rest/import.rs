//! `POST /messages/chatgroups/import`: takes over one message from elsewhere. Source: REST documentation (message import),
//! and the paths of the vendor's Java server SDK, whose older form has the content in `msg`.

use conclave_core::model::{GroupId, Millis, Sender, UserId};
use conclave_core::operation::{ImportMessages, OldMessage};
use conclave_core::query::{Messages, Start};
use serde_json::{Map, Value, json};

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use crate::dialect::content::Content;
use crate::dialect::ids::fold;
use crate::dialect::message;
use crate::refusals::{self, Failure};

pub(crate) async fn import(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body).map_err(|_| refusals::message_body())?;
    let target = fields.text(&["target"])?.unwrap_or_default();
    let group = GroupId::new(&target).map_err(|_| refusals::group_unknown(call.place, &target))?;
    let from = fields.text(&["from"])?.map(|from| fold(&from)).filter(|from| !from.is_empty());
    let from = from.ok_or_else(|| refusals::illegal("from not allow empty"))?;
    let sender = match call.find_user(&from).await? {
        Some(user) => user.id.clone(),
        None => UserId::new(&from).map_err(|error| call.word(&error.into()))?,
    };
    let content = content(&fields)?;
    let ext = match fields.get("ext") {
        None => None,
        Some(Value::Object(ext)) => Some(ext.clone()),
        Some(_) => return Err(refusals::illegal("ext must be a JSON object")),
    };
    let at = fields.number(&["msg_timestamp"])?.filter(|at| *at != 0).map_or(call.app.now(), Millis);
    // imported messages never count as unread, and nothing is fetched from elsewhere
    fields.flag(&["is_ack_read"])?;
    fields.flag(&["need_download"])?;
    let (body, labels) = message::neutral(&content, ext.as_ref());
    let size = Value::from(content.body()).to_string().len() + ext.map_or(0, |ext| Value::from(ext).to_string().len());
    if size > call.app.settings.message_bytes {
        return Err(refusals::message_too_large());
    }
    let messages = vec![OldMessage { sender: Sender::User(sender), at, body, labels }];
    let imported = call.run(ImportMessages { group: group.clone(), messages }).await?;
    let number = match imported.outcomes.into_iter().next() {
        Some(Ok(number)) => number,
        Some(Err(refusal)) => return Err(call.word(&refusal)),
        None => 0,
    };
    let read = Messages { group, start: Start::Sequence(number), newest_first: false, limit: 1 };
    let found = call.ask(read).await?.messages;
    let id = found.first().map(|message| message.id.clone());
    Ok(Reply::data(&json!({ "msg_id": id })))
}

fn content(fields: &Fields<'_>) -> Result<Content, Failure> {
    let (kind, body) = match (fields.text(&["type"])?, fields.get("body"), fields.get("msg")) {
        (None, None, Some(Value::Object(msg))) => {
            let mut body = msg.clone();
            let kind = body.remove("type").and_then(|kind| kind.as_str().map(str::to_owned));
            (kind.unwrap_or_default(), body)
        }
        (kind, Some(Value::Object(body)), _) => (kind.unwrap_or_default(), body.clone()),
        (kind, _, _) => (kind.unwrap_or_default(), Map::new()),
    };
    if kind.is_empty() {
        return Err(refusals::illegal("type not allow empty"));
    }
    if body.is_empty() {
        return Err(refusals::illegal("message body not allow empty"));
    }
    Content::read(&kind, body).ok_or_else(|| refusals::illegal(format!("type {kind} is not supported")))
}
