//! Recalling messages through the server API. Source: REST documentation (message recall), and the paths of the vendor's
//! Java server SDK.

use conclave_core::event::Actor;
use conclave_core::model::{MessageId, UserId};
use conclave_core::operation::RecallMessages;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::MessageById;
use conclave_core::refusal::Refusal;
use serde_json::{Value, json};

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::fold;
use crate::dialect::limits;
use crate::dialect::message::ADMIN;
use crate::refusals::{self, Failure};

/// The only type of conversation that is served.
const GROUP: &str = "groupchat";

/// `POST /messages/msg_recall`: one message.
pub(crate) async fn one(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    let row = recall(call, &fields).await?;
    let is_recalled = row["recalled"] == "yes";
    Ok(if is_recalled { Reply::data(&row) } else { Reply::data(&json!({ "msgs": [row] })) })
}

/// `POST /messages/recall`: several messages, each with an outcome of its own.
pub(crate) async fn many(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    let wanted = match fields.get("msgs") {
        Some(Value::Array(wanted)) if !wanted.is_empty() => wanted.clone(),
        _ => return Err(refusals::illegal("msgs must be provided")),
    };
    if wanted.len() > limits::RECALLED {
        return Err(refusals::illegal(format!("msgs size is more than max limit : {}", limits::RECALLED)));
    }
    let mut rows = Vec::with_capacity(wanted.len());
    for one in wanted {
        let Value::Object(one) = one else { return Err(refusals::illegal("msgs must be a list of objects")) };
        rows.push(recall(call, &Fields::of(one, call.body)).await?);
    }
    Ok(Reply::data(&json!({ "msgs": rows })))
}

/// What became of a message, in the vendor's words. `force` needs no effect: the app recalls messages of any age.
async fn recall(call: &Call<'_>, fields: &Fields<'_>) -> Result<Value, Failure> {
    let required = |name: &'static str| {
        let text = fields.text(&[name])?.filter(|text| !text.is_empty());
        text.ok_or_else(|| refusals::illegal(format!("{name} must be provided")))
    };
    let (id, to, kind) = (required("msg_id")?, required("to")?, required("chat_type")?);
    let from = fields.text(&["from"])?.filter(|from| !from.is_empty());
    fields.flag(&["force"])?;
    let not_recalled = |why: &str| json!({ "msg_id": id, "recalled": why });
    if kind != GROUP {
        return Ok(not_recalled("not_found msg"));
    }
    let Ok(message) = MessageId::new(&id) else { return Ok(not_recalled("not_found msg")) };
    let found = match call.try_ask(MessageById { message }).await {
        Ok(found) => found.0,
        Err(Refusal::MessageIdNotFound(_)) => return Ok(not_recalled("not_found msg")),
        Err(refusal) => return Err(call.word(&refusal)),
    };
    if found.group.as_str() != to {
        return Ok(not_recalled("can't find msg to"));
    }
    let by = from.as_deref().and_then(|from| UserId::new(fold(from)).ok());
    let recall = RecallMessages { group: found.group.clone(), sequences: vec![found.sequence], reason: String::new() };
    let done = call.app.groups.run(&Actor::App { for_user: by }, recall).await;
    let done = match done {
        Ok(done) => done,
        Err(Refusal::GroupNotFound { .. }) => return Ok(not_recalled("not_found msg")),
        Err(refusal) => return Err(call.word(&refusal)),
    };
    if done.outcomes.iter().any(|(_, outcome)| outcome.is_err()) {
        return Ok(not_recalled("not_found msg"));
    }
    let from = from.map_or_else(|| ADMIN.to_owned(), |from| fold(&from));
    Ok(json!({ "msg_id": id, "recalled": "yes", "chattype": GROUP, "from": from, "to": to }))
}
