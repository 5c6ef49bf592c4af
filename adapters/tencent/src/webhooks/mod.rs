//! Callbacks to the app's server, after an operation and before it.
//!
//! The query names the app and the command; with authentication switched on it has `Sign`, the SHA-256 of the token and
//! `RequestTime`, concatenated. Keys of bodies are in alphabetical order. The receiver responds with 200; its body
//! matters only for questions.

pub(crate) mod after;
mod asking;
pub(crate) mod before;
mod state;
#[cfg(test)]
mod tests;
pub(crate) mod topics;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::{Actor, Event};
use conclave_core::model::{Group, Millis, UserId};
use conclave_core::ports::{Groups, Log};
use conclave_core::refusal::Refusal;
use conclave_kit::{
    Connection, ConnectionEvent, Destination, Envelope, Notice, RetryPolicy, Secret, call_of, check_secret, group_of,
};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::dialect::events::{What, facts};
use crate::realm::Credentials;
use crate::settings::Settings;
use after::Callback;
pub use asking::guarded;
pub(crate) use asking::{as_sent, changed, forbids_question, of_message, of_new, of_new_topic};
pub(crate) use before::{Asked, Questions};

conclave_kit::settings! {
    /// Callbacks of one app.
    pub struct WebhookSettings {
        /// URL that receives callbacks and questions; none when not set.
        url: Option<String> = None;
        /// The token callbacks are signed with; they are not signed when it is empty.
        token: Secret = Secret::default();
        /// The callbacks that are switched on, e.g. `Group.CallbackBeforeSendMsg`; when empty, all callbacks after an
        /// operation, but no questions and no online states.
        commands: Vec<String> = Vec::new();
        /// How long an operation waits for the answer to a callback before it, in milliseconds.
        before_timeout_ms: u64 = 2000;
        /// Whether an operation is refused when a callback before it gets no valid answer; otherwise it proceeds.
        before_refuse: bool = false;
        /// Timeout of one attempt of a callback after an operation, in milliseconds.
        timeout_ms: u64 = 2000;
        /// How often a callback after an operation is retried before it is dropped; -1 retries until it is accepted.
        retries: i64 = 3;
        /// Delay before the first retry, in milliseconds; each further delay is twice as long. With 0 the first retry is
        /// sent at once, and the second after 1 s.
        backoff_ms: u64 = 1000;
        /// The longest delay between two attempts, in milliseconds.
        longest_backoff_ms: u64 = 60_000;
        /// Whether the URL may resolve to an address that is not public.
        allow_private: bool = false;
    }
}

/// Fewest characters of the token. In the vendor's console it is chosen freely; the number is ours.
const TOKEN: usize = 8;

impl WebhookSettings {
    /// Refuses callbacks that do not exist, and a token that is too weak.
    ///
    /// # Errors
    /// Says which one, and what to do.
    pub fn check(&self) -> Result<(), String> {
        if !self.token.is_empty() {
            check_secret("token", self.token.reveal(), TOKEN)?;
        }
        let all = [&AFTER[..], &BEFORE, &[state::COMMAND]].concat();
        let known = |command: &&String| all.iter().any(|known| known == command);
        match self.commands.iter().find(|command| !known(command)) {
            None => Ok(()),
            Some(command) => Err(format!("commands: {command:?} is none of {}; correct it", all.join(", "))),
        }
    }

    /// Whether a callback is switched on.
    fn has(&self, command: &str) -> bool {
        let command = topics::switch(command);
        if self.commands.is_empty() { AFTER.contains(&command) } else { self.commands.iter().any(|on| on == command) }
    }
}

/// The callbacks after an operation.
pub(crate) const AFTER: [&str; 13] = [
    after::CREATE,
    after::JOIN,
    after::EXIT,
    after::SEND,
    after::FULL,
    after::DESTROYED,
    after::INFO,
    after::MEMBER,
    after::OWNER,
    after::ATTRIBUTES,
    after::RECALL,
    after::READ,
    after::EXCEPTION,
];

/// The callbacks before an operation.
pub(crate) const BEFORE: [&str; 4] = [before::CREATE, before::APPLY, before::INVITE, before::SEND];

/// The client's address in callbacks, which the log does not store.
const CLIENT_IP: &str = "0.0.0.0";
/// The operator when none is known and the app has no admin.
const ADMIN: &str = "administrator";

/// The destinations of one app: one, or none.
pub fn destinations(credentials: &Credentials, settings: &Settings, hooks: &WebhookSettings) -> Vec<Destination> {
    let Some(url) = hooks.url.clone() else { return Vec::new() };
    let webhooks = Arc::new(Webhooks {
        app: App { sdkappid: credentials.sdkappid, admin: admin(credentials).to_owned(), settings: settings.clone() },
        hooks: hooks.clone(),
    });
    let WebhookSettings { timeout_ms, retries, backoff_ms, longest_backoff_ms, allow_private, .. } = *hooks;
    let retry_policy = RetryPolicy::from_settings(timeout_ms, retries, backoff_ms, longest_backoff_ms);
    vec![Destination { name: "callbacks", url, allow_private, retry_policy, webhooks }]
}

/// The account that acts for the app.
pub(crate) fn admin(credentials: &Credentials) -> &str {
    credentials.admins.first().map_or(ADMIN, String::as_str)
}

/// The app of the groups.
struct App {
    sdkappid: u32,
    admin: String,
    settings: Settings,
}

impl App {
    /// `Operator_Account`: the user, or the account that acts for the app.
    fn operator<'e>(&'e self, actor: &'e Actor) -> &'e str {
        actor.behind().map_or(&*self.admin, UserId::as_str)
    }
}

/// One app's callbacks after an operation.
struct Webhooks {
    app: App,
    hooks: WebhookSettings,
}

impl Webhooks {
    fn word(&self, event: &Event, place: usize, callback: Callback) -> Option<Notice> {
        let platform = match event.actor {
            Actor::User { .. } => "Unknown",
            Actor::App { .. } | Actor::System => "RESTAPI",
        };
        let mut query = query(self.app.sdkappid, callback.command, platform);
        // an event has the same id in every attempt, also after a restart
        query.push(("RequestID", self.id(&format!("{}:{}:{place}", event.at.0, event.sequence))));
        Self::into_notice(callback, event.at, query)
    }

    fn id(&self, seed: &str) -> String {
        let seed = format!("{}:{seed}", self.app.sdkappid);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes()).to_string()
    }

    fn into_notice(callback: Callback, at: Millis, query: Vec<(&'static str, String)>) -> Option<Notice> {
        let Callback { command, mut body } = callback;
        body.insert("CallbackCommand".to_owned(), Value::from(command));
        if !topics::is_of_topic(command) {
            body.insert("EventTime".to_owned(), Value::from(at.0));
        }
        // texts and numbers only, so this cannot fail
        let body = serde_json::to_vec(&body).ok()?;
        Some(Notice { name: command, query, body: Bytes::from(body) })
    }
}

#[async_trait]
impl conclave_kit::Webhooks for Webhooks {
    async fn notices(&self, event: &Arc<Event>, groups: &dyn Groups, log: &dyn Log) -> Result<Vec<Notice>, Refusal> {
        let call = call_of(event, log).await?;
        let all = facts(call.iter().map(|event| &**event));
        // a fact of several events is reported with the first of them
        let Some(fact) = all.iter().find(|fact| fact.event.sequence == event.sequence) else { return Ok(Vec::new()) };
        let state = self.wants_connection_events() && state::is_of_presence(&fact.what);
        // readers are counted only for apps that receive receipts
        let unread_answer = matches!(fact.what, What::Receipts { .. }) && !self.hooks.has(after::READ);
        let done = after::has_callback(&fact.what) && !unread_answer;
        if !state && !done {
            return Ok(Vec::new());
        }
        let Some(group) = group_of(event, groups, log).await? else { return Ok(Vec::new()) };
        let mut callbacks = Vec::new();
        if done {
            callbacks = after::callbacks(fact, &group, &self.app, groups).await?;
        }
        callbacks.extend(state::of_fact(fact, &group).filter(|_| state));
        let enabled = callbacks.into_iter().enumerate().filter(|(_, callback)| self.hooks.has(callback.command));
        Ok(enabled.filter_map(|(place, callback)| self.word(event, place, callback)).collect())
    }

    fn wants_connection_events(&self) -> bool {
        self.hooks.has(state::COMMAND)
    }

    async fn connection_notices(
        &self,
        events: &[Arc<ConnectionEvent>],
        groups: &dyn Groups,
    ) -> Result<Vec<Notice>, Refusal> {
        let mut notices = Vec::new();
        if !self.wants_connection_events() {
            return Ok(notices);
        }
        for event in events {
            let Connection { id, platform, address, .. } = &*event.connection;
            for callback in state::of_connection(event, groups).await? {
                let mut query = query(self.app.sdkappid, callback.command, state::platform(*platform));
                if let (Some(address), Some(ip)) = (address, query.iter_mut().find(|(key, _)| *key == "ClientIP")) {
                    ip.1 = address.ip().to_string();
                }
                query.push(("RequestID", self.id(&format!("{id}:{}:{}", event.at.0, callback.body["GroupId"]))));
                notices.extend(Self::into_notice(callback, event.at, query));
            }
        }
        Ok(notices)
    }

    fn envelope(&self, _: &Notice, now: Millis, _: u64) -> Envelope {
        let json = HeaderValue::from_static("application/json");
        Envelope { query: signature(&self.hooks.token, now), headers: [(CONTENT_TYPE, json)].into_iter().collect() }
    }

    fn is_accepted(&self, status: StatusCode, _: &[u8]) -> bool {
        status == StatusCode::OK
    }
}

/// The query of every callback.
fn query(sdkappid: u32, command: &str, platform: &str) -> Vec<(&'static str, String)> {
    vec![
        ("SdkAppid", sdkappid.to_string()),
        ("CallbackCommand", command.to_owned()),
        ("contenttype", "json".to_owned()),
        ("ClientIP", CLIENT_IP.to_owned()),
        ("OptPlatform", platform.to_owned()),
    ]
}

/// `Sign` and `RequestTime`, when authentication is switched on.
fn signature(token: &Secret, now: Millis) -> Vec<(&'static str, String)> {
    if token.is_empty() {
        return Vec::new();
    }
    let time = now.seconds().to_string();
    let sign = hex::encode(Sha256::digest(format!("{}{time}", token.reveal()).as_bytes()));
    vec![("Sign", sign), ("RequestTime", time)]
}

/// A list of accounts in callbacks.
pub(crate) fn accounts<'u>(users: impl IntoIterator<Item = &'u UserId>) -> Value {
    let account =
        |user: &UserId| Value::from(Map::from_iter([("Member_Account".to_owned(), Value::from(user.as_str()))]));
    users.into_iter().map(account).collect()
}

/// A body with the group and its type.
pub(crate) fn of_group(group: &Group) -> Map<String, Value> {
    let kind = crate::dialect::kind::Kind::of(group).word();
    Map::from_iter([("GroupId".to_owned(), Value::from(group.id.as_str())), ("Type".to_owned(), Value::from(kind))])
}
