//! Tells one destination who came and went.
//!
//! Nothing of that is in the log: it costs no commit, and what has not been told when the process ends is not told
//! any more. Notices go out one after another, so that the last one about a user is true.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::ports::Groups;
use conclave_kit::{Destination, Notice, Passage};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use tokio::time::sleep;

use super::client::{Client, Letter};
use super::counted::Counted;
use super::courier::backoff;

/// Most comings and goings that are worded at once.
const AT_ONCE: usize = 100;

/// Tells one destination.
pub(super) struct Doorman {
    pub(super) realm: String,
    pub(super) vendor: &'static str,
    pub(super) destination: Destination,
    pub(super) groups: Arc<dyn Groups>,
    pub(super) client: Arc<Client>,
    pub(super) passages: Receiver<Arc<Passage>>,
    pub(super) metrics: Counted,
}

impl Doorman {
    /// Works until told to stop; then tells what is left, trying each notice once.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let first = tokio::select! {
                biased;
                first = self.passages.recv() => first,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let first = match first {
                Ok(first) => first,
                Err(RecvError::Lagged(left_out)) => {
                    self.left_out(left_out);
                    continue;
                }
                Err(RecvError::Closed) => return,
            };
            let batch = self.batch(first);
            for notice in self.word(batch).await {
                self.tell(&notice, &mut stop).await;
            }
        }
    }

    /// The first one, and those that have come since.
    fn batch(&mut self, first: Arc<Passage>) -> Vec<Arc<Passage>> {
        let mut batch = vec![first];
        while batch.len() < AT_ONCE {
            match self.passages.try_recv() {
                Ok(passage) => batch.push(passage),
                Err(TryRecvError::Lagged(left_out)) => self.left_out(left_out),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        batch
    }

    /// The batch in one go; when that fails, one by one, so that what stands in the way of one holds up no other.
    async fn word(&self, batch: Vec<Arc<Passage>>) -> Vec<Notice> {
        if let Ok(notices) = self.destination.webhooks.passages(&batch, &*self.groups).await {
            return notices;
        }
        let mut notices = Vec::new();
        for passage in batch {
            match self.destination.webhooks.passages(&[passage], &*self.groups).await {
                Ok(told) => notices.extend(told),
                Err(error) => {
                    let (realm, vendor, name) = (&self.realm, self.vendor, self.destination.name);
                    tracing::error!(realm, vendor, destination = name, %error, "somebody who came or went cannot be told");
                    self.metrics.dropped.inc();
                }
            }
        }
        notices
    }

    /// Sends a notice until it is taken, or was tried often enough.
    async fn tell(&self, notice: &Notice, stop: &mut watch::Receiver<bool>) {
        let Destination { url, allow_private, patience, webhooks, .. } = &self.destination;
        let mut tried = 0;
        loop {
            let envelope = webhooks.envelope(notice, self.groups.now(), rand::random());
            let letter = Letter {
                url: url.clone(),
                query: [notice.query.clone(), envelope.query].concat(),
                headers: envelope.headers,
                body: notice.body.clone(),
                timeout: patience.timeout,
                allow_private: *allow_private,
            };
            let why = match self.client.send(letter).await {
                Ok(answer) if webhooks.is_taken(answer.status, &answer.body) => {
                    self.metrics.sent.inc();
                    break;
                }
                Ok(answer) => format!("it was answered {}", answer.status),
                Err(error) => error.to_string(),
            };
            tried += 1;
            let is_last = patience.retries.is_some_and(|retries| tried > retries) || *stop.borrow();
            let (realm, vendor, name, notice) = (&self.realm, self.vendor, self.destination.name, notice.name);
            if is_last {
                tracing::warn!(
                    realm,
                    vendor,
                    destination = name,
                    notice,
                    tried,
                    why,
                    "a webhook was not taken: it is dropped"
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
                    "a webhook was not taken: it is tried again"
                );
            }
            self.metrics.retried.inc();
            self.wait(backoff(patience, tried), stop).await;
        }
    }

    /// Waits, or until told to stop.
    async fn wait(&self, time: Duration, stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            () = sleep(time) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    fn left_out(&self, count: u64) {
        let (realm, vendor, name) = (&self.realm, self.vendor, self.destination.name);
        tracing::warn!(
            realm,
            vendor,
            destination = name,
            count,
            "a webhook is told too slowly who comes and goes: some of it was left out; make its receiver faster"
        );
        self.metrics.dropped.inc_by(count);
    }
}

impl Drop for Doorman {
    /// What still waits at the end is never told.
    fn drop(&mut self) {
        let count = self.passages.len() as u64;
        if count > 0 {
            let (realm, vendor, name) = (&self.realm, self.vendor, self.destination.name);
            tracing::warn!(
                realm,
                vendor,
                destination = name,
                count,
                "the process ends before it told who came and went"
            );
            self.metrics.dropped.inc_by(count);
        }
    }
}
