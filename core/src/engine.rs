//! Runs rules: fetches facts, decides, commits, and decides again after a conflict.

use std::sync::Arc;

use async_trait::async_trait;

use crate::bounds;
use crate::decision::{Context, Draft};
use crate::event::{Actor, Event};
use crate::facts::{Facts, Need, Stop};
use crate::log::{EventLog, Subscription};
use crate::model::{Key, Millis, Row, Settings};
use crate::operation::{Ended, Operation, Reply, Rule, Sweep, TrimMessages};
use crate::ports::{Batch, Clock, CommitError, Groups, Log, LogPosition, Maintenance, Mint, Span, Store, StoreError};
use crate::query::{Answer, Cursor, ExpiredRows, Query, Reader, Source, expired};
use crate::refusal::Refusal;
use crate::retention::{self, LogCut, LogTrimmed, MessagesTrimmed, OldMessages};

/// How often a query is repeated because its group changed meanwhile; the last answer is returned as it is.
const MOMENTS: u32 = 5;
/// Messages that are deleted in one commit: few, as each may have as many receipts as its group had members.
const TRIMMED: usize = 10;

/// One realm over one store.
pub struct Engine {
    store: Arc<dyn Store>,
    log: EventLog,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    settings: Settings,
}

impl Engine {
    /// Puts the parts together.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, mint: Arc<dyn Mint>, settings: Settings) -> Self {
        let log = EventLog::new(Arc::clone(&store));
        Self { store, log, clock, mint, settings }
    }

    /// Fetches facts and decides until the rule is satisfied or refuses. `None` when facts fetched at different times
    /// contradict each other: then nothing was decided, and it has to be tried again.
    async fn decide<R>(
        &self,
        context: Context<'_>,
        rule: &(impl Fn(&mut Draft<'_>) -> Result<R, Stop> + Sync),
    ) -> Result<Option<Result<(Batch, R), Refusal>>, StoreError> {
        let mut facts = Facts::default();
        loop {
            // read after the facts: the commits that they show have read the clock before
            let context = Context { now: self.clock.now(), ..context };
            let mut draft = Draft::new(&facts, context);
            let decided = match rule(&mut draft) {
                Ok(reply) => Ok((draft.finish(), reply)),
                Err(Stop::Refuse(refusal)) => Err(refusal),
                Err(Stop::Need(need)) => {
                    self.gather(&mut facts, need).await?;
                    continue;
                }
            };
            // a commit checks its guards itself; whatever is not committed is held against the store here
            let changes = decided.as_ref().is_ok_and(|(batch, _)| !batch.is_empty());
            return Ok(if changes || self.still_true(&facts).await? { Some(decided) } else { None });
        }
    }

    /// Decides by a rule and commits, repeatedly until there is no conflict.
    async fn carry_out<R: Send>(
        &self,
        actor: &Actor,
        rule: impl Fn(&mut Draft<'_>) -> Result<R, Stop> + Sync,
    ) -> Result<R, Refusal> {
        let (seed, begun) = (self.mint.bits(), self.clock.now());
        loop {
            let context = Context { actor, now: begun, begun, settings: &self.settings, seed };
            let Some(decided) = self.decide(context, &rule).await? else { continue };
            let (batch, reply) = match decided {
                Ok((batch, reply)) if !batch.is_empty() => (batch, reply),
                // a reply without a commit may depend on an unsynced one
                other => {
                    self.store.settled().await?;
                    return other.map(|(_, reply)| reply);
                }
            };
            bounds::check(&batch)?;
            debug_assert_eq!(broken(&batch), None, "a decision breaks what is always true");
            let _notifies = self.log.signal().notify_on_drop();
            match self.store.commit(batch).await {
                Ok(_) => return Ok(reply),
                Err(CommitError::Conflict) => {}
                Err(CommitError::Failed(error)) => return Err(error.into()),
            }
        }
    }

    fn reader<'a>(&'a self, actor: &'a Actor) -> Reader<'a> {
        Reader { store: Source::new(&*self.store), actor, now: self.clock.now(), settings: &self.settings }
    }

    /// What decisions rest on.
    fn drafts(&self) -> &dyn Store {
        self.store.drafts().unwrap_or(&*self.store)
    }

    async fn gather(&self, facts: &mut Facts, need: Need) -> Result<(), StoreError> {
        facts.gathered();
        match need {
            Need::Rows(keys) => self.fetch(facts, keys).await?,
            Need::RowsThenLastSequence(keys) => {
                self.fetch(facts, keys).await?;
                facts.learn_last_sequence(self.drafts().last_sequence().await?);
            }
            Need::Runs(prefixes) => {
                for prefix in prefixes {
                    let rows = self.drafts().scan(&Span::all(prefix.clone())).await?;
                    facts.learn_run(prefix, rows.into_iter().collect());
                }
            }
            Need::Recent(prefix, limit) => {
                let rows = self.drafts().scan(&Span::first(prefix.clone(), limit).descending()).await?;
                facts.learn_recent(prefix, rows.into_iter().collect());
            }
            Need::LastSequence => facts.learn_last_sequence(self.drafts().last_sequence().await?),
            Need::Counts(prefixes) => {
                for prefix in prefixes {
                    let rows = self.drafts().count(&prefix).await?;
                    facts.learn_count(prefix, rows);
                }
            }
        }
        Ok(())
    }

    async fn fetch(&self, facts: &mut Facts, keys: Vec<Key>) -> Result<(), StoreError> {
        let rows = self.drafts().fetch(&keys).await?;
        facts.learn_all(keys, rows);
        Ok(())
    }

    /// Whether the guarded rows that a refusal rests on are still as they were seen.
    async fn still_true(&self, facts: &Facts) -> Result<bool, StoreError> {
        let seen = facts.doubtful();
        if seen.is_empty() {
            return Ok(true);
        }
        let (keys, revisions): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
        let rows = self.drafts().fetch(&keys).await?;
        Ok(rows.iter().map(|row| row.as_ref().and_then(Row::revision)).eq(revisions))
    }
}

#[async_trait]
impl Groups for Engine {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        self.carry_out(actor, |draft| operation.decide(draft)).await
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        for _ in 1..MOMENTS {
            let reader = self.reader(actor);
            let answer = query.clone().answer(&reader).await;
            if reader.store.is_one_moment().await? {
                return answer;
            }
        }
        query.answer(&self.reader(actor)).await
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }
}

#[async_trait]
impl Log for Engine {
    async fn read(&self, after: u64, limit: usize) -> Result<Vec<Arc<Event>>, Refusal> {
        self.log.read(after, limit).await
    }

    async fn last(&self) -> Result<u64, Refusal> {
        self.log.last().await
    }

    async fn position_at(&self, at: Millis) -> Result<LogPosition, Refusal> {
        self.log.position_at(at).await
    }

    async fn record(&self, events: Vec<Event>) -> Result<u64, Refusal> {
        self.log.record(events).await
    }

    fn subscribe(&self) -> Subscription {
        self.log.subscribe()
    }
}

#[async_trait]
impl Maintenance for Engine {
    async fn expired(&self, after: Option<Cursor>, limit: usize) -> Result<ExpiredRows, Refusal> {
        expired(&self.reader(&Actor::System), after, limit).await
    }

    async fn sweep(&self, places: Vec<Key>) -> Result<Ended, Refusal> {
        let sweep = Sweep { places };
        self.carry_out(&Actor::System, |draft| sweep.decide(draft)).await
    }

    async fn trim_log(&self, cut: LogCut) -> Result<LogTrimmed, Refusal> {
        Ok(retention::trim_log(&*self.store, self.clock.now(), &self.settings, cut).await?)
    }

    async fn trim_messages(&self, after: Option<Cursor>, limit: usize) -> Result<MessagesTrimmed, Refusal> {
        let (old, next) = retention::old_messages(&*self.store, self.clock.now(), &self.settings, after, limit).await?;
        let mut deleted = 0;
        for OldMessages { group, keys } in old {
            for messages in keys.chunks(TRIMMED) {
                let trim = TrimMessages { group: group.clone(), messages: messages.to_vec() };
                deleted += self.carry_out(&Actor::System, |draft| trim.decide(draft)).await?;
            }
        }
        Ok(MessagesTrimmed { deleted, next })
    }
}

/// What is wrong with the headers a batch keeps, if anything.
fn broken(batch: &Batch) -> Option<String> {
    batch.changes.iter().find_map(|change| match change {
        crate::ports::Change::Put(_, row) => row.group().and_then(|group| crate::invariants::header_broken(group)),
        crate::ports::Change::Delete(_) => None,
    })
}
