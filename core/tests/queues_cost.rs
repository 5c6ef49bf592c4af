//! How many rows reading a user's queues costs.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{START, block_on, by, group, user};
use conclave_core::engine::Engine;
use conclave_core::event::Actor;
use conclave_core::memory::Memory;
use conclave_core::model::{Body, DeviceId, GroupId, Key, Millis, Policy, Prefix, Row, Sender, Settings};
use conclave_core::operation::{Begin, CreateGroup, NewMember, OnUnknown, OpenDevice, SendMessage};
use conclave_core::ports::{Batch, Clock, CommitError, GroupsExt, Mint, Span, Store, StoreError};
use conclave_core::query::{Feed, ReadQueue, WaitingQueues};

fn device(name: &str) -> DeviceId {
    DeviceId::new("s", name)
}

/// Counts rows read, and events among them.
#[derive(Default)]
struct Counted {
    inner: Memory,
    rows: AtomicUsize,
    ends: AtomicUsize,
    events: AtomicUsize,
    messages: AtomicUsize,
}

impl Counted {
    fn reset(&self) {
        for counter in [&self.rows, &self.ends, &self.events, &self.messages] {
            counter.store(0, Ordering::SeqCst);
        }
    }

    fn read(&self) -> [usize; 4] {
        [&self.rows, &self.ends, &self.events, &self.messages].map(|counter| counter.load(Ordering::SeqCst))
    }

    fn count_row(&self, row: &Row) {
        self.rows.fetch_add(1, Ordering::SeqCst);
        self.events.fetch_add(usize::from(row.event().is_some()), Ordering::SeqCst);
        self.messages.fetch_add(usize::from(row.message().is_some()), Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl Store for Counted {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let rows = self.inner.fetch(keys).await?;
        for row in rows.iter().flatten() {
            self.count_row(row);
        }
        Ok(rows)
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        let rows = self.inner.scan(span).await?;
        for (_, row) in &rows {
            self.count_row(row);
        }
        Ok(rows)
    }

    async fn last_keys(&self, prefixes: &[Prefix]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.ends.fetch_add(prefixes.len(), Ordering::SeqCst);
        self.inner.last_keys(prefixes).await
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

#[derive(Default)]
struct Counting(AtomicUsize);

impl Mint for Counting {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) as u64
    }
}

/// A user in so many groups, each with earlier messages.
async fn member_of(groups: usize) -> (Arc<Counted>, Engine) {
    let store = Arc::new(Counted::default());
    let engine = Engine::new(store.clone(), Arc::new(Still), Arc::new(Counting::default()), Settings::default());
    for at in 0..groups {
        let create = CreateGroup {
            id: Some(many(at)),
            members: vec![NewMember::now(user("ben"))],
            on_unknown_owner: OnUnknown::Register,
            on_unknown_member: OnUnknown::Register,
            ..CreateGroup::new(Some(user("ann")), Policy::standard())
        };
        engine.run(&Actor::app(), create).await.unwrap();
        for _ in 0..5 {
            engine.run(&by("ann"), say(at)).await.unwrap();
        }
    }
    (store, engine)
}

fn many(at: usize) -> GroupId {
    group(&format!("g{at}"))
}

fn say(at: usize) -> SendMessage {
    SendMessage::new(many(at), Sender::User(user("ann")), Body::Text("hi".to_owned()))
}

#[test]
fn what_waits_costs_as_much_as_waits_and_one_key_of_each_other_group() {
    const GROUPS: usize = 3000;
    const WAITING: usize = 10;
    const EACH: usize = 3;
    block_on(async {
        let (store, engine) = member_of(GROUPS).await;
        let ben = by("ben");
        let open = OpenDevice { user: user("ben"), device: device("d"), begin: Begin::Now };
        let since = engine.run(&ben, open).await.unwrap().since;
        for at in (0..GROUPS).step_by(GROUPS / WAITING) {
            for _ in 0..EACH {
                engine.run(&by("ann"), say(at)).await.unwrap();
            }
        }
        store.reset();
        let asked = WaitingQueues { user: user("ben"), device: device("d"), limit: 100 };
        let found = engine.ask(&ben, asked).await.unwrap();
        let [rows, ends, events, messages] = store.read();
        assert_eq!(found.queues.len(), WAITING);
        assert!(found.queues.iter().all(|queue| queue.events == EACH && queue.place.after == since));
        assert_eq!((events, messages), (0, 0), "no event is read to see what waits");
        assert_eq!(ends, GROUPS, "one key of each group");
        // of each that waits: the membership, and keys of what waits; of the user: the account and the device
        assert_eq!(rows, GROUPS + WAITING * (1 + EACH) + 2, "beside the list of the user's groups");

        // only what waits in the queues is read
        store.reset();
        for waiting in &found.queues {
            let read =
                ReadQueue { user: user("ben"), queue: waiting.queue.clone(), after: since, limit: 100, bytes: 1 << 20 };
            let page = engine.ask(&ben, read).await.unwrap();
            assert_eq!((page.items.len(), page.more), (EACH, false));
        }
        let [_, _, events, messages] = store.read();
        assert_eq!((events, messages), (WAITING * EACH, WAITING * EACH));

        // the same for all queues together
        store.reset();
        let feed = engine.ask(&ben, Feed { user: user("ben"), after: since, limit: 100 }).await.unwrap();
        assert_eq!(feed.events.len(), WAITING * EACH);
        let [rows, ends, events, _] = store.read();
        assert_eq!((ends, events), (GROUPS, WAITING * EACH));
        assert!(rows <= GROUPS + WAITING * (2 * EACH + 1) + 5, "{rows} rows");
    });
}
