//! The clock of a realm.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Realm;
use crate::control::NOTHING;

/// The clock of a realm. It only moves forward.
#[derive(Debug, Clone, Copy)]
pub struct Clock<'r>(pub(crate) &'r Realm);

/// A clock, read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ClockState {
    now_ms: u64,
    /// Whether it is stopped.
    pub frozen: bool,
    /// Milliseconds of the realm in one of real time, while it is not stopped.
    pub pace: f64,
    /// Whether everything has happened that was due.
    pub settled: bool,
}

impl ClockState {
    /// The time.
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now_ms)
    }
}

impl Clock<'_> {
    /// Reads it.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub async fn get(&self) -> crate::Result<ClockState> {
        self.0.call(Method::GET, &["clock"], NOTHING).await
    }

    /// Stops it.
    ///
    /// # Errors
    /// It is refused.
    pub async fn freeze(&self) -> crate::Result<ClockState> {
        self.0.call(Method::POST, &["clock", "freeze"], NOTHING).await
    }

    /// Moves it to a time.
    ///
    /// # Errors
    /// It is after that time already.
    pub async fn set(&self, time: SystemTime) -> crate::Result<ClockState> {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.change("set", &json!({ "at_ms": millis(since) })).await
    }

    /// Moves it forward; returns when everything that is due has happened.
    ///
    /// # Errors
    /// It is refused.
    pub async fn advance(&self, by: Duration) -> crate::Result<ClockState> {
        self.change("advance", &json!({ "by_ms": millis(by) })).await
    }

    /// Lets so many milliseconds pass in one.
    ///
    /// # Errors
    /// It is refused.
    pub async fn scale(&self, pace: f64) -> crate::Result<ClockState> {
        self.change("scale", &json!({ "pace": pace })).await
    }

    /// Lets it run at its usual pace.
    ///
    /// # Errors
    /// It is refused.
    pub async fn resume(&self) -> crate::Result<ClockState> {
        self.0.call(Method::POST, &["clock", "resume"], NOTHING).await
    }

    async fn change(&self, how: &str, body: &Value) -> crate::Result<ClockState> {
        self.0.call(Method::POST, &["clock", how], Some(body)).await
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
