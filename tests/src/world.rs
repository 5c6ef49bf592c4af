//! One realm over a store, with a clock that advances only when a test says so, and sequential ids.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use conclave::blob::InMemory;
use conclave_core::engine::Engine;
use conclave_core::event::Actor;
use conclave_core::memory::Memory;
use conclave_core::model::{GroupId, Key, Millis, Prefix, Role, Row, Settings, UserId};
use conclave_core::operation::{NewUser, OnExisting, RegisterUsers};
use conclave_core::ports::{Batch, Clock, CommitError, Groups, GroupsExt, Log, Mint, Span, Store, StoreError};
use conclave_core::query::MembersNamed;
use conclave_kit::{Blobs, Connection, ConnectionFilter, Device, DisconnectReason, Platform, Presence};

/// The time at which worlds begin: within the validity of the documented user signatures.
pub const BEGINNING: Millis = Millis(1_700_000_100_000);

/// A clock that advances only when a test says so.
pub struct SteppedClock(AtomicU64);

impl SteppedClock {
    /// A clock at this time.
    pub fn at(now: Millis) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Advances by so many milliseconds.
    pub fn step(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// Counts instead of generating random numbers.
#[derive(Default)]
pub struct CountingMint(AtomicU64);

impl Mint for CountingMint {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A made-up list of online users, without sockets.
pub struct Attendance {
    groups: Arc<dyn Groups>,
    present: Mutex<Vec<Arc<Connection>>>,
}

impl Attendance {
    /// A user connects, on this platform.
    pub fn comes(&self, id: &str, platform: Platform) {
        let mut present = self.present.lock().expect("a lock");
        let (user, device, since) = (user(id), Device::new("test", format!("device of {id}")), self.groups.now());
        let id = format!("connection {}", present.len());
        present.push(Arc::new(Connection { vendor: "test", user, device, platform, id, address: None, since }));
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        self.present.lock().expect("a lock").clone()
    }
}

#[async_trait]
impl Presence for Attendance {
    async fn connections(&self, users: &[UserId]) -> Vec<Vec<Arc<Connection>>> {
        let of = |user: &UserId| self.all().into_iter().filter(|connection| connection.user == *user).collect();
        users.iter().map(of).collect()
    }

    async fn members_online(&self, group: &GroupId) -> Vec<(UserId, Role)> {
        let mut users: Vec<UserId> = self.all().iter().map(|connection| connection.user.clone()).collect();
        users.dedup();
        let named = MembersNamed { group: group.clone(), users };
        let found = self.groups.ask(&Actor::app(), named).await;
        found.map_or_else(
            |_| Vec::new(),
            |found| found.members.into_iter().flatten().map(|one| (one.user.clone(), one.role)).collect(),
        )
    }

    async fn disconnect(&self, user: &UserId, which: &ConnectionFilter, _: DisconnectReason) -> usize {
        let mut present = self.present.lock().expect("a lock");
        let before = present.len();
        present.retain(|connection| connection.user != *user || !which.includes(connection));
        before - present.len()
    }
}

/// A store whose commits, and the rows read from it, are counted.
struct Counted {
    store: Arc<dyn Store>,
    commits: Arc<AtomicUsize>,
    rows_read: Arc<AtomicUsize>,
}

#[async_trait]
impl Store for Counted {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.rows_read.fetch_add(keys.len(), Ordering::SeqCst);
        self.store.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let rows = self.store.scan(span).await?;
        self.rows_read.fetch_add(rows.len(), Ordering::SeqCst);
        Ok(rows)
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.store.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        let committed = self.store.commit(batch).await;
        self.commits.fetch_add(usize::from(committed.is_ok()), Ordering::SeqCst);
        committed
    }

    fn drafts(&self) -> Option<&dyn Store> {
        self.store.drafts()
    }

    async fn settled(&self) -> Result<(), StoreError> {
        self.store.settled().await
    }
}

/// A realm for tests.
pub struct World {
    /// Its clock.
    pub clock: Arc<SteppedClock>,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Its groups.
    pub groups: Arc<dyn Groups>,
    /// Its event log.
    pub log: Arc<dyn Log>,
    /// The bytes of its shared files.
    pub blobs: Arc<dyn Blobs>,
    /// Its online users.
    pub attendance: Arc<Attendance>,
    /// The number of commits.
    commits: Arc<AtomicUsize>,
    /// The number of rows that were read.
    rows_read: Arc<AtomicUsize>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// In memory, with default settings.
    pub fn new() -> Self {
        Self::with(Arc::new(Memory::new()), Settings::default())
    }

    /// Over this store, with these settings.
    pub fn with(store: Arc<dyn Store>, settings: Settings) -> Self {
        Self::at(BEGINNING, store, settings)
    }

    /// The same, beginning at this time.
    pub fn at(beginning: Millis, store: Arc<dyn Store>, settings: Settings) -> Self {
        let clock = Arc::new(SteppedClock::at(beginning));
        let commits = Arc::new(AtomicUsize::new(0));
        let rows_read = Arc::new(AtomicUsize::new(0));
        let (store_too, commits_too, rows_too) = (store.clone(), Arc::clone(&commits), Arc::clone(&rows_read));
        let counted = Arc::new(Counted { store: store_too, commits: commits_too, rows_read: rows_too });
        let engine = Engine::new(counted, clock.clone(), Arc::new(CountingMint::default()), settings);
        let engine = Arc::new(engine);
        let (groups, log): (Arc<dyn Groups>, Arc<dyn Log>) = (engine.clone(), engine);
        let attendance = Arc::new(Attendance { groups: groups.clone(), present: Mutex::default() });
        Self { clock, store, groups, log, blobs: Arc::new(InMemory::default()), attendance, commits, rows_read }
    }

    /// The number of commits.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    /// The number of rows that were read.
    pub fn rows_read(&self) -> usize {
        self.rows_read.load(Ordering::SeqCst)
    }

    /// Creates accounts.
    pub async fn users(&self, ids: &[&str]) {
        let users = ids.iter().map(|id| NewUser::of(user(id))).collect();
        let register = RegisterUsers { users, on_existing: OnExisting::Skip, folded: false };
        self.groups.run(&Actor::app(), register).await.expect("accounts");
    }

    /// Performs an operation as the app; it must succeed.
    pub async fn run<O: conclave_core::ports::Typed>(&self, operation: O) -> O::Reply {
        self.groups.run(&Actor::app(), operation).await.expect("an accepted operation")
    }
}

/// A user id.
pub fn user(id: &str) -> UserId {
    UserId::new(id).expect("a user id")
}

/// A group id.
pub fn group(id: &str) -> conclave_core::model::GroupId {
    conclave_core::model::GroupId::new(id).expect("a group id")
}
