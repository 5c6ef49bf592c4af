//! Opens the realms: an engine over a store for each, and every vendor's surface in front of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use conclave_core::engine::Engine;
use conclave_core::memory::Memory;
use conclave_core::model::{Millis, Settings};
use conclave_core::ports::{Clock, Groups, Mint, Store, StoreError};
use conclave_core::refusal::Refusal;
use conclave_kit::{Blobs, Post, Surface};

use crate::backend::{Backend, Backends};
use crate::blob;
use crate::clock::SystemClock;
use crate::config::{Config, Data, RealmConfig};
use crate::descriptors::Budget;
use crate::metrics::Metrics;
use crate::registry::Opened;
use crate::session::Online;
use crate::store::{Database, Health, Options};

/// The stores of the realms' rows.
pub trait Stores: Send + Sync {
    /// The store of one realm.
    fn open(&self, realm: &str) -> Result<Arc<dyn Store>, StoreError>;

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
pub(crate) struct Ground {
    /// Where rows are kept.
    pub(crate) stores: Arc<dyn Stores>,
    /// Where shared files' bytes are kept.
    pub(crate) blobs: Arc<dyn Blobs>,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// The source of random numbers.
    pub(crate) mint: Arc<dyn Mint>,
    /// Sends requests to apps' servers, if one is configured.
    pub(crate) post: Option<Arc<dyn Post>>,
}

/// Opens every realm: with the given backend, or with an engine over a store of its own.
pub(crate) fn open(
    config: &Config,
    given: &Backends,
    ground: &Ground,
    metrics: &Metrics,
) -> Result<Backends, StoreError> {
    let backend = |realm: &RealmConfig| {
        let backend = match given.get(&realm.name) {
            Some(backend) => backend.clone(),
            None => engine(realm, ground)?,
        };
        Ok((realm.name.clone(), backend.layered(&realm.name, Arc::clone(&ground.blobs), metrics)))
    };
    config.realms.iter().map(backend).collect()
}

fn engine(realm: &RealmConfig, ground: &Ground) -> Result<Backend, StoreError> {
    let store = ground.stores.open(&realm.name)?;
    let settings = Settings::from(&realm.limits);
    let (clock, mint) = (Arc::clone(&ground.clock), Arc::clone(&ground.mint));
    Ok(Backend::engine(Engine::new(store, clock, mint, settings)))
}

/// The surfaces of all vendors at which a realm has an app.
pub(crate) fn surfaces(
    config: &Config,
    open: &Backends,
    online: &Online,
    ground: &Ground,
) -> Result<Vec<Arc<dyn Surface>>, String> {
    let guard = |realm: &RealmConfig| {
        let backend = open.get(&realm.name)?;
        Some((realm.name.clone(), guarded(config, realm, Arc::clone(&backend.groups), ground.post.as_ref())))
    };
    // shared by all of a realm's surfaces
    let groups: BTreeMap<String, Arc<dyn Groups>> = config.realms.iter().filter_map(guard).collect();
    let mut surfaces = Vec::new();
    for vendor in config.served.iter() {
        let realms = config.realms.iter().filter_map(|realm| {
            let section = &**realm.sections.get(vendor.name())?;
            Some(Opened {
                name: realm.name.clone(),
                section,
                groups: Arc::clone(groups.get(&realm.name)?),
                log: Arc::clone(&open.get(&realm.name)?.log),
                blobs: Arc::clone(&ground.blobs),
                post: ground.post.clone(),
                presence: online.presence(&realm.name)?,
            })
        });
        let realms: Vec<Opened<'_>> = realms.collect();
        if !realms.is_empty() {
            surfaces.push(vendor.surface(realms).map_err(|error| error.to_string())?);
        }
    }
    Ok(surfaces)
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
