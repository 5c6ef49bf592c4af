//! Whole lists are bounded while they are read, not only when they are encoded: a query that would hold more in memory
//! than it may is refused, and stops reading.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use common::{START, block_on, group, user};
use conclave_core::bounds::QUERY_BYTES;
use conclave_core::engine::Engine;
use conclave_core::event::Actor;
use conclave_core::memory::Memory;
use conclave_core::model::{Key, Millis, Policy, Prefix, Profile, Row, Settings};
use conclave_core::operation::{CreateGroup, NewMember, NewUser, OnExisting, RegisterUsers, UpdateMember};
use conclave_core::ports::{Batch, Clock, CommitError, GroupsExt as _, Mint, Span, Store, StoreError};
use conclave_core::query::{JoinedGroups, ListMembers};
use conclave_core::refusal::Refusal;

/// Counts the rows that are read.
struct Counted {
    inner: Memory,
    rows: AtomicUsize,
}

#[async_trait::async_trait]
impl Store for Counted {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.rows.fetch_add(keys.len(), Ordering::SeqCst);
        self.inner.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let rows = self.inner.scan(span).await?;
        self.rows.fetch_add(rows.len(), Ordering::SeqCst);
        Ok(rows)
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.inner.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        self.inner.commit(batch).await
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Millis {
        Millis(START)
    }
}

struct Numbers(AtomicU64);

impl Mint for Numbers {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

async fn world(users: &[String]) -> (Arc<Counted>, Engine) {
    let store = Arc::new(Counted { inner: Memory::new(), rows: AtomicUsize::new(0) });
    let mint = Arc::new(Numbers(AtomicU64::new(1)));
    let engine = Engine::new(Arc::clone(&store) as Arc<dyn Store>, Arc::new(Still), mint, Settings::default());
    for users in users.chunks(100) {
        let users = users.iter().map(|name| NewUser::of(user(name))).collect();
        let register = RegisterUsers { users, on_existing: OnExisting::Refuse, folded: false };
        engine.run(&Actor::app(), register).await.unwrap();
    }
    (store, engine)
}

fn is_too_large<T>(result: &Result<T, Refusal>) -> bool {
    matches!(result, Err(Refusal::TooLarge { what: "answer", most }) if *most == QUERY_BYTES as u64)
}

#[test]
fn a_groups_members_are_not_read_without_bound() {
    block_on(async {
        let names: Vec<String> = (0..2400).map(|number| format!("user{number}")).collect();
        let (store, engine) = world(&names).await;
        let app = Actor::app();
        let create = CreateGroup {
            id: Some(group("g")),
            members: names.iter().map(|name| NewMember::now(user(name))).collect(),
            ..CreateGroup::new(None, Policy::standard())
        };
        engine.run(&app, create).await.unwrap();
        // as long as they are short, all of them are one list
        let all = engine.ask(&app, ListMembers::all(group("g"))).await.unwrap();
        assert_eq!((all.members.len(), all.next), (2400, None));
        let extra = "x".repeat(60_000);
        for name in &names {
            let update = UpdateMember { extra: Some(extra.clone()), ..UpdateMember::of(group("g"), user(name)) };
            engine.run(&app, update).await.unwrap();
        }
        store.rows.store(0, Ordering::SeqCst);
        assert!(is_too_large(&engine.ask(&app, ListMembers::all(group("g"))).await));
        let read = store.rows.load(Ordering::SeqCst);
        assert!(read < 2400, "all {read} rows were read before they were too many");
        // in pages they can be read
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = ListMembers { after, limit: 500, ..ListMembers::all(group("g")) };
            let page = engine.ask(&app, page).await.unwrap();
            seen += page.members.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, 2400);
    });
}

#[test]
fn a_users_groups_are_not_read_without_bound() {
    block_on(async {
        let (_, engine) = world(&["ann".to_owned()]).await;
        let app = Actor::app();
        for number in 0..1300 {
            let create = CreateGroup {
                id: Some(group(&number.to_string())),
                profile: Profile { introduction: "x".repeat(100_000), ..Profile::default() },
                ..CreateGroup::new(Some(user("ann")), Policy::standard())
            };
            engine.run(&app, create).await.unwrap();
        }
        assert!(is_too_large(&engine.ask(&app, JoinedGroups::all(user("ann"))).await));
        // who needs only something of each reads them in pages
        let ids = engine.pick_joined(&app, &user("ann"), |group, _| Some(group.id.clone())).await.unwrap();
        assert_eq!(ids.len(), 1300);
    });
}
