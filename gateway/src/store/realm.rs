//! The rows of one realm.

use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::model::{Key, Prefix, Row, SharedFile};
use conclave_core::ports::{Batch, Change, CommitError, Span, Store, StoreError};
use tokio::sync::oneshot;

use super::cache::{Known, Moment};
use super::pages::{CachedAnswer, Question};
use super::rounds::{Changed, State};
use super::rows::{Range, RealmPrefix, decode};
use super::{Opened, Shared, failed};

/// Rows that are read on the caller's thread; longer ranges are read on a thread that may block.
const INLINE: usize = 1_000;
/// Most rows of a cached answer; longer ones would only evict answers that are used more often.
const PAGE: usize = 256;

/// Which rows are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// The synced ones.
    Kept,
    /// Those, and the unsynced ones.
    Drafts,
}

/// One realm, for queries.
pub(super) struct Durable {
    realm: Arc<RealmStore>,
    drafts: Drafts,
}

/// One realm, for decisions.
struct Drafts(Arc<RealmStore>);

struct RealmStore {
    opened: Arc<Opened>,
    prefix: RealmPrefix,
}

type Rows = Vec<(Vec<u8>, Row)>;

impl Durable {
    pub(super) fn new(opened: Arc<Opened>, name: &str) -> Result<Self, StoreError> {
        let prefix = RealmPrefix::new(name);
        let shared = opened.shared()?;
        shared.rounds.lock().sequence(&prefix, || last_sequence(shared, &prefix))?;
        let realm = Arc::new(RealmStore { opened, prefix });
        Ok(Self { drafts: Drafts(Arc::clone(&realm)), realm })
    }
}

#[async_trait]
impl Store for Durable {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.realm.fetch(View::Kept, keys)
    }

    async fn scan(&self, span: &Span) -> Result<Rows, StoreError> {
        self.realm.scan(View::Kept, span).await
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.realm.count(View::Kept, prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        self.realm.commit(batch).await
    }

    fn drafts(&self) -> Option<&dyn Store> {
        Some(&self.drafts)
    }

    async fn settled(&self) -> Result<(), StoreError> {
        self.realm.settled().await
    }
}

#[async_trait]
impl Store for Drafts {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.0.fetch(View::Drafts, keys)
    }

    async fn scan(&self, span: &Span) -> Result<Rows, StoreError> {
        self.0.scan(View::Drafts, span).await
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.0.count(View::Drafts, prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        self.0.commit(batch).await
    }

    async fn settled(&self) -> Result<(), StoreError> {
        self.0.settled().await
    }

    async fn last_sequence(&self) -> Result<u64, StoreError> {
        self.0.last_sequence()
    }
}

impl RealmStore {
    /// Point reads stay on the caller's thread: nearly all are served from memory.
    fn fetch(&self, view: View, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let shared = self.opened.shared()?;
        let keys: Vec<_> = keys.iter().map(|key| self.prefix.key(key)).collect();
        let drafts: Vec<_> = match view {
            View::Kept => Vec::new(),
            View::Drafts => {
                let state = shared.rounds.lock();
                state.check()?;
                keys.iter().map(|key| state.draft(key).cloned()).collect()
            }
        };
        let kept = shared.get_all(&keys)?;
        let drafts = drafts.into_iter().chain(std::iter::repeat(None));
        Ok(kept.into_iter().zip(drafts).map(|(kept, draft)| draft.unwrap_or(kept)).collect())
    }

    async fn scan(self: &Arc<Self>, view: View, span: &Span) -> Result<Rows, StoreError> {
        if let Some(rows) = self.scan_within(view, span, INLINE)? {
            return Ok(rows);
        }
        let (realm, span) = (Arc::clone(self), span.clone());
        let all = move || realm.scan_within(view, &span, usize::MAX);
        Ok(elsewhere(all).await?.unwrap_or_default())
    }

    /// The rows of a span; `None` when more than so many would have to be read.
    fn scan_within(&self, view: View, span: &Span, most: usize) -> Result<Option<Rows>, StoreError> {
        let shared = self.opened.shared()?;
        let Some(range) = self.prefix.bounds(span) else { return Ok(Some(Vec::new())) };
        if view == View::Kept {
            return self.page(shared, &range, span, most);
        }
        let drafts = {
            let state = shared.rounds.lock();
            state.check()?;
            state.drafts(&range)
        };
        // each draft can hide one synced row, so with that many more no row of the page is missed
        let enough = span.limit.saturating_add(span.skip).saturating_add(drafts.len());
        let moment = shared.cache.now()?;
        let mut merged = Changed::new();
        let read = |key: &[u8], row| drop(merged.insert(key.to_vec(), Some(row)));
        if read_range(&moment, &range, (span.descending, 0, enough), most, read)?.is_none() {
            return Ok(None);
        }
        merged.extend(drafts);
        let rows = merged.into_iter().filter_map(|(key, row)| Some((self.prefix.strip(&key).to_vec(), row?)));
        Ok(Some(if span.descending {
            let rows: Vec<_> = rows.collect();
            rows.into_iter().rev().skip(span.skip).take(span.limit).collect()
        } else {
            rows.skip(span.skip).take(span.limit).collect()
        }))
    }

    /// The synced rows of a span.
    fn page(&self, shared: &Shared, range: &Range, span: &Span, most: usize) -> Result<Option<Rows>, StoreError> {
        let question = Question::page(self.prefix.join(span.prefix.as_bytes()), span);
        if let Some(CachedAnswer::Page(rows)) = shared.cache.answer(&question) {
            return Ok(Some(Vec::clone(&rows)));
        }
        let moment = shared.cache.now()?;
        let mut rows = Vec::new();
        let read = |key: &[u8], row| rows.push((self.prefix.strip(key).to_vec(), row));
        let Some(stored) = read_range(&moment, range, (span.descending, span.skip, span.limit), most, read)? else {
            return Ok(None);
        };
        if rows.len() <= PAGE {
            shared.cache.learn_answer(&moment, question, CachedAnswer::Page(Arc::new(rows.clone())), stored);
        }
        Ok(Some(rows))
    }

    async fn count(self: &Arc<Self>, view: View, prefix: &Prefix) -> Result<usize, StoreError> {
        if let Some(rows) = self.count_within(view, prefix, INLINE)? {
            return Ok(rows);
        }
        let (realm, prefix) = (Arc::clone(self), prefix.clone());
        let all = move || realm.count_within(view, &prefix, usize::MAX);
        Ok(elsewhere(all).await?.unwrap_or_default())
    }

    fn count_within(&self, view: View, prefix: &Prefix, most: usize) -> Result<Option<usize>, StoreError> {
        let shared = self.opened.shared()?;
        let Some(range) = self.prefix.bounds(&Span::all(prefix.clone())) else { return Ok(Some(0)) };
        if view == View::Drafts {
            let drafts = {
                let state = shared.rounds.lock();
                state.check()?;
                state.drafts(&range)
            };
            return count_range(&shared.cache.now()?, &range, &drafts, most);
        }
        let question = Question::Count { prefix: self.prefix.join(prefix.as_bytes()) };
        if let Some(CachedAnswer::Count(rows)) = shared.cache.answer(&question) {
            return Ok(Some(rows));
        }
        let moment = shared.cache.now()?;
        let rows = count_range(&moment, &range, &Changed::new(), most)?;
        if let Some(rows) = rows {
            shared.cache.learn_answer(&moment, question, CachedAnswer::Count(rows), 0);
        }
        Ok(rows)
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        let shared = self.opened.shared()?;
        let (sequence, kept) = {
            let mut state = shared.rounds.lock();
            state.check()?;
            self.check(shared, &state, &batch)?;
            let nothing = batch.changes.is_empty() && batch.events.is_empty();
            let sequence = self.take_in(shared, &mut state, batch)?;
            if nothing {
                drop(state);
                (sequence, shared.rounds.rest()?)
            } else {
                (sequence, Some(shared.rounds.join(&mut state)))
            }
        };
        wait_for(kept).await?;
        Ok(sequence)
    }

    /// Checks a batch against everything accepted before it.
    fn check(&self, shared: &Shared, state: &State, batch: &Batch) -> Result<(), CommitError> {
        for guard in &batch.guards {
            let key = self.prefix.key(&guard.key);
            let found = match state.draft(&key) {
                Some(row) => row.clone(),
                None => shared.get(&key)?,
            };
            if found.as_ref().and_then(Row::revision) != guard.seen {
                return Err(CommitError::Conflict);
            }
        }
        for run in &batch.runs {
            let Some(range) = self.prefix.bounds(&Span::all(run.prefix.clone())) else { continue };
            // one more than were seen decides as well as all of them
            let most = run.rows.saturating_add(1);
            if count_range(&shared.cache.now()?, &range, &state.drafts(&range), most)? != Some(run.rows) {
                return Err(CommitError::Conflict);
            }
        }
        Ok(())
    }

    /// Adds a batch to the round that is being collected; returns the number of the realm's last event.
    fn take_in(&self, shared: &Shared, state: &mut State, batch: Batch) -> Result<u64, CommitError> {
        let mut sequence = state.sequence(&self.prefix, || last_sequence(shared, &self.prefix))?;
        for change in batch.changes {
            match change {
                Change::Put(key, row) => state.change(self.prefix.key(&key), Some(row)),
                Change::Delete(key) => state.change(self.prefix.key(&key), None),
            }
        }
        for mut event in batch.events {
            sequence = state.next_sequence(&self.prefix);
            event.sequence = sequence;
            for (key, row) in event.filed() {
                state.change(self.prefix.key(&key), Some(row));
            }
        }
        Ok(sequence)
    }

    /// The number of the last accepted event, synced or not.
    fn last_sequence(&self) -> Result<u64, StoreError> {
        let shared = self.opened.shared()?;
        let mut state = shared.rounds.lock();
        state.check()?;
        state.sequence(&self.prefix, || last_sequence(shared, &self.prefix))
    }

    async fn settled(&self) -> Result<(), StoreError> {
        wait_for(self.opened.shared()?.rounds.rest()?).await
    }
}

async fn wait_for(kept: Option<oneshot::Receiver<Result<(), StoreError>>>) -> Result<(), StoreError> {
    match kept {
        None => Ok(()),
        Some(kept) => {
            match kept.await {
                Ok(kept) => kept,
                // the process ends without knowing the outcome, so callers get no answer either
                Err(_) => std::future::pending().await,
            }
        }
    }
}

/// Runs what may block on a thread of its own.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    if tokio::runtime::Handle::try_current().is_err() {
        return work();
    }
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(failed(error)))
}

impl Shared {
    /// The synced row with a key.
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        self.get_at(&self.cache.now()?, key)
    }

    /// The synced rows with these keys, all from one view.
    fn get_all(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Row>>, StoreError> {
        let moment = self.cache.now()?;
        let rows = keys.iter().map(|key| self.get_at(&moment, key)).collect::<Result<Vec<_>, _>>()?;
        if keys.len() < 2 || self.cache.is_now(&moment) {
            return Ok(rows);
        }
        // a round in between may have changed some of the cached rows; the view in the database is still complete
        let read = |key: &Vec<u8>| {
            let bytes = moment.rows.get(key)?;
            bytes.map(|bytes| decode(&bytes)).transpose()
        };
        keys.iter().map(read).collect()
    }

    fn get_at(&self, moment: &Moment, key: &[u8]) -> Result<Option<Row>, StoreError> {
        if let Some(known) = self.cache.get(key) {
            return Ok(known.row);
        }
        let bytes = moment.rows.get(key)?;
        let row = bytes.as_ref().map(|bytes| decode(bytes)).transpose()?;
        let known = Known::new(row.clone(), bytes.map_or(0, |bytes| bytes.len()));
        self.cache.learn(moment, key, known);
        Ok(row)
    }
}

/// Reads synced rows of a range in a view, from its end when descending; returns their stored bytes, or `None` when
/// more than `most` would have to be read, and then not all have been.
fn read_range(
    moment: &Moment,
    range: &Range,
    (descending, skip, limit): (bool, usize, usize),
    most: usize,
    mut take: impl FnMut(&[u8], Row),
) -> Result<Option<usize>, StoreError> {
    let mut found = moment.rows.range(range.clone());
    let (mut looked, mut stored) = (0_usize, 0_usize);
    let wanted = skip.saturating_add(limit);
    while looked < wanted {
        let Some(next) = (if descending { found.next_back() } else { found.next() }) else { break };
        looked += 1;
        if looked > most {
            return Ok(None);
        }
        if looked > skip {
            let (key, bytes) = next.into_inner().map_err(failed)?;
            stored += bytes.len();
            take(&key, decode(&bytes)?);
        }
    }
    Ok(Some(stored))
}

/// The number of rows of a range with these drafts applied; `None` when there are more than `most`. Reads keys only.
fn count_range(moment: &Moment, range: &Range, drafts: &Changed, most: usize) -> Result<Option<usize>, StoreError> {
    let snapshot = &moment.rows;
    let mut rows = 0_usize;
    let (mut gone, mut new) = (0_usize, 0_usize);
    for (key, row) in drafts {
        match (snapshot.contains(key)?, row) {
            (true, None) => gone += 1,
            (false, Some(_)) => new += 1,
            _ => {}
        }
    }
    for kept in snapshot.range(range.clone()) {
        kept.key().map_err(failed)?;
        rows += 1;
        if rows > most.saturating_add(gone) {
            return Ok(None);
        }
    }
    let rows = rows + new - gone;
    Ok((rows <= most).then_some(rows))
}

/// The number of a realm's last event on disk.
fn last_sequence(shared: &Shared, realm: &RealmPrefix) -> Result<u64, StoreError> {
    match shared.get(&realm.sequence())? {
        None => Ok(0),
        Some(row) => row
            .text()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| StoreError("the number of the last event cannot be read".to_owned())),
    }
}

/// Iterates over the shared files and the attachments of all realms.
pub(super) fn each_file(shared: &Shared, mut take: impl FnMut(&SharedFile)) -> Result<(), StoreError> {
    let moment = shared.cache.now()?;
    let mut from = Vec::new();
    loop {
        let first = moment.rows.range((Bound::Included(from), Bound::Unbounded)).next();
        let Some(first) = first else { break };
        let key = first.key().map_err(failed)?;
        let Some(realm) = RealmPrefix::of(&key) else { break };
        let tables = [Prefix::all_files(), Prefix::attachments()];
        let files = tables.into_iter().filter_map(|table| realm.bounds(&Span::all(table)));
        for file in files.flat_map(|range| moment.rows.range(range)) {
            let bytes = file.value().map_err(failed)?;
            if let Row::File(file) = decode(&bytes)? {
                take(&file);
            }
        }
        from = realm.end();
    }
    Ok(())
}
