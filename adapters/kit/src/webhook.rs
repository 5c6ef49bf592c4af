//! The interface between the gateway and a vendor's webhooks.
//!
//! An adapter encodes events and signs them as its vendor does; the gateway reads the log, keeps the order, sends, and
//! retries. The gateway also provides adapters with a [`Post`] to ask an app's server before an operation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::{Actor, Event, Happening};
use conclave_core::model::{Group, GroupId, Message, MessageState, Millis};
use conclave_core::ports::{Groups, GroupsExt, Log};
use conclave_core::query::{GroupById, Messages, Start};
use conclave_core::refusal::Refusal;
use http::{HeaderMap, StatusCode};

use crate::ConnectionEvent;

/// One notification for an app's server. Encoded once, retried until it is accepted or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The vendor's name of it, for logs and metrics.
    pub name: &'static str,
    /// Pairs for the query of the destination's URL, not yet encoded, the same in every attempt.
    pub query: Vec<(&'static str, String)>,
    /// The body, the same in every attempt.
    pub body: Bytes,
}

/// Data that an attempt adds to a notification: vendors sign the time of sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Pairs for the query of the destination's URL, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// Headers.
    pub headers: HeaderMap,
}

/// Timeouts and retries of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Timeout of one attempt, until the whole response has arrived.
    pub timeout: Duration,
    /// How often a notification that was not accepted is retried before it is dropped; `None` retries until it is
    /// accepted.
    pub retries: Option<u32>,
    /// Delay before the first retry; each further delay is twice as long. With zero the first retry is sent at once, and
    /// the second after one second.
    pub backoff: Duration,
    /// The longest delay between two attempts.
    pub longest_backoff: Duration,
}

impl RetryPolicy {
    /// From the configuration: times in milliseconds, and -1 retries until a notification is accepted.
    pub fn from_settings(timeout_ms: u64, retries: i64, backoff_ms: u64, longest_backoff_ms: u64) -> Self {
        Self {
            timeout: Duration::from_millis(timeout_ms),
            retries: u64::try_from(retries).ok().map(|retries| u32::try_from(retries).unwrap_or(u32::MAX)),
            backoff: Duration::from_millis(backoff_ms),
            longest_backoff: Duration::from_millis(longest_backoff_ms),
        }
    }
}

/// Where a vendor's notifications of one realm are sent, and how they are encoded.
#[derive(Clone)]
pub struct Destination {
    /// Identifies the destination within its vendor and realm; part of a file's name.
    pub name: &'static str,
    /// The receiver's URL.
    pub url: String,
    /// Whether the URL may resolve to an address that is not public.
    pub allow_private: bool,
    /// Timeouts and retries.
    pub retry_policy: RetryPolicy,
    /// Which notifications are sent, and how they are encoded.
    pub webhooks: Arc<dyn Webhooks>,
}

/// A vendor's encoding of the events of one realm.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// The notifications for an event, in order; none when the vendor has none for it.
    ///
    /// Asked again after a restart: as many notices in the same order, with the same ids.
    async fn notices(&self, event: &Arc<Event>, groups: &dyn Groups, log: &dyn Log) -> Result<Vec<Notice>, Refusal>;

    /// Whether any notification is encoded from events of the log.
    fn follows_log(&self) -> bool {
        true
    }

    /// Whether the app's server is notified of users who connect and disconnect.
    fn wants_connection_events(&self) -> bool {
        false
    }

    /// The notices of connection events, which are given in their order.
    ///
    /// Called once for each event: those that are not sent when the process ends, or when too many wait, are lost.
    async fn connection_notices(
        &self,
        events: &[Arc<ConnectionEvent>],
        groups: &dyn Groups,
    ) -> Result<Vec<Notice>, Refusal> {
        let _nothing = (events, groups);
        Ok(Vec::new())
    }

    /// What one attempt to send a notice adds to it. `chance` is another number for each attempt.
    fn envelope(&self, notice: &Notice, now: Millis, chance: u64) -> Envelope;

    /// Whether this response means that the notification was accepted.
    fn is_accepted(&self, status: StatusCode, body: &[u8]) -> bool;
}

/// Why a question to an app's server got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There was no answer within the question's timeout.
    #[error("no answer in time")]
    TimedOut,
    /// The address is not public, and that is not allowed.
    #[error("{0} is not a public address; set allow_private to allow it")]
    Private(String),
    /// The connection failed, or the answer could not be read.
    #[error("{0}")]
    Failed(String),
}

/// A question to an app's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The URL of the app's server.
    pub url: String,
    /// Pairs for the query of the URL, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: Bytes,
    /// Timeout, until the whole answer has arrived.
    pub timeout: Duration,
    /// Whether the URL may resolve to an address that is not public.
    pub allow_private: bool,
}

/// Asks an app's server. Follows no redirects.
#[async_trait]
pub trait Post: Send + Sync {
    /// Status and body of the answer.
    async fn post(&self, question: Question) -> Result<(StatusCode, Bytes), PostError>;
}

/// All events of the call this one belongs to, in their order. Reads the log only where the call has several.
pub async fn call_of(event: &Arc<Event>, log: &dyn Log) -> Result<Vec<Arc<Event>>, Refusal> {
    if event.part.is_whole() {
        return Ok(vec![Arc::clone(event)]);
    }
    let (first, limit) = (event.call(), usize::try_from(event.part.count).unwrap_or(usize::MAX));
    let mut events = log.read(first.saturating_sub(1), limit).await?;
    events.retain(|other| other.call() == first);
    Ok(events)
}

/// Events read at a time when looking for the end of a group.
const PAGE: usize = 256;

/// The group of an event: its current state, or its last one if it was deleted since.
///
/// `None` when nothing is left of it.
pub async fn group_of(event: &Event, groups: &dyn Groups, log: &dyn Log) -> Result<Option<Arc<Group>>, Refusal> {
    if let Happening::GroupDisbanded { last, .. } = &event.what {
        return Ok(last.clone().map(Arc::from));
    }
    let Some(id) = &event.group else { return Ok(None) };
    match groups.ask(&Actor::app(), GroupById { group: id.clone() }).await {
        // a younger group may have the same id
        Ok(found) if found.group.created <= event.at => Ok(Some(found.group)),
        Ok(_) | Err(Refusal::GroupNotFound { .. }) => ended(id, event.sequence, log).await,
        Err(refusal) => Err(refusal),
    }
}

/// The last header of the group that had this id at this number of the log.
async fn ended(id: &GroupId, mut after: u64, log: &dyn Log) -> Result<Option<Arc<Group>>, Refusal> {
    loop {
        let page = log.read(after, PAGE).await?;
        for event in &page {
            if let Happening::GroupDisbanded { last, .. } = &event.what
                && event.group.as_ref() == Some(id)
            {
                return Ok(last.clone().map(Arc::from));
            }
        }
        let Some(last) = page.last() else { return Ok(None) };
        after = last.sequence;
    }
}

/// The message of an event, if it can still be read.
pub async fn message_of(event: &Event, groups: &dyn Groups) -> Result<Option<Arc<Message>>, Refusal> {
    match (&event.what, &event.group) {
        (Happening::MessagePassed(message), _) => Ok(Some(Arc::new(Message::clone(message)))),
        (Happening::MessageSent { sequence, id }, Some(group)) => {
            let found = message_at(group, *sequence, groups).await?;
            Ok(found.filter(|message| message.id == *id && message.state == MessageState::Kept))
        }
        _ => Ok(None),
    }
}

/// The message of this number, whatever has become of it; `None` when nothing is left of it.
pub async fn message_at(group: &GroupId, sequence: u64, groups: &dyn Groups) -> Result<Option<Arc<Message>>, Refusal> {
    let page = Messages { group: group.clone(), start: Start::Sequence(sequence), newest_first: false, limit: 1 };
    match groups.ask(&Actor::app(), page).await {
        Ok(page) => Ok(page.messages.into_iter().next().filter(|message| message.sequence == sequence)),
        // the group was deleted since, with its messages
        Err(Refusal::GroupNotFound { .. }) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
