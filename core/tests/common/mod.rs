//! A realm in memory whose clock moves only when the test advances it.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::new_without_default,
    reason = "shared by several suites"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use conclave_core::engine::Engine;
use conclave_core::event::{Actor, Happening};
use conclave_core::invariants::{everything, realm_broken};
use conclave_core::memory::Memory;
use conclave_core::model::{Body, GroupId, Key, Millis, Policy, Prefix, Row, Sender, Settings, UserId};
use conclave_core::operation::{
    AddMembers, CreateGroup, Ended, NewMember, NewUser, OnBlocked, OnExisting, OnFull, OnMember, OnOutsider, OnUnknown,
    Promote, Quiet, RegisterUsers, SendMessage,
};
use conclave_core::ports::{
    Asked, Batch, Clock, CommitError, GroupsExt, Log, Maintenance, Mint, Span, Store, StoreError, Typed,
};
use conclave_core::refusal::Refusal;

pub const START: u64 = 1_700_000_000_000;

#[derive(Debug)]
pub struct Stepped(AtomicU64);

impl Clock for Stepped {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Mint for Counting {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// The store, with a pause before each call: what callers do at once really mixes.
struct Pausing(Arc<Memory>);

#[async_trait::async_trait]
impl Store for Pausing {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        tokio::task::yield_now().await;
        self.0.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        tokio::task::yield_now().await;
        self.0.scan(span).await
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        tokio::task::yield_now().await;
        self.0.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        tokio::task::yield_now().await;
        self.0.commit(batch).await
    }
}

pub struct World {
    pub engine: Arc<Engine>,
    pub store: Arc<Memory>,
    clock: Arc<Stepped>,
}

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

pub fn users(names: &[&str]) -> Vec<UserId> {
    names.iter().map(|name| user(name)).collect()
}

pub fn group(name: &str) -> GroupId {
    GroupId::new(name).unwrap()
}

pub fn by(name: &str) -> Actor {
    Actor::user(user(name))
}

impl World {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        let store = Arc::new(Memory::new());
        let clock = Arc::new(Stepped(AtomicU64::new(START)));
        let mint = Arc::new(Counting::default());
        let engine = Arc::new(Engine::new(Arc::new(Pausing(store.clone())), clock.clone(), mint, settings));
        Self { engine, store, clock }
    }

    /// With these accounts.
    pub async fn peopled(names: &[&str]) -> Self {
        let world = Self::new();
        world.register(names).await;
        world
    }

    pub async fn register(&self, names: &[&str]) {
        let users = names.iter().map(|name| NewUser::of(user(name))).collect();
        self.app(RegisterUsers { users, on_existing: OnExisting::Refuse, folded: false }).await.unwrap();
    }

    /// A group of this owner and these members.
    pub async fn group(&self, id: &str, owner: &str, members: &[&str], policy: Policy) -> GroupId {
        let create = CreateGroup {
            id: Some(group(id)),
            members: members.iter().map(|name| NewMember::now(user(name))).collect(),
            ..CreateGroup::new(Some(user(owner)), policy)
        };
        self.app(create).await.unwrap().group.id
    }

    /// Makes a member of "g" an admin.
    pub async fn promote(&self, name: &str) {
        let promote = Promote { group: group("g"), users: users(&[name]), most: None, on_outsider: OnOutsider::Refuse };
        self.app(promote).await.unwrap();
    }

    pub async fn app<O: Typed>(&self, operation: O) -> Result<O::Reply, Refusal> {
        self.run(&Actor::app(), operation).await
    }

    pub async fn run<O: Typed>(&self, actor: &Actor, operation: O) -> Result<O::Reply, Refusal> {
        self.step(1);
        self.engine.run(actor, operation).await
    }

    pub async fn ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Refusal> {
        self.engine.ask(&Actor::app(), query).await
    }

    pub async fn sweep(&self, places: Vec<Key>) -> Result<Ended, Refusal> {
        self.step(1);
        self.engine.sweep(places).await
    }

    pub fn step(&self, millis: u64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The broken invariant of the stored rows, if any.
    pub async fn broken(&self) -> Option<String> {
        let rows = everything(&*self.store as &dyn Store).await.unwrap();
        realm_broken(&rows, self.now())
    }
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub fn add(names: &[&str]) -> AddMembers {
    AddMembers {
        group: group("g"),
        members: names.iter().map(|name| NewMember::now(user(name))).collect(),
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    }
}

pub fn text(sender: &str, words: &str) -> SendMessage {
    SendMessage::new(group("g"), Sender::User(user(sender)), Body::Text(words.to_owned()))
}

/// Runs a test in a realm with a standard group "g" of ann (owner), ben and cy; dan is not a member.
pub fn story<F: AsyncFnOnce(&World)>(policy: Policy, test: F) {
    block_on(async {
        let world = World::peopled(&["ann", "ben", "cy", "dan"]).await;
        world.group("g", "ann", &["ben", "cy"], policy).await;
        test(&world).await;
        assert_eq!(world.broken().await, None);
    });
}

pub async fn log(world: &World) -> Vec<Happening> {
    let events = Log::read(&*world.engine, 0, 1000).await.unwrap();
    events.iter().map(|event| event.what.clone()).collect()
}
