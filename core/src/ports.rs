//! The ports: what surfaces call, and what operations run on.
//!
//! A backend of a realm is [`Groups`] and a [`Log`]; our own engine over a [`Store`] is one, and has [`Maintenance`] too.

use std::sync::Arc;

use async_trait::async_trait;

use crate::event::{Actor, Event};
pub use crate::log::{Signal, Subscription};
use crate::model::{Group, Key, Member, Millis, Prefix, Row, TopicId, UserId};
use crate::operation::{Ended, InTopic, OnRefusal, Operation, Reply, Steps, Together};
use crate::query::{Answer, Cursor, ExpiredRows, JoinedGroups, Query};
use crate::refusal::Refusal;
use crate::retention::{LogCut, LogTrimmed, MessagesTrimmed};

/// Chat groups, as every surface sees them. One realm each.
///
/// Commands and reads that any backend can offer: our own engine, or another vendor's cloud. A backend refuses those it
/// does not support with [`Refusal::NotOffered`], which each vendor's surface maps to its own error.
///
/// Two methods, so that metrics, tracing and fault injection wrap a small interface. Call through [`GroupsExt`], which
/// returns each operation's own reply.
#[async_trait]
pub trait Groups: Send + Sync {
    /// Changes something, or refuses and changes nothing.
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal>;

    /// Reads something.
    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal>;

    /// The time by which this realm decides.
    fn now(&self) -> Millis;
}

/// The events of one realm, in order. Client sessions and webhooks follow it.
///
/// For trusted callers: there is no actor, and nothing is left out.
#[async_trait]
pub trait Log: Send + Sync {
    /// The events after this number, in order, `limit` at most; 0 is the beginning.
    async fn read(&self, after: u64, limit: usize) -> Result<Vec<Arc<Event>>, Refusal>;

    /// The number of the newest event; 0 when there is none.
    async fn last(&self) -> Result<u64, Refusal>;

    /// The part of the log before a time.
    ///
    /// Times follow the order of numbers only approximately: start a little before the wanted time.
    async fn position_at(&self, at: Millis) -> Result<LogPosition, Refusal>;

    /// Appends the events of one call that was decided elsewhere, for a backend that only learns of it. They are numbered
    /// here, and belong together from now on. Returns the number of the last one.
    ///
    /// Our own engine records what it decides in the commit itself and needs no call of this.
    async fn record(&self, events: Vec<Event>) -> Result<u64, Refusal>;

    /// Signals after events were appended.
    fn subscribe(&self) -> Subscription;
}

/// The position of a time in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogPosition {
    /// The number of the last event before the time; 0 when there is none.
    pub before: u64,
    /// The number of the newest event; 0 when there is none.
    pub last: u64,
}

/// What only a store of our own needs done from time to time: deleting what has expired.
///
/// A backend that does so itself has none of this.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Finds rows whose time is over, looking at `limit` rows at most from a cursor on.
    async fn expired(&self, after: Option<Cursor>, limit: usize) -> Result<ExpiredRows, Refusal>;

    /// Deletes the rows in these places as far as their time is over: mutes, blocks, requests, shared files, tokens of
    /// messages and broadcasts, and devices with their positions. No event is emitted, and the groups count as unchanged.
    ///
    /// Returns the blobs that nothing refers to any more.
    async fn sweep(&self, places: Vec<Key>) -> Result<Ended, Refusal>;

    /// Deletes the oldest events of the log as far as the realm's settings say, with their entries in queues, in one
    /// commit. Events of a group's history are kept as long as its messages.
    async fn trim_log(&self, cut: LogCut) -> Result<LogTrimmed, Refusal>;

    /// Deletes messages that are older than the realm's settings say, looking at `limit` of them at most from a cursor
    /// on. No event is emitted.
    async fn trim_messages(&self, after: Option<Cursor>, limit: usize) -> Result<MessagesTrimmed, Refusal>;
}

/// An operation with its own type of reply.
pub trait Typed: Into<Operation> + Send {
    /// The reply.
    type Reply: TryFrom<Reply, Error = Refusal>;
}

/// A query with its own type of answer.
pub trait Asked: Into<Query> + Send {
    /// The answer.
    type Answer: TryFrom<Answer, Error = Refusal>;
}

/// Typed calls on any [`Groups`].
#[async_trait]
pub trait GroupsExt: Groups {
    /// Performs one operation.
    async fn run<O: Typed>(&self, actor: &Actor, operation: O) -> Result<O::Reply, Refusal> {
        self.perform(actor, operation.into()).await?.try_into()
    }

    /// Performs one operation in a topic of its group, as [`InTopic`] says.
    async fn run_in<O: Typed>(&self, actor: &Actor, topic: &TopicId, operation: O) -> Result<O::Reply, Refusal> {
        let within = InTopic { topic: topic.clone(), what: operation.into() };
        self.perform(actor, Operation::InTopic(Box::new(within))).await?.try_into()
    }

    /// Performs several operations as one vendor call: all of them, or none. Later ones see what earlier ones change.
    async fn run_all(&self, actor: &Actor, mut steps: Vec<Operation>) -> Result<Replies, RefusedStep> {
        // a single operation needs no batch, which not every backend offers
        if steps.len() == 1
            && let Some(operation) = steps.pop()
        {
            if let Operation::Together(_) = operation {
                return Err(RefusedStep { step: 0, refusal: Refusal::InvalidValue(Together::NESTED) });
            }
            let reply = self.perform(actor, operation).await.map_err(|refusal| RefusedStep { step: 0, refusal })?;
            return Ok(Replies(vec![reply].into_iter()));
        }
        let together = Together { steps, on_refusal: OnRefusal::RefuseAll };
        match self.run(actor, together).await {
            Ok(Steps(replies)) => {
                let replies: Result<Vec<Reply>, Refusal> = replies.into_iter().collect();
                let replies = replies.map_err(|refusal| RefusedStep { step: 0, refusal })?;
                Ok(Replies(replies.into_iter()))
            }
            Err(Refusal::InStep { step, refusal }) => Err(RefusedStep { step, refusal: *refusal }),
            Err(refusal) => Err(RefusedStep { step: 0, refusal }),
        }
    }

    /// Performs several operations of one kind in one commit, and returns what each came to.
    ///
    /// # Errors
    /// The first refusal for which the others are not performed either.
    async fn run_each<O: Typed>(
        &self,
        actor: &Actor,
        on_refusal: OnRefusal,
        mut operations: Vec<O>,
    ) -> Result<Vec<Result<O::Reply, Refusal>>, Refusal> {
        if operations.len() == 1
            && let Some(operation) = operations.pop()
        {
            let operation: Operation = operation.into();
            if let Operation::Together(_) = operation {
                return Err(Refusal::InvalidValue(Together::NESTED));
            }
            return match self.perform(actor, operation).await.and_then(TryInto::try_into) {
                Err(refusal) if !on_refusal.skips(&refusal) => Err(refusal),
                reply => Ok(vec![reply]),
            };
        }
        let steps = operations.into_iter().map(Into::into).collect();
        match self.run(actor, Together { steps, on_refusal }).await {
            Ok(Steps(replies)) => Ok(replies.into_iter().map(|reply| reply.and_then(TryInto::try_into)).collect()),
            Err(Refusal::InStep { refusal, .. }) => Err(*refusal),
            Err(refusal) => Err(refusal),
        }
    }

    /// Reads all groups of a user, latest joined first, and keeps what `pick` returns of each. Only one page of them is in
    /// memory at a time, however large their profiles are.
    async fn pick_joined<T: Send>(
        &self,
        actor: &Actor,
        user: &UserId,
        pick: impl for<'g> Fn(&'g Group, &'g Member) -> Option<T> + Send,
    ) -> Result<Vec<T>, Refusal> {
        /// Groups in a page.
        const PAGE: usize = 100;
        let (mut picked, mut after) = (Vec::new(), None);
        loop {
            let page = self.ask(actor, JoinedGroups { after, limit: PAGE, ..JoinedGroups::all(user.clone()) }).await?;
            picked.extend(page.groups.iter().filter_map(|(group, member)| pick(group, member)));
            after = page.next;
            if after.is_none() {
                return Ok(picked);
            }
        }
    }

    /// Answers one query.
    async fn ask<Q: Asked>(&self, actor: &Actor, query: Q) -> Result<Q::Answer, Refusal> {
        self.read(actor, query.into()).await?.try_into()
    }
}

impl<G: Groups + ?Sized> GroupsExt for G {}

/// What several operations answered, in their order.
#[derive(Debug)]
pub struct Replies(std::vec::IntoIter<Reply>);

impl Replies {
    /// The next one's reply, which is of this operation.
    ///
    /// # Errors
    /// When the next operation was another one, or there was none.
    pub fn next_of<O: Typed>(&mut self) -> Result<O::Reply, Refusal> {
        let missing = || Refusal::Unavailable("an operation has not been answered".to_owned());
        self.0.next().ok_or_else(missing)?.try_into()
    }
}

/// Which of several operations was refused, and why. None was performed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {step}: {refusal}")]
pub struct RefusedStep {
    /// Its position among the steps, from 0.
    pub step: usize,
    /// The reason.
    pub refusal: Refusal,
}

/// One change of one place.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Store this row under this key.
    Put(Key, Row),
    /// Keep nothing there.
    Delete(Key),
}

/// What must still be true when a batch is committed: the revision of the row under this key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The key of the guarded row.
    pub key: Key,
    /// The revision that was read; `None` if there was no row.
    pub seen: Option<u64>,
}

/// What must still be true when a batch is committed: how many rows have keys with this prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunGuard {
    /// The prefix of the keys.
    pub prefix: Prefix,
    /// The number of rows that were read.
    pub rows: usize,
}

/// Changes and events that take effect together or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// What must still be true.
    pub guards: Vec<Guard>,
    /// What must still be true of whole runs; checked with the guards, before anything changes.
    pub runs: Vec<RunGuard>,
    /// What changes.
    pub changes: Vec<Change>,
    /// The events; the store numbers them consecutively and adds them to their readers' feeds.
    pub events: Vec<Event>,
}

impl Batch {
    /// Whether it has no changes and no events.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.events.is_empty()
    }
}

/// Why a batch was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A guarded row has changed meanwhile: fetch the facts and decide again.
    #[error("a guarded row has changed meanwhile")]
    Conflict,
    /// The store could not keep it.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

/// The store could not do its work.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// From where, and which way, a run of rows is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The prefix of the keys.
    pub prefix: Prefix,
    /// Go on after this key (before it, when descending), which need not exist.
    pub after: Option<Vec<u8>>,
    /// Newest (largest key) first.
    pub descending: bool,
    /// Leave out so many rows first.
    pub skip: usize,
    /// Most rows to read.
    pub limit: usize,
}

impl Span {
    /// The whole run, from its beginning.
    pub fn all(prefix: Prefix) -> Self {
        Self { prefix, after: None, descending: false, skip: 0, limit: usize::MAX }
    }

    /// The first rows of the run.
    pub fn first(prefix: Prefix, limit: usize) -> Self {
        Self { limit, ..Self::all(prefix) }
    }

    /// The same, newest first.
    #[must_use]
    pub fn descending(self) -> Self {
        Self { descending: true, ..self }
    }

    /// The same, going on after a key.
    #[must_use]
    pub fn after(self, key: Option<Vec<u8>>) -> Self {
        Self { after: key, ..self }
    }
}

/// Rows of one realm in the order of their keys. All rules are above it; a store only keeps.
#[async_trait]
pub trait Store: Send + Sync {
    /// The rows with these keys, in the requested order.
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError>;

    /// A run of rows with their keys.
    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError>;

    /// How many rows a run has.
    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError>;

    /// The last key of each of these ranges, in the requested order.
    ///
    /// A store over a network fetches all of them in one request.
    async fn last_keys(&self, prefixes: &[Prefix]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut keys = Vec::with_capacity(prefixes.len());
        for prefix in prefixes {
            let last = self.scan(&Span::first(prefix.clone(), 1).descending()).await?.pop();
            keys.push(last.map(|(key, _)| key));
        }
        Ok(keys)
    }

    /// The number of the last event; 0 when there is none.
    async fn last_sequence(&self) -> Result<u64, StoreError> {
        let last = self.last_keys(&[Prefix::events()]).await?.pop().flatten();
        let number = last.as_deref().and_then(<[u8]>::last_chunk::<8>);
        Ok(number.map_or(0, |bytes| u64::from_be_bytes(*bytes)))
    }

    /// Checks the guards, then applies the changes and appends the events, all or nothing.
    ///
    /// Returns when the batch is as durable as this store can make it, with the number of the last event in the realm's
    /// log.
    async fn commit(&self, batch: Batch) -> Result<u64, CommitError>;

    /// The rows as decisions see them: including commits that were accepted but are not durable yet, where this store
    /// has such. A decision on them is committed after them, so it need not wait until they are durable. Reads and
    /// refusals are answered from durable rows only.
    fn drafts(&self) -> Option<&dyn Store> {
        None
    }

    /// Returns when everything that [`Store::drafts`] has returned so far is as durable as this store can make it.
    async fn settled(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The clock of a realm. Never runs backwards.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Millis;
}

/// Where fresh numbers come from.
pub trait Mint: Send + Sync {
    /// Sixty-four unpredictable bits (in tests, predictable ones).
    fn bits(&self) -> u64;
}
