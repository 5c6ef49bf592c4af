//! Opens the realms: an engine over a store for each, and every vendor's surface in front of them.
//!
//! - [`running`]: the realms of a running gateway, which may be created and deleted.
//! - [`clock`]: the clock of one realm.

pub(crate) mod clock;
pub(crate) mod running;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use conclave_core::engine::Engine;
use conclave_core::memory::Memory;
use conclave_core::model::{Millis, Settings};
use conclave_core::ports::{Clock, Groups, Mint, Store, StoreError};
use conclave_core::refusal::Refusal;
use conclave_kit::{Blobs, Post, Presence, SetupError};

use self::clock::RealmClock;
use crate::backend::{Backend, Backends};
use crate::blob;
use crate::clock::SystemClock;
use crate::config::{Config, Data, RealmConfig};
use crate::descriptors::Budget;
use crate::metrics::Metrics;
use crate::registry::{Host, Opened, Registered};
use crate::store::{Database, Health, Options};

/// The stores of the realms' rows.
pub trait Stores: Send + Sync {
    /// The store of one realm.
    fn open(&self, realm: &str) -> Result<Arc<dyn Store>, StoreError>;

    /// The store of one realm in memory, if that is where it is: its data can be reset and restored.
    fn memory(&self, _realm: &str) -> Option<Arc<Memory>> {
        None
    }

    /// The store of all realms' shared files. Called once, before the first use.
    fn blobs(&self) -> Result<Arc<dyn Blobs>, StoreError>;

    /// Their health; `None` for stores that cannot fail.
    fn health(&self) -> Option<Health> {
        None
    }

    /// The database that a backup is taken of; `None` where nothing outlives the process.
    fn database(&self) -> Option<Database> {
        None
    }

    /// Deletes the bytes of unused shared files that are older than this; returns how many.
    fn empty_trash(&self, _kept: Duration) -> Result<usize, StoreError> {
        Ok(0)
    }
}

/// Stores everything in memory.
#[derive(Debug, Default)]
pub struct InMemory;

impl Stores for InMemory {
    fn open(&self, _realm: &str) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(Memory::new()))
    }

    fn memory(&self, _realm: &str) -> Option<Arc<Memory>> {
        Some(Arc::new(Memory::new()))
    }

    fn blobs(&self) -> Result<Arc<dyn Blobs>, StoreError> {
        Ok(Arc::new(blob::InMemory::default()))
    }
}

impl Stores for Database {
    fn open(&self, realm: &str) -> Result<Arc<dyn Store>, StoreError> {
        self.realm(realm)
    }

    fn blobs(&self) -> Result<Arc<dyn Blobs>, StoreError> {
        let folder = self.blob_folder();
        let files = blob::Files::open(&folder, &self.blobs_in_use()?, self.options().checked_at_start);
        let files =
            files.map_err(|error| StoreError(format!("the folder of shared files {}: {error}", folder.display())))?;
        Ok(Arc::new(files.with_holds(self.holds().clone())))
    }

    fn health(&self) -> Option<Health> {
        Some(Self::health(self))
    }

    fn database(&self) -> Option<Database> {
        Some(self.clone())
    }

    fn empty_trash(&self, kept: Duration) -> Result<usize, StoreError> {
        blob::Files::empty_trash(&self.blob_folder(), kept).map_err(|error| StoreError(error.to_string()))
    }
}

/// The stores the configuration asks for.
pub(crate) fn stores(data: &Data, budget: Option<Budget>) -> Result<Arc<dyn Stores>, StoreError> {
    match data {
        Data::Memory => Ok(Arc::new(InMemory)),
        Data::Folder(folder) => {
            let options = budget
                .map_or_else(Options::default, |budget| Options { open_files: budget.tables, ..Options::default() });
            let database = Database::open_with(folder, options).map_err(|error| StoreError(error.to_string()))?;
            Ok(Arc::new(database))
        }
    }
}

/// The dependencies of the realms.
#[derive(Clone)]
pub(crate) struct Dependencies {
    /// Where rows are kept.
    pub(crate) stores: Arc<dyn Stores>,
    /// Where shared files' bytes are kept.
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The source of random numbers.
    pub(crate) mint: Arc<dyn Mint>,
    /// Sends requests to apps' servers, if one is configured.
    pub(crate) post: Option<Arc<dyn Post>>,
}

/// A realm with its backend, before anything serves it.
#[derive(Clone)]
pub(crate) struct OpenedRealm {
    /// The backend, with the layers around every backend.
    pub(crate) backend: Backend,
    /// Its clock; `None` for a backend that was given, which has its own.
    pub(crate) clock: Option<Arc<RealmClock>>,
    /// Its rows and the bytes of its files, where they are in memory.
    pub(crate) in_memory: Option<InMemoryData>,
    /// The bytes of its files, wherever they are.
    pub(crate) blobs: Arc<dyn Blobs>,
}

/// The data of a realm that is in memory.
#[derive(Clone)]
pub(crate) struct InMemoryData {
    pub(crate) rows: Arc<Memory>,
    /// The bytes of its files.
    pub(crate) files: Arc<blob::InMemory>,
}

/// Opens every realm: with the given backend, or with an engine over a store of its own.
pub(crate) fn open(
    config: &Config,
    given: &Backends,
    dependencies: &Dependencies,
    metrics: &Metrics,
) -> Result<BTreeMap<String, OpenedRealm>, StoreError> {
    let open = |realm: &RealmConfig| {
        let opened = match given.get(&realm.name) {
            Some(backend) => {
                let blobs = Arc::clone(&dependencies.blobs);
                let backend = backend.clone().layered(&realm.name, Arc::clone(&blobs), metrics);
                OpenedRealm { backend, clock: None, in_memory: None, blobs }
            }
            None => engine(realm, dependencies, metrics)?,
        };
        Ok((realm.name.clone(), opened))
    };
    config.realms.iter().map(open).collect()
}

/// Opens a realm with an engine over a store of its own.
pub(crate) fn engine(
    realm: &RealmConfig,
    dependencies: &Dependencies,
    metrics: &Metrics,
) -> Result<OpenedRealm, StoreError> {
    let in_memory = dependencies.stores.memory(&realm.name).map(|rows| InMemoryData { rows, files: Arc::default() });
    let (store, blobs): (Arc<dyn Store>, Arc<dyn Blobs>) = match &in_memory {
        Some(InMemoryData { rows, files }) => (rows.clone(), files.clone()),
        None => (dependencies.stores.open(&realm.name)?, Arc::clone(&dependencies.blobs)),
    };
    let clock = Arc::new(RealmClock::new(Arc::clone(&dependencies.clock)));
    let engine = Engine::new(store, clock.clone(), Arc::clone(&dependencies.mint), Settings::from(&realm.limits));
    let backend = Backend::engine(engine).layered(&realm.name, Arc::clone(&blobs), metrics);
    Ok(OpenedRealm { backend, clock: Some(clock), in_memory, blobs })
}

/// The surfaces of all vendors at which a realm has an app; of every vendor, where realms may be created later.
pub(crate) fn hosts(config: &Config, may_change: bool) -> Result<Vec<Host>, SetupError> {
    let is_served = |vendor: &&dyn Registered| config.realms.iter().any(|realm| realm.is_at(vendor.name()));
    let served = config.served.iter().filter(|vendor| may_change || is_served(vendor));
    served.map(Registered::surface).collect()
}

/// Serves a realm through the surfaces of all vendors at which it has an app. Where one refuses it, none serves it.
pub(crate) fn serve(
    config: &Config,
    hosts: &[Host],
    realm: &RealmConfig,
    opened: &OpenedRealm,
    presence: &Arc<dyn Presence>,
    post: Option<&Arc<dyn Post>>,
) -> Result<(), SetupError> {
    let OpenedRealm { backend, blobs, .. } = opened;
    // shared by all of a realm's surfaces
    let groups = guarded(config, realm, Arc::clone(&backend.groups), post);
    let mut serving: Vec<&Host> = Vec::new();
    for host in hosts {
        let Some(section) = realm.sections.get(host.vendor) else { continue };
        let open = Opened {
            name: realm.name.clone(),
            section: &**section,
            groups: Arc::clone(&groups),
            log: Arc::clone(&backend.log),
            blobs: Arc::clone(blobs),
            post: post.cloned(),
            presence: Arc::clone(presence),
        };
        if let Err(error) = host.realms.open(open) {
            for host in serving {
                host.realms.close(&realm.name);
            }
            return Err(error);
        }
        serving.push(host);
    }
    Ok(())
}

/// A realm's groups as its surfaces call them, including the layers that ask an app's server whatever the surface. The
/// vendor that was registered first is asked first.
fn guarded(
    config: &Config,
    realm: &RealmConfig,
    groups: Arc<dyn Groups>,
    post: Option<&Arc<dyn Post>>,
) -> Arc<dyn Groups> {
    let Some(post) = post else { return groups };
    config.at(realm).rev().fold(groups, |groups, (vendor, section)| vendor.guarded(section, groups, post))
}

/// Sets the clock to the last event of every realm at least: the system's clock may have been set back while the
/// process was stopped.
pub(crate) async fn resume_clock(clock: &SystemClock, backends: &Backends) -> Result<(), StoreError> {
    for (realm, Backend { log, .. }) in backends {
        let failed = |refusal: Refusal| StoreError(format!("the log of realm {realm} cannot be read: {refusal}"));
        let last = log.last().await.map_err(failed)?;
        for event in log.read(last.saturating_sub(1), 1).await.map_err(failed)? {
            raise_clock(clock, event.at);
        }
    }
    Ok(())
}

/// Sets the clock to this time at least, which the data has already reached.
pub(crate) fn raise_clock(clock: &SystemClock, at: Millis) {
    let ahead = at.0.saturating_sub(clock.now().0);
    if ahead > NOTABLE_MS {
        tracing::warn!(
            ahead_ms = ahead,
            "the system's clock is behind the data: time does not advance until it has caught up"
        );
    }
    clock.raise_to(at);
}

/// How far the system's clock may be behind the data without a warning.
const NOTABLE_MS: u64 = 1000;
