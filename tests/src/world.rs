//! One realm over a store, with a clock that stands until it is moved and ids that count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use conclave::blob::InMemory;
use conclave_core::engine::Engine;
use conclave_core::event::Actor;
use conclave_core::memory::Memory;
use conclave_core::model::{Millis, Settings, UserId};
use conclave_core::operation::{NewUser, OnExisting, RegisterUsers};
use conclave_core::ports::{Clock, Groups, GroupsExt, Mint, Store};
use conclave_kit::Blobs;

/// The moment at which worlds begin: inside the window in which the documented user signatures are valid.
pub const BEGINNING: Millis = Millis(1_700_000_100_000);

/// A clock that stands until it is moved.
pub struct SteppedClock(AtomicU64);

impl SteppedClock {
    /// Stands at this moment.
    pub fn at(now: Millis) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Moves on by so many milliseconds.
    pub fn step(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// Counts instead of rolling dice.
#[derive(Default)]
pub struct CountingMint(AtomicU64);

impl Mint for CountingMint {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A realm to tell stories in.
pub struct World {
    /// Its clock.
    pub clock: Arc<SteppedClock>,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Its groups.
    pub groups: Arc<dyn Groups>,
    /// The bytes of its shared files.
    pub blobs: Arc<dyn Blobs>,
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

    /// The same, beginning at this moment.
    pub fn at(beginning: Millis, store: Arc<dyn Store>, settings: Settings) -> Self {
        let clock = Arc::new(SteppedClock::at(beginning));
        let engine = Engine::new(store.clone(), clock.clone(), Arc::new(CountingMint::default()), settings);
        Self { clock, store, groups: Arc::new(engine), blobs: Arc::new(InMemory::default()) }
    }

    /// Makes accounts.
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
