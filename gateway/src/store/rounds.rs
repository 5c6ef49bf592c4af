//! Commits that share a sync.
//!
//! A round collects commits while the previous one is written. Every commit of a round is checked against all before
//! it, synced or not, so the round as a whole is one valid change, and is written as one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use conclave_core::model::{Member, Row};
use conclave_core::ports::StoreError;
use fjall::{PersistMode, UserValue};
use foldhash::HashMap as Map;
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;

use super::cache::{Known, RowSnapshot};
use super::engine::{Engine, Mark};
use super::faults::wanted;
use super::health::Health;
use super::rows::{RealmPrefix, encode};
use super::{Shared, failed, recovery};

/// Unsynced rows, by stored key; `None` is a deletion.
pub(super) type Changed = BTreeMap<Vec<u8>, Option<Row>>;

/// Notified when the round is durable, or with the error.
pub(super) type Waiter = oneshot::Sender<Result<(), StoreError>>;

/// The rounds of a database.
#[derive(Default)]
pub(super) struct Rounds {
    state: Mutex<State>,
    health: Health,
    wake: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    /// The round that commits are added to now.
    collecting: Changed,
    collecting_waiters: Vec<Waiter>,
    /// The round that is being written and synced; empty if none is.
    writing: Arc<Changed>,
    writing_waiters: Vec<Waiter>,
    /// The number of each realm's last event, including collected ones.
    sequences: HashMap<RealmPrefix, u64>,
    /// Why commits are refused now.
    failed: Option<StoreError>,
    closing: bool,
}

impl Rounds {
    /// Reports the number of waiting commits to `health`.
    pub(super) fn new(health: Health) -> Self {
        Self { health, ..Self::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Waits for the round that this commit was added to.
    pub(super) fn join(&self, state: &mut State) -> oneshot::Receiver<Result<(), StoreError>> {
        let (waiter, wait) = oneshot::channel();
        state.collecting_waiters.push(waiter);
        self.health.queues(state.collecting_waiters.len());
        self.wake.notify_one();
        wait
    }

    /// Waits for all unsynced commits; `None` when there are none.
    pub(super) fn rest(&self) -> Result<Option<oneshot::Receiver<Result<(), StoreError>>>, StoreError> {
        let mut state = self.lock();
        state.check()?;
        if !state.collecting_waiters.is_empty() {
            return Ok(Some(self.join(&mut state)));
        }
        if state.writing_waiters.is_empty() {
            return Ok(None);
        }
        let (waiter, wait) = oneshot::channel();
        state.writing_waiters.push(waiter);
        Ok(Some(wait))
    }

    /// Waits for this time, or until the store is closed.
    pub(super) fn rest_for(&self, time: Duration) {
        let mut state = self.lock();
        if !state.closing {
            self.wake.wait_for(&mut state, time);
        }
    }

    /// Lets the syncing thread finish the collected round and end.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }
}

impl State {
    /// Refuses when the store has failed: nothing is based on a log that may be incomplete.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// The row with a key, if it is unsynced.
    pub(super) fn draft(&self, key: &[u8]) -> Option<&Option<Row>> {
        self.collecting.get(key).or_else(|| self.writing.get(key))
    }

    /// The unsynced rows of a range.
    pub(super) fn drafts(&self, range: &super::rows::Range) -> Changed {
        let mut found = Changed::new();
        for layer in [&*self.writing, &self.collecting] {
            let rows = layer.range::<Vec<u8>, _>((range.0.as_ref(), range.1.as_ref()));
            found.extend(rows.map(|(key, row)| (key.clone(), row.clone())));
        }
        found
    }

    pub(super) fn change(&mut self, key: Vec<u8>, row: Option<Row>) {
        self.collecting.insert(key, row);
    }

    /// The number of a realm's last event; read with `read` when the realm is new here.
    pub(super) fn sequence(
        &mut self,
        realm: &RealmPrefix,
        read: impl FnOnce() -> Result<u64, StoreError>,
    ) -> Result<u64, StoreError> {
        if let Some(sequence) = self.sequences.get(realm) {
            return Ok(*sequence);
        }
        let sequence = read()?;
        self.sequences.insert(realm.clone(), sequence);
        Ok(sequence)
    }

    /// Numbers one more event of a realm.
    pub(super) fn next_sequence(&mut self, realm: &RealmPrefix) -> u64 {
        let last = self.sequences.entry(realm.clone()).or_default();
        *last += 1;
        let sequence = *last;
        // stored in a row of its own, so that numbers continue even if old events are deleted some day
        self.collecting.insert(realm.sequence(), Some(Row::Text(Arc::new(sequence.to_string()))));
        sequence
    }

    /// Refuses commits until [`Self::resumes`]; returns all waiting callers. Unsynced rows are dropped.
    pub(super) fn fails(&mut self, why: StoreError) -> Vec<Waiter> {
        self.failed = Some(why);
        self.collecting.clear();
        self.writing = Arc::default();
        // they include what was dropped
        self.sequences.clear();
        let mut waiters = std::mem::take(&mut self.writing_waiters);
        waiters.append(&mut self.collecting_waiters);
        waiters
    }

    /// Accepts commits again.
    pub(super) fn resumes(&mut self) {
        self.failed = None;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Makes the collected round the one that is written.
    fn turn(&mut self) -> Arc<Changed> {
        self.writing = Arc::new(std::mem::take(&mut self.collecting));
        self.writing_waiters = std::mem::take(&mut self.collecting_waiters);
        Arc::clone(&self.writing)
    }
}

/// Writes rounds until the store is closed. Has a thread of its own, because a sync blocks.
pub(super) fn run(shared: &Shared, engine: Engine, mark: Mark) {
    let _stopped = Stopped(shared);
    let mut open = Some((engine, mark));
    loop {
        let mut state = shared.rounds.lock();
        while state.collecting_waiters.is_empty() && !state.closing {
            shared.rounds.wake.wait(&mut state);
        }
        if state.collecting_waiters.is_empty() {
            break;
        }
        let round = state.turn();
        shared.health.queues(0);
        drop(state);
        let kept = match &mut open {
            Some((engine, mark)) => keep(shared, engine, mark, &round),
            None => Err(StoreError("the database is closed".to_owned())),
        };
        if let Err(error) = kept {
            if !recovery::recover(shared, &mut open, &error) {
                break;
            }
            continue;
        }
        let mut state = shared.rounds.lock();
        state.writing = Arc::default();
        let waiters = std::mem::take(&mut state.writing_waiters);
        drop(state);
        for waiter in waiters {
            // a caller that disconnected meanwhile needs no answer
            let _gone = waiter.send(Ok(()));
        }
    }
    recovery::close(shared, open);
}

/// Writes one record of the engine's log and syncs it; readable only afterwards.
fn keep(shared: &Shared, engine: &Engine, mark: &mut Mark, round: &Changed) -> Result<(), StoreError> {
    let next = Mark { round: mark.round + 1, ..*mark };
    let faults = shared.options.faults.as_deref();
    let fails = wanted(faults, |faults| &faults.sync);
    let durability = if fails { PersistMode::Buffer } else { PersistMode::SyncData };
    let mut batch = engine.round(next).durability(Some(durability));
    let mut known = Vec::with_capacity(round.len());
    let mut members = Map::default();
    for (key, row) in round {
        if let Some(row) = row {
            let bytes = encoded(row, &mut members)?;
            known.push(Known::new(Some(row.clone()), bytes.len()));
            batch.insert(&engine.table, key.as_slice(), bytes);
        } else {
            known.push(Known::new(None, 0));
            batch.remove(&engine.table, key.as_slice());
        }
    }
    shared.health.begins();
    while wanted(faults, |faults| &faults.hang) {
        std::thread::sleep(Duration::from_millis(1));
    }
    batch.commit().map_err(failed)?;
    if fails {
        return Err(failed("a test lets syncs fail"));
    }
    shared.health.ends();
    if let Err(error) = shared.manifest.lock().acknowledge(next.round) {
        // the rows are synced; only damage is detected less reliably
        tracing::warn!(%error, "the last acknowledged round cannot be written to the manifest");
    }
    *mark = next;
    shared.cache.publish(RowSnapshot::of(engine), round.keys().zip(known));
    Ok(())
}

/// The bytes of a row. A membership is stored with two keys, and encoded once: `members` has those of this round that
/// were encoded, by their address.
fn encoded(row: &Row, members: &mut Map<*const Member, UserValue>) -> Result<UserValue, StoreError> {
    let Row::Member(member) = row else { return Ok(encode(row)?.into()) };
    if let Some(bytes) = members.get(&Arc::as_ptr(member)) {
        return Ok(bytes.clone());
    }
    let bytes = UserValue::from(encode(row)?);
    members.insert(Arc::as_ptr(member), bytes.clone());
    Ok(bytes)
}

/// However the syncing thread ends, no more commits are accepted. Callers whose rounds were not begun get an error.
struct Stopped<'s>(&'s Shared);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let mut state = self.0.rounds.lock();
        let failed = StoreError("the store has stopped; restart conclave".to_owned());
        self.0.health.fails(&failed.0);
        state.failed = Some(failed.clone());
        state.collecting.clear();
        let waiters = std::mem::take(&mut state.collecting_waiters);
        drop(state);
        for waiter in waiters {
            let _gone = waiter.send(Err(failed.clone()));
        }
    }
}
