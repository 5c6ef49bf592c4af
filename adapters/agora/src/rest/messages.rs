//! The app sends messages to groups, in any user's name. Neither sender nor group need to exist, and no mutes or blocks
//! are checked; an id is returned in any case.

use std::collections::BTreeMap;

use conclave_core::model::{GroupId, Sender, UserId};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::body::{Fields, NAME_BYTES};
use super::call::Call;
use super::envelope::Reply;
use crate::calls::send_message::{self, NotSent, Outgoing};
use crate::dialect::content::Content;
use crate::dialect::ids::fold;
use crate::dialect::message;
use crate::refusals::{self, Failure};

/// Fields that only this vendor's clients use, stored as labels.
const LABELS: [&str; 2] = ["roam_ignore_users", "sync_device"];
/// The sender asks for read receipts.
const RECEIPTS: &str = "need_group_ack";
/// Requests delivery to online users only.
const ONLINE: &str = "ROUTE_ONLINE";

/// The types that the server API sends.
const TYPES: [&str; 8] = ["txt", "img", "audio", "video", "file", "loc", "cmd", "custom"];

/// A message to one group or more.
struct MessageRequest {
    to: Vec<String>,
    message: Outgoing,
}

/// `POST /messages/chatgroups`.
pub(crate) async fn send(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call).await?;
    Ok(Reply::of_messages("/messages/chatgroups", &post(call, &request).await?))
}

/// `POST /messages/chatgroups/users`: to some members of one group. Neither counted as unread nor listed in
/// conversations.
pub(crate) async fn send_to_some(call: &Call<'_>) -> Result<Reply, Failure> {
    let request = read(call).await?;
    let fields = Fields::read(call.body)?;
    let names = fields.texts(&["users"])?.unwrap_or_default();
    if names.is_empty() {
        return Err(refusals::message("param users can't be empty"));
    }
    let most = call.app.settings.message_users;
    if names.len() > most {
        return Err(refusals::message(format!("params users's size can't exceed limit {most}")));
    }
    if request.to.len() > 1 {
        return Err(refusals::message("params to's size can't exceed limit 1"));
    }
    let found = call.find_users(&names).await?;
    let users: Vec<UserId> = found.iter().flatten().map(|user| user.id.clone()).collect();
    // users without an account receive nothing
    let sent = if users.is_empty() {
        unread_answer(&request)
    } else {
        post(call, &MessageRequest { message: Outgoing { users, ..request.message }, ..request }).await?
    };
    Ok(Reply::of_messages("/messages/chatgroups", &sent))
}

/// `POST /messages`: the older form; returns "success" for each group unless ids are requested.
pub(crate) async fn send_older(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    match fields.text(&["target_type"])?.as_deref() {
        Some("chatgroups") => {}
        Some(other) => return Err(refusals::illegal(format!("target_type {other} is not supported"))),
        None => return Err(refusals::illegal("target_type must be provided")),
    }
    let mut body = match fields.get("msg") {
        Some(Value::Object(msg)) => msg.clone(),
        _ => return Err(refusals::illegal("msg must be provided")),
    };
    let kind = body.remove("type").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let to = targets(&fields, "target")?;
    let request = request(call, &fields, to, (&kind, body)).await?;
    let mut sent = post(call, &request).await?;
    if !call.query.is_true("useMsgId") {
        for id in sent.values_mut() {
            "success".clone_into(id);
        }
    }
    Ok(Reply::of_messages("/messages", &sent))
}

async fn read(call: &Call<'_>) -> Result<MessageRequest, Failure> {
    let fields = Fields::read(call.body).map_err(|_| refusals::message_body())?;
    let body = match fields.get("body") {
        Some(Value::Object(body)) => body.clone(),
        _ => Map::new(),
    };
    let kind = fields.text(&["type"])?.unwrap_or_default();
    let to = targets(&fields, "to")?;
    request(call, &fields, to, (&kind, body)).await
}

/// Sender, `ext` and flags, which both forms have, with the content and the targets.
async fn request(
    call: &Call<'_>,
    fields: &Fields<'_>,
    to: Vec<String>,
    (kind, body): (&str, Map<String, Value>),
) -> Result<MessageRequest, Failure> {
    let from = match fields.text(&["from"])? {
        None => Sender::App,
        Some(name) if fold(&name).is_empty() => return Err(refusals::message("param from can't be empty")),
        Some(name) => match call.find_user(&name).await? {
            Some(user) => Sender::User(user.id.clone()),
            None if fold(&name) == message::ADMIN => Sender::App,
            None => Sender::User(UserId::new(fold(&name)).map_err(|error| call.word(&error.into()))?),
        },
    };
    let ext = match fields.get("ext") {
        None => None,
        Some(Value::Object(ext)) => Some(ext.clone()),
        Some(_) => return Err(refusals::message("param ext must be JSONObject")),
    };
    let kept = LABELS.iter().filter_map(|name| Some((format!("agora.{name}"), fields.get(name)?.to_string())));
    let labels = kept.collect();
    let stored = fields.text(&["routetype"])?.as_deref() != Some(ONLINE);
    let receipts = fields.get(RECEIPTS) == Some(&Value::Bool(true));
    check(call, &to)?;
    let content = content(kind, body)?;
    let message = Outgoing { from, content, ext, users: Vec::new(), labels, stored, receipts, client_id: None };
    message.check(call.app).map_err(failure_in(call))?;
    Ok(MessageRequest { to, message })
}

fn content(kind: &str, body: Map<String, Value>) -> Result<Content, Failure> {
    if kind.is_empty() {
        return Err(refusals::message("param type can't be empty"));
    }
    let known = TYPES.contains(&kind);
    if known && body.is_empty() {
        return Err(refusals::message("param body can't be empty"));
    }
    let content = if known { Content::read(kind, body) } else { None };
    content.ok_or_else(|| refusals::message(format!("param type {kind} is not supported")))
}

/// The server API's error for a message that was not sent.
fn failure_in<'c>(call: &'c Call<'_>) -> impl Fn(NotSent) -> Failure + 'c {
    |why| match why {
        NotSent::TooLarge => refusals::message_too_large(),
        NotSent::TooManyUsers { most } => refusals::message(format!("params users's size can't exceed limit {most}")),
        NotSent::Refused(refusal) => call.word(&refusal),
    }
}

/// The groups a message is for, without duplicates; a single one may be a text.
fn targets(fields: &Fields<'_>, name: &'static str) -> Result<Vec<String>, Failure> {
    match fields.get(name) {
        Some(Value::String(one)) if one.len() <= NAME_BYTES => Ok(vec![one.clone()]),
        _ => Ok(fields.texts(&[name])?.unwrap_or_default()),
    }
}

fn check(call: &Call<'_>, to: &[String]) -> Result<(), Failure> {
    if to.is_empty() {
        return Err(refusals::message("param to can't be empty"));
    }
    let most = call.app.settings.message_groups;
    if to.len() > most {
        return Err(refusals::message(format!("params to's size can't exceed limit {most}")));
    }
    Ok(())
}

/// The id of each group's message.
async fn post(call: &Call<'_>, request: &MessageRequest) -> Result<BTreeMap<String, String>, Failure> {
    if !call.app.may_send(request.to.len()) {
        return Err(refusals::message_rate());
    }
    let groups: Vec<GroupId> = request.to.iter().filter_map(|to| GroupId::new(to).ok()).collect();
    let posted = send_message::send(call.app, &call.actor, &groups, &request.message).await;
    // a group without recipients gets an id all the same
    let mut sent: BTreeMap<String, String> = unread_answer(request);
    for (group, posted) in groups.iter().zip(posted.map_err(failure_in(call))?) {
        if let Ok(posted) = posted {
            sent.insert(group.as_str().to_owned(), posted.message.id.as_str().to_owned());
        }
    }
    Ok(sent)
}

fn unread_answer(request: &MessageRequest) -> BTreeMap<String, String> {
    request.to.iter().map(|to| (to.clone(), fresh())).collect()
}

/// An id in the vendor's form that no message has.
fn fresh() -> String {
    (Uuid::new_v4().as_u64_pair().0 >> 4).to_string()
}
