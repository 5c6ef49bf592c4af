//! The parameters of a start that the configuration does not have.

use std::net::TcpListener;
use std::sync::Arc;

use conclave_core::ports::{Clock, Mint};
use conclave_kit::Surface;

use crate::backend::{Backend, Backends};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::realms::Stores;

/// The parameters of a start; the rest comes from the configuration.
pub struct Builder {
    pub(super) config: Config,
    pub(super) stores: Option<Arc<dyn Stores>>,
    pub(super) clock: Arc<dyn Clock>,
    /// The clock, if it is the system's.
    pub(super) system_clock: Option<Arc<SystemClock>>,
    pub(super) mint: Arc<dyn Mint>,
    pub(super) surfaces: Vec<Arc<dyn Surface>>,
    pub(super) backends: Backends,
    pub(super) listeners: Vec<TcpListener>,
}

impl Builder {
    /// Stores rows here.
    #[must_use]
    pub fn stores(mut self, stores: Arc<dyn Stores>) -> Self {
        self.stores = Some(stores);
        self
    }

    /// Uses this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self.system_clock = None;
        self
    }

    /// Uses this source of random numbers.
    #[must_use]
    pub fn mint(mut self, mint: Arc<dyn Mint>) -> Self {
        self.mint = mint;
        self
    }

    /// Adds a surface, below a path with its vendor's name.
    #[must_use]
    pub fn surface(mut self, surface: Arc<dyn Surface>) -> Self {
        self.surfaces.push(surface);
        self
    }

    /// Serves a configured realm from this backend, instead of from a store of its own.
    #[must_use]
    pub fn backend(mut self, realm: impl Into<String>, backend: Backend) -> Self {
        self.backends.insert(realm.into(), backend);
        self
    }

    /// Listens with these sockets if their address is configured, instead of binding it.
    #[must_use]
    pub fn listeners(mut self, listeners: Vec<TcpListener>) -> Self {
        self.listeners = listeners;
        self
    }
}
