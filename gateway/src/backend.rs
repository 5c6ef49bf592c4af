//! The backend of one realm's groups, and the layers around every backend.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use conclave_core::engine::Engine;
use conclave_core::event::{Actor, Event};
use conclave_core::model::{Key, Millis};
use conclave_core::operation::{Ended, Operation, Reply};
use conclave_core::ports::{Groups, Log, LogPosition, Maintenance, Subscription};
use conclave_core::query::{Answer, Cursor, ExpiredRows, Query};
use conclave_core::refusal::Refusal;
use conclave_core::retention::{LogCut, LogTrimmed, MessagesTrimmed};
use conclave_kit::Blobs;
use http::HeaderValue;

use crate::faults::{self, Armed};
use crate::metrics::{Metrics, OperationOutcome, RealmMetrics};
use crate::session::PERFORMING;

tokio::task_local! {
    /// The request or call that the current task handles.
    pub(crate) static CURRENT: Current;
}

/// A request, or a call of a session.
pub(crate) struct Current {
    /// `request` or `call`.
    pub(crate) kind: &'static str,
    /// Identifies its log lines.
    pub(crate) id: HeaderValue,
    /// The realm that it has reached, if any.
    pub(crate) realm: OnceCell<Arc<str>>,
    /// Its caller, once authenticated.
    pub(crate) caller: OnceCell<Actor>,
    /// The fault rules that may apply to it, if there are any.
    pub(crate) faults: Option<Armed>,
}

impl Current {
    /// One that has just begun.
    pub(crate) fn new(kind: &'static str, id: HeaderValue) -> Self {
        Self { kind, id, realm: OnceCell::new(), caller: OnceCell::new(), faults: None }
    }

    /// The same with the fault rules that may apply to it.
    pub(crate) fn with_faults(self, faults: Option<Armed>) -> Self {
        Self { faults, ..self }
    }
}

/// The backend of one realm: an engine over a store of our own, or another implementation of the same ports.
#[derive(Clone)]
pub struct Backend {
    /// Commands and reads.
    pub groups: Arc<dyn Groups>,
    /// The event log.
    pub log: Arc<dyn Log>,
    /// Maintenance that a store of our own needs.
    pub maintenance: Option<Arc<dyn Maintenance>>,
}

/// Each realm's backend, by the realm's name.
pub(crate) type Backends = BTreeMap<String, Backend>;

impl Backend {
    /// An engine over a store of our own.
    pub fn engine(engine: Engine) -> Self {
        let engine = Arc::new(engine);
        Self { groups: engine.clone(), log: engine.clone(), maintenance: Some(engine) }
    }

    /// Adds metrics, log lines for failures, and deletion of the bytes of deleted files from `blobs`.
    pub(crate) fn layered(self, realm: &str, blobs: Arc<dyn Blobs>, metrics: &Metrics) -> Self {
        let Self { groups, log, maintenance } = self;
        metrics.measured.of_realm(realm, &log);
        let observer = Arc::new(Observer { realm: Arc::from(realm), metrics: metrics.of_realm(realm) });
        let maintenance = maintenance.map(|inner| -> Arc<dyn Maintenance> {
            let layer = Layer { inner, observer: Arc::clone(&observer), blobs: Arc::clone(&blobs) };
            Arc::new(layer)
        });
        Self {
            groups: Arc::new(Layer { inner: groups, observer: Arc::clone(&observer), blobs: Arc::clone(&blobs) }),
            log: Arc::new(Layer { inner: log, observer, blobs }),
            maintenance,
        }
    }
}

/// Counts the operations of one realm.
struct Observer {
    realm: Arc<str>,
    metrics: RealmMetrics,
}

impl Observer {
    /// Records which realm the current request has reached.
    fn enter(&self) {
        // outside of a request there is no record
        let _ = CURRENT.try_with(|current| _ = current.realm.get_or_init(|| Arc::clone(&self.realm)));
    }

    /// Records the caller of the current request.
    fn note(&self, actor: &Actor) {
        let _ = CURRENT.try_with(|current| {
            current.realm.get_or_init(|| Arc::clone(&self.realm));
            current.caller.get_or_init(|| actor.clone());
        });
    }

    /// Counts an operation, and returns its result.
    fn count<T>(&self, name: &'static str, result: Result<T, Refusal>) -> Result<T, Refusal> {
        let outcome = match &result {
            Ok(_) => OperationOutcome::Done,
            Err(Refusal::Unavailable(why)) => {
                tracing::error!(realm = &*self.realm, operation = name, why, "the store failed");
                OperationOutcome::Failed
            }
            Err(_) => OperationOutcome::Refused,
        };
        self.metrics.count(name, outcome);
        result
    }
}

/// A port of a backend with the layers around every backend.
struct Layer<T: ?Sized> {
    inner: Arc<T>,
    observer: Arc<Observer>,
    blobs: Arc<dyn Blobs>,
}

impl<T: ?Sized> Layer<T> {
    /// Deletes bytes that nothing refers to any more. The caller does not wait for it: the shared files are already
    /// deleted.
    fn delete_blobs(&self, unused: Vec<String>) {
        if !unused.is_empty() {
            tokio::spawn(delete_blobs(Arc::clone(&self.blobs), unused));
        }
    }
}

/// The blobs that nothing refers to any more.
fn unused_blobs(reply: &Reply) -> Vec<String> {
    match reply {
        Reply::FileGone(gone) => vec![gone.0.blob.clone()],
        Reply::Ended(ended) => ended.blobs.clone(),
        Reply::Steps(steps) => steps.0.iter().flatten().flat_map(unused_blobs).collect(),
        _ => Vec::new(),
    }
}

async fn delete_blobs(blobs: Arc<dyn Blobs>, unused: Vec<String>) {
    for blob in unused {
        if let Err(error) = blobs.delete(&blob).await {
            tracing::warn!(%error, blob, "a deleted file's bytes cannot be deleted before the next start");
        }
    }
}

/// An actor as log lines name it.
pub(crate) struct Caller<'a>(pub(crate) &'a Actor);

impl fmt::Display for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Actor::User { user, .. } => write!(f, "user {user}"),
            Actor::App { for_user: None } => f.write_str("app"),
            Actor::App { for_user: Some(user) } => write!(f, "app for {user}"),
            Actor::System => f.write_str("system"),
        }
    }
}

#[async_trait]
impl Groups for Layer<dyn Groups> {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        self.observer.note(actor);
        // events of a session's call are delivered to that session after the call's reply
        let _ = PERFORMING.try_with(|performing| performing.store(true, Ordering::Relaxed));
        faults::apply::performed(&self.observer.realm, actor, |group| operation.concerns(group)).await?;
        let name = operation.name();
        let steps: Vec<&'static str> = match &operation {
            Operation::Together(together) => together.steps.iter().map(Operation::name).collect(),
            _ => Vec::new(),
        };
        let reply = self.observer.count(name, self.inner.perform(actor, operation).await)?;
        if let Reply::Steps(replies) = &reply {
            for (name, reply) in steps.into_iter().zip(&replies.0) {
                // counted here; the caller that asked for all of them sees each result
                let _ = self.observer.count(name, reply.as_ref().map(drop).map_err(Clone::clone));
            }
        }
        self.delete_blobs(unused_blobs(&reply));
        Ok(reply)
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        self.observer.note(actor);
        faults::apply::performed(&self.observer.realm, actor, |group| query.concerns(group)).await?;
        let name = query.name();
        self.observer.count(name, self.inner.read(actor, query).await)
    }

    fn now(&self) -> Millis {
        self.inner.now()
    }
}

#[async_trait]
impl Log for Layer<dyn Log> {
    async fn read(&self, after: u64, limit: usize) -> Result<Vec<Arc<Event>>, Refusal> {
        self.observer.enter();
        self.observer.count("read_log", self.inner.read(after, limit).await)
    }

    async fn last(&self) -> Result<u64, Refusal> {
        self.observer.enter();
        self.observer.count("log_at", self.inner.last().await)
    }

    async fn position_at(&self, at: Millis) -> Result<LogPosition, Refusal> {
        self.observer.enter();
        self.observer.count("log_at", self.inner.position_at(at).await)
    }

    async fn record(&self, events: Vec<Event>) -> Result<u64, Refusal> {
        self.observer.count("record", self.inner.record(events).await)
    }

    fn subscribe(&self) -> Subscription {
        self.inner.subscribe()
    }
}

#[async_trait]
impl Maintenance for Layer<dyn Maintenance> {
    async fn expired(&self, after: Option<Cursor>, limit: usize) -> Result<ExpiredRows, Refusal> {
        self.observer.count("outdated", self.inner.expired(after, limit).await)
    }

    async fn sweep(&self, places: Vec<Key>) -> Result<Ended, Refusal> {
        let ended = self.observer.count("sweep", self.inner.sweep(places).await)?;
        self.delete_blobs(ended.blobs.clone());
        Ok(ended)
    }

    async fn trim_log(&self, cut: LogCut) -> Result<LogTrimmed, Refusal> {
        self.observer.count("trim_log", self.inner.trim_log(cut).await)
    }

    async fn trim_messages(&self, after: Option<Cursor>, limit: usize) -> Result<MessagesTrimmed, Refusal> {
        self.observer.count("trim_messages", self.inner.trim_messages(after, limit).await)
    }
}
