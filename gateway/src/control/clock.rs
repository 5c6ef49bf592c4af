//! The clock of a realm: frozen, set, advanced, and run at another pace.

use std::time::Duration;

use conclave_core::model::Millis;
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::{Call, Endpoint, Json, Nothing, Optional};
use super::error::{Code, ControlError};
use crate::realms::clock::{Backwards, PACES, Reading};
use crate::realms::running::Realm;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new((Method::GET, "/v1/realms/{realm}/clock"), "get_clock", "Read a realm's clock.", get),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/clock/freeze"),
            "freeze_clock",
            "Stop a realm's clock, now or at a time to come.",
            freeze,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/clock/resume"),
            "resume_clock",
            "Let a frozen clock continue from where it is.",
            resume,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/clock/set"),
            "set_clock",
            "Set a realm's clock to a time to come, and wait for what is due by then.",
            set,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/clock/advance"),
            "advance_clock",
            "Move a realm's clock forward, and wait for what is due by then.",
            advance,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/clock/scale"),
            "scale_clock",
            "Run a realm's clock faster or slower than real time.",
            scale,
        ),
    ]
}

/// A realm's clock.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Clock")]
struct ClockView {
    /// Milliseconds since 1970.
    now_ms: u64,
    /// The same in RFC 3339.
    now: String,
    /// Whether it is stopped.
    frozen: bool,
    /// Milliseconds of the realm in one of real time, while it is not stopped.
    pace: f64,
    /// Whether it was changed since the gateway was started; before, it is the gateway's.
    controlled: bool,
    /// Whether everything has happened that was due. It is not while the receiver of a webhook does not answer.
    settled: bool,
}

/// A time.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Time {
    /// Milliseconds since 1970.
    at_ms: Option<u64>,
    /// RFC 3339, such as `2030-01-31T12:00:00Z`; instead of `at_ms`.
    at: Option<String>,
}

/// How far a clock is moved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// Milliseconds.
    by_ms: u64,
}

/// How fast a clock runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Scale {
    /// Milliseconds of the realm in one of real time: 0.001 to 10,000.
    pace: f64,
}

impl Time {
    fn read(&self) -> Result<Option<Millis>, ControlError> {
        match (self.at_ms, &self.at) {
            (None, None) => Ok(None),
            (Some(at), None) => writable(Millis(at)).map(Some),
            (None, Some(text)) => {
                let wrong = || ControlError::bad(format!("at must be a time like 2030-01-31T12:00:00Z, not {text:?}"));
                let at: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
                u64::try_from(at.as_millisecond()).map(|at| Some(Millis(at))).map_err(|_| wrong())
            }
            (Some(_), Some(_)) => Err(ControlError::bad("give either at or at_ms")),
        }
    }
}

async fn get(call: Call, _: Nothing) -> Result<Json<ClockView>, ControlError> {
    let realm = call.realm()?;
    let now = realm.opened.backend.groups.now();
    let gateways = Reading { now, frozen: false, pace: 1.0, controlled: false };
    let reading = realm.opened.clock.as_ref().map_or(gateways, |clock| clock.reading());
    Ok(Json(view(reading, true)))
}

async fn freeze(call: Call, Optional(time): Optional<Time>) -> Result<Json<ClockView>, ControlError> {
    let (realm, to) = (call.realm()?, time.read()?);
    let clock = realm.clock()?;
    let reading = match to {
        Some(to) => clock.freeze_at(to).map_err(backwards)?,
        None => clock.freeze(),
    };
    settled(&call, &realm, reading).await
}

async fn resume(call: Call, _: Nothing) -> Result<Json<ClockView>, ControlError> {
    let realm = call.realm()?;
    let reading = realm.clock()?.resume();
    settled(&call, &realm, reading).await
}

async fn set(call: Call, Json(time): Json<Time>) -> Result<Json<ClockView>, ControlError> {
    let realm = call.realm()?;
    let to = time.read()?.ok_or_else(|| ControlError::bad("give at or at_ms"))?;
    let clock = realm.clock()?;
    settle(&call, &realm).await?;
    let reading = clock.set(to).map_err(backwards)?;
    settled(&call, &realm, reading).await
}

async fn advance(call: Call, Json(advance): Json<Advance>) -> Result<Json<ClockView>, ControlError> {
    let realm = call.realm()?;
    let clock = realm.clock()?;
    // what is under way belongs to the time before: the next attempt of a webhook is due from then on
    settle(&call, &realm).await?;
    writable(Millis(clock.reading().now.0.saturating_add(advance.by_ms)))?;
    let reading = clock.advance(Duration::from_millis(advance.by_ms));
    settled(&call, &realm, reading).await
}

async fn scale(call: Call, Json(Scale { pace }): Json<Scale>) -> Result<Json<ClockView>, ControlError> {
    let realm = call.realm()?;
    let (slowest, fastest) = PACES;
    if !(slowest..=fastest).contains(&pace) {
        return Err(ControlError::bad(format!("pace must be {slowest} to {fastest}; to stop the clock, freeze it")));
    }
    let reading = realm.clock()?.scale(pace);
    settled(&call, &realm, reading).await
}

/// The answer to a change, when everything has happened that is due now.
async fn settled(call: &Call, realm: &Realm, reading: Reading) -> Result<Json<ClockView>, ControlError> {
    Ok(Json(view(reading, settle(call, realm).await?)))
}

/// Waits until everything has happened that is due now; returns whether it has.
async fn settle(call: &Call, realm: &Realm) -> Result<bool, ControlError> {
    realm.settle(call.control.realms.metrics()).await.map_err(|refusal| {
        tracing::error!(realm = realm.name(), %refusal, "what is due by a realm's clock cannot be done");
        ControlError::new(Code::Internal, "what is due by the realm's clock cannot be done: see the gateway's log")
    })
}

/// A time that can be written, which ends in the year 9999.
fn writable(at: Millis) -> Result<Millis, ControlError> {
    let is_writable = i64::try_from(at.0).is_ok_and(|at| jiff::Timestamp::from_millisecond(at).is_ok());
    if is_writable {
        return Ok(at);
    }
    Err(ControlError::bad(format!("a realm's clock ends at {}", jiff::Timestamp::MAX)))
}

fn backwards(Backwards { now }: Backwards) -> ControlError {
    let message = format!("time does not run backwards: the realm's clock is at {} ({})", rfc3339(now), now.0);
    ControlError::new(Code::ClockBackwards, message)
}

fn view(reading: Reading, settled: bool) -> ClockView {
    let Reading { now, frozen, pace, controlled } = reading;
    ClockView { now_ms: now.0, now: rfc3339(now), frozen, pace, controlled, settled }
}

/// A time in RFC 3339; the last that can be written for later ones.
pub(super) fn rfc3339(at: Millis) -> String {
    let at = i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or(jiff::Timestamp::MAX).to_string()
}
