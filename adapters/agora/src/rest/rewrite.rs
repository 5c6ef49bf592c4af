//! `PUT /messages/rewrite/{message}`: changes a text or a custom message. Source: REST documentation (message
//! modification), and the paths of the vendor's Java server SDK.

use conclave_core::event::Actor;
use conclave_core::model::{Labels, Message, MessageId, MessageState, UserId};
use conclave_core::operation::ChangeMessage;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::MessageById;
use conclave_core::refusal::Refusal;
use serde_json::{Map, Value};

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use crate::dialect::content::Content;
use crate::dialect::ids::fold;
use crate::dialect::limits;
use crate::dialect::message::{self, ADMIN, EXT, Edited};
use crate::refusals::{self, Failure, Rewrite};

pub(crate) async fn rewrite(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    let content = content(&fields)?;
    let new_ext = match fields.get("new_ext") {
        None => None,
        Some(Value::Object(ext)) => Some(ext.clone()),
        Some(_) => return Err(refusals::illegal("new_ext must be a JSON object")),
    };
    let combines = fields.flag(&["is_combine_ext"])?.unwrap_or(true);
    let user = fields.text(&["user"])?.filter(|user| !user.is_empty()).map(|user| fold(&user));

    let before = find(call).await?;
    if !matches!(message::content(&before).kind(), "txt" | "custom") {
        return Err(refusals::rewrite(Rewrite::Unsupported));
    }
    let count = Edited::kept(&before).map_or(1, |edited| edited.count.saturating_add(1));
    if count > limits::EDITS {
        return Err(refusals::rewrite(Rewrite::TooOften));
    }
    if Value::from(content.body()).to_string().len() > call.app.settings.message_bytes {
        return Err(refusals::message_too_large());
    }
    let (body, mut labels) = message::neutral(&content, None);
    let mut removed = None;
    if let Some(new_ext) = new_ext {
        let ext = merged(&before, new_ext, combines);
        message::set_ext(&mut labels, &ext);
        removed = ext.is_empty().then(|| (EXT.to_owned(), None));
    }
    let operator = user.clone().unwrap_or_else(|| ADMIN.to_owned());
    let edited = Edited { count, operator, edit_time: call.app.now() };
    let labels: Labels = labels.into_iter().chain([edited.label()]).collect();
    let labels = labels.into_iter().map(|(label, value)| (label, Some(value))).chain(removed).collect();
    let change =
        ChangeMessage { group: before.group.clone(), sequence: before.sequence, body: Some(body), labels, edits: None };
    let for_user = user.and_then(|user| UserId::new(user).ok());
    let done = call.app.groups.run(&Actor::App { for_user }, change).await;
    done.map_err(|refusal| match refusal {
        Refusal::MessageNotFound { .. } | Refusal::GroupNotFound { .. } => refusals::rewrite(Rewrite::Unavailable),
        other => call.word(&other),
    })?;
    Ok(Reply::data("success"))
}

/// The new content: `txt` with `msg`, or `custom` with `customEvent` and `customExts`.
fn content(fields: &Fields<'_>) -> Result<Content, Failure> {
    let Some(Value::Object(new)) = fields.get("new_msg") else {
        return Err(refusals::illegal("new_msg must be provided"));
    };
    let mut body = new.clone();
    let kind = body.remove("type").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    match kind.as_str() {
        "txt" if !body.get("msg").is_some_and(Value::is_string) => Err(refusals::illegal("msg must be provided")),
        "txt" | "custom" => Content::read(&kind, body).ok_or_else(|| refusals::rewrite(Rewrite::Unsupported)),
        _ => Err(refusals::rewrite(Rewrite::Unsupported)),
    }
}

async fn find(call: &Call<'_>) -> Result<std::sync::Arc<Message>, Failure> {
    let id = call.param("message");
    if id.parse::<u64>().is_err() {
        return Err(refusals::rewrite(Rewrite::NotANumber));
    }
    let message = MessageId::new(id).map_err(|_| refusals::rewrite(Rewrite::NotANumber))?;
    match call.try_ask(MessageById { message }).await {
        Ok(found) if found.0.state == MessageState::Kept => Ok(found.0),
        Ok(_) | Err(Refusal::MessageIdNotFound(_)) => Err(refusals::rewrite(Rewrite::Unavailable)),
        Err(refusal) => Err(call.word(&refusal)),
    }
}

/// The `ext` afterwards.
fn merged(before: &Message, new: Map<String, Value>, combines: bool) -> Map<String, Value> {
    match message::ext(before) {
        Value::Object(mut ext) if combines => {
            ext.extend(new);
            ext
        }
        _ => new,
    }
}
