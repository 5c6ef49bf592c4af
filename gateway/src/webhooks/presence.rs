//! Notifies one destination of connection events.
//!
//! They are not in the log: they cost no commit, and those that are not sent when the process ends are lost.
//! Notifications are sent one after another, so that the last one about a user is the current state.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::ports::Groups;
use conclave_kit::{ConnectionEvent, Destination, Notice};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;

use super::client::{Client, OutgoingRequest};
use super::counted::Counted;
use super::courier::backoff;
use super::time::{DeliveryState, Time, millis};
use crate::traces::Trace;

/// Most connection events in one notification.
const MAX_BATCH: usize = 100;

/// Notifies one destination.
pub(super) struct PresenceNotifier {
    pub(super) realm: String,
    pub(super) vendor: &'static str,
    pub(super) destination: Destination,
    pub(super) groups: Arc<dyn Groups>,
    pub(super) client: Arc<Client>,
    pub(super) events: Receiver<Arc<ConnectionEvent>>,
    pub(super) metrics: Counted,
    pub(super) time: Time,
    /// How far it is, for those who wait until everything that is due was sent.
    pub(super) delivery_state: watch::Sender<DeliveryState>,
}

impl PresenceNotifier {
    /// Runs until stopped; then sends what is left, trying each notification once.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let first = tokio::select! {
                biased;
                first = self.events.recv() => first,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let first = match first {
                Ok(first) => first,
                Err(RecvError::Lagged(count)) => {
                    self.dropped(count);
                    continue;
                }
                Err(RecvError::Closed) => return,
            };
            let batch = self.batch(first);
            self.report_delivery_state(true, false);
            for notice in self.notices_of(batch).await {
                self.send(&notice, &mut stop).await;
            }
            self.report_delivery_state(false, true);
        }
    }

    /// The first one, and those that have arrived since.
    fn batch(&mut self, first: Arc<ConnectionEvent>) -> Vec<Arc<ConnectionEvent>> {
        let mut batch = vec![first];
        while batch.len() < MAX_BATCH {
            match self.events.try_recv() {
                Ok(event) => batch.push(event),
                Err(TryRecvError::Lagged(count)) => self.dropped(count),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        batch
    }

    /// Sends the batch in one request; if that fails, one by one, so that one failure does not block the others.
    async fn notices_of(&self, batch: Vec<Arc<ConnectionEvent>>) -> Vec<Notice> {
        if let Ok(notices) = self.destination.webhooks.connection_notices(&batch, &*self.groups).await {
            return notices;
        }
        let mut notices = Vec::new();
        for event in batch {
            match self.destination.webhooks.connection_notices(&[event], &*self.groups).await {
                Ok(found) => notices.extend(found),
                Err(error) => {
                    let (realm, vendor, name) = (&self.realm, self.vendor, self.destination.name);
                    tracing::error!(realm, vendor, destination = name, %error, "a connection event cannot be sent");
                    self.metrics.dropped.inc();
                }
            }
        }
        notices
    }

    /// Sends a notification until it is accepted, or all retries are used.
    async fn send(&mut self, notice: &Notice, stop: &mut watch::Receiver<bool>) {
        let Destination { url, allow_private, retry_policy, webhooks, .. } = &self.destination.clone();
        let mut tried = 0;
        loop {
            let envelope = webhooks.envelope(notice, self.groups.now(), rand::random());
            let outgoing = OutgoingRequest {
                url: url.clone(),
                query: [notice.query.clone(), envelope.query].concat(),
                headers: envelope.headers,
                body: notice.body.clone(),
                timeout: retry_policy.timeout,
                allow_private: *allow_private,
            };
            let trace = Trace::of_webhook(self.vendor, &self.realm, notice.name, (None, tried));
            let why = match self.client.deliver(outgoing, &**webhooks, trace).await {
                Ok(answer) if webhooks.is_accepted(answer.status, &answer.body) => {
                    self.metrics.sent.inc();
                    break;
                }
                Ok(answer) => format!("it was answered {}", answer.status),
                Err(error) => error.to_string(),
            };
            tried += 1;
            let is_last = retry_policy.retries.is_some_and(|retries| tried > retries) || *stop.borrow();
            let (realm, vendor, name, notice) = (&self.realm, self.vendor, self.destination.name, notice.name);
            if is_last {
                tracing::warn!(
                    realm,
                    vendor,
                    destination = name,
                    notice,
                    tried,
                    why,
                    "a webhook was not accepted: it is dropped"
                );
                self.metrics.dropped.inc();
                break;
            }
            if tried == 1 {
                tracing::warn!(
                    realm,
                    vendor,
                    destination = name,
                    notice,
                    why,
                    "a webhook was not accepted: it is retried"
                );
            }
            self.metrics.retried.inc();
            self.wait(backoff(retry_policy, tried), stop).await;
        }
    }

    /// Waits, at most until stopped.
    async fn wait(&mut self, time: Duration, stop: &mut watch::Receiver<bool>) {
        let due = self.time.now().plus(millis(time).0);
        while self.time.until(due) != Some(Duration::ZERO) {
            self.report_delivery_state(false, false);
            tokio::select! {
                () = self.time.reached_or_changed(due) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.report_delivery_state(true, false);
    }

    /// Publishes its delivery state. Connection events are not in the log.
    fn report_delivery_state(&mut self, busy: bool, idle: bool) {
        let changes = self.time.changes();
        self.delivery_state.send_replace(DeliveryState { changes, through: u64::MAX, finished: u64::MAX, busy, idle });
    }

    fn dropped(&self, count: u64) {
        let (realm, vendor, name) = (&self.realm, self.vendor, self.destination.name);
        tracing::warn!(
            realm,
            vendor,
            destination = name,
            count,
            "a webhook accepts connection events too slowly: some were dropped; make its receiver faster"
        );
        self.metrics.dropped.inc_by(count);
    }
}

impl Drop for PresenceNotifier {
    /// Events that still wait at the end are lost.
    fn drop(&mut self) {
        let count = self.events.len() as u64;
        if count > 0 {
            let (realm, vendor, name) = (&self.realm, self.vendor, self.destination.name);
            tracing::warn!(
                realm,
                vendor,
                destination = name,
                count,
                "the process ends before all connection events were sent"
            );
            self.metrics.dropped.inc_by(count);
        }
    }
}
