//! The load: a gateway's reads and writes, without the gateway.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
pub(crate) type Write = (Vec<u8>, Option<Vec<u8>>);
pub(crate) type Open = fn(&Path) -> Outcome<Box<dyn Engine>>;

/// The engine under test.
pub(crate) trait Engine: Send + Sync {
    /// All or nothing, and synced when it returns.
    fn write(&self, writes: Vec<Write>) -> Outcome<()>;
    /// One value, copied out.
    fn get(&self, key: &[u8]) -> Outcome<Option<Vec<u8>>>;
    /// So many rows of a range, copied out; returns their bytes.
    fn scan(&self, prefix: &[u8], limit: usize) -> Outcome<usize>;
}

const GROUPS: u64 = 2_000;
const MEMBERS: u64 = 100;
const WRITING: Duration = Duration::from_secs(3);
const READING: Duration = Duration::from_secs(1);

/// Fills a fresh database, then measures commits, reads, and reads beside commits.
pub(crate) fn measure(name: &str, open: Open) -> Outcome<()> {
    let folder = tempfile::tempdir_in(std::env::var("STORE_BENCH_DIR").unwrap_or_else(|_| ".".to_owned()))?;
    let engine = open(folder.path())?;
    let begun = Instant::now();
    for group in 0..GROUPS {
        let mut writes = vec![row(1, group, 0, 400)];
        for member in 0..MEMBERS {
            writes.extend([row(3, group, member, 150), row(4, group, member, 150), row(6, member, group, 30)]);
        }
        writes.push(row(28, group, 0, 300));
        engine.write(writes)?;
    }
    println!("{name}: {GROUPS} groups of {MEMBERS} in {:.1?}", begun.elapsed());
    for committers in [1, 32, 128] {
        commits(name, &*engine, committers)?;
    }
    reads(name, &*engine)?;
    drop(engine);
    println!("{name}: {} MB on disk, {} MB resident", size(folder.path())? >> 20, resident() >> 20);
    let begun = Instant::now();
    drop(open(folder.path())?);
    println!("{name}: opened and closed again in {:.1?}", begun.elapsed());
    Ok(())
}

/// Many committers, each waiting until its commit is synced; one sync for all waiting ones.
fn commits(name: &str, engine: &dyn Engine, committers: u64) -> Outcome<()> {
    let (submit, submitted) = channel::<(Vec<Write>, SyncSender<()>)>();
    let syncs = AtomicU64::new(0);
    let (begun, before) = (Instant::now(), cpu());
    let mut waits = std::thread::scope(|scope| {
        let counter = &syncs;
        scope.spawn(move || group_commit(engine, &submitted, counter));
        let workers: Vec<_> = (0..committers)
            .map(|committer| {
                let submit = submit.clone();
                scope.spawn(move || -> Outcome<Vec<Duration>> {
                    let mut waits = Vec::new();
                    let mut random = Random(committer + 1);
                    while begun.elapsed() < WRITING {
                        let started = Instant::now();
                        let writes = commit(engine, &mut random)?;
                        let (done, wait) = sync_channel(1);
                        submit.send((writes, done))?;
                        wait.recv()?;
                        waits.push(started.elapsed());
                    }
                    Ok(waits)
                })
            })
            .collect();
        drop(submit);
        let mut waits = Vec::new();
        for worker in workers {
            waits.extend(worker.join().map_err(|_| "a committer panicked")??);
        }
        Outcome::Ok(waits)
    })?;
    let spent = begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    #[allow(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let (commits, syncs) = (waits.len() as f64, syncs.into_inner() as f64);
    println!(
        "{name}: {committers:>3} committers {:>7.0} commits/s {:>7.0} syncs/s, {:.0} µs of CPU each, half within {:.2?}, 99% within {:.2?}",
        commits / spent,
        syncs / spent,
        cpu_each(before, waits.len()),
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
    );
    Ok(())
}

fn group_commit(engine: &dyn Engine, submitted: &Receiver<(Vec<Write>, SyncSender<()>)>, syncs: &AtomicU64) {
    while let Ok((mut writes, first)) = submitted.recv() {
        let mut waiting = vec![first];
        while let Ok((more, next)) = submitted.try_recv() {
            writes.extend(more);
            waiting.push(next);
        }
        if let Err(error) = engine.write(writes) {
            println!("a write failed: {error}");
            return;
        }
        syncs.fetch_add(1, Ordering::Relaxed);
        for waiting in waiting {
            let _ = waiting.send(());
        }
    }
}

/// Adding one member: reads header and member, then writes the rows of an accepted operation.
fn commit(engine: &dyn Engine, random: &mut Random) -> Outcome<Vec<Write>> {
    let (group, member) = (random.next() % GROUPS, MEMBERS + random.next() % 1_000_000);
    engine.get(&key(1, group, 0))?;
    engine.get(&key(3, group, member))?;
    let event = random.next();
    Ok(vec![
        row(1, group, 0, 400),
        row(3, group, member, 150),
        row(4, group, member, 150),
        row(6, member, group, 30),
        (key(5, group, member), None),
        (key(31, member, group), None),
        row(29, group, event, 1),
        row(30, member, event, 1),
        row(28, event, 0, 300),
    ])
}

fn reads(name: &str, engine: &dyn Engine) -> Outcome<()> {
    let mut random = Random(7);
    let mut get = |first, groups, members: u64| {
        let read =
            per_second(async || engine.get(&key(first, random.next() % groups, random.next() % members)).map(drop));
        futures_util::FutureExt::now_or_never(read).unwrap_or(Ok(0.0))
    };
    let (gets, hot) = (get(3, GROUPS, MEMBERS)?, get(1, 10, 1)?);
    let mut scan = |rows| {
        let read = per_second(async || engine.scan(&key(4, random.next() % GROUPS, 0)[..9], rows).map(drop));
        futures_util::FutureExt::now_or_never(read).unwrap_or(Ok(0.0))
    };
    let (tens, hundreds) = (scan(10)?, scan(100)?);
    println!(
        "{name}: {gets:.0} point reads/s anywhere, {hot:.0} of hot rows, scans/s: {tens:.0} of 10, {hundreds:.0} of 100"
    );
    Ok(())
}

/// How often per second this is done sequentially.
pub(crate) async fn per_second<E>(mut call: impl AsyncFnMut() -> Result<(), E>) -> Result<f64, E> {
    let (begun, before) = (Instant::now(), cpu());
    let mut calls = 0_usize;
    while begun.elapsed() < READING {
        call().await?;
        calls += 1;
    }
    // per processor
    Ok(1e6 / cpu_each(before, calls))
}

fn key(table: u8, first: u64, second: u64) -> Vec<u8> {
    [&[table][..], &first.to_be_bytes(), &second.to_be_bytes()].concat()
}

/// A row of about that size (plus or minus half), of bytes that do not repeat.
fn row(table: u8, first: u64, second: u64, bytes: usize) -> Write {
    let mut random = Random(u64::from(table) ^ first.rotate_left(20) ^ second.rotate_left(40));
    let length = bytes / 2 + usize::try_from(random.next()).unwrap_or(0) % bytes;
    let value = (0..=length / 8).flat_map(|_| random.next().to_le_bytes()).take(length).collect();
    (key(table, first, second), Some(value))
}

/// Pseudo-random numbers, the same every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) >> 1
    }
}

/// Disk space of the folder, without holes of sparse files.
pub(crate) fn size(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { size(&entry.path())? } else { taken(&about) };
    }
    Ok(sum)
}

#[cfg(unix)]
fn taken(about: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(about) * 512
}

#[cfg(not(unix))]
fn taken(about: &std::fs::Metadata) -> u64 {
    about.len()
}

/// Resident memory in bytes, where the system reports it.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Processor time of this process so far, where the system reports it: unlike wall time, it does not depend on other
/// load.
pub(crate) fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>();
    // a hundred ticks a second on every Linux
    Duration::from_millis(ticks * 10)
}

/// Processor time per call since then, in microseconds.
pub(crate) fn cpu_each(since: Duration, calls: usize) -> f64 {
    cpu().saturating_sub(since).as_secs_f64() * 1e6 / f64::from(u32::try_from(calls.max(1)).unwrap_or(u32::MAX))
}
