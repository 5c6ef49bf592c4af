//! The realms of a running gateway: those of the configuration, and those that are created and deleted at run time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use conclave_core::memory::Snapshot;
use conclave_core::model::Millis;
use conclave_core::ports::StoreError;
use conclave_core::refusal::Refusal;
use conclave_kit::{Post, Presence, SetupError};
use futures_util::future::join_all;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::clock::RealmClock;
use super::{Dependencies, InMemory, InMemoryData, OpenedRealm, engine, serve};
use crate::blob;
use crate::config::{Config, ConfigError, RealmConfig, check_realm};
use crate::faults::Faults;
use crate::housekeeping;
use crate::journal::Journals;
use crate::listener::Phase;
use crate::metrics::Metrics;
use crate::registry::Host;
use crate::session::{Online, RealmSessions};
use crate::surface_table::Mounted;
use crate::webhooks::{self, Client, Couriers, DeliveryState, Source, Watched, WebhookError};

/// Most realms that are created at run time and exist at once.
pub(crate) const MOST_CREATED: usize = 2000;

/// How long a change of a clock waits for what is due to happen.
const SETTLING: Duration = Duration::from_secs(10);

/// The realms of a running gateway.
pub(crate) struct Realms {
    config: Config,
    dependencies: Dependencies,
    hosts: Vec<Host>,
    mounted: Vec<Arc<Mounted>>,
    online: Arc<Online>,
    metrics: Arc<Metrics>,
    phase: watch::Sender<Phase>,
    /// Sends webhooks; made for the first realm that has any.
    client: Mutex<Option<Arc<Client>>>,
    /// By name.
    open: RwLock<BTreeMap<String, Arc<Realm>>>,
    /// Held while a realm is created, deleted or reset: one at a time.
    changing: tokio::sync::Mutex<()>,
}

/// What a gateway's realms have in common.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) dependencies: Dependencies,
    pub(crate) hosts: Vec<Host>,
    pub(crate) mounted: Vec<Arc<Mounted>>,
    pub(crate) online: Arc<Online>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) client: Option<Arc<Client>>,
}

/// A realm that is served.
pub(crate) struct Realm {
    /// Its configuration.
    pub(crate) config: RealmConfig,
    /// Whether it is one of the gateway's configuration, and so cannot be deleted.
    pub(crate) is_configured: bool,
    /// Its backend, clock and rows.
    pub(crate) opened: OpenedRealm,
    /// Its connected users.
    pub(crate) sessions: Arc<RealmSessions>,
    post: Option<Arc<dyn Post>>,
    positions: Option<PathBuf>,
    tasks: Vec<AbortHandle>,
    couriers: tokio::sync::Mutex<Option<Couriers>>,
    delivered: Arc<Delivered>,
    /// Its named snapshots.
    pub(crate) saved: Mutex<BTreeMap<String, Arc<Saved>>>,
}

/// How far the webhooks of a realm are, also while they are stopped and started again.
#[derive(Default)]
struct Delivered(Mutex<Vec<watch::Receiver<DeliveryState>>>);

impl Delivered {
    fn follow(&self, couriers: &Couriers) {
        *self.0.lock() = couriers.delivery_state();
    }

    /// The last event that no webhook needs any more.
    fn through(&self) -> u64 {
        self.0.lock().iter().map(|delivery_state| delivery_state.borrow().finished()).min().unwrap_or(u64::MAX)
    }
}

/// All data of a realm at one moment.
pub(crate) struct Saved {
    /// When it was taken.
    pub(crate) at: Millis,
    pub(crate) rows: Snapshot,
    pub(crate) files: blob::InMemory,
}

impl Saved {
    /// Without any data.
    pub(crate) fn empty() -> Self {
        Self { at: Millis(0), rows: Snapshot::default(), files: blob::InMemory::default() }
    }
}

/// Why a realm was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RealmError {
    #[error("there is no realm {0}")]
    Unknown(String),
    #[error("there is a realm {0} already")]
    Exists(String),
    #[error("realm {0} is part of the gateway's configuration, and is not deleted while it runs")]
    Configured(String),
    #[error("there are {MOST_CREATED} created realms already; delete some")]
    TooMany,
    #[error(
        "realm {0} is on a durable store: its data, snapshots and clock can be changed only where data is in memory, as in every \
         created realm and with --memory"
    )]
    Durable(String),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Webhooks(#[from] WebhookError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Realms {
    /// Without realms.
    pub(crate) fn new(shared: Shared) -> Self {
        let Shared { config, dependencies, hosts, mounted, online, metrics, phase, client } = shared;
        let (client, open, changing) = (Mutex::new(client), RwLock::default(), tokio::sync::Mutex::default());
        Self { config, dependencies, hosts, mounted, online, metrics, phase, client, open, changing }
    }

    /// The configuration of the gateway.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The surfaces.
    pub(crate) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The fault rules of all realms.
    pub(crate) fn faults(&self) -> &Faults {
        &self.online.faults
    }

    /// The journals of all realms.
    pub(crate) fn journals(&self) -> &Journals {
        &self.online.journals
    }

    /// The realm with this name.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<Realm>, RealmError> {
        self.open.read().get(name).cloned().ok_or_else(|| RealmError::Unknown(name.to_owned()))
    }

    /// All realms, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Realm>> {
        self.open.read().values().cloned().collect()
    }

    /// Begins the work of a configured realm, which its surfaces serve already.
    pub(crate) async fn run_configured(
        &self,
        realm: &RealmConfig,
        opened: OpenedRealm,
        sessions: Arc<RealmSessions>,
        positions: Option<&Path>,
    ) -> Result<Vec<Watched>, WebhookError> {
        let positions = positions.map(Path::to_owned);
        let running =
            self.run(realm.clone(), true, opened, sessions, self.dependencies.post.clone(), positions).await?;
        let watched = running.couriers.lock().await.as_ref().map(Couriers::watched).unwrap_or_default();
        self.open.write().insert(realm.name.clone(), Arc::new(running));
        Ok(watched)
    }

    /// Creates a realm, with its data in memory.
    ///
    /// # Errors
    /// A realm of this name exists, its sections are not accepted, or another realm has its identity at a vendor.
    pub(crate) async fn create(&self, config: RealmConfig) -> Result<Arc<Realm>, RealmError> {
        check_realm(&self.config, &config)?;
        let _one_at_a_time = self.changing.lock().await;
        let name = config.name.clone();
        {
            let open = self.open.read();
            if open.contains_key(&name) {
                return Err(RealmError::Exists(name));
            }
            if open.values().filter(|realm| !realm.is_configured).count() >= MOST_CREATED {
                return Err(RealmError::TooMany);
            }
        }
        let client = if webhooks::has_any(&self.config, &config) { Some(self.client()?) } else { None };
        let post = client.map(|client| client as Arc<dyn Post>);
        let dependencies = Dependencies { stores: Arc::new(InMemory), ..self.dependencies.clone() };
        let opened = engine(&config, &dependencies, &self.metrics)?;
        let sessions = self.online.add(&name, &opened.backend);
        let presence = Arc::clone(&sessions) as Arc<dyn Presence>;
        let served = serve(&self.config, &self.hosts, &config, &opened, &presence, post.as_ref());
        let running = match served {
            Ok(()) => self.run(config, false, opened, sessions, post, None).await.map_err(RealmError::from),
            Err(error) => Err(error.into()),
        };
        let running = running.inspect_err(|_| self.forget(&name))?;
        let running = Arc::new(running);
        self.open.write().insert(name, Arc::clone(&running));
        Ok(running)
    }

    /// Deletes a realm that was created at run time, with its data. Its clients are disconnected.
    ///
    /// # Errors
    /// There is none, or it is configured.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), RealmError> {
        let _one_at_a_time = self.changing.lock().await;
        let realm = self.get(name)?;
        if realm.is_configured {
            return Err(RealmError::Configured(name.to_owned()));
        }
        self.forget(name);
        realm.sessions.end_all();
        realm.tasks.iter().for_each(AbortHandle::abort);
        if let Some(couriers) = realm.couriers.lock().await.take() {
            couriers.end().await;
        }
        Ok(())
    }

    /// Replaces the data of a realm that is in memory. Its clients are disconnected, and read everything again when
    /// they reconnect; what its surfaces remember is forgotten, and webhooks continue with the next event.
    ///
    /// # Errors
    /// There is no such realm, or its data is durable.
    pub(crate) async fn restore(&self, realm: &Arc<Realm>, to: &Saved) -> Result<usize, RealmError> {
        let restore = |data: &InMemoryData| {
            data.files.restore(&to.files);
            data.rows.restore(&to.rows);
            true
        };
        Ok(self.replace(realm, restore).await?.unwrap_or_default())
    }

    /// The same with rows that are made of the present ones; `None` when those would be the same.
    pub(crate) async fn restore_with(
        &self,
        realm: &Arc<Realm>,
        make: impl FnOnce(&Snapshot) -> Snapshot,
    ) -> Result<Option<usize>, RealmError> {
        let restore = |data: &InMemoryData| {
            let mut differs = false;
            data.rows.update(|before| {
                let after = make(before);
                differs = after.len() != before.len();
                after
            });
            differs
        };
        self.replace(realm, restore).await
    }

    async fn replace(
        &self,
        realm: &Arc<Realm>,
        restore: impl FnOnce(&InMemoryData) -> bool,
    ) -> Result<Option<usize>, RealmError> {
        let data = realm.in_memory()?;
        let _one_at_a_time = self.changing.lock().await;
        // it may have been deleted meanwhile
        self.get(realm.name())?;
        let mut couriers = realm.couriers.lock().await;
        if let Some(couriers) = couriers.take() {
            couriers.end().await;
        }
        let presence = Arc::clone(&realm.sessions) as Arc<dyn Presence>;
        let served = serve(&self.config, &self.hosts, &realm.config, &realm.opened, &presence, realm.post.as_ref());
        let differs = served.is_ok() && restore(data);
        // after the data: clients that reconnect read the new one
        let ended = differs.then(|| realm.sessions.end_all());
        let positions = realm.positions.as_deref();
        let restarted = self.couriers(&realm.config, &realm.opened, &realm.sessions, positions).await?;
        realm.delivered.follow(&restarted);
        *couriers = Some(restarted);
        served?;
        Ok(ended)
    }

    /// Serves a realm no more.
    fn forget(&self, name: &str) {
        for host in &self.hosts {
            host.realms.close(name);
        }
        self.online.remove(name);
        self.faults().remove(name, None);
        self.journals().end(name);
        self.open.write().remove(name);
        self.metrics.forget_realm(name, self.mounted.iter().map(|mounted| &mounted.metrics));
    }

    /// Begins the work of a realm.
    async fn run(
        &self,
        config: RealmConfig,
        is_configured: bool,
        opened: OpenedRealm,
        sessions: Arc<RealmSessions>,
        post: Option<Arc<dyn Post>>,
        positions: Option<PathBuf>,
    ) -> Result<Realm, WebhookError> {
        let couriers = self.couriers(&config, &opened, &sessions, positions.as_deref()).await?;
        let followed = tokio::spawn(Arc::clone(&sessions).follow(self.phase.subscribe()));
        let delivered = Arc::<Delivered>::default();
        delivered.follow(&couriers);
        let needed = Arc::clone(&delivered);
        let through = move || needed.through();
        let kept = housekeeping::keep(&config.name, &opened.backend, through, &self.metrics, &self.phase);
        let tasks = [Some(followed.abort_handle()), kept].into_iter().flatten().collect();
        let (couriers, saved) = (tokio::sync::Mutex::new(Some(couriers)), Mutex::default());
        Ok(Realm { config, is_configured, opened, sessions, post, positions, tasks, couriers, delivered, saved })
    }

    async fn couriers(
        &self,
        realm: &RealmConfig,
        opened: &OpenedRealm,
        sessions: &RealmSessions,
        positions: Option<&Path>,
    ) -> Result<Couriers, WebhookError> {
        let client = self.client.lock().clone();
        let OpenedRealm { backend, clock, .. } = opened;
        let (faults, journals) = (&self.online.faults, &self.online.journals);
        let source = Source { realm, backend, clock: clock.as_ref(), sessions, faults, journals, positions };
        Couriers::start(&self.config, client.as_ref(), source, &self.metrics).await
    }

    fn client(&self) -> Result<Arc<Client>, WebhookError> {
        let mut client = self.client.lock();
        if let Some(client) = &*client {
            return Ok(Arc::clone(client));
        }
        let made = Arc::new(Client::new()?);
        *client = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Stops the delivery of webhooks in every realm.
    pub(crate) async fn end(&self) {
        let ending = self.all().into_iter().map(|realm| async move {
            if let Some(couriers) = realm.couriers.lock().await.take() {
                couriers.end().await;
            }
        });
        join_all(ending).await;
    }
}

impl Realm {
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// Its clock.
    ///
    /// # Errors
    /// The realm is on a durable store: its data must not be ahead of the system's time after a restart.
    pub(crate) fn clock(&self) -> Result<&Arc<RealmClock>, RealmError> {
        let clock = self.opened.clock.as_ref().filter(|_| self.opened.in_memory.is_some());
        clock.ok_or_else(|| RealmError::Durable(self.name().to_owned()))
    }

    /// Waits, up to a limit, until everything has happened that is due by its clock: rows that have expired are
    /// deleted, webhooks are sent, users whose credentials have expired are disconnected, and what the realm keeps no
    /// longer is deleted. Returns whether all of it has.
    ///
    /// # Errors
    /// The log or the store cannot be read.
    pub(crate) async fn settle(&self, metrics: &Metrics) -> Result<bool, Refusal> {
        if let Some(maintenance) = &self.opened.backend.maintenance {
            housekeeping::sweep_all(self.name(), &**maintenance, metrics).await?;
        }
        let last = self.opened.backend.log.last().await?;
        let changes = self.opened.clock.as_ref().map_or(0, |clock| *clock.subscribe().borrow());
        let delivery_state = self.couriers.lock().await.as_ref().map(Couriers::delivery_state).unwrap_or_default();
        let sent = delivery_state.into_iter().map(|mut delivery_state| async move {
            delivery_state.wait_for(|delivery_state| delivery_state.is_settled(changes, last)).await.is_ok()
        });
        let (checked, sent) =
            tokio::join!(timeout(SETTLING, self.sessions.recheck_all()), timeout(SETTLING, join_all(sent)),);
        if let Some(maintenance) = &self.opened.backend.maintenance {
            let places = (&mut 0, self.delivered.through());
            housekeeping::trim_all(self.name(), &**maintenance, places, metrics).await?;
        }
        Ok(checked.is_ok() && sent.is_ok_and(|sent| sent.into_iter().all(|sent| sent)))
    }

    /// Its data, which can be replaced.
    ///
    /// # Errors
    /// It is on a durable store.
    pub(crate) fn in_memory(&self) -> Result<&InMemoryData, RealmError> {
        self.opened.in_memory.as_ref().ok_or_else(|| RealmError::Durable(self.name().to_owned()))
    }

    /// All its data at this moment.
    ///
    /// # Errors
    /// It is on a durable store.
    pub(crate) fn save(&self) -> Result<Saved, RealmError> {
        let InMemoryData { rows, files } = self.in_memory()?;
        // files first: bytes without a row are harmless, and a row without its bytes is not
        let (files, at) = (files.copy(), self.opened.backend.groups.now());
        Ok(Saved { at, rows: rows.snapshot(), files })
    }
}
