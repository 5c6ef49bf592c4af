//! Notifications to the app's server: of hosted groups, members who joined, left or got a role, and changes of the
//! profile; of all groups, their messages; and which users came online or went offline.
//!
//! Each callback is a JSON array, with one element for events of groups; a message is a form. The query has `appKey`,
//! `timestamp`, `nonce` and a `signature` as for calls; the nonce is one that the server API refuses
//! ([`crate::auth::replay`]). The receiver responds with 200.

mod online;
mod operation;
mod profile;
mod route;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::model::{Group, Millis};
use conclave_core::ports::{Groups, Log};
use conclave_core::refusal::Refusal;
use conclave_kit::{ConnectionEvent, Destination, Envelope, Notice, RetryPolicy, call_of, group_of};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use crate::auth::replay::CallbackNonces;
use crate::auth::signature::sign;
use crate::dialect::events::{Fact, What, facts};
use crate::realm::Credentials;

conclave_kit::settings! {
    /// Webhooks of one app.
    pub struct WebhookSettings {
        /// URL that receives group operations; none when not set.
        url: Option<String> = None;
        /// URL that receives changed group profiles; none when not set.
        profile_url: Option<String> = None;
        /// URL that receives a copy of each group message, and recalls; none when not set.
        message_url: Option<String> = None;
        /// URL that receives users' online status; none when not set.
        online_url: Option<String> = None;
        /// The `eventType`s of group operations that are sent, 1 to 8; all when empty.
        events: Vec<u8> = Vec::new();
        /// Timeout of one attempt, in milliseconds.
        timeout_ms: u64 = 5000;
        /// How often a callback is retried before it is dropped; -1 retries until it is accepted. The vendor retries
        /// twice.
        retries: i64 = 2;
        /// Delay before the first retry, in milliseconds; each further delay is twice as long. With 0 the first retry is
        /// sent at once, and the second after 1 s.
        backoff_ms: u64 = 1000;
        /// The longest delay between two attempts, in milliseconds.
        longest_backoff_ms: u64 = 60_000;
        /// Whether the URLs may resolve to addresses that are not public.
        allow_private: bool = false;
    }
}

/// The destinations of one app: four at most.
pub fn destinations(credentials: &Credentials, hooks: &WebhookSettings) -> Vec<Destination> {
    let WebhookSettings { timeout_ms, retries, backoff_ms, longest_backoff_ms, allow_private, .. } = *hooks;
    let retry_policy = RetryPolicy::from_settings(timeout_ms, retries, backoff_ms, longest_backoff_ms);
    let destination = |name, url: &Option<String>, callback| {
        let nonces = CallbackNonces::new(credentials);
        let webhooks = Webhooks { credentials: credentials.clone(), nonces, events: hooks.events.clone(), callback };
        Some(Destination {
            name,
            url: url.clone()?,
            allow_private,
            retry_policy: retry_policy.clone(),
            webhooks: Arc::new(webhooks),
        })
    };
    let operations = destination("operations", &hooks.url, Callback::Operation);
    let profiles = destination("profiles", &hooks.profile_url, Callback::Profile);
    let messages = destination("messages", &hooks.message_url, Callback::Message);
    let online = destination("online", &hooks.online_url, Callback::Online);
    [operations, profiles, messages, online].into_iter().flatten().collect()
}

/// The kind of callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Callback {
    Operation,
    Profile,
    Message,
    Online,
}

/// One callback of one app.
struct Webhooks {
    credentials: Credentials,
    nonces: CallbackNonces,
    events: Vec<u8>,
    callback: Callback,
}

impl Webhooks {
    /// Whether this callback reports facts of this kind.
    fn is_of(&self, what: &What<'_>) -> bool {
        match what {
            What::Created { .. } | What::Dismissed { .. } | What::Operation(_) => self.callback == Callback::Operation,
            What::Profile(_) => self.callback == Callback::Profile,
            What::Sent(_) | What::Passed(_) | What::Recalled(_) => self.callback == Callback::Message,
            What::Member(_)
            | What::Application(_)
            | What::Remark(_)
            | What::Follows { .. }
            | What::Edited(_)
            | What::Extended(_)
            | What::Read { .. } => false,
        }
    }

    /// The array of one element, if this callback is for such facts.
    fn word(&self, fact: &Fact<'_>, group: &Group) -> Option<Notice> {
        let (name, body) = match self.callback {
            Callback::Operation => {
                let operation = operation::of(fact, group)?;
                if !self.events.is_empty() && !self.events.contains(&operation.event_type) {
                    return None;
                }
                ("group operation", serde_json::to_vec(&[operation]))
            }
            Callback::Profile => ("group profile", serde_json::to_vec(&[profile::of(fact, group)?])),
            Callback::Message | Callback::Online => return None,
        };
        // texts and numbers only, so this cannot fail
        Some(Notice { name, query: Vec::new(), body: Bytes::from(body.ok()?) })
    }
}

#[async_trait]
impl conclave_kit::Webhooks for Webhooks {
    async fn notices(&self, event: &Arc<Event>, groups: &dyn Groups, log: &dyn Log) -> Result<Vec<Notice>, Refusal> {
        if !facts([&**event]).iter().any(|fact| self.is_of(&fact.what)) {
            return Ok(Vec::new());
        }
        let call = call_of(event, log).await?;
        let all = facts(call.iter().map(|event| &**event));
        // a fact of several events is reported with the last of them
        let Some(fact) = all.iter().find(|fact| fact.event.sequence == event.sequence) else { return Ok(Vec::new()) };
        if self.callback == Callback::Message {
            return route::notices(fact, groups).await;
        }
        let Some(group) = group_of(event, groups, log).await?.filter(|group| group.governed) else {
            return Ok(Vec::new());
        };
        Ok(self.word(fact, &group).into_iter().collect())
    }

    fn follows_log(&self) -> bool {
        self.callback != Callback::Online
    }

    fn wants_connection_events(&self) -> bool {
        self.callback == Callback::Online
    }

    async fn connection_notices(
        &self,
        events: &[Arc<ConnectionEvent>],
        _: &dyn Groups,
    ) -> Result<Vec<Notice>, Refusal> {
        if !self.wants_connection_events() {
            return Ok(Vec::new());
        }
        let statuses: Vec<_> = events.iter().map(|event| online::of(event)).collect();
        // texts and numbers only, so this cannot fail
        let body = serde_json::to_vec(&statuses).unwrap_or_default();
        Ok(vec![Notice { name: "user online status", query: Vec::new(), body: Bytes::from(body) }])
    }

    fn envelope(&self, _: &Notice, now: Millis, chance: u64) -> Envelope {
        let timestamp = now.0.to_string();
        let nonce = self.nonces.make(&timestamp, chance);
        let signature = sign(&self.credentials.app_secret, &nonce, &timestamp);
        let query = vec![
            ("appKey", self.credentials.app_key.clone()),
            ("timestamp", timestamp),
            ("nonce", nonce),
            ("signature", signature),
        ];
        let content = HeaderValue::from_static(match self.callback {
            Callback::Operation | Callback::Profile | Callback::Online => "application/json",
            Callback::Message => "application/x-www-form-urlencoded",
        });
        Envelope { query, headers: [(CONTENT_TYPE, content)].into_iter().collect() }
    }

    fn is_accepted(&self, status: StatusCode, _: &[u8]) -> bool {
        status == StatusCode::OK
    }
}
