//! The sessions of one realm, and how events come to them.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{Millis, UserId};
use conclave_core::ports::{Groups, GroupsExt as _};
use conclave_core::query::{JoinedGroups, LogAt, ReadLog};
use conclave_core::refusal::Refusal;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::mailbox::Mailbox;
use super::presence::Presence;
use crate::bell::Bell;
use crate::listener::Phase;
use crate::metrics::SessionMetrics;

/// Most events read in one go.
const PAGE: usize = 256;
/// How often the log is looked at without the bell, for what was committed after its caller had gone away.
const ROUND: Duration = Duration::from_secs(1);

/// One realm's sessions.
pub(crate) struct Realm {
    name: String,
    groups: Arc<dyn Groups>,
    bell: Bell,
    presence: Mutex<Presence>,
    /// Where the log is to be followed from, set by whoever comes when nobody is there: until then it is not read.
    from: Mutex<Option<u64>>,
    /// Wakes who follows the log when somebody comes.
    arrivals: Notify,
    metrics: SessionMetrics,
}

impl Realm {
    /// Nobody is there yet.
    pub(crate) fn new(name: String, groups: Arc<dyn Groups>, bell: Bell, metrics: SessionMetrics) -> Self {
        let (presence, from, arrivals) = (Mutex::default(), Mutex::default(), Notify::new());
        Self { name, groups, bell, presence, from, arrivals, metrics }
    }

    /// A session comes. When this returns it hears everything that is committed from now on.
    pub(crate) async fn enter(self: &Arc<Self>, user: &UserId, mailbox: &Arc<Mailbox>) -> Result<Presented, Refusal> {
        let unknown = self.seat(user, mailbox).await?;
        // from here on it leaves however this ends
        let presented = Presented { realm: Arc::clone(self), user: user.clone(), mailbox: Arc::clone(mailbox) };
        if unknown {
            let joined = self.groups.ask(&Actor::app(), JoinedGroups::all(user.clone())).await?.groups;
            self.presence.lock().learn(user, joined.into_iter().map(|(group, _)| group.id.clone()));
        }
        Ok(presented)
    }

    /// Makes a session known; whether its user was not.
    async fn seat(&self, user: &UserId, mailbox: &Arc<Mailbox>) -> Result<bool, Refusal> {
        loop {
            let last = if self.is_empty() { Some(self.last().await?) } else { None };
            let mut presence = self.presence.lock();
            if presence.is_empty() {
                // the last one has left since
                let Some(last) = last else { continue };
                *self.from.lock() = Some(last);
                self.arrivals.notify_one();
            }
            return Ok(presence.enter(user, mailbox));
        }
    }

    /// The number of the last event there is.
    async fn last(&self) -> Result<u64, Refusal> {
        Ok(self.groups.ask(&Actor::app(), LogAt { at: Millis(u64::MAX) }).await?.last)
    }

    /// Follows the realm's log while somebody is there, until the process drains.
    pub(crate) async fn follow(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let mut bell = self.bell.listen();
        let mut place = 0;
        loop {
            // with nobody to tell, commits wake nobody
            while self.is_empty() {
                tokio::select! {
                    _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
                    () = self.arrivals.notified() => {}
                }
            }
            if let Some(from) = self.from.lock().take() {
                place = from;
            }
            if let Err(error) = self.catch_up(&mut place).await {
                tracing::error!(realm = self.name, %error, "the log cannot be read; sessions are told nothing new");
            }
            tokio::select! {
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
                rung = bell.changed() => if rung.is_err() { return },
                // the first to come after the last had left may have missed what was read in between
                () = self.arrivals.notified() => {}
                () = sleep(ROUND) => {}
            }
        }
    }

    /// Tells what has been committed since a place in the log.
    async fn catch_up(&self, place: &mut u64) -> Result<(), Refusal> {
        while !self.is_empty() {
            let events = self.groups.ask(&Actor::app(), ReadLog { after: *place, limit: PAGE }).await?.0;
            for event in &events {
                self.tell(event);
                *place = event.sequence;
            }
            if events.len() < PAGE {
                break;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.presence.lock().is_empty()
    }

    fn tell(&self, event: &Arc<Event>) {
        let hearers = self.presence.lock().hear(event);
        let mut missed = 0;
        for mailbox in &hearers {
            missed += u64::from(mailbox.put(event));
        }
        self.metrics.told.inc_by(hearers.len() as u64);
        self.metrics.missed.inc_by(missed);
    }
}

/// A session that is known to its realm, until this is dropped.
pub(crate) struct Presented {
    realm: Arc<Realm>,
    user: UserId,
    mailbox: Arc<Mailbox>,
}

impl Drop for Presented {
    fn drop(&mut self) {
        self.realm.presence.lock().leave(&self.user, &self.mailbox);
    }
}
