//! Asks the app's server before a user's message is delivered, whichever vendor's client it was sent through.
//!
//! A layer around the groups that all surfaces call. The message keeps the id under which it was asked about.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_core::model::{Group, GroupId, Message, MessageId, Millis, Sent, UserId};
use conclave_core::operation::{Operation, Reply, SendMessage, Steps};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::{Answer, MembersNamed, Query};
use conclave_core::refusal::Refusal;
use conclave_kit::{Post, PostError, Prepared, Question, perform_steps};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{App, WebhookSettings};
use crate::dialect::content::Content;
use crate::dialect::message;
use crate::realm::Credentials;
use crate::settings::Settings;

/// Wraps the groups so that the app's server is asked before users send messages, if it is configured.
pub fn guarded(
    groups: Arc<dyn Groups>,
    (credentials, settings): (&Credentials, &Settings),
    hooks: &WebhookSettings,
    post: &Arc<dyn Post>,
) -> Arc<dyn Groups> {
    let Some(url) = hooks.pre_url.clone() else { return groups };
    let app = App::new(credentials, settings, hooks);
    Arc::new(Guarded { groups, app, url, hooks: hooks.clone(), post: Arc::clone(post) })
}

struct Guarded {
    groups: Arc<dyn Groups>,
    app: App,
    url: String,
    hooks: WebhookSettings,
    post: Arc<dyn Post>,
}

#[derive(Serialize)]
struct QuestionBody<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    timestamp: Millis,
    chat_type: &'static str,
    group_id: &'a GroupId,
    from: Cow<'a, str>,
    to: &'a GroupId,
    msg_id: &'a MessageId,
    payload: Value,
    #[serde(rename = "securityVersion")]
    security_version: &'static str,
    security: String,
}

/// The app server's answer.
#[derive(Deserialize)]
struct Said {
    valid: bool,
    /// The reason for the sender.
    #[serde(default)]
    code: Value,
    /// The replacement; `bodies` and `ext`, each optional.
    #[serde(default)]
    payload: Value,
}

#[async_trait]
impl Groups for Guarded {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        let Actor::User { user, .. } = actor else { return self.groups.perform(actor, operation).await };
        let Operation::Together(together) = operation else {
            return self.groups.perform(actor, self.asked(user, operation).await?).await;
        };
        let mut prepared = Vec::with_capacity(together.steps.len());
        for step in together.steps {
            prepared.push(self.asked(user, step).await.map(Prepared::Perform));
        }
        let replies = perform_steps(&*self.groups, actor, together.on_refusal, prepared).await?;
        Ok(Steps(replies).into())
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        self.groups.read(actor, query).await
    }

    fn now(&self) -> Millis {
        self.groups.now()
    }
}

impl Guarded {
    /// The operation as changed by the app's server.
    async fn asked(&self, user: &UserId, operation: Operation) -> Result<Operation, Refusal> {
        match operation {
            Operation::SendMessage(send) => Ok(self.send(user, *send).await?.into()),
            other => Ok(other),
        }
    }

    /// The message as changed by the app's server.
    async fn send(&self, user: &UserId, mut send: SendMessage) -> Result<SendMessage, Refusal> {
        // users who are not members are refused anyway
        let Some(group) = self.place(&send.group, user).await? else { return Ok(send) };
        let id = MessageId::new((Uuid::new_v4().as_u64_pair().0 >> 4).to_string())?;
        send.id = Some(id.clone());
        let sent = Sent { id, sequence: group.next_message, at: self.groups.now(), next: None };
        let said = match self.ask(&send.as_sent(&sent)).await {
            Ok(said) => said,
            Err(why) => return self.unusable(&why).map(|()| send),
        };
        if !said.valid {
            let words = said.code.as_str().map_or_else(|| spelled(&said.code), str::to_owned);
            return Err(Refusal::Vetoed { code: None, words });
        }
        self.change(send, said.payload)
    }

    /// The group, if the user may send messages in it; `None` where the group refuses them anyway.
    async fn place(&self, id: &GroupId, user: &UserId) -> Result<Option<Arc<Group>>, Refusal> {
        let named = MembersNamed { group: id.clone(), users: vec![user.clone()] };
        let found = match self.groups.ask(&Actor::app(), named).await {
            Ok(found) => found,
            // the group could not be read: continuing would bypass the app's server
            Err(refusal @ Refusal::Unavailable(_)) => return Err(refusal),
            Err(_) => return Ok(None),
        };
        let is_open = !found.group.disabled && found.members.iter().any(Option::is_some);
        Ok(is_open.then_some(found.group))
    }

    async fn ask(&self, message: &Message) -> Result<Said, String> {
        let call_id = self.app.call_id(Uuid::new_v4());
        let wire = QuestionBody {
            security: self.app.sign(&call_id, message.at),
            call_id: &call_id,
            timestamp: message.at,
            chat_type: "groupchat",
            group_id: &message.group,
            from: message::sender(message),
            to: &message.group,
            msg_id: &message.id,
            payload: json!({ "ext": message::ext(message), "bodies": [message::body(message)] }),
            security_version: "1.0.0",
        };
        let body = serde_json::to_vec(&wire).map_err(|error| error.to_string())?;
        let question = Question {
            url: self.url.clone(),
            query: Vec::new(),
            body: Bytes::from(body),
            timeout: Duration::from_millis(self.hooks.pre_timeout_ms),
            allow_private: self.hooks.allow_private,
        };
        match self.post.post(question).await {
            Ok((StatusCode::OK, answer)) => serde_json::from_slice(&answer).map_err(|error| error.to_string()),
            Ok((status, _)) => Err(format!("it was answered {status}")),
            Err(error @ PostError::Private(_)) => Err(format!("{error} in the webhooks of the realm")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// There was no valid answer.
    fn unusable(&self, why: &str) -> Result<(), Refusal> {
        let refused = self.hooks.pre_refuse;
        tracing::warn!(appkey = self.app.key, why, refused, "pre_url gave no valid answer about a message");
        if refused { Err(Refusal::Vetoed { code: None, words: String::new() }) } else { Ok(()) }
    }

    /// The message with the replacements of the app's server. An invalid one changes nothing, and refuses the message
    /// if the app is configured so.
    fn change(&self, mut send: SendMessage, payload: Value) -> Result<SendMessage, Refusal> {
        let mut payload = match payload {
            Value::Null => return Ok(send),
            Value::Object(payload) => payload,
            _ => return self.unusable("payload is no object").map(|()| send),
        };
        match payload.remove("bodies") {
            None | Some(Value::Null) => {}
            Some(bodies) => match first_body(bodies) {
                Some(content) => {
                    let (body, labels) = message::neutral(&content, None);
                    send.body = body;
                    // labels that repeat the old body in another vendor's format would contradict the new one
                    send.labels.retain(|label, _| !Message::repeats_body(label));
                    send.labels.extend(labels);
                }
                None => self.unusable("payload.bodies has no body of a known type")?,
            },
        }
        match payload.remove("ext") {
            None | Some(Value::Null) => {}
            Some(Value::Object(ext)) => message::set_ext(&mut send.labels, &ext),
            Some(_) => self.unusable("payload.ext is no object")?,
        }
        Ok(send)
    }
}

/// The first body; `None` if it is not of a known type.
fn first_body(bodies: Value) -> Option<Content> {
    let Value::Array(bodies) = bodies else { return None };
    let Some(Value::Object(mut body)) = bodies.into_iter().next() else { return None };
    let Some(Value::String(kind)) = body.remove("type") else { return None };
    Content::read(&kind, body)
}

/// A code that is not a text, as a text; "" if missing.
fn spelled(code: &Value) -> String {
    if code.is_null() { String::new() } else { code.to_string() }
}
