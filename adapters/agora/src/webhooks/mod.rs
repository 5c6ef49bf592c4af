//! Notifications to the app's server, by three rules, each with its own destination:
//!
//! - [`operation`]: one `group_op_event` for each change of a group.
//! - [`muc`]: the same changes in the older format.
//! - [`message`]: a copy of each message.
//!
//! And the question before a user's message is delivered ([`asking`]).
//!
//! `security` is the MD5 of `callId`, the rule's secret and `timestamp`, concatenated. The receiver responds with 200
//! and at most 1000 characters.

mod asking;
mod message;
mod muc;
mod operation;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::model::Millis;
use conclave_core::ports::{Groups, Log};
use conclave_core::refusal::Refusal;
use conclave_kit::{Destination, Envelope, Notice, RetryPolicy, Secret, call_of, check_secret, group_of};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use md5::{Digest, Md5};
use uuid::Uuid;

use crate::dialect::events::{facts, is_of_group};
use crate::realm::Credentials;
use crate::settings::Settings;
pub use asking::guarded;

conclave_kit::settings! {
    /// Webhooks of one app.
    pub struct WebhookSettings {
        /// URL that receives changes of groups; none when not set.
        url: Option<String> = None;
        /// URL that receives changes of groups in the older format, with `chat_type` `muc`; none when not set.
        muc_url: Option<String> = None;
        /// URL that receives a copy of each group message; none when not set.
        message_url: Option<String> = None;
        /// URL that is asked before a user's message is delivered; none when not set.
        pre_url: Option<String> = None;
        /// How long a message waits for the answer, in milliseconds.
        pre_timeout_ms: u64 = 200;
        /// Whether a message is refused when there is no valid answer; otherwise it is delivered.
        pre_refuse: bool = false;
        /// The rules' secret, which signs all requests.
        secret: Secret = Secret::default();
        /// The operations that are sent to `url`, e.g. `JOIN`; all when empty.
        events: Vec<String> = Vec::new();
        /// Timeout of one attempt, in milliseconds.
        timeout_ms: u64 = 5000;
        /// How often an event is retried before it is dropped; -1 retries until it is accepted. The vendor retries
        /// once.
        retries: i64 = 1;
        /// Delay before the first retry, in milliseconds; each further delay is twice as long. With 0 the first retry is
        /// sent at once, and the second after 1 s.
        backoff_ms: u64 = 0;
        /// The longest delay between two attempts, in milliseconds.
        longest_backoff_ms: u64 = 60_000;
        /// Whether the URLs may resolve to addresses that are not public.
        allow_private: bool = false;
    }
}

/// Fewest characters of the rules' secret. The vendor's console generates one for each rule and documents no length;
/// its examples have 16 and more.
const RULE_SECRET: usize = 8;

impl WebhookSettings {
    /// Refuses rules without a strong secret: anyone who knows it can sign events in the app's name.
    ///
    /// # Errors
    /// Says what is wrong and what to do.
    pub fn check(&self) -> Result<(), String> {
        let urls = [&self.url, &self.muc_url, &self.message_url, &self.pre_url];
        if self.secret.is_empty() && urls.iter().all(|url| url.is_none()) {
            return Ok(());
        }
        check_secret("secret", self.secret.reveal(), RULE_SECRET)
    }
}

/// Longest response that counts as accepted, in characters.
const ANSWER: usize = 1000;
/// The name of the sending host.
const HOST: &str = "conclave";

/// The destinations of one app: three at most.
pub fn destinations(credentials: &Credentials, settings: &Settings, hooks: &WebhookSettings) -> Vec<Destination> {
    let WebhookSettings { timeout_ms, retries, backoff_ms, longest_backoff_ms, allow_private, .. } = *hooks;
    let retry_policy = RetryPolicy::from_settings(timeout_ms, retries, backoff_ms, longest_backoff_ms);
    let destination = |name, url: &Option<String>, rule| {
        let app = App::new(credentials, settings, hooks);
        let webhooks = Arc::new(Webhooks { app, events: hooks.events.clone(), rule });
        Some(Destination { name, url: url.clone()?, allow_private, retry_policy: retry_policy.clone(), webhooks })
    };
    let events = destination("events", &hooks.url, Rule::Events);
    let muc = destination("muc", &hooks.muc_url, Rule::Muc);
    let messages = destination("messages", &hooks.message_url, Rule::Messages);
    events.into_iter().chain(muc).chain(messages).collect()
}

/// Which events a webhook rule sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Events,
    Muc,
    Messages,
}

/// One rule of one app.
struct Webhooks {
    app: App,
    events: Vec<String>,
    rule: Rule,
}

/// The app of the groups.
struct App {
    /// Organisation and app, as in `acme#demo`.
    key: String,
    secret: Secret,
    settings: Settings,
}

impl App {
    fn new(credentials: &Credentials, settings: &Settings, hooks: &WebhookSettings) -> Self {
        let key = format!("{}#{}", credentials.org, credentials.app);
        Self { key, secret: hooks.secret.clone(), settings: settings.clone() }
    }

    /// The id of an event's n-th notification: the same in every attempt, also after a restart.
    fn id(&self, event: &Event, place: usize) -> Uuid {
        let seed = format!("{}:{}:{}:{place}", self.key, event.at.0, event.sequence);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes())
    }

    /// `callId`.
    fn call_id(&self, id: impl std::fmt::Display) -> String {
        format!("{}_{id}", self.key)
    }

    /// `security`: 32 lower-case hexadecimal digits.
    fn sign(&self, call_id: &str, at: Millis) -> String {
        hex::encode(Md5::digest(format!("{call_id}{}{}", self.secret.reveal(), at.0).as_bytes()))
    }
}

/// A notification with this body.
fn notice(name: &'static str, wire: &impl serde::Serialize) -> Option<Notice> {
    // texts and numbers only, so this cannot fail
    let body = serde_json::to_vec(wire).ok()?;
    Some(Notice { name, query: Vec::new(), body: Bytes::from(body) })
}

#[async_trait]
impl conclave_kit::Webhooks for Webhooks {
    async fn notices(&self, event: &Arc<Event>, groups: &dyn Groups, log: &dyn Log) -> Result<Vec<Notice>, Refusal> {
        let app = &self.app;
        if self.rule == Rule::Messages {
            return message::notices(event, app, groups).await;
        }
        if !is_of_group(event) {
            return Ok(Vec::new());
        }
        let Some(group) = group_of(event, groups, log).await? else { return Ok(Vec::new()) };
        let call = call_of(event, log).await?;
        let all = facts(call.iter().map(|event| &**event), &group, &app.settings);
        // a fact of several events is reported with the first of them
        let Some(fact) = all.iter().find(|fact| fact.event.sequence == event.sequence) else { return Ok(Vec::new()) };
        if self.rule == Rule::Muc {
            return Ok(muc::notices(fact, &group, app));
        }
        let operations = operation::operations(fact, &group, app, groups).await?.into_iter().enumerate();
        let is_on = |name: &str| self.events.is_empty() || self.events.iter().any(|event| event == name);
        let sent = operations.filter(|(_, operation)| is_on(operation.name));
        Ok(sent.filter_map(|(place, operation)| operation.notice(event, place, app)).collect())
    }

    fn envelope(&self, _: &Notice, _: Millis, _: u64) -> Envelope {
        let mut envelope = Envelope::default();
        let json = HeaderValue::from_static("application/json;charset=UTF-8");
        envelope.headers.insert(CONTENT_TYPE, json);
        envelope
    }

    fn is_accepted(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK && String::from_utf8_lossy(body).chars().count() <= ANSWER
    }
}
