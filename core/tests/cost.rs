//! Rules cost the same in a small group and in a large one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{START, block_on, by, group, user, users};
use conclave_core::engine::Engine;
use conclave_core::event::Actor;
use conclave_core::memory::Memory;
use conclave_core::model::{Body, Key, Millis, Policy, Prefix, Row, Sender, Settings, Traits, Until};
use conclave_core::operation::{
    AddMembers, Block, ChangeMessage, Cleanup, CreateGroup, ExtensionChange, GiveNotice, Leave, Mute, NewMember,
    OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, Promote, Quiet, ReadMessages, RemoveMembers, SendMessage,
    SetUnread, SpeakCheck, Transfer, UpdateGroup, UpdateMember, WriteExtensions,
};
use conclave_core::ports::{Batch, Clock, CommitError, GroupsExt, Mint, Span, Store, StoreError, Typed};

/// Counts the places read and written.
struct Counted {
    inner: Memory,
    touched: AtomicUsize,
}

#[async_trait::async_trait]
impl Store for Counted {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.touched.fetch_add(keys.len(), Ordering::SeqCst);
        self.inner.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let rows = self.inner.scan(span).await?;
        self.touched.fetch_add(rows.len() + 1, Ordering::SeqCst);
        Ok(rows)
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.touched.fetch_add(1, Ordering::SeqCst);
        self.inner.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        self.touched.fetch_add(batch.changes.len() + batch.guards.len() + batch.events.len(), Ordering::SeqCst);
        self.inner.commit(batch).await
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Millis {
        Millis(START)
    }
}

#[derive(Default)]
struct Counting(AtomicUsize);

impl Mint for Counting {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) as u64
    }
}

struct Bench {
    engine: Engine,
    store: Arc<Counted>,
    costs: Vec<(String, usize)>,
}

impl Bench {
    async fn of(members: usize) -> Self {
        let store = Arc::new(Counted { inner: Memory::new(), touched: AtomicUsize::new(0) });
        let engine = Engine::new(store.clone(), Arc::new(Still), Arc::new(Counting::default()), Settings::default());
        let mut bench = Self { engine, store, costs: Vec::new() };
        let create = CreateGroup {
            id: Some(group("g")),
            members: (0..members).map(|at| NewMember::now(user(&format!("m{at}")))).collect(),
            on_unknown_owner: OnUnknown::Register,
            on_unknown_member: OnUnknown::Register,
            ..CreateGroup::new(Some(user("owner")), Policy::standard())
        };
        bench.run(&Actor::app(), create).await;
        bench.costs.clear();
        bench
    }

    async fn run<O: Typed>(&mut self, actor: &Actor, operation: O) {
        let operation = operation.into();
        let name = operation.name().to_owned();
        let before = self.store.touched.load(Ordering::SeqCst);
        conclave_core::ports::Groups::perform(&self.engine, actor, operation).await.unwrap();
        self.costs.push((name, self.store.touched.load(Ordering::SeqCst) - before));
    }
}

async fn costs(members: usize) -> Vec<(String, usize)> {
    let mut bench = Bench::of(members).await;
    let g = || group("g");
    let owner = by("owner");
    let add = AddMembers {
        group: g(),
        members: vec![NewMember::now(user("new"))],
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Register,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    };
    bench.run(&Actor::app(), add).await;
    let (one, on_outsider) = (users(&["m1"]), OnOutsider::Refuse);
    bench.run(&owner, Promote { group: g(), users: one.clone(), most: None, on_outsider }).await;
    bench.run(&owner, SendMessage::new(g(), Sender::User(user("owner")), Body::Text("hi".into()))).await;
    let traits = Traits { receipts: true, extensible: true, ..Traits::default() };
    let asking = SendMessage::new(g(), Sender::User(user("owner")), Body::Text("read this".into()));
    bench.run(&owner, SendMessage { traits, ..asking }).await;
    let read =
        ReadMessages { group: g(), user: user("m5"), sequences: vec![4], note: String::new(), most_members: None };
    bench.run(&by("m5"), read).await;
    let body = Some(Body::Text("read that".into()));
    bench.run(&owner, ChangeMessage { group: g(), sequence: 4, body, labels: BTreeMap::default(), edits: None }).await;
    let changes = vec![ExtensionChange { key: "k".into(), value: Some("v".into()), seen: None }];
    let extend =
        WriteExtensions { group: g(), sequence: 4, clear: false, changes, most: None, check: SpeakCheck::Skipped };
    bench.run(&by("m5"), extend).await;
    bench.run(&Actor::app(), SetUnread { group: g(), users: vec![(user("m5"), 1)] }).await;
    bench.run(&Actor::app(), GiveNotice { group: g(), content: "hear".into(), targets: Vec::new() }).await;
    bench.run(&owner, UpdateGroup { announcement: Some("read this".into()), ..UpdateGroup::of(g()) }).await;
    bench.run(&owner, UpdateMember { card: Some("boss".into()), ..UpdateMember::of(g(), user("owner")) }).await;
    let until = Until::Forever;
    bench.run(&owner, Mute { group: g(), users: one.clone(), until, members_only: true, spare_owner: true }).await;
    let (cleanup, reason) = (Cleanup { mute: true, allowance: true, follows: true }, String::new());
    let block = Block { group: g(), users: one, until, reason: reason.clone(), members_only: true, cleanup };
    bench.run(&owner, block).await;
    let remove = RemoveMembers {
        group: g(),
        users: users(&["m2"]),
        reason,
        cleanup,
        quiet: Quiet::Nobody,
        on_outsider,
        skip_owner: false,
    };
    bench.run(&owner, remove).await;
    bench.run(&by("m3"), Leave { group: g(), users: users(&["m3"]), cleanup, on_outsider, keep_owner: false }).await;
    bench.run(&owner, Transfer { group: g(), to: user("m4"), leave: Some(cleanup) }).await;
    bench.costs
}

#[test]
fn a_rule_touches_as_many_rows_in_a_large_group_as_in_a_small_one() {
    block_on(async {
        let (small, large) = (costs(10).await, costs(3000).await);
        assert_eq!(small, large);
        for (name, touched) in small {
            assert!(touched < 40, "{name} touches {touched} rows");
        }
        // a reader keeps the group readable
        let bench = Bench::of(10).await;
        let found = bench.engine.ask(&Actor::app(), conclave_core::query::GroupById { group: group("g") }).await;
        assert_eq!(found.unwrap().group.members, 11);
    });
}
