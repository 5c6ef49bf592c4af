//! The behaviour that every store must have: the same functions run on each `Arc<dyn Store>`.

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::event::{Actor, Audience, CallPart, Event, Happening};
use conclave_core::memory::Memory;
use conclave_core::model::{GroupId, Key, Millis, Prefix, Row, Until, User, UserId};
use conclave_core::ports::{Batch, Change, CommitError, Guard, RunGuard, Span, Store};

/// Runs all, each on an empty store from `fresh`.
pub async fn all<F: AsyncFnMut() -> Arc<dyn Store>>(mut fresh: F) {
    rows_are_kept_and_deleted(fresh().await).await;
    runs_are_read_both_ways(fresh().await).await;
    spans_agree_with_memory(fresh().await).await;
    runs_are_counted(fresh().await).await;
    guards_hold(fresh().await).await;
    run_guards_hold(fresh().await).await;
    a_refused_batch_leaves_nothing(fresh().await).await;
    events_are_numbered_and_filed(fresh().await).await;
    an_empty_batch_is_only_checked(fresh().await).await;
    ends_of_runs_are_known(fresh().await).await;
    no_update_is_lost(fresh().await).await;
    drafts_run_ahead_and_settle(fresh().await).await;
    large_rows_come_back(fresh().await).await;
    unusual_keys_are_distinguished(fresh().await).await;
}

/// A group's id.
pub fn group(id: &str) -> GroupId {
    GroupId::new(id).unwrap()
}

/// A user's id.
pub fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

/// A row without a revision.
pub fn text(text: &str) -> Row {
    Row::Text(Arc::new(text.to_owned()))
}

/// A row with a revision.
pub fn account(id: &str, revision: u64) -> Row {
    let mut account = User::new(user(id), Millis(1));
    account.revision = revision;
    Row::from(account)
}

/// An event for a group and for users.
pub fn event(group_id: &str, users: &[&str]) -> Event {
    Event {
        sequence: 0,
        part: CallPart::WHOLE,
        at: Millis(7),
        group: Some(group(group_id)),
        number: None,
        actor: Actor::app(),
        audience: Audience {
            members_of: Some(group(group_id)),
            users: users.iter().map(|id| user(id)).collect(),
            silent: false,
        },
        what: Happening::Muted { users: vec![user("x")], until: Until::Forever },
    }
}

/// A batch that only puts.
pub fn puts(rows: impl IntoIterator<Item = (Key, Row)>) -> Batch {
    Batch { changes: rows.into_iter().map(|(key, row)| Change::Put(key, row)).collect(), ..Batch::default() }
}

fn note(name: &str) -> Key {
    Key::Note(name.to_owned())
}

fn seat(group_id: &str, seat: u64) -> Key {
    Key::Seat(group(group_id), seat)
}

async fn fetch_one(store: &dyn Store, key: Key) -> Option<Row> {
    store.fetch(&[key]).await.unwrap().pop().unwrap()
}

/// Written rows are read in the requested order; deleted ones are gone.
pub async fn rows_are_kept_and_deleted(store: Arc<dyn Store>) {
    store.commit(puts([(note("a"), text("1")), (note("b"), text("2"))])).await.unwrap();
    let found = store.fetch(&[note("b"), note("c"), note("a")]).await.unwrap();
    assert_eq!(found, vec![Some(text("2")), None, Some(text("1"))]);
    let changes = vec![
        Change::Put(note("a"), text("3")),
        Change::Delete(note("b")),
        Change::Delete(note("never there")),
        Change::Put(note("c"), Row::Mark),
    ];
    store.commit(Batch { changes, ..Batch::default() }).await.unwrap();
    let found = store.fetch(&[note("a"), note("b"), note("c")]).await.unwrap();
    assert_eq!(found, vec![Some(text("3")), None, Some(Row::Mark)]);
}

/// A range is read from its beginning and from its end, in pages, without its neighbours.
pub async fn runs_are_read_both_ways(store: Arc<dyn Store>) {
    let rows = (0..5).map(|at| (seat("g", at), text(&at.to_string())));
    let neighbours = ["f", "g1", "h"].map(|other| (seat(other, 2), text("other")));
    store.commit(puts(rows.chain(neighbours))).await.unwrap();
    let read = async |span: Span| -> Vec<String> {
        let rows = store.scan(&span).await.unwrap();
        rows.iter().map(|(_, row)| row.text().unwrap().to_string()).collect()
    };
    let run = || Prefix::seats(&group("g"));
    assert_eq!(read(Span::all(run())).await, ["0", "1", "2", "3", "4"]);
    assert_eq!(read(Span::all(run()).descending()).await, ["4", "3", "2", "1", "0"]);
    assert_eq!(read(Span::first(run(), 2)).await, ["0", "1"]);
    assert_eq!(read(Span::first(run(), 2).descending()).await, ["4", "3"]);
    assert_eq!(read(Span { skip: 1, ..Span::first(run(), 2) }).await, ["1", "2"]);
    let after = |at| Some(seat("g", at).encode());
    assert_eq!(read(Span::first(run(), 2).after(after(1))).await, ["2", "3"]);
    assert_eq!(read(Span::all(run()).descending().after(after(3))).await, ["2", "1", "0"]);
    assert_eq!(read(Span { skip: 1, ..Span::all(run()).descending().after(after(4)) }).await, ["2", "1", "0"]);
    assert_eq!(read(Span { skip: 9, ..Span::all(run()) }).await, [""; 0]);
    assert_eq!(read(Span::first(run(), 0)).await, [""; 0]);
    // the page continues where its last row was, even if that row was deleted
    store.commit(Batch { changes: vec![Change::Delete(seat("g", 1))], ..Batch::default() }).await.unwrap();
    assert_eq!(read(Span::first(run(), 2).after(after(1))).await, ["2", "3"]);
    assert_eq!(read(Span::all(Prefix::seats(&group("nobody")))).await, [""; 0]);
    // cursors from before and beyond the run
    assert_eq!(read(Span::first(run(), 1).after(Some(vec![0]))).await, ["0"]);
    assert_eq!(read(Span::first(run(), 1).after(Some(vec![255]))).await, [""; 0]);
    assert_eq!(read(Span::first(run(), 1).descending().after(Some(vec![255]))).await, ["4"]);
    assert_eq!(read(Span::first(run(), 1).descending().after(Some(vec![0]))).await, [""; 0]);
}

/// Every span over the same rows returns what the memory store returns, including keys, and for long ranges.
pub async fn spans_agree_with_memory(store: Arc<dyn Store>) {
    let memory: Arc<dyn Store> = Arc::new(Memory::new());
    for at in 0..3 {
        let rows = (0..500).map(|n| n * 3 + at).map(|n| (seat("long", n), text(&n.to_string())));
        let batch = puts(rows);
        memory.commit(batch.clone()).await.unwrap();
        store.commit(batch).await.unwrap();
    }
    let run = Prefix::seats(&group("long"));
    for after in [None, Some(0), Some(700), Some(1499), Some(9000)] {
        for descending in [false, true] {
            for (skip, limit) in [(0, 10), (3, 100), (1200, 50), (0, 1200), (1490, usize::MAX), (0, usize::MAX)] {
                let after = after.map(|at| seat("long", at).encode());
                let span = Span { prefix: run.clone(), after, descending, skip, limit };
                assert_eq!(store.scan(&span).await.unwrap(), memory.scan(&span).await.unwrap(), "{span:?}");
            }
        }
    }
    assert_eq!(store.count(&run).await.unwrap(), 1500);
}

/// Counting counts the current rows.
pub async fn runs_are_counted(store: Arc<dyn Store>) {
    let run = Prefix::seats(&group("g"));
    assert_eq!(store.count(&run).await.unwrap(), 0);
    store.commit(puts((0..3).map(|at| (seat("g", at), Row::Mark)))).await.unwrap();
    store.commit(puts([(seat("g", 1), text("again"))])).await.unwrap();
    assert_eq!(store.count(&run).await.unwrap(), 3);
    store.commit(Batch { changes: vec![Change::Delete(seat("g", 0))], ..Batch::default() }).await.unwrap();
    assert_eq!(store.count(&run).await.unwrap(), 2);
}

/// A guard admits exactly the revision that was seen; `None` is a missing row.
pub async fn guards_hold(store: Arc<dyn Store>) {
    let key = || Key::User(user("ann"));
    let guarded = |seen, revision| Batch {
        guards: vec![Guard { key: key(), seen }],
        ..puts([(key(), account("ann", revision))])
    };
    assert!(matches!(store.commit(guarded(Some(1), 2)).await, Err(CommitError::Conflict)));
    store.commit(guarded(None, 1)).await.unwrap();
    assert!(matches!(store.commit(guarded(None, 1)).await, Err(CommitError::Conflict)));
    assert!(matches!(store.commit(guarded(Some(2), 3)).await, Err(CommitError::Conflict)));
    store.commit(guarded(Some(1), 2)).await.unwrap();
    assert_eq!(fetch_one(&*store, key()).await, Some(account("ann", 2)));
    let deletion = Batch {
        guards: vec![Guard { key: key(), seen: Some(2) }],
        changes: vec![Change::Delete(key())],
        ..Batch::default()
    };
    store.commit(deletion.clone()).await.unwrap();
    assert!(matches!(store.commit(deletion).await, Err(CommitError::Conflict)));
    store.commit(guarded(None, 9)).await.unwrap();
}

/// A guard of a range admits exactly the number of rows that was seen.
pub async fn run_guards_hold(store: Arc<dyn Store>) {
    let guarded = |rows, at| Batch {
        runs: vec![RunGuard { prefix: Prefix::seats(&group("g")), rows }],
        ..puts([(seat("g", at), Row::Mark)])
    };
    assert!(matches!(store.commit(guarded(1, 0)).await, Err(CommitError::Conflict)));
    store.commit(guarded(0, 0)).await.unwrap();
    store.commit(guarded(1, 1)).await.unwrap();
    assert!(matches!(store.commit(guarded(1, 2)).await, Err(CommitError::Conflict)));
    assert!(matches!(store.commit(guarded(3, 2)).await, Err(CommitError::Conflict)));
    assert_eq!(store.count(&Prefix::seats(&group("g"))).await.unwrap(), 2);
}

/// When one guard of several fails, nothing of the batch is written and no number is used up.
pub async fn a_refused_batch_leaves_nothing(store: Arc<dyn Store>) {
    store.commit(puts([(Key::User(user("ann")), account("ann", 5))])).await.unwrap();
    let refused = Batch {
        guards: vec![
            Guard { key: Key::User(user("ann")), seen: Some(5) },
            Guard { key: Key::User(user("bob")), seen: Some(1) },
        ],
        events: vec![event("g", &["ann"])],
        ..puts([(note("a"), text("never")), (Key::User(user("ann")), account("ann", 6))])
    };
    assert!(matches!(store.commit(refused).await, Err(CommitError::Conflict)));
    assert_eq!(fetch_one(&*store, note("a")).await, None);
    assert_eq!(fetch_one(&*store, Key::User(user("ann"))).await, Some(account("ann", 5)));
    assert_eq!(store.count(&Prefix::events()).await.unwrap(), 0);
    let kept = store.commit(Batch { events: vec![event("g", &[])], ..Batch::default() }).await.unwrap();
    assert_eq!(kept, 1);
}

/// Events get the realm's next numbers and are found in the log and in the feeds of their recipients.
pub async fn events_are_numbered_and_filed(store: Arc<dyn Store>) {
    let batch = |events| Batch { events, ..Batch::default() };
    assert_eq!(store.commit(batch(vec![event("g", &["ann"]), event("h", &[])])).await.unwrap(), 2);
    assert_eq!(store.commit(batch(vec![event("g", &["bob"])])).await.unwrap(), 3);
    let log = store.scan(&Span::all(Prefix::events())).await.unwrap();
    let numbers: Vec<_> = log.iter().map(|(_, row)| row.event().unwrap().sequence).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let keys = async |prefix| -> Vec<_> {
        store.scan(&Span::all(prefix)).await.unwrap().into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(keys(Prefix::group_feed(&group("g"))).await, [1, 3].map(|at| Key::GroupFeed(group("g"), at).encode()));
    assert_eq!(keys(Prefix::user_feed(&user("bob"))).await, [Key::UserFeed(user("bob"), 3).encode()]);
    assert_eq!(store.commit(puts([(note("a"), Row::Mark)])).await.unwrap(), 3);
}

/// A batch without changes still has its guards checked, and uses up no number.
pub async fn an_empty_batch_is_only_checked(store: Arc<dyn Store>) {
    assert_eq!(store.commit(Batch::default()).await.unwrap(), 0);
    let guards = vec![Guard { key: Key::User(user("ann")), seen: Some(1) }];
    assert!(matches!(store.commit(Batch { guards, ..Batch::default() }).await, Err(CommitError::Conflict)));
}

/// The last key of each range, and the number of the last event, even before it is synced.
pub async fn ends_of_runs_are_known(store: Arc<dyn Store>) {
    assert_eq!(store.last_sequence().await.unwrap(), 0);
    store.commit(puts((0..3).map(|at| (seat("g", at), Row::Mark)))).await.unwrap();
    store.commit(puts([(seat("h", 7), Row::Mark), (seat("i", 1), Row::Mark)])).await.unwrap();
    store.commit(Batch { changes: vec![Change::Delete(seat("i", 1))], ..Batch::default() }).await.unwrap();
    let runs = ["g", "nobody", "h", "i", "g"].map(|id| Prefix::seats(&group(id)));
    let ends = [Some(seat("g", 2)), None, Some(seat("h", 7)), None, Some(seat("g", 2))];
    assert_eq!(store.last_keys(&runs).await.unwrap(), ends.map(|key| key.map(|key| key.encode())));
    assert_eq!(store.last_keys(&[]).await.unwrap(), Vec::<Option<Vec<u8>>>::new());
    for number in 1..=20_u64 {
        let mut commit = Box::pin(store.commit(Batch { events: vec![event("g", &["ann"])], ..Batch::default() }));
        let polled = futures_poll(&mut commit).await;
        let drafts = store.drafts().unwrap_or(&*store);
        assert_eq!(drafts.last_sequence().await.unwrap(), number);
        if polled.is_none() {
            commit.await.unwrap();
        }
        assert_eq!(store.last_sequence().await.unwrap(), number);
        let last = Key::UserFeed(user("ann"), number).encode();
        assert_eq!(store.last_keys(&[Prefix::user_feed(&user("ann"))]).await.unwrap(), [Some(last)]);
    }
}

/// Many writers of one row, each deciding on what it has seen: every accepted step is included.
pub async fn no_update_is_lost(store: Arc<dyn Store>) {
    const WRITERS: u64 = 16;
    const STEPS: u64 = 20;
    let key = || Key::User(user("ann"));
    store.commit(puts([(key(), account("ann", 0))])).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for step in 0..STEPS {
                    loop {
                        let drafts = store.drafts().unwrap_or(&*store);
                        let seen = fetch_one(drafts, key()).await.unwrap().revision().unwrap();
                        let batch = Batch {
                            guards: vec![Guard { key: key(), seen: Some(seen) }],
                            events: vec![event("g", &[])],
                            ..puts([(key(), account("ann", seen + 1)), (seat("g", writer * STEPS + step), Row::Mark)])
                        };
                        match store.commit(batch).await {
                            Ok(_) => break,
                            Err(CommitError::Conflict) => tokio::task::yield_now().await,
                            Err(CommitError::Failed(error)) => panic!("{error}"),
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(fetch_one(&*store, key()).await, Some(account("ann", WRITERS * STEPS)));
    assert_eq!(store.count(&Prefix::seats(&group("g"))).await.unwrap(), usize::try_from(WRITERS * STEPS).unwrap());
    let log = store.scan(&Span::all(Prefix::events())).await.unwrap();
    let numbers: Vec<_> = log.iter().map(|(_, row)| row.event().unwrap().sequence).collect();
    assert_eq!(numbers, (1..=WRITERS * STEPS).collect::<Vec<_>>());
}

/// Decisions see every accepted commit, merged in order; once settled, all readers do.
pub async fn drafts_run_ahead_and_settle(store: Arc<dyn Store>) {
    let run = Prefix::seats(&group("g"));
    let mut truth = BTreeMap::new();
    for at in 0..40_u64 {
        let mut batch = puts([(seat("g", at), text("new"))]);
        truth.insert(at, "new");
        if at >= 3 {
            batch.changes.push(Change::Delete(seat("g", at - 3)));
            truth.remove(&(at - 3));
        }
        // accepted when first polled, synced when done
        let mut commit = Box::pin(store.commit(batch));
        let polled = futures_poll(&mut commit).await;
        let drafts = store.drafts().unwrap_or(&*store);
        let keys: Vec<_> = truth.keys().map(|at| seat("g", *at).encode()).collect();
        let seen = |rows: Vec<(Vec<u8>, Row)>| -> Vec<_> { rows.into_iter().map(|(key, _)| key).collect() };
        assert_eq!(seen(drafts.scan(&Span::all(run.clone())).await.unwrap()), keys);
        let last = Span::first(run.clone(), 1).descending();
        assert_eq!(seen(drafts.scan(&last).await.unwrap()), [seat("g", at).encode()]);
        let second = Span { skip: 1, ..Span::first(run.clone(), 1) };
        assert_eq!(seen(drafts.scan(&second).await.unwrap()), keys.get(1..2).unwrap_or_default());
        assert_eq!(drafts.count(&run).await.unwrap(), truth.len());
        assert_eq!(fetch_one(drafts, seat("g", at)).await, Some(text("new")));
        store.settled().await.unwrap();
        assert_eq!(fetch_one(&*store, seat("g", at)).await, Some(text("new")));
        assert_eq!(store.count(&run).await.unwrap(), truth.len());
        if polled.is_none() {
            commit.await.unwrap();
        }
    }
}

/// Polls a future once; `None` when it is not done.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// Rows of a megabyte, and a batch of thousands.
pub async fn large_rows_come_back(store: Arc<dyn Store>) {
    let large = text(&"x\u{1F600}".repeat(250_000));
    store.commit(puts([(note("large"), large.clone())])).await.unwrap();
    assert_eq!(fetch_one(&*store, note("large")).await, Some(large));
    store.commit(puts((0..5_000).map(|at| (seat("g", at), text("some text"))))).await.unwrap();
    assert_eq!(store.count(&Prefix::seats(&group("g"))).await.unwrap(), 5_000);
    let all = store.scan(&Span::all(Prefix::seats(&group("g")))).await.unwrap();
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(all.len(), 5_000);
}

/// Ids of any script and texts with any characters have keys of their own.
pub async fn unusual_keys_are_distinguished(store: Arc<dyn Store>) {
    let ids = ["a", "A", "a b", "@TGS#1", "群", "e\u{301}", "\u{e9}", "\u{10FFFF}", "%00", "a/../b", &"x".repeat(128)];
    let notes = ["", "\0", "\u{1}", "\0\0", "a\0b", "a", "ab", "a\u{1}b"];
    let keys: Vec<_> = ids.iter().map(|id| Key::User(user(id))).chain(notes.iter().map(|name| note(name))).collect();
    let rows = keys.iter().enumerate().map(|(at, key)| (key.clone(), text(&at.to_string())));
    store.commit(puts(rows)).await.unwrap();
    let found = store.fetch(&keys).await.unwrap();
    for (at, row) in found.into_iter().enumerate() {
        assert_eq!(row, Some(text(&at.to_string())), "{:?}", keys[at]);
    }
    for id in ids {
        store.commit(puts([(seat(id, 1), text(id))])).await.unwrap();
    }
    for id in ids {
        let run = store.scan(&Span::all(Prefix::seats(&group(id)))).await.unwrap();
        assert_eq!(run, vec![(seat(id, 1).encode(), text(id))]);
    }
}
