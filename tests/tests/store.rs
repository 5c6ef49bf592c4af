//! The store suite on every store, and what only a store on disk has to do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use conclave::store::{Database, OpenError, Options};
use conclave_core::engine::Engine;
use conclave_core::event::Actor;
use conclave_core::memory::Memory;
use conclave_core::model::{Body, DeviceId, Key, Millis, Policy, Prefix, Queue, Row, Sender, Settings};
use conclave_core::operation::{
    Acknowledge, Begin, CreateGroup, MarkRead, NewMember, OnUnknown, OpenDevice, SendMessage,
};
use conclave_core::ports::{Batch, Clock, GroupsExt, Log, Maintenance, Mint, Span, Store};
use conclave_core::query::{DevicePosition, DevicePositions, Positions, ReadMarks, ReadQueue, WaitingQueues};
use conclave_core::retention::LogCut;
use conclave_tests::store_suite::{self, event, group, puts, text, user};

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_the_suite() {
    store_suite::all(async || Arc::new(Memory::new()) as Arc<dyn Store>).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn durable_keeps_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let mut realms = 0;
    // all in one folder: each part must not see what an earlier one left behind
    store_suite::all(async || {
        realms += 1;
        database.realm(&format!("realm {realms}")).unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn durable_keeps_the_suite_without_caches() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { row_cache: 0, page_cache: 0, block_cache: 0, write_buffer: 64 << 10, ..Options::default() };
    let database = Database::open_with(folder.path(), options).unwrap();
    let mut realms = 0;
    store_suite::all(async || {
        realms += 1;
        database.realm(&realms.to_string()).unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn realms_see_nothing_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let (one, other, odd) =
        (database.realm("a").unwrap(), database.realm("ab").unwrap(), database.realm("a\0b").unwrap());
    let batch = |word: &str| Batch { events: vec![event("g", &[])], ..puts([(Key::Note("n".into()), text(word))]) };
    assert_eq!(one.commit(batch("one")).await.unwrap(), 1);
    assert_eq!(one.commit(batch("one")).await.unwrap(), 2);
    assert_eq!(other.commit(batch("other")).await.unwrap(), 1);
    for (store, word, events) in [(&one, Some("one"), 2), (&other, Some("other"), 1), (&odd, None, 0)] {
        assert_eq!(store.fetch(&[Key::Note("n".into())]).await.unwrap(), vec![word.map(text)]);
        assert_eq!(store.count(&Prefix::events()).await.unwrap(), events);
        assert_eq!(store.scan(&Span::all(Prefix::events())).await.unwrap().len(), events);
    }
    let again = database.realm("a").unwrap();
    assert_eq!(again.commit(batch("one")).await.unwrap(), 3);
    assert_eq!(one.commit(batch("one")).await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_and_opening_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0_u64..5 {
        let database = Database::open(folder.path()).unwrap();
        let store = database.realm("dev").unwrap();
        let log = store.scan(&Span::all(Prefix::events())).await.unwrap();
        let numbers: Vec<_> = log.iter().map(|(_, row)| row.event().unwrap().sequence).collect();
        assert_eq!(numbers, (1..=round * 2).collect::<Vec<_>>());
        assert_eq!(store.count(&Prefix::seats(&group("g"))).await.unwrap() as u64, round);
        let batch = Batch {
            events: vec![event("g", &["ann"]), event("h", &[])],
            ..puts([(Key::Seat(group("g"), round), text(&round.to_string()))])
        };
        assert_eq!(store.commit(batch).await.unwrap(), round * 2 + 2);
    }
}

/// Advances by a millisecond each time it is read, and hands out numbers.
#[derive(Default)]
struct Ticking(std::sync::atomic::AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Millis {
        Millis(1_700_000_000_000 + self.bits())
    }
}

impl Mint for Ticking {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
    }
}

/// The number of events that a log keeps at most.
const KEPT: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_trimmed_log_goes_on_after_closing() {
    let folder = tempfile::tempdir().unwrap();
    let opened = || Database::open(folder.path()).unwrap();
    let engine = |database: &Database| {
        let settings = Settings { events: Some(KEPT), event_lifetime: None, ..Settings::default() };
        let (store, clock, mint) = (database.realm("dev").unwrap(), Ticking::default(), Ticking::default());
        Engine::new(store, Arc::new(clock), Arc::new(mint), settings)
    };
    let numbers = async |engine: &Engine| -> Vec<u64> {
        Log::read(engine, 0, 100).await.unwrap().iter().map(|event| event.sequence).collect()
    };
    let mut next = 1;
    for round in 0..4 {
        let database = opened();
        let engine = engine(&database);
        for group in 0..5 {
            let create = CreateGroup {
                id: Some(store_suite::group(&format!("g{round}-{group}"))),
                ..CreateGroup::new(None, Policy::standard())
            };
            engine.run(&Actor::app(), create).await.unwrap();
            next += 1;
        }
        let cut = LogCut { after: 0, delivered: u64::MAX, limit: 100 };
        assert!(engine.trim_log(cut).await.unwrap().deleted >= 2);
        assert_eq!(numbers(&engine).await, (next - KEPT..next).collect::<Vec<_>>());
        drop(engine);
        drop(database);
        assert_eq!(
            numbers(&self::engine(opened().realm("dev").unwrap())).await,
            (next - KEPT..next).collect::<Vec<_>>()
        );
    }
}

fn engine(store: Arc<dyn Store>) -> Engine {
    Engine::new(store, Arc::new(Ticking::default()), Arc::new(Ticking::default()), Settings::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_and_read_is_known_after_closing() {
    let folder = tempfile::tempdir().unwrap();
    let (app, device, queue) = (Actor::app(), DeviceId::new("s", "d"), Queue::Group(group("g")));
    let waiting = WaitingQueues { user: user("bob"), device: device.clone(), limit: 10 };
    let at;
    {
        let database = Database::open(folder.path()).unwrap();
        let engine = engine(database.realm("dev").unwrap());
        let create = CreateGroup {
            id: Some(group("g")),
            members: vec![NewMember::now(user("bob"))],
            on_unknown_owner: OnUnknown::Register,
            on_unknown_member: OnUnknown::Register,
            ..CreateGroup::new(Some(user("ann")), Policy::standard())
        };
        engine.run(&app, create).await.unwrap();
        let open = OpenDevice { user: user("bob"), device: device.clone(), begin: Begin::Now };
        at = engine.run(&app, open).await.unwrap().since + 3;
        for _ in 0..5 {
            let said = SendMessage::new(group("g"), Sender::User(user("ann")), Body::Text("hi".into()));
            engine.run(&app, said).await.unwrap();
        }
        let acknowledge = Acknowledge::new(user("bob"), device.clone(), queue.clone(), at);
        engine.run(&app, Acknowledge { stamp: 9, ..acknowledge }).await.unwrap();
        engine.run(&app, MarkRead { group: group("g"), user: user("bob"), sequence: 4 }).await.unwrap();
    }
    let database = Database::open(folder.path()).unwrap();
    let engine = engine(database.realm("dev").unwrap());
    let asked = DevicePositions { user: user("bob"), device, queues: vec![queue.clone()] };
    let found = engine.ask(&app, asked).await.unwrap();
    assert_eq!(found, Positions(Some(vec![DevicePosition { after: at, stamp: 9 }])));
    let marks = engine.ask(&app, ReadMarks { of: vec![(group("g"), user("bob"))] }).await.unwrap();
    assert_eq!(marks.0, [Some(4)]);
    let found = engine.ask(&app, waiting).await.unwrap().queues;
    // the read mark itself is for the user's other devices
    let found: Vec<_> = found.into_iter().map(|waiting| (waiting.queue, waiting.events)).collect();
    assert_eq!(found, [(Queue::Own, 1), (queue.clone(), 2)]);
    let read = ReadQueue { user: user("bob"), queue, after: at, limit: 10, bytes: 10_000 };
    assert_eq!(engine.ask(&app, read).await.unwrap().items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_finishes_what_was_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let store = database.realm("dev").unwrap();
    let commits: Vec<_> = (0..50_u64)
        .map(|at| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.commit(puts([(Key::Seat(group("g"), at), Row::Mark)])).await })
        })
        .collect();
    drop((database, store));
    for commit in commits {
        commit.await.unwrap().unwrap();
    }
    let database = Database::open(folder.path()).unwrap();
    assert_eq!(database.realm("dev").unwrap().count(&Prefix::seats(&group("g"))).await.unwrap(), 50);
}

#[test]
fn a_folder_in_use_is_refused_until_it_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let first = Database::open(folder.path()).unwrap();
    let realm = first.realm("dev").unwrap();
    let refused = Database::open(folder.path()).err().unwrap();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    assert!(refused.to_string().contains("--data"), "{refused}");
    drop(first);
    assert!(matches!(Database::open(folder.path()), Err(OpenError::InUse(_))), "a realm still holds it");
    drop(realm);
    Database::open(folder.path()).unwrap();
}

#[test]
fn an_unknown_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Database::open(folder.path()).unwrap());
    let format = folder.path().join("conclave-format");
    let known = fs::read_to_string(&format).unwrap();
    fs::write(&format, "900\n").unwrap();
    let before = listing(folder.path());
    let refused = Database::open(folder.path()).err().unwrap();
    assert!(matches!(&refused, OpenError::Format { found, .. } if found == "900"), "{refused}");
    assert_eq!(listing(folder.path()), before);
    fs::write(&format, known).unwrap();
    Database::open(folder.path()).unwrap();
}

#[test]
fn a_folder_of_somebody_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "mine").unwrap();
    let refused = Database::open(folder.path()).err().unwrap();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused}");
    assert_eq!(listing(folder.path()), ["thesis.tex"]);
}

#[test]
fn a_new_folder_is_made_with_its_parents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("var/lib/conclave");
    drop(Database::open(&path).unwrap());
    Database::open(&path).unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Database::open(&file), Err(OpenError::Io { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_never_sees_half_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Database::open(folder.path()).unwrap().realm("dev").unwrap();
    let seats = || (0..20).map(|at| Key::Seat(group("g"), at));
    let writer = Arc::clone(&store);
    let writing = tokio::spawn(async move {
        for version in 0..300 {
            writer.commit(puts(seats().map(|key| (key, text(&version.to_string()))))).await.unwrap();
        }
    });
    while !writing.is_finished() {
        let rows = store.scan(&Span::all(Prefix::seats(&group("g")))).await.unwrap();
        let first = rows.first().map(|(_, row)| row.clone());
        assert!(rows.iter().all(|(_, row)| Some(row) == first.as_ref()), "{rows:?}");
        assert!(rows.is_empty() || rows.len() == 20);
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_after_the_answer_sees_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Database::open(folder.path()).unwrap().realm("dev").unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let key = || Key::Remark(user(&format!("u{task}")), group("g"));
                for version in 0..100 {
                    let row = text(&version.to_string());
                    store.commit(puts([(key(), row.clone())])).await.unwrap();
                    assert_eq!(store.fetch(&[key()]).await.unwrap(), vec![Some(row.clone())]);
                    let run = Prefix::remarks(&user(&format!("u{task}")));
                    assert_eq!(store.scan(&Span::all(run)).await.unwrap().pop().unwrap().1, row);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Three commits of one large row each; then the log without these bytes, counted from its end. `lost_power` means that
/// the last acknowledged round is unknown, as the manifest is not synced with each commit.
async fn with_a_hole(hole: std::ops::Range<usize>, lost_power: bool) -> Result<usize, OpenError> {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let store = database.realm("dev").unwrap();
    let manifest = folder.path().join("conclave-manifest");
    let mut before = Vec::new();
    for at in 0..3 {
        before = fs::read(&manifest).unwrap();
        store.commit(puts([(Key::Seat(group("g"), at), text(&"x".repeat(20_000)))])).await.unwrap();
    }
    let log = folder.path().join("rows/0.jnl");
    let mut bytes = fs::read(&log).unwrap();
    drop((store, database));
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[end - hole.end..end - hole.start].fill(0);
    fs::write(&log, &bytes).unwrap();
    if lost_power {
        fs::write(&manifest, before).unwrap();
    }
    let store = Database::open(folder.path())?.realm("dev").unwrap();
    let rows = store.scan(&Span::all(Prefix::seats(&group("g")))).await.unwrap();
    assert!(rows.iter().all(|(_, row)| *row == text(&"x".repeat(20_000))));
    store.commit(puts([(Key::Note("after".into()), Row::Mark)])).await.unwrap();
    Ok(rows.len())
}

const IN_THE_LAST_ROUND: [std::ops::Range<usize>; 7] =
    [0..3, 0..4_096, 0..12_000, 4_096..8_192, 9_000..9_001, 16_000..19_000, 19_000..20_000];

#[tokio::test]
async fn a_round_cut_short_by_a_loss_of_power_is_dropped_whole() {
    for hole in IN_THE_LAST_ROUND {
        assert_eq!(with_a_hole(hole.clone(), true).await.unwrap(), 2, "{hole:?}");
    }
}

#[tokio::test]
async fn damage_of_the_last_acknowledged_round_is_refused() {
    for hole in IN_THE_LAST_ROUND {
        let refused = with_a_hole(hole.clone(), false).await;
        assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{hole:?}: {refused:?}");
    }
}

#[tokio::test]
async fn damage_before_the_last_round_is_refused() {
    for hole in [24_000..24_001, 30_000..34_096, 50_000..50_001] {
        for lost_power in [false, true] {
            let refused = with_a_hole(hole.clone(), lost_power).await;
            assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{hole:?}: {refused:?}");
        }
    }
}

fn listing(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
