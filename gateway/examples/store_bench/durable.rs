//! The same load on the store itself: rows, guards, events and caches included.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave::store::{Database, Options};
use conclave_core::engine::Engine;
use conclave_core::event::{Actor, Audience, CallPart, Event, Happening, Joining};
use conclave_core::memory::Memory;
use conclave_core::model::{Group, GroupId, Key, Member, Millis, Policy, Prefix, Profile, Role, Row, Settings, UserId};
use conclave_core::operation::CreateGroup;
use conclave_core::ports::{Batch, Change, Clock, CommitError, GroupsExt, Guard, Mint, Span, Store};

use crate::load::{Outcome, Random, cpu, cpu_each, per_second, resident, size};

const GROUPS: u64 = 2_000;
const MEMBERS: u64 = 100;
const WRITING: Duration = Duration::from_secs(3);

/// Memory, then the durable store with its caches of decoded rows and without.
pub(crate) fn measure(wanted: impl Fn(&str) -> bool) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if wanted("memory") {
        runtime.block_on(load("memory", &(Arc::new(Memory::new()) as Arc<dyn Store>)))?;
    }
    for (name, options) in [
        ("durable", Options::default()),
        ("durable-without-caches", Options { row_cache: 0, page_cache: 0, ..Options::default() }),
    ] {
        if wanted(name) {
            let folder = tempfile::tempdir_in(std::env::var("STORE_BENCH_DIR").unwrap_or_else(|_| ".".to_owned()))?;
            println!("{name}: {} MB resident before", resident() >> 20);
            durable(&runtime, name, folder.path(), options)?;
        }
    }
    Ok(())
}

fn durable(runtime: &tokio::runtime::Runtime, name: &str, folder: &Path, options: Options) -> Outcome<()> {
    let begun = Instant::now();
    let database = Database::open_with(folder, options.clone())?;
    println!("{name}: made in {:.1?}", begun.elapsed());
    runtime.block_on(load(name, &database.realm("dev")?))?;
    drop(database);
    println!("{name}: {} MB on disk, {} MB resident", size(folder)? >> 20, resident() >> 20);
    let begun = Instant::now();
    let database = Database::open_with(folder, options)?;
    drop(database.realm("dev")?);
    println!("{name}: opened again in {:.1?}", begun.elapsed());
    Ok(())
}

async fn load(name: &str, store: &Arc<dyn Store>) -> Outcome<()> {
    let template = template().await?;
    let begun = Instant::now();
    for number in 0..GROUPS {
        let header = Group { id: group(number), members: 100, next_seat: MEMBERS, ..template.clone() };
        let mut changes = vec![Change::Put(Key::Group(group(number)), Row::from(header))];
        for seat in 0..MEMBERS {
            changes.extend(membership(number, user(seat), seat));
        }
        store.commit(Batch { changes, events: vec![joined(number, user(0))], ..Batch::default() }).await?;
    }
    println!("{name}: {GROUPS} groups of {MEMBERS} in {:.1?}, {} MB resident", begun.elapsed(), resident() >> 20);
    for committers in [1, 32, 128] {
        commits(name, store, committers, GROUPS).await?;
    }
    commits(&format!("{name}, one group"), store, 128, 1).await?;
    reads(name, store).await
}

/// So many committers, each repeatedly adding members to one of so many groups.
async fn commits(name: &str, store: &Arc<dyn Store>, committers: u64, groups: u64) -> Outcome<()> {
    let (begun, before) = (Instant::now(), cpu());
    let workers: Vec<_> = (0..committers)
        .map(|committer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let (mut waits, mut conflicts) = (Vec::new(), 0_u64);
                let mut random = Random(committer + 1);
                while begun.elapsed() < WRITING {
                    let started = Instant::now();
                    let number = random.next() % groups;
                    let member = user(MEMBERS + random.next() % 1_000_000);
                    while !add_member(&*store, number, &member).await? {
                        conflicts += 1;
                    }
                    waits.push(started.elapsed());
                }
                Outcome::Ok((waits, conflicts))
            })
        })
        .collect();
    let (mut waits, mut conflicts) = (Vec::new(), 0);
    for worker in workers {
        let (more, also) = worker.await??;
        waits.extend(more);
        conflicts += also;
    }
    waits.sort_unstable();
    #[allow(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let rate = waits.len() as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{name}: {committers:>3} committers {rate:>7.0} commits/s, {:.0} µs of CPU each, half within {:.2?}, 99% within {:.2?}, {conflicts} decided again",
        cpu_each(before, waits.len()),
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
    );
    Ok(())
}

/// The reads and writes of adding a member; `false` when another committer was faster.
async fn add_member(store: &dyn Store, number: u64, member: &UserId) -> Outcome<bool> {
    let drafts = store.drafts().unwrap_or(store);
    let keys = [Key::Group(group(number)), Key::Member(group(number), member.clone())];
    let found = drafts.fetch(&keys).await?;
    let Some(Row::Group(seen)) = &found[0] else { return Err("a group is missing".into()) };
    let mut header = Group::clone(seen);
    let guards = vec![Guard { key: Key::Group(group(number)), seen: Some(header.revision) }];
    header.revision += 1;
    header.next_seat += 1;
    let mut changes = vec![
        Change::Delete(Key::Admin(group(number), member.clone())),
        Change::Delete(Key::Owned(member.clone(), group(number))),
        Change::Delete(Key::Discoverable(header.created, group(number))),
    ];
    changes.extend(membership(number, member.clone(), header.next_seat));
    changes.push(Change::Put(Key::Group(group(number)), Row::from(header)));
    let events = vec![joined(number, member.clone())];
    match store.commit(Batch { guards, changes, events, ..Batch::default() }).await {
        Ok(_) => Ok(true),
        Err(CommitError::Conflict) => Ok(false),
        Err(CommitError::Failed(error)) => Err(error.into()),
    }
}

async fn reads(name: &str, store: &Arc<dyn Store>) -> Outcome<()> {
    let mut random = Random(7);
    let random = &mut random;
    let members = per_second(async || {
        let key = Key::Member(group(random.next() % GROUPS), user(random.next() % MEMBERS));
        store.fetch(&[key]).await.map(drop)
    });
    let members = members.await?;
    let headers = per_second(async || store.fetch(&[Key::Group(group(random.next() % 100))]).await.map(drop)).await?;
    let mut scans = Vec::new();
    for (groups, limit) in [(GROUPS, 10), (GROUPS, 100), (20, 10), (20, 100)] {
        let rate = per_second(async || {
            let span = Span::first(Prefix::seats(&group(random.next() % groups)), limit);
            store.scan(&span).await.map(drop)
        });
        scans.push(rate.await?);
    }
    let counts =
        per_second(async || store.count(&Prefix::seats(&group(random.next() % GROUPS))).await.map(drop)).await?;
    println!(
        "{name}: {members:.0} members/s anywhere, {headers:.0} headers/s of 100 groups; pages/s anywhere: {:.0} of 10, {:.0} of 100; \
         of 20 groups: {:.0} of 10, {:.0} of 100; {counts:.0} counts/s",
        scans[0], scans[1], scans[2], scans[3],
    );
    Ok(())
}

fn group(number: u64) -> GroupId {
    id(&format!("25{number:012}"), GroupId::new)
}

fn user(number: u64) -> UserId {
    id(&format!("user{number}"), UserId::new)
}

#[allow(clippy::expect_used, reason = "the program makes its own ids")]
fn id<T, E: std::fmt::Debug>(text: &str, new: impl Fn(String) -> Result<T, E>) -> T {
    new(text.to_owned()).expect("an id")
}

/// A header as the core creates it.
async fn template() -> Outcome<Group> {
    let store = Arc::new(Memory::new());
    let engine = Engine::new(store, Arc::new(Still), Arc::new(Still), Settings::default());
    let mut create = CreateGroup::new(None, Policy::standard());
    create.profile = Profile { name: "group".to_owned(), introduction: "x".repeat(80), ..Profile::default() };
    Ok(Group::clone(&engine.run(&Actor::app(), create).await?.group))
}

/// A fixed clock and a fixed source of randomness.
struct Still;

impl Clock for Still {
    fn now(&self) -> Millis {
        Millis(1_700_000_000_000)
    }
}

impl Mint for Still {
    fn bits(&self) -> u64 {
        4
    }
}

fn membership(number: u64, member: UserId, seat: u64) -> Vec<Change> {
    let at = Millis(1_700_000_000_000 + seat);
    let row = Row::from(Member::new(group(number), member.clone(), Role::Member, seat, at));
    vec![
        Change::Put(Key::Joined(member.clone(), at, group(number)), Row::ToGroup(Arc::new(group(number)))),
        Change::Put(Key::Seat(group(number), seat), row.clone()),
        Change::Put(Key::Member(group(number), member), row),
    ]
}

fn joined(number: u64, member: UserId) -> Event {
    Event {
        sequence: 0,
        part: CallPart::WHOLE,
        at: Millis(1_700_000_000_000),
        group: Some(group(number)),
        number: None,
        actor: Actor::app(),
        audience: Audience { members_of: Some(group(number)), users: vec![member.clone()], silent: false },
        what: Happening::MembersJoined { users: vec![member], how: Joining::Added, members: 101 },
    }
}
