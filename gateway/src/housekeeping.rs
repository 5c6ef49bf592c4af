//! Deletes expired rows, old events and old messages in each realm, a bounded number at a time, so that callers do not
//! notice. Where most of the rows found are expired, it continues without a pause.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::model::Key;
use conclave_core::ports::Maintenance;
use conclave_core::query::ExpiredRows;
use conclave_core::refusal::Refusal;
use conclave_core::retention::LogCut;
use tokio::sync::watch;
use tokio::task::{AbortHandle, yield_now};
use tokio::time::{sleep, timeout};

use crate::backend::Backend;
use crate::listener::Phase;
use crate::metrics::Metrics;
use crate::realms::Stores;

/// How often the trash is checked.
const TRASH: Duration = Duration::from_hours(1);

/// Rows checked in one round.
const ROWS: usize = 1000;
/// Rows deleted in one commit.
const SWEPT: usize = 100;

/// Events or messages looked at in one commit.
const TRIMMED: usize = 250;

/// After so many passes over the log, the next one begins with its first event again: about once a day.
const PASSES: u32 = 144;

/// How long a commit is retried in a group with many concurrent changes.
const PATIENCE: Duration = Duration::from_secs(5);
/// The next round follows without a pause when at least one in this many rows of a round was expired.
const MUCH: usize = 2;

/// The pauses.
#[derive(Clone, Copy)]
struct Pace {
    /// Between two rounds, if the first found few expired rows.
    pause: Duration,
    /// Between reaching the end and starting again, and before the first time.
    rest: Duration,
}

const PACE: Pace = Pace { pause: Duration::from_secs(5), rest: Duration::from_mins(10) };

/// Runs in a realm, if its backend needs it, until the process ends or the task is aborted. `delivered` returns the last
/// event that webhooks need no more.
pub(crate) fn keep(
    realm: &str,
    backend: &Backend,
    delivered: impl Fn() -> u64 + Send + Sync + 'static,
    metrics: &Arc<Metrics>,
    phase: &watch::Sender<Phase>,
) -> Option<AbortHandle> {
    keep_at(PACE, realm, backend, delivered, metrics, phase)
}

fn keep_at(
    pace: Pace,
    realm: &str,
    backend: &Backend,
    delivered: impl Fn() -> u64 + Send + Sync + 'static,
    metrics: &Arc<Metrics>,
    phase: &watch::Sender<Phase>,
) -> Option<AbortHandle> {
    let maintenance = backend.maintenance.clone()?;
    let (realm, metrics, mut phase) = (realm.to_owned(), Arc::clone(metrics), phase.subscribe());
    let task = tokio::spawn(async move {
        tokio::select! {
            () = keep_house(pace, &realm, &*maintenance, &delivered, &metrics) => {}
            // draining or later
            _ = phase.changed() => {}
        }
    });
    Some(task.abort_handle())
}

/// Deletes every row that has expired by now.
///
/// # Errors
/// The store failed; what was deleted before stays so.
pub(crate) async fn sweep_all(realm: &str, maintenance: &dyn Maintenance, metrics: &Metrics) -> Result<(), Refusal> {
    let mut after = None;
    loop {
        let found = maintenance.expired(after.take(), ROWS).await?;
        sweep(realm, maintenance, found.places, metrics).await;
        after = found.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Deletes the events and messages that the realm keeps no longer, but no event after the last one that was delivered.
/// `after` is where an earlier call ended in the log, 0 at first: the events of histories before it are not read again.
///
/// # Errors
/// The store failed; what was deleted before stays so.
pub(crate) async fn trim_all(
    realm: &str,
    maintenance: &dyn Maintenance,
    (after, delivered): (&mut u64, u64),
    metrics: &Metrics,
) -> Result<(), Refusal> {
    let mut cut = LogCut { after: *after, delivered, limit: TRIMMED };
    loop {
        let trimmed = maintenance.trim_log(cut).await?;
        metrics.log_trimmed(realm, trimmed);
        cut.after = trimmed.last;
        *after = trimmed.last;
        if !trimmed.more {
            break;
        }
        yield_now().await;
    }
    let mut after = None;
    loop {
        let trimmed = maintenance.trim_messages(after.take(), TRIMMED).await?;
        if trimmed.deleted > 0 {
            metrics.messages_trimmed(realm, trimmed.deleted);
        }
        after = trimmed.next;
        if after.is_none() {
            return Ok(());
        }
        yield_now().await;
    }
}

async fn keep_house(
    pace: Pace,
    realm: &str,
    maintenance: &dyn Maintenance,
    delivered: &(dyn Fn() -> u64 + Send + Sync),
    metrics: &Metrics,
) {
    sleep(pace.rest).await;
    let mut after = None;
    let (mut trimmed, mut passes) = (0, 0_u32);
    loop {
        let found = match maintenance.expired(after.take(), ROWS).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(realm, %error, "expired rows cannot be deleted now; it is tried again later");
                ExpiredRows::default()
            }
        };
        let much = found.places.len() * MUCH >= ROWS;
        sweep(realm, maintenance, found.places, metrics).await;
        after = found.next;
        match &after {
            None => {
                // the events of histories outlast others, and are looked at again now and then
                if passes % PASSES == 0 {
                    trimmed = 0;
                }
                passes = passes.wrapping_add(1);
                if let Err(error) = trim_all(realm, maintenance, (&mut trimmed, delivered()), metrics).await {
                    metrics.sweep_failed(realm);
                    tracing::warn!(realm, %error, "old events cannot be deleted now; it is tried again later");
                }
                sleep(pace.rest).await;
            }
            Some(_) if much => yield_now().await,
            Some(_) => sleep(pace.pause).await,
        }
    }
}

/// Deletes these rows, those guarded by one group's header separately: a group that cannot be swept, or only slowly,
/// does not delay the others.
async fn sweep(realm: &str, maintenance: &dyn Maintenance, places: Vec<Key>, metrics: &Metrics) {
    let alike = places.chunk_by(|one, other| one.expiry_guard() == other.expiry_guard());
    for some in alike.flat_map(|alike| alike.chunks(SWEPT)) {
        let swept = timeout(PATIENCE, maintenance.sweep(some.to_vec())).await;
        let why = match swept {
            Ok(Ok(_)) => {
                metrics.swept(realm, some.len());
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(late) => late.to_string(),
        };
        metrics.sweep_failed(realm);
        let rows = some.len();
        tracing::warn!(realm, rows, why, "expired rows cannot be deleted now; it is tried again later");
    }
}

/// Empties the trash of old files, until the process ends.
pub(crate) fn empty_trash(stores: Arc<dyn Stores>, days: u32, metrics: &Arc<Metrics>, phase: &watch::Sender<Phase>) {
    let mut phase = phase.subscribe();
    let (kept, metrics) = (Duration::from_hours(24) * days, Arc::clone(metrics));
    tokio::spawn(async move {
        loop {
            let stores = Arc::clone(&stores);
            match tokio::task::spawn_blocking(move || stores.empty_trash(kept)).await {
                Ok(Ok(0)) => {}
                Ok(Ok(deleted)) => {
                    metrics.trash_deleted.inc_by(deleted as u64);
                    tracing::info!(deleted, "old files in the trash are deleted");
                }
                Ok(Err(error)) => tracing::warn!(%error, "the trash cannot be emptied; it is tried again later"),
                Err(error) => tracing::warn!(%error, "the trash cannot be emptied; it is tried again later"),
            }
            tokio::select! {
                () = sleep(TRASH) => {}
                _ = phase.changed() => return,
            }
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::engine::Engine;
    use conclave_core::event::Actor;
    use conclave_core::memory::Memory;
    use conclave_core::model::{GroupId, Millis, Policy, Prefix, Settings, Until, UserId};
    use conclave_core::operation::{CreateGroup, Mute};
    use conclave_core::ports::{Clock, GroupsExt as _, Store};

    use super::*;
    use crate::clock::RandomMint;

    /// A clock that advances by a minute each time it is read.
    #[derive(Default)]
    struct Hasty(std::sync::atomic::AtomicU64);

    impl Clock for Hasty {
        fn now(&self) -> Millis {
            Millis(self.0.fetch_add(60_000, std::sync::atomic::Ordering::SeqCst))
        }
    }

    #[tokio::test]
    async fn what_is_over_is_gone_after_a_while() {
        let store = Arc::new(Memory::new());
        let kept: Arc<dyn Store> = store.clone();
        let engine = Engine::new(kept, Arc::new(Hasty::default()), Arc::new(RandomMint), Settings::default());
        let backend = Backend::engine(engine);
        let of = &backend.groups;
        let group = GroupId::new("g").unwrap();
        let create = CreateGroup { id: Some(group.clone()), ..CreateGroup::new(None, Policy::standard()) };
        of.run(&Actor::app(), create).await.unwrap();
        for n in 0..=2 * ROWS {
            let (users, until) = (vec![UserId::new(format!("u{n}")).unwrap()], Until::At(of.now().plus(600_000)));
            let mute = Mute { group: group.clone(), users, until, members_only: false, spare_owner: false };
            of.run(&Actor::app(), mute).await.unwrap();
        }
        let muted = Prefix::mutes(&group);
        assert_eq!(store.count(&muted).await.unwrap(), 2 * ROWS + 1);

        let (phase, watch) = watch::channel(Phase::Serving);
        let pace = Pace { pause: Duration::ZERO, rest: Duration::from_millis(1) };
        keep_at(pace, "realm", &backend, || u64::MAX, &Arc::default(), &phase).unwrap();
        let begun = std::time::Instant::now();
        while store.count(&muted).await.unwrap() > 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "outdated mutes stay");
            sleep(Duration::from_millis(1)).await;
        }
        drop(watch);
        phase.send_replace(Phase::Draining);
        phase.closed().await;
    }
}
