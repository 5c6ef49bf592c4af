//! What the app's server is told: one `group_op_event` for each change of a group.
//!
//! `security` is the MD5 of `callId`, the rule's secret and `timestamp`, written one after the other. The receiver
//! answers 200 with at most 1000 characters.

mod operation;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::model::Millis;
use conclave_core::ports::Groups;
use conclave_core::refusal::Refusal;
use conclave_kit::{Destination, Envelope, Notice, Patience, Secret, group_of};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use md5::{Digest, Md5};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::dialect::ids::shown;
use crate::realm::Credentials;
use crate::settings::Settings;
use operation::{App, Operation, operations};

conclave_kit::settings! {
    /// Where one app's events go.
    pub struct WebhookSettings {
        /// Whom to tell; nobody when not given.
        url: Option<String> = None;
        /// The rule's secret, which signs every event.
        secret: Secret = Secret::default();
        /// The operations that are told, e.g. `JOIN`; all when empty.
        events: Vec<String> = Vec::new();
        /// How long one try may take, in milliseconds.
        timeout_ms: u64 = 5000;
        /// How often an event is tried again before it is dropped; -1 is until it is taken. The vendor's own is once.
        retries: i64 = 1;
        /// How long to wait before the first new try, in milliseconds; each further wait is twice as long.
        backoff_ms: u64 = 0;
        /// The longest wait between two tries, in milliseconds.
        longest_backoff_ms: u64 = 60_000;
        /// Whether the URL may lead to an address that is not public.
        allow_private: bool = false;
    }
}

/// Who did it, when no user did.
const ADMIN: &str = "@ppAdmin";
/// Longest answer that counts, in characters.
const ANSWER: usize = 1000;

/// The destinations of one app: one, or none.
pub fn destinations(credentials: &Credentials, settings: &Settings, hooks: &WebhookSettings) -> Vec<Destination> {
    let Some(url) = hooks.url.clone() else { return Vec::new() };
    let webhooks = Arc::new(Webhooks {
        appkey: format!("{}#{}", credentials.org, credentials.app),
        secret: hooks.secret.clone(),
        events: hooks.events.clone(),
        settings: settings.clone(),
    });
    let WebhookSettings { timeout_ms, retries, backoff_ms, longest_backoff_ms, allow_private, .. } = *hooks;
    let patience = Patience::spelled(timeout_ms, retries, backoff_ms, longest_backoff_ms);
    vec![Destination { name: "events", url, allow_private, patience, webhooks }]
}

/// One app's rule.
struct Webhooks {
    appkey: String,
    secret: Secret,
    events: Vec<String>,
    settings: Settings,
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    security: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Value>,
    appkey: &'a str,
    id: &'a str,
    r#type: &'static str,
    event: &'static str,
    operation: &'static str,
    operator: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<u32>,
    timestamp: Millis,
}

impl Webhooks {
    fn word(&self, event: &Event, place: usize, operation: &Operation) -> Option<Notice> {
        let group = event.group.as_ref()?;
        if !self.events.is_empty() && !self.events.iter().any(|told| told == operation.name) {
            return None;
        }
        // the same event has the same id in every try, also after a restart
        let seed = format!("{}:{}:{}:{place}", self.appkey, event.at.0, event.sequence);
        let call_id = format!("{}_{}", self.appkey, Uuid::new_v5(&Uuid::NAMESPACE_OID, seed.as_bytes()));
        let operator = operation.operator.as_ref().or_else(|| event.actor.behind()).map(shown);
        let wire = Wire {
            security: sign(&call_id, self.secret.reveal(), event.at),
            call_id: &call_id,
            payload: operation.payload.as_ref(),
            appkey: &self.appkey,
            id: group.as_str(),
            r#type: "GROUP",
            event: "group_op_event",
            operation: operation.name,
            operator: operator.as_deref().unwrap_or(ADMIN),
            member_count: operation.member_count,
            timestamp: event.at,
        };
        // texts and numbers only: this cannot fail
        let body = serde_json::to_vec(&wire).ok()?;
        Some(Notice { name: operation.name, query: Vec::new(), body: Bytes::from(body) })
    }
}

#[async_trait]
impl conclave_kit::Webhooks for Webhooks {
    async fn notices(&self, event: &Event, groups: &dyn Groups) -> Result<Vec<Notice>, Refusal> {
        if !operation::is_told(&event.what) {
            return Ok(Vec::new());
        }
        let Some(group) = group_of(event, groups).await? else { return Ok(Vec::new()) };
        let app = App { key: &self.appkey, settings: &self.settings };
        let operations = operations(event, &group, &app, groups).await?;
        let notices = operations.iter().enumerate().filter_map(|(place, operation)| self.word(event, place, operation));
        Ok(notices.collect())
    }

    fn envelope(&self, _: &Notice, _: Millis, _: u64) -> Envelope {
        let mut envelope = Envelope::default();
        let json = HeaderValue::from_static("application/json;charset=UTF-8");
        envelope.headers.insert(CONTENT_TYPE, json);
        envelope
    }

    fn is_taken(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK && String::from_utf8_lossy(body).chars().count() <= ANSWER
    }
}

/// `security`: 32 lower-case hexadecimal digits.
fn sign(call_id: &str, secret: &str, at: Millis) -> String {
    hex::encode(Md5::digest(format!("{call_id}{secret}{}", at.0).as_bytes()))
}
