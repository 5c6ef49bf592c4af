//! The sessions of one realm, and how events come to them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use conclave_core::event::{Actor, Event};
use conclave_core::model::{GroupId, UserId};
use conclave_core::ports::{Groups, GroupsExt as _, Log};
use conclave_core::query::JoinedGroups;
use conclave_core::refusal::Refusal;
use conclave_kit::{Connected, Connection, Departure, Dismissal, Passage, Presence, Way};
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::{sleep, timeout};

use super::mailbox::Mailbox;
use super::presence::{Gone, Seating};
use crate::backend::Backend;
use crate::listener::Phase;
use crate::metrics::SessionMetrics;

/// Most events read in one go.
const PAGE: usize = 256;
/// How often the log is looked at without its signal, for what was committed after its caller had gone away.
const ROUND: Duration = Duration::from_secs(1);
/// Most comings and goings that wait for whoever follows them.
const PASSAGES: usize = 8192;

/// One realm's sessions.
pub(crate) struct Realm {
    name: String,
    groups: Arc<dyn Groups>,
    log: Arc<dyn Log>,
    presence: Mutex<Seating>,
    /// Where the log is to be followed from, set by whoever comes when nobody is there: until then it is not read.
    from: Mutex<Option<u64>>,
    /// Wakes who follows the log when somebody comes.
    arrivals: Notify,
    /// How far the log has been told.
    told: watch::Sender<u64>,
    /// Who came and went, for whoever follows that.
    passages: OnceLock<broadcast::Sender<Arc<Passage>>>,
    metrics: SessionMetrics,
}

/// Who comes.
pub(crate) struct Newcomer<'a> {
    /// As the protocol has it.
    pub(crate) connected: &'a Connected,
    /// Through which vendor's protocol.
    pub(crate) vendor: &'static str,
    /// Tells the connection apart from every other one.
    pub(crate) id: &'a str,
    /// Where the client's end is.
    pub(crate) address: SocketAddr,
}

impl Realm {
    /// Nobody is there yet.
    pub(crate) fn new(name: String, backend: &Backend, metrics: SessionMetrics) -> Self {
        let (groups, log) = (Arc::clone(&backend.groups), Arc::clone(&backend.log));
        let (presence, from, arrivals) = (Mutex::default(), Mutex::default(), Notify::new());
        let (told, passages) = (watch::Sender::new(0), OnceLock::new());
        Self { name, groups, log, presence, from, arrivals, told, passages, metrics }
    }

    /// A session comes. When this returns it hears everything that is committed from now on.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        who: Newcomer<'_>,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Presented, Refusal> {
        let Newcomer { connected, vendor, id, address } = who;
        let connection = Arc::new(Connection {
            vendor,
            user: connected.user.clone(),
            device: connected.device.clone(),
            platform: connected.platform,
            id: id.to_owned(),
            address: Some(address),
            since: self.groups.now(),
        });
        let unknown = self.seat(&connection, mailbox, connected.most).await?;
        // from here on it leaves however this ends
        let (realm, way) = (Arc::clone(self), Departure::Lost);
        let presented = Presented { realm, connection: Arc::clone(&connection), way };
        if unknown {
            let joined = JoinedGroups::all(connection.user.clone());
            let joined = self.groups.ask(&Actor::app(), joined).await?.groups;
            self.presence.lock().learn(&connection, joined.into_iter().map(|(group, _)| group.id.clone()));
        }
        Ok(presented)
    }

    /// Makes a session known; whether its user was not.
    async fn seat(&self, connection: &Arc<Connection>, mailbox: &Arc<Mailbox>, most: usize) -> Result<bool, Refusal> {
        loop {
            let last = if self.is_empty() { Some(self.last().await?) } else { None };
            let mut presence = self.presence.lock();
            if presence.is_empty() {
                // the last one has left since
                let Some(last) = last else { continue };
                *self.from.lock() = Some(last);
                self.arrivals.notify_one();
            }
            let unknown = presence.enter(connection, mailbox);
            // those it replaces were online until now: nobody comes online who is
            let others = presence.others(connection);
            let replaced = if most == 0 { Vec::new() } else { presence.make_room(connection, most) };
            // told under the lock, so that comings and goings of one user are in their order
            self.pass(connection, Way::In, others);
            self.all_gone(replaced, Dismissal::Replaced);
            return Ok(unknown);
        }
    }

    /// The number of the last event there is.
    async fn last(&self) -> Result<u64, Refusal> {
        self.log.last().await
    }

    /// Follows the realm's log while somebody is there, until the process drains.
    pub(crate) async fn follow(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let mut appended = self.log.subscribe();
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
                self.told.send_replace(place);
            }
            if let Err(error) = self.catch_up(&mut place).await {
                tracing::error!(realm = self.name, %error, "the log cannot be read; sessions are told nothing new");
            }
            tokio::select! {
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
                alive = appended.changed() => if !alive { return },
                // the first to come after the last had left may have missed what was read in between
                () = self.arrivals.notified() => {}
                () = sleep(ROUND) => {}
            }
        }
    }

    /// Tells what has been committed since a place in the log.
    async fn catch_up(&self, place: &mut u64) -> Result<(), Refusal> {
        while !self.is_empty() {
            let events = self.log.read(*place, PAGE).await?;
            for event in &events {
                self.tell(event);
                *place = event.sequence;
            }
            self.told.send_replace(*place);
            if events.len() < PAGE {
                break;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.presence.lock().is_empty()
    }

    /// Hears of connections that come and go from now on. At most [`PASSAGES`] wait; older ones are left out.
    pub(crate) fn passages(&self) -> broadcast::Receiver<Arc<Passage>> {
        self.passages.get_or_init(|| broadcast::Sender::new(PASSAGES)).subscribe()
    }

    fn all_gone(&self, gone: Vec<Gone>, why: Dismissal) {
        for Gone { connection, others } in gone {
            self.pass(&connection, Way::Out(Departure::Dismissed(why)), others);
        }
    }

    /// Tells that a connection came or went; costs nothing when nobody listens.
    fn pass(&self, connection: &Arc<Connection>, way: Way, others: usize) {
        let Some(passages) = self.passages.get() else { return };
        let passage = Passage { connection: Arc::clone(connection), at: self.groups.now(), way, others };
        let _nobody = passages.send(Arc::new(passage));
    }

    /// Waits until what is committed by now has been told, but not for ever.
    async fn catch_up_to_now(&self) {
        let last = match self.last().await {
            Ok(last) => last,
            Err(error) => {
                tracing::error!(realm = self.name, %error, "the log cannot be read; who is online may be told late");
                return;
            }
        };
        let mut told = self.told.subscribe();
        let caught_up = timeout(ROUND, told.wait_for(|told| *told >= last)).await;
        if caught_up.is_err() && !self.is_empty() {
            tracing::warn!(realm = self.name, "sessions are behind the log; who is online in a group may be told late");
        }
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

#[async_trait]
impl Presence for Realm {
    fn connections(&self, users: &[UserId]) -> Vec<Vec<Arc<Connection>>> {
        let presence = self.presence.lock();
        users.iter().map(|user| presence.connections(user)).collect()
    }

    async fn online_in(&self, group: &GroupId) -> Vec<UserId> {
        if self.is_empty() {
            return Vec::new();
        }
        self.catch_up_to_now().await;
        self.presence.lock().members(group)
    }

    fn end(&self, user: &UserId, why: Dismissal, which: &(dyn Fn(&Connection) -> bool + Sync)) -> usize {
        let mut presence = self.presence.lock();
        let gone = presence.end(user, why, which);
        let ended = gone.len();
        self.all_gone(gone, why);
        ended
    }
}

/// A session that is known to its realm, until this is dropped.
pub(crate) struct Presented {
    realm: Arc<Realm>,
    connection: Arc<Connection>,
    /// How it goes.
    pub(crate) way: Departure,
}

impl Drop for Presented {
    fn drop(&mut self) {
        let mut presence = self.realm.presence.lock();
        if let Some(Gone { connection, others }) = presence.leave(&self.connection) {
            self.realm.pass(&connection, Way::Out(self.way), others);
        }
    }
}
