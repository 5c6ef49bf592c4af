//! The sessions of one realm, and the delivery of its log to them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use conclave_core::event::{Actor, Event};
use conclave_core::model::{GroupId, Receive, Role, UserId};
use conclave_core::ports::{Groups, GroupsExt as _, Log};
use conclave_core::query::JoinedGroups;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    AnyFact, Connection, ConnectionChange, ConnectionEvent, ConnectionFilter, DisconnectReason, Disconnection,
    Identity, Presence, SignInRefused,
};
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::{sleep, timeout};

use super::mailbox::{Delivery, Mailbox};
use super::registry::{Gone, MemberState, Receiver, Registry};
use crate::backend::Backend;
use crate::faults::{Armed, CallEffect, Faults, PushEffect};
use crate::journal::{Entry, Journals};
use crate::listener::Phase;
use crate::metrics::SessionMetrics;
use crate::surface_table::Mounted;

/// Most events read at a time.
const PAGE: usize = 256;
/// How often the log is read without its signal, for commits whose caller had disconnected.
const ROUND: Duration = Duration::from_secs(1);
/// Most connection events that wait for a subscriber.
const CONNECTION_EVENTS: usize = 8192;
/// How often it is looked whether a session has checked its user.
const CHECKED: Duration = Duration::from_millis(2);
/// How long a vendor may take to project one event; nothing is delivered meanwhile.
const PROJECTION: Duration = Duration::from_secs(5);

/// One realm's sessions.
pub(crate) struct RealmSessions {
    name: String,
    groups: Arc<dyn Groups>,
    log: Arc<dyn Log>,
    registry: Mutex<Registry>,
    /// The vendors with signed-in users. Weak, because their surfaces hold this realm.
    vendors: Mutex<HashMap<&'static str, Weak<Mounted>>>,
    /// Where following the log starts, set by the first session: until then the log is not read.
    from: Mutex<Option<u64>>,
    /// Wakes the log's reader when a user comes online.
    arrivals: Notify,
    /// The number of the last event that was delivered.
    delivered: watch::Sender<u64>,
    /// Connection events for the subscriber.
    connection_events: OnceLock<broadcast::Sender<Arc<ConnectionEvent>>>,
    quota: Quota,
    metrics: SessionMetrics,
    /// The fault rules of all realms.
    faults: Arc<Faults>,
    /// The journals of all realms.
    journals: Arc<Journals>,
}

/// Limits on sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    /// Most sessions of a user.
    pub(crate) per_user: usize,
    /// Most sessions of a realm.
    pub(crate) per_realm: usize,
}

/// A user who signs in.
pub(crate) struct NewLogin {
    /// From the protocol.
    pub(crate) identity: Identity,
    /// The vendor whose protocol the client speaks.
    pub(crate) mounted: Arc<Mounted>,
    /// Unique among all connections.
    pub(crate) id: String,
    /// The client's address.
    pub(crate) address: SocketAddr,
}

impl RealmSessions {
    /// Without users.
    pub(crate) fn new(
        name: String,
        backend: &Backend,
        quota: Quota,
        metrics: SessionMetrics,
        (faults, journals): (Arc<Faults>, Arc<Journals>),
    ) -> Self {
        Self {
            name,
            groups: Arc::clone(&backend.groups),
            log: Arc::clone(&backend.log),
            registry: Mutex::default(),
            vendors: Mutex::default(),
            from: Mutex::default(),
            arrivals: Notify::new(),
            delivered: watch::Sender::new(0),
            connection_events: OnceLock::new(),
            quota,
            metrics,
            faults,
            journals,
        }
    }

    /// Registers a user who signs in. After this returns, everything that is committed is delivered to the mailbox.
    pub(crate) async fn register(
        self: &Arc<Self>,
        login_request: &NewLogin,
        mailbox: &Arc<Mailbox>,
    ) -> Result<Registered, SignInRefused> {
        let NewLogin { identity, mounted, id, address } = login_request;
        match self.faults.for_sign_in(&self.name, mounted.vendor, &identity.user) {
            Some(CallEffect::Delay(time)) => sleep(time).await,
            Some(CallEffect::Drop | CallEffect::Error(..)) => return Err(SignInRefused::Busy),
            None => {}
        }
        let connection = Arc::new(Connection {
            vendor: mounted.vendor,
            user: identity.user.clone(),
            device: identity.device.clone(),
            platform: identity.platform,
            id: id.clone(),
            address: Some(*address),
            since: self.groups.now(),
        });
        self.vendors.lock().entry(mounted.vendor).or_insert_with(|| Arc::downgrade(mounted));
        let is_new = self.add(&connection, mailbox, identity).await?;
        // from here on it is removed, whatever happens
        let (realm, ending) = (Arc::clone(self), Disconnection::Lost);
        let registered = Registered { realm, connection: Arc::clone(&connection), ending };
        if is_new {
            let joined = JoinedGroups::all(connection.user.clone());
            let joined = self.groups.ask(&Actor::app(), joined).await.map_err(|refusal| self.unavailable(&refusal))?;
            let joined = joined.groups.into_iter().map(|(group, member)| {
                let state = MemberState { role: member.role, discards: member.receive == Receive::Discard };
                (group.id.clone(), state)
            });
            self.registry.lock().learn(&connection, joined);
        }
        Ok(registered)
    }

    fn unavailable(&self, refusal: &Refusal) -> SignInRefused {
        tracing::error!(realm = self.name, %refusal, "a user cannot sign in, as their groups cannot be read");
        SignInRefused::Unavailable
    }

    /// Adds a session; returns whether its user was not online before.
    async fn add(
        &self,
        connection: &Arc<Connection>,
        mailbox: &Arc<Mailbox>,
        identity: &Identity,
    ) -> Result<bool, SignInRefused> {
        loop {
            let last = if self.is_empty() {
                Some(self.last().await.map_err(|refusal| self.unavailable(&refusal))?)
            } else {
                None
            };
            let mut registry = self.registry.lock();
            if registry.is_empty() {
                // the last one has disconnected since
                let Some(last) = last else { continue };
                *self.from.lock() = Some(last);
                self.arrivals.notify_one();
            }
            if registry.refuses(connection, &identity.rules) {
                return Err(SignInRefused::TooManyLogins);
            }
            let is_new = registry.add(connection, mailbox);
            // the replaced ones were online until now: the user does not come online
            let others = registry.others(connection);
            let replaced = registry.replace(connection, &identity.rules);
            if registry.others(connection) >= self.quota.per_user || registry.count() > self.quota.per_realm {
                registry.remove(connection);
                self.all_gone(replaced);
                return Err(SignInRefused::Busy);
            }
            // emitted under the lock, so that the events of one user are in order
            self.emit(connection, ConnectionChange::Connected, others);
            self.all_gone(replaced);
            return Ok(is_new);
        }
    }

    /// The number of the last event.
    async fn last(&self) -> Result<u64, Refusal> {
        self.log.last().await
    }

    /// Follows the realm's log while users are online, until the process drains.
    pub(crate) async fn follow(self: Arc<Self>, mut phase: watch::Receiver<Phase>) {
        let mut appended = self.log.subscribe();
        let mut place = 0;
        loop {
            // without online users, commits wake nothing
            while self.is_empty() {
                tokio::select! {
                    _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
                    () = self.arrivals.notified() => {}
                }
            }
            if let Some(from) = self.from.lock().take() {
                place = from;
                self.delivered.send_replace(place);
            }
            if let Err(error) = self.catch_up(&mut place).await {
                tracing::error!(realm = self.name, %error, "the event log cannot be read; no events are delivered to connected clients until it can");
            }
            tokio::select! {
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
                alive = appended.changed() => if !alive { return },
                // the first user to come online again may have missed events that were read in between
                () = self.arrivals.notified() => {}
                () = sleep(ROUND) => {}
            }
        }
    }

    /// Delivers the events committed after a position in the log.
    async fn catch_up(&self, place: &mut u64) -> Result<(), Refusal> {
        while !self.is_empty() {
            let events = self.log.read(*place, PAGE).await?;
            for event in &events {
                self.deliver(event).await;
                *place = event.sequence;
            }
            self.delivered.send_replace(*place);
            if events.len() < PAGE {
                break;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.registry.lock().is_empty()
    }

    /// Applies the fault rules to a push; returns whether it is not delivered now.
    fn takes_over(&self, event: &Event, vendor: &str, receiver: &Receiver, delivery: &Delivery) -> bool {
        match self.faults.for_push(&self.name, vendor, &receiver.connection.user, event) {
            None => false,
            Some(PushEffect::Drop) => true,
            Some(PushEffect::Delay(time)) => {
                let Some(place) = self.faults.delayed() else { return false };
                let (mailbox, delivery) = (Arc::clone(&receiver.mailbox), delivery.clone());
                tokio::spawn(async move {
                    let _place = place;
                    sleep(time).await;
                    mailbox.put(delivery);
                });
                true
            }
        }
    }

    /// All connections of signed-in users.
    pub(crate) fn connected(&self) -> Vec<Arc<Connection>> {
        self.registry.lock().connected()
    }

    /// Ends the sessions of these connections, with a reason or by cutting the connection; returns how many.
    pub(crate) fn end_matching(
        &self,
        matches: impl Fn(&Connection) -> bool,
        reason: Option<DisconnectReason>,
    ) -> usize {
        let mut registry = self.registry.lock();
        let ended = registry.end_matching(matches, reason);
        let count = ended.len();
        self.all_gone(ended);
        count
    }

    /// Ends every session: clients reconnect by themselves, and read again what they need.
    pub(crate) fn end_all(&self) -> usize {
        let mut registry = self.registry.lock();
        let gone = registry.end_all(DisconnectReason::ShuttingDown);
        let ended = gone.len();
        self.all_gone(gone);
        ended
    }

    /// Checks of every session whether its user may stay signed in, and returns when all checks are done.
    pub(crate) async fn recheck_all(&self) {
        let mailboxes = self.registry.lock().mailboxes();
        let asked: Vec<(Weak<Mailbox>, u32)> = mailboxes
            .iter()
            .map(|mailbox| {
                let checks = mailbox.checks();
                mailbox.recheck();
                (Arc::downgrade(mailbox), checks)
            })
            .collect();
        drop(mailboxes);
        for (mailbox, before) in asked {
            // dropped when its user is signed out
            while mailbox.upgrade().is_some_and(|mailbox| mailbox.checks() == before) {
                sleep(CHECKED).await;
            }
        }
    }

    /// Subscribes to connection events from now on. At most [`CONNECTION_EVENTS`] wait; older ones are dropped.
    pub(crate) fn connection_events(&self) -> broadcast::Receiver<Arc<ConnectionEvent>> {
        self.connection_events.get_or_init(|| broadcast::Sender::new(CONNECTION_EVENTS)).subscribe()
    }

    fn all_gone(&self, gone: Vec<Gone>) {
        for Gone { connection, others, reason } in gone {
            self.emit(&connection, ConnectionChange::Disconnected(Disconnection::Ended(reason)), others);
        }
    }

    /// Emits a connection event; costs nothing without a subscriber.
    fn emit(&self, connection: &Arc<Connection>, change: ConnectionChange, others: usize) {
        let Some(events) = self.connection_events.get() else { return };
        let event = ConnectionEvent { connection: Arc::clone(connection), at: self.groups.now(), change, others };
        let _nobody = events.send(Arc::new(event));
    }

    /// Waits, up to a limit, until what is committed by now has been applied.
    async fn catch_up_to_now(&self) {
        let last = match self.last().await {
            Ok(last) => last,
            Err(error) => {
                tracing::error!(realm = self.name, %error, "the event log cannot be read; who is online may be out of date");
                return;
            }
        };
        let mut delivered = self.delivered.subscribe();
        let caught_up = timeout(ROUND, delivered.wait_for(|delivered| *delivered >= last)).await;
        if caught_up.is_err() && !self.is_empty() {
            tracing::warn!(
                realm = self.name,
                "delivery of events to clients is behind; who is online in a group may be out of date"
            );
        }
    }

    /// Delivers an event to the sessions of its audience: projected once for each vendor, whatever the number of
    /// sessions.
    async fn deliver(&self, event: &Arc<Event>) {
        let vendors = self.registry.lock().apply(event);
        for vendor in vendors {
            let Some(mounted) = self.vendors.lock().get(vendor).and_then(Weak::upgrade) else { continue };
            if let Some(facts) = self.project(&mounted, event).await {
                for fact in facts {
                    self.put(event, vendor, fact);
                }
            } else {
                let mailboxes = self.registry.lock().audience_mailboxes(event, vendor);
                for mailbox in &mailboxes {
                    mailbox.miss();
                }
                self.metrics.missed.inc_by(mailboxes.len() as u64);
            }
        }
    }

    /// The facts of an event for a vendor's clients; `None` when projecting failed.
    async fn project(&self, mounted: &Mounted, event: &Arc<Event>) -> Option<Vec<AnyFact>> {
        let protocol = mounted.surface.client_protocol()?;
        let projection = AssertUnwindSafe(protocol.project_any(&self.name, event)).catch_unwind();
        let why = match timeout(PROJECTION, projection).await {
            Ok(Ok(Ok(facts))) => return Some(facts),
            Ok(Ok(Err(refusal))) => refusal.to_string(),
            Ok(Err(_)) => "it panicked".to_owned(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::error!(
            realm = self.name,
            vendor = mounted.vendor,
            event = event.sequence,
            why,
            "an event could not be projected; its audience is notified to fetch missed events"
        );
        None
    }

    fn put(&self, event: &Event, vendor: &'static str, fact: AnyFact) {
        let AnyFact { to, content, bytes } = fact;
        let receivers = self.registry.lock().receivers(event, vendor, &to);
        let mut missed = 0;
        let journal = self.journals.of(&self.name).map(|journal| (journal, Entry::pushed(vendor, event)));
        for receiver in &receivers {
            let delivery = Delivery { content: Arc::clone(&content), bytes, is_own: receiver.is_own };
            if self.faults.is_any() && self.takes_over(event, vendor, receiver, &delivery) {
                continue;
            }
            missed += u64::from(receiver.mailbox.put(delivery));
            if let Some((journal, pushed)) = &journal {
                journal.add(Entry { user: Some(receiver.connection.user.to_string()), ..pushed.clone() });
            }
        }
        self.metrics.delivered.inc_by(receivers.len() as u64);
        self.metrics.missed.inc_by(missed);
    }
}

#[async_trait]
impl Presence for RealmSessions {
    async fn connections(&self, users: &[UserId]) -> Vec<Vec<Arc<Connection>>> {
        let registry = self.registry.lock();
        users.iter().map(|user| registry.connections(user)).collect()
    }

    async fn members_online(&self, group: &GroupId) -> Vec<(UserId, Role)> {
        if self.is_empty() {
            return Vec::new();
        }
        self.catch_up_to_now().await;
        self.registry.lock().members(group)
    }

    async fn disconnect(&self, user: &UserId, which: &ConnectionFilter, reason: DisconnectReason) -> usize {
        let mut registry = self.registry.lock();
        let gone = registry.end(user, which, reason);
        let ended = gone.len();
        self.all_gone(gone);
        ended
    }
}

/// A session that is registered in its realm, until this is dropped.
pub(crate) struct Registered {
    realm: Arc<RealmSessions>,
    connection: Arc<Connection>,
    /// The reason of its end.
    pub(crate) ending: Disconnection,
}

impl Registered {
    /// Decides the fault rules that need only the realm and the user.
    pub(crate) fn decide(&self, faults: &Armed) {
        faults.admitted(&self.realm.name, Some(&self.connection.user));
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut registry = self.realm.registry.lock();
        if let Some(others) = registry.remove(&self.connection) {
            self.realm.emit(&self.connection, ConnectionChange::Disconnected(self.ending), others);
        }
    }
}
