//! The journal of a realm: what it was asked, and what it sent.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Realm;
use crate::control::NOTHING;

/// What a realm was asked, and what it sent.
#[derive(Debug, Clone, Copy)]
pub struct Journal<'r>(pub(crate) &'r Realm);

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A request to a vendor's API.
    Request,
    /// A call over a client protocol.
    Call,
    /// An event that was delivered to a client.
    Push,
    /// An attempt to notify an app's server.
    Webhook,
}

/// Which entries: those that match everything that is given.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Filter {
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The vendor's name of the operation; of a push, the kind of event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The calling user, or the one who was pushed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The group of a push or a notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The vendor's error; "" is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Only entries after this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

impl Filter {
    /// Requests of this operation.
    pub fn request(vendor: &str, operation: &str) -> Self {
        let (vendor, operation) = (Some(vendor.to_owned()), Some(operation.to_owned()));
        Self { kind: Some(Kind::Request), vendor, operation, ..Self::default() }
    }

    /// Events that a user was sent.
    pub fn push(user: &str) -> Self {
        Self { kind: Some(Kind::Push), user: Some(user.to_owned()), ..Self::default() }
    }

    /// Only entries after this number.
    #[must_use]
    pub fn after(self, number: u64) -> Self {
        Self { after: Some(number), ..self }
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Counts the entries of the realm, from 1.
    pub number: u64,
    /// What it is about.
    pub kind: Kind,
    /// The vendor.
    pub vendor: String,
    /// The vendor's name of the operation or notification; of a push, the kind of event.
    pub operation: Option<String>,
    /// The caller.
    pub actor: Option<String>,
    /// The calling user, or the one who was pushed to.
    pub user: Option<String>,
    /// The group of a push or a notification.
    pub group: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The vendor's error in the answer.
    pub error: Option<String>,
    /// Fields that were not read.
    #[serde(default)]
    pub unread: Vec<String>,
}

#[derive(Deserialize)]
struct Entries {
    entries: Vec<Entry>,
    last: u64,
}

impl Journal<'_> {
    /// Begins to keep it, from the start.
    ///
    /// # Errors
    /// It is refused.
    pub async fn begin(&self) -> crate::Result<()> {
        self.0.call(Method::POST, &["journal"], NOTHING).await
    }

    /// The entries that match, oldest first.
    ///
    /// # Errors
    /// The realm has no journal.
    pub async fn query(&self, filter: &Filter) -> crate::Result<Vec<Entry>> {
        let found: Entries = self.0.call(Method::POST, &["journal", "query"], Some(filter)).await?;
        Ok(found.entries)
    }

    /// The number of the last entry.
    ///
    /// # Errors
    /// The realm has no journal.
    pub async fn mark(&self) -> crate::Result<u64> {
        let found: Entries = self.0.call(Method::POST, &["journal", "query"], NOTHING).await?;
        Ok(found.last)
    }

    /// Waits until an entry matches; five seconds at most.
    ///
    /// # Errors
    /// None does in time (`timed_out`).
    pub async fn wait(&self, filter: &Filter) -> crate::Result<Vec<Entry>> {
        self.wait_for(filter, 1, Duration::from_secs(5)).await
    }

    /// Waits until so many entries match, for a time of one minute at most.
    ///
    /// # Errors
    /// They do not in time (`timed_out`).
    pub async fn wait_for(&self, filter: &Filter, count: usize, time: Duration) -> crate::Result<Vec<Entry>> {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let wait = json!({ "filter": filter, "count": count, "timeout_ms": time });
        let found: Entries = self.0.call(Method::POST, &["journal", "wait"], Some(&wait)).await?;
        Ok(found.entries)
    }
}
