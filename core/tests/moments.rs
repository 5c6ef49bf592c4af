//! What belongs to one moment: times that never go back in a group, and answers that are put together from several rows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use common::{add, block_on, group, user, users};
use conclave_core::engine::Engine;
use conclave_core::event::{Actor, ProfileChange};
use conclave_core::memory::Memory;
use conclave_core::model::{Key, Millis, Policy, Prefix, Row, Settings};
use conclave_core::operation::{
    Cleanup, CreateGroup, Leave, NewUser, OnExisting, OnOutsider, Operation, RegisterUsers, UpdateGroup,
};
use conclave_core::ports::{Batch, Clock, CommitError, Groups, GroupsExt as _, Mint, Span, Store, StoreError};
use conclave_core::query::{GroupById, ListMembers};

/// Goes on by a millisecond whenever it is read.
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Millis {
        Millis(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

impl Mint for Ticking {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A store that lets somebody else change something before the n-th time it is read, counted from 0.
struct Between {
    store: Arc<Memory>,
    other: OnceLock<(Engine, Operation)>,
    reads: AtomicUsize,
    at: usize,
}

impl Between {
    async fn read(&self) {
        if self.reads.fetch_add(1, Ordering::SeqCst) == self.at
            && let Some((engine, operation)) = self.other.get()
        {
            engine.perform(&Actor::app(), operation.clone()).await.unwrap();
        }
    }
}

#[async_trait::async_trait]
impl Store for Between {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.read().await;
        self.store.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.read().await;
        self.store.scan(span).await
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.read().await;
        self.store.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        self.store.commit(batch).await
    }
}

/// A group "g" of ann, ben and cy, and an engine beside whose n-th reading something else is done.
async fn interrupted(at: usize, operation: Operation) -> (Engine, Engine) {
    let store = Arc::new(Memory::new());
    let clock = Arc::new(Ticking(AtomicU64::new(common::START)));
    let engine = |store: Arc<dyn Store>| Engine::new(store, clock.clone(), clock.clone(), Settings::default());
    let (plain, other) = (engine(store.clone()), engine(store.clone()));
    let accounts = ["ann", "ben", "cy"].map(|name| NewUser::of(user(name))).into();
    let register = RegisterUsers { users: accounts, on_existing: OnExisting::Skip, folded: false };
    plain.run(&Actor::app(), register).await.unwrap();
    let create = CreateGroup { id: Some(group("g")), ..CreateGroup::new(Some(user("ann")), Policy::standard()) };
    plain.run(&Actor::app(), create).await.unwrap();
    plain.run(&Actor::app(), add(&["ben", "cy"])).await.unwrap();
    let between = Arc::new(Between { store, other: OnceLock::new(), reads: AtomicUsize::new(0), at });
    assert!(between.other.set((other, operation)).is_ok());
    (engine(between), plain)
}

fn rename(name: &str) -> UpdateGroup {
    let profile = ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() };
    UpdateGroup { profile, ..UpdateGroup::of(group("g")) }
}

/// A decision based on another's commit has a later time, whichever of them began first.
#[test]
fn times_of_a_group_never_go_back() {
    for at in 0..4 {
        block_on(async {
            let (slow, plain) = interrupted(at, rename("quick").into()).await;
            slow.run(&Actor::app(), rename("slow")).await.unwrap();
            let now = plain.ask(&Actor::app(), GroupById { group: group("g") }).await.unwrap().group;
            let feed = conclave_core::ports::Log::read(&plain, 0, 100).await.unwrap();
            let times: Vec<Millis> = feed.iter().map(|event| event.at).collect();
            assert!(times.is_sorted(), "{at}: {times:?}");
            assert!(now.changed >= *times.last().unwrap(), "{at}: {:?} {times:?}", now.changed);
        });
    }
}

/// A list of members and the header beside it are of one moment.
#[test]
fn a_list_and_its_header_are_of_one_moment() {
    for at in 0..4 {
        block_on(async {
            let leave = Leave {
                group: group("g"),
                users: users(&["ben", "cy"]),
                cleanup: Cleanup::default(),
                on_outsider: OnOutsider::Refuse,
                keep_owner: true,
            };
            let (reader, _) = interrupted(at, leave.into()).await;
            let page = reader.ask(&Actor::app(), ListMembers::all(group("g"))).await.unwrap();
            assert_eq!(page.members.len(), page.group.members as usize, "the change before reading {at}");
        });
    }
}
