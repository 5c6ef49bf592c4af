//! The events of a realm, read and waited for.

use std::time::Duration;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::timeout;

use super::api::{Call, Endpoint, Json, Optional};
use super::error::ControlError;
use super::groups::refused;

/// Most events of an answer.
const PAGE: usize = 500;
/// How long a wait may take.
const LONGEST: Duration = Duration::from_mins(1);

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(
        (Method::POST, "/v1/realms/{realm}/events"),
        "read_events",
        "Read the events of a realm after a number, and wait for the first one if there are none.",
        read,
    )]
}

/// Which events.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadEvents {
    /// After this number; the newest 500 when not given.
    after: Option<u64>,
    /// How long to wait when there are none; 0 when not given, 60,000 at most.
    timeout_ms: Option<u64>,
}

/// Events of a realm.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Events")]
struct EventsView {
    /// In their order; 500 at most.
    events: Vec<EventView>,
    /// The number of the last event that was looked at: where a next read begins.
    last: u64,
}

/// An event.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
struct EventView {
    /// Counts the events of the realm, from 1.
    number: u64,
    /// When, by the realm's clock, in milliseconds since 1970.
    at_ms: u64,
    /// The kind of event, as stored.
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The caller: `app`, `app for USER`, `user USER`.
    actor: String,
    /// What happened, as stored: `core/src/event/happening.rs` has the fields.
    what: Value,
}

async fn read(call: Call, Optional(which): Optional<ReadEvents>) -> Result<Json<EventsView>, ControlError> {
    let realm = call.realm()?;
    let time = Duration::from_millis(which.timeout_ms.unwrap_or_default());
    if time > LONGEST {
        return Err(ControlError::bad("timeout_ms is at most 60000"));
    }
    let log = &realm.opened.backend.log;
    let internal = |refusal: conclave_core::refusal::Refusal| refused(&refusal);
    // before the first look, so that no signal is missed
    let mut signal = log.subscribe();
    let last = log.last().await.map_err(internal)?;
    // a reset or a restored snapshot may have begun the numbers again
    let after = which.after.unwrap_or_else(|| last.saturating_sub(PAGE as u64)).min(last);
    let mut events = log.read(after, PAGE).await.map_err(internal)?;
    if events.is_empty() && !time.is_zero() {
        // without a signal the answer is empty, after the time that was given
        if timeout(time, signal.changed()).await.unwrap_or(false) {
            events = log.read(after, PAGE).await.map_err(internal)?;
        }
    }
    let last = events.last().map_or(after, |event| event.sequence);
    let events = events.iter().map(|event| view(event)).collect();
    Ok(Json(EventsView { events, last }))
}

fn view(event: &conclave_core::event::Event) -> EventView {
    EventView {
        number: event.sequence,
        at_ms: event.at.0,
        kind: crate::journal::kind_of(event).unwrap_or_default(),
        group: event.group.as_ref().map(ToString::to_string),
        actor: crate::backend::Caller(&event.actor).to_string(),
        what: serde_json::to_value(&event.what).unwrap_or_default(),
    }
}
