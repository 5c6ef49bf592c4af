//! The realms, opened: an engine over a store for each, and every vendor's surface in front of them.

use std::sync::Arc;
use std::time::Duration;

use conclave_core::engine::Engine;
use conclave_core::memory::Memory;
use conclave_core::model::Settings;
use conclave_core::ports::{Clock, Mint, Store, StoreError};
use conclave_kit::{Blobs, Post, Surface};

use crate::backend::{Backend, Backends};
use crate::blob;
use crate::config::{Config, Data, Realm};
use crate::descriptors::Budget;
use crate::metrics::Metrics;
use crate::session::Online;
use crate::store::{Database, Health, Options};
use crate::vendors::{OpenRealm, Vendor, guarded, surface};

/// Where the realms' rows are kept.
pub trait Stores: Send + Sync {
    /// The store of one realm.
    fn open(&self, realm: &str) -> Result<Arc<dyn Store>, StoreError>;

    /// Where the bytes of all realms' shared files are kept. Asked once, before anything is shared.
    fn blobs(&self) -> Result<Arc<dyn Blobs>, StoreError>;

    /// How they are; `None` where nothing can go wrong.
    fn health(&self) -> Option<Health> {
        None
    }

    /// Deletes the bytes of shared files that were set aside longer ago than this; answers how many.
    fn empty_trash(&self, _kept: Duration) -> Result<usize, StoreError> {
        Ok(0)
    }
}

/// Keeps everything in memory.
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
        Ok(Arc::new(files))
    }

    fn health(&self) -> Option<Health> {
        Some(Self::health(self))
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

/// What the realms run on.
pub(crate) struct Ground {
    /// Where rows are kept.
    pub(crate) stores: Arc<dyn Stores>,
    /// Where shared files' bytes are kept.
    pub(crate) blobs: Arc<dyn Blobs>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Fresh numbers.
    pub(crate) mint: Arc<dyn Mint>,
    /// Asks apps' servers, when any is to be asked.
    pub(crate) post: Option<Arc<dyn Post>>,
}

/// Opens every realm: with the backend it was given, or with an engine over a store of its own.
pub(crate) fn open(
    config: &Config,
    given: &Backends,
    ground: &Ground,
    metrics: &Metrics,
) -> Result<Backends, StoreError> {
    let backend = |realm: &Realm| {
        let backend = match given.get(&realm.name) {
            Some(backend) => backend.clone(),
            None => engine(realm, ground)?,
        };
        Ok((realm.name.clone(), backend.layered(&realm.name, Arc::clone(&ground.blobs), metrics)))
    };
    config.realms.iter().map(backend).collect()
}

fn engine(realm: &Realm, ground: &Ground) -> Result<Backend, StoreError> {
    let store = ground.stores.open(&realm.name)?;
    let settings = Settings::from(&realm.limits);
    let (clock, mint) = (Arc::clone(&ground.clock), Arc::clone(&ground.mint));
    Ok(Backend::engine(Engine::new(store, clock, mint, settings)))
}

/// The surfaces of all vendors that some realm is at.
pub(crate) fn surfaces(
    config: &Config,
    open: &Backends,
    online: &Online,
    ground: &Ground,
) -> Result<Vec<Arc<dyn Surface>>, String> {
    let mut surfaces = Vec::new();
    let guard = |realm: &Realm| {
        let backend = open.get(&realm.name)?;
        let groups = guarded(realm, Arc::clone(&backend.groups), ground.post.as_ref());
        Some((realm.name.clone(), Backend { groups, ..backend.clone() }))
    };
    // one for all of a realm's surfaces
    let guarded: Backends = config.realms.iter().filter_map(guard).collect();
    for vendor in Vendor::ALL {
        let realms = config.realms.iter().filter(|realm| realm.is_at(vendor));
        let realms: Vec<OpenRealm<'_>> = realms
            .filter_map(|realm| {
                let (backend, blobs) = (guarded.get(&realm.name)?.clone(), Arc::clone(&ground.blobs));
                let presence = online.presence(&realm.name)?;
                let (groups, log) = (backend.groups, backend.log);
                Some(OpenRealm { realm, groups, log, blobs, post: ground.post.clone(), presence })
            })
            .collect();
        if !realms.is_empty() {
            surfaces.extend(surface(vendor, &realms)?);
        }
    }
    Ok(surfaces)
}
