//! Recalling messages through the server API. Source: REST documentation (recalling one message, recalling messages in
//! batches), and the paths of the vendor's Java server SDK.

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
use crate::refusals::{self, Failure, NotRecalled};

/// The only type of conversation that is served.
const GROUP: &str = "groupchat";

/// `POST /messages/msg_recall`: one message.
pub(crate) async fn one(call: &Call<'_>) -> Result<Reply, Failure> {
    only(call, &Fields::read(call.body)?).await
}

/// `POST /messages/recall`: today's name of the same; in its older form, several messages in `msgs`.
pub(crate) async fn one_or_many(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    match fields.get("msgs") {
        None => only(call, &fields).await,
        // one of the vendor's server SDKs sends a single message without a list
        Some(Value::Object(one)) => {
            let row = row(call, &Fields::of(one.clone(), call.body)).await?;
            Ok(Reply::data(&json!({ "msgs": [row] })))
        }
        Some(_) => Ok(Reply::data(&json!({ "msgs": rows(call, &fields).await? }))),
    }
}

/// `POST /messages/batch_recall`: several messages, each with an outcome of its own.
pub(crate) async fn many(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&rows(call, &Fields::read(call.body)?).await?))
}

async fn only(call: &Call<'_>, fields: &Fields<'_>) -> Result<Reply, Failure> {
    match recall(call, fields).await? {
        Outcome::Recalled(row) => Ok(Reply::data(&row)),
        Outcome::Not { why, .. } => Err(refusals::not_recalled(why)),
    }
}

async fn rows(call: &Call<'_>, fields: &Fields<'_>) -> Result<Vec<Value>, Failure> {
    let wanted = match fields.get("msgs") {
        Some(Value::Array(wanted)) if !wanted.is_empty() => wanted.clone(),
        _ => return Err(refusals::recall("param msgs can't be empty")),
    };
    if wanted.len() > limits::RECALLED {
        return Err(refusals::recall(format!("msgs size is more than max limit : {}", limits::RECALLED)));
    }
    let mut rows = Vec::with_capacity(wanted.len());
    for one in wanted {
        let Value::Object(one) = one else { return Err(refusals::recall("msgs must be a list of objects")) };
        rows.push(row(call, &Fields::of(one, call.body)).await?);
    }
    Ok(rows)
}

async fn row(call: &Call<'_>, fields: &Fields<'_>) -> Result<Value, Failure> {
    Ok(match recall(call, fields).await? {
        Outcome::Recalled(row) => row,
        Outcome::Not { message, why } => json!({ "msg_id": message, "recalled": why.words() }),
    })
}

/// What became of a message.
enum Outcome {
    /// As the vendor reports it.
    Recalled(Value),
    Not {
        message: String,
        why: NotRecalled,
    },
}

/// Recalls a message. `force` needs no effect: the app recalls messages of any age. Neither do those of one-to-one
/// messages.
async fn recall(call: &Call<'_>, fields: &Fields<'_>) -> Result<Outcome, Failure> {
    let required = |name: &'static str| {
        let text = fields.text(&[name])?.filter(|text| !text.is_empty());
        text.ok_or_else(|| refusals::recall(format!("param {name} can't be empty")))
    };
    let (id, to, kind) = (required("msg_id")?, required("to")?, required("chat_type")?);
    let from = fields.text(&["from"])?.filter(|from| !from.is_empty());
    fields.flag(&["force"])?;
    fields.flag(&["sync_device"])?;
    let not = |why| Ok(Outcome::Not { message: id.clone(), why });
    if kind != GROUP {
        return not(NotRecalled::NotFound);
    }
    let Ok(message) = MessageId::new(&id) else { return not(NotRecalled::NotFound) };
    let found = match call.try_ask(MessageById { message }).await {
        Ok(found) => found.0,
        Err(Refusal::MessageIdNotFound(_)) => return not(NotRecalled::NotFound),
        Err(refusal) => return Err(call.word(&refusal)),
    };
    if found.group.as_str() != to {
        return not(NotRecalled::OtherTarget);
    }
    let by = from.as_deref().and_then(|from| UserId::new(fold(from)).ok());
    let recall = RecallMessages { group: found.group.clone(), sequences: vec![found.sequence], reason: String::new() };
    let done = call.app.groups.run(&Actor::App { for_user: by }, recall).await;
    let done = match done {
        Ok(done) => done,
        Err(Refusal::GroupNotFound { .. }) => return not(NotRecalled::NotFound),
        Err(refusal) => return Err(call.word(&refusal)),
    };
    if done.outcomes.iter().any(|(_, outcome)| outcome.is_err()) {
        return not(NotRecalled::NotFound);
    }
    let from = from.map_or_else(|| ADMIN.to_owned(), |from| fold(&from));
    let row = json!({ "msg_id": id, "recalled": "yes", "chattype": GROUP, "from": from, "to": to });
    Ok(Outcome::Recalled(row))
}
