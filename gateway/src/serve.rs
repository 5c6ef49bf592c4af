//! Start and end: everything is checked and bound before the first request is answered.

mod builder;
mod encryption;
mod listening;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use conclave_core::ports::{Groups, StoreError};
use conclave_kit::{Endpoint, Post, Presence, RouteInfo, Surface};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::admin;
use crate::answer::Desk;
use crate::backend::{Backend, Backends};
#[cfg(unix)]
use crate::backup::control::Control;
use crate::client_address::Proxies;
use crate::clients;
use crate::clock::{RandomMint, SystemClock};
use crate::clock_file::ClockFile;
use crate::config::{Address, Config, ConfigError, Data};
use crate::descriptors::{self, Budget};
use crate::housekeeping;
use crate::listener::{self, Crowd, Phase};
use crate::metrics::Metrics;
use crate::origin::Pages;
use crate::readiness::Readiness;
use crate::realms::{self, Ground, Stores};
use crate::session::{self, Online};
use crate::shares::Shares;
use crate::site::{Mounted, Site};
use crate::tls::CertificateFiles;
pub use crate::tls::TlsError;
use crate::webhooks::{self, Couriers, WebhookError};
pub use builder::Builder;
use encryption::{Encryption, Scratch, encryption, reload, reload_on_change};
use listening::{address_of, admin_listener, bind, most_connections};

/// Why the process did not start. No request was answered.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Encryption could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The realms' data cannot be opened.
    #[error("cannot open the data: {0}")]
    Store(#[from] StoreError),
    /// A vendor's surface cannot be built.
    #[error("{0}")]
    Surface(String),
    /// Webhooks cannot be delivered.
    #[error(transparent)]
    Webhooks(#[from] WebhookError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({key}): {error}; set {key} to a free address of this machine")]
    Bind {
        /// The key of the address.
        key: String,
        /// The address.
        address: SocketAddr,
        /// The error.
        error: std::io::Error,
    },
}

/// The entry point.
pub struct Gateway;

/// The surfaces and backends behind the listeners.
struct Opened {
    stores: Arc<dyn Stores>,
    surfaces: Vec<Arc<dyn Surface>>,
    backends: Backends,
    online: Arc<Online>,
}

/// The addresses of a running gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The address that all vendors share.
    pub shared: SocketAddr,
    /// The vendors' own, by the vendor's name.
    pub vendors: BTreeMap<String, SocketAddr>,
    /// Metrics and health.
    pub admin: Option<SocketAddr>,
}

/// A running gateway.
pub struct Running {
    /// Its configuration.
    pub config: Config,
    /// Its addresses.
    pub addresses: Addresses,
    /// The certificate that clients need to trust, if it is a development one.
    pub authority: Option<PathBuf>,
    /// Each realm's groups by its name, for calls without a vendor.
    pub groups: BTreeMap<String, Arc<dyn Groups>>,
    /// Each realm's backend, by the realm's name.
    pub backends: BTreeMap<String, Backend>,
    /// Who is online in each realm, by its name.
    pub presence: BTreeMap<String, Arc<dyn Presence>>,
    /// Problems that did not prevent the start.
    pub remarks: Vec<String>,
    phase: watch::Sender<Phase>,
    admin: Option<JoinHandle<()>>,
    couriers: Couriers,
    /// Reported on the admin listener.
    readiness: Arc<Readiness>,
    /// The certificate files, if configured.
    certificates: Option<Arc<CertificateFiles>>,
    /// A folder that is deleted with the process.
    _scratch: Option<Scratch>,
}

impl Gateway {
    /// Starts with this configuration.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        Self::builder(config).start().await
    }

    /// For parameters that the configuration does not have.
    pub fn builder(config: Config) -> Builder {
        let system_clock = Arc::new(SystemClock::default());
        Builder {
            config,
            stores: None,
            clock: system_clock.clone(),
            system_clock: Some(system_clock),
            mint: Arc::new(RandomMint),
            surfaces: Vec::new(),
            backends: Backends::new(),
            listeners: Vec::new(),
        }
    }

    /// The topics of each vendor's client protocol, without starting anything.
    pub fn topics(config: &Config) -> Result<Vec<(&'static str, &'static str)>, StartError> {
        let surfaces = Self::idle(config)?;
        let of = |surface: &Arc<dyn Surface>| {
            let vendor = surface.vendor();
            let topics = surface.client_protocol().map(conclave_kit::AnyProtocol::operations).unwrap_or_default();
            topics.into_iter().map(move |topic| (vendor, topic)).collect::<Vec<_>>()
        };
        Ok(surfaces.iter().flat_map(of).collect())
    }

    /// The endpoints of each vendor's clients, without starting anything.
    pub(crate) fn endpoints(config: &Config) -> Result<BTreeMap<&'static str, Vec<Endpoint>>, StartError> {
        let of = |surface: &Arc<dyn Surface>| {
            let endpoints = surface.client_protocol().map(conclave_kit::AnyProtocol::endpoints).unwrap_or_default();
            (surface.vendor(), endpoints)
        };
        Ok(Self::idle(config)?.iter().map(of).collect())
    }

    /// The surfaces, over empty backends.
    fn idle(config: &Config) -> Result<Vec<Arc<dyn Surface>>, StartError> {
        let builder = Builder { stores: Some(Arc::new(realms::InMemory)), ..Self::builder(config.clone()) };
        Ok(builder.open(&Arc::new(Metrics::new()), None, None)?.surfaces)
    }

    /// Every route of every vendor, without starting anything.
    pub fn routes(config: &Config) -> Result<Vec<(&'static str, RouteInfo)>, StartError> {
        let surfaces = Self::idle(config)?;
        Ok(surfaces
            .iter()
            .flat_map(|surface| surface.routes().into_iter().map(|route| (surface.vendor(), route)))
            .collect())
    }
}

impl Builder {
    /// The surfaces and the backends behind them.
    fn open(
        &self,
        metrics: &Arc<Metrics>,
        post: Option<Arc<dyn Post>>,
        budget: Option<Budget>,
    ) -> Result<Opened, StartError> {
        let stores = match &self.stores {
            Some(stores) => Arc::clone(stores),
            None => realms::stores(&self.config.data, budget)?,
        };
        let blobs = stores.blobs()?;
        let (clock, mint) = (Arc::clone(&self.clock), Arc::clone(&self.mint));
        let ground = Ground { stores: Arc::clone(&stores), blobs, clock, mint, post };
        let backends = realms::open(&self.config, &self.backends, &ground, metrics)?;
        let online = Arc::new(Online::new(&backends, &self.config.limits, metrics));
        let mut surfaces = realms::surfaces(&self.config, &backends, &online, &ground).map_err(StartError::Surface)?;
        surfaces.extend(self.surfaces.iter().map(Arc::clone));
        Ok(Opened { stores, surfaces, backends, online })
    }

    /// Checks, opens and binds everything, and then accepts requests.
    pub async fn start(self) -> Result<Running, StartError> {
        crate::config::check(&self.config)?;
        let metrics = Arc::new(Metrics::new());
        let client = webhooks::client(&self.config)?;
        let budget = descriptors::limit().map(|limit| Budget::of(limit, webhooks::count(&self.config)));
        let Opened { stores, surfaces, backends, online } =
            self.open(&metrics, client.clone().map(|client| client as Arc<dyn Post>), budget)?;
        if let Some(clock) = &self.system_clock {
            realms::resume_clock(clock, &backends).await?;
            resume_clock_of(&*stores, clock)?;
        }
        // after the data: a folder that contains anything else is not a data folder
        let Encryption { acceptor: tls, files, authority, scratch } = encryption(&self.config)?;
        let mut inherited = self.listeners;
        let config = self.config;
        let mounted = mount(&config, surfaces, &metrics);

        let (phase, watch) = watch::channel(Phase::Serving);
        let mut remarks = crate::config::warnings(&config);
        // before the first listener, so that the control socket exists whenever the gateway can be reached
        control(&*stores, &metrics, &phase, &mut remarks);
        keep_clock(&*stores, self.system_clock.as_ref(), &phase);
        let mut bound = vec![(
            "listen".to_owned(),
            bind("listen", config.listen, &mut inherited).await?,
            shared_site(&config, &mounted),
        )];
        let mut addresses =
            Addresses { shared: address_of(&bound[0].1, config.listen), vendors: BTreeMap::new(), admin: None };
        for (vendor, section) in &config.vendors {
            let Some(Address(address)) = section.listen else { continue };
            let key = format!("vendor.{vendor}.listen");
            let Some(mounted) = mounted.iter().find(|mounted| mounted.vendor == vendor) else {
                return Err(StartError::Surface(format!("{key}: no realm is at {vendor}: give one its credentials")));
            };
            let listener = bind(&key, address, &mut inherited).await?;
            addresses.vendors.insert(vendor.clone(), address_of(&listener, address));
            bound.push((key, listener, Site::of_one(Arc::clone(mounted))));
        }
        let most_connections = most_connections(config.limits.connections, budget, &mut remarks);
        if let Some(health) = stores.health() {
            metrics.measured.of_store(health);
        }
        if let (Data::Folder(folder), Some(_)) = (&config.data, stores.health()) {
            metrics.measured.of_folder(folder.clone());
        }
        let readiness = Arc::new(Readiness::new(&config.limits, stores.health()));
        let admin = admin_listener(config.admin, &mut inherited, &mut remarks).await?;
        if let Some(left) = inherited.first().and_then(|listener| listener.local_addr().ok()) {
            return Err(StartError::Surface(format!(
                "the service manager passes a socket for {left}, which no setting names: set listen, admin or a vendor's listen to it"
            )));
        }
        addresses.admin = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        let admin = admin.map(|listener| {
            let hosts = admin::Hosts::of(&config.admin_hosts);
            tokio::spawn(admin::run(listener, hosts, Arc::clone(&metrics), Arc::clone(&readiness)))
        });

        online.follow(&watch);
        housekeeping::keep(&backends, &metrics, &phase);
        let couriers = Couriers::start(&config, client, &backends, &online, &metrics).await?;
        readiness.watch(couriers.watched());
        tokio::spawn(Arc::clone(&readiness).log(phase.subscribe()));
        housekeeping::empty_trash(stores, config.limits.trash_days, &metrics, &phase);
        if let Some(files) = &files {
            tokio::spawn(reload_on_change(Arc::clone(files), phase.subscribe()));
        }
        let sessions = Arc::<session::Shared>::default();
        let shares = Shares::new(&config.limits);
        let proxies = Proxies::of(&config.trusted_proxies);
        let pages = Pages::of(&config);
        let crowd = Crowd::new(most_connections, Arc::clone(&shares), proxies.clone(), Arc::clone(&metrics));
        for (_, listener, site) in bound {
            let desk = Arc::new(Desk {
                address: Arc::from(address_of(&listener, config.listen).to_string()),
                site,
                limits: config.limits.clone(),
                shares: Arc::clone(&shares),
                proxies: proxies.clone(),
                pages: pages.clone(),
                metrics: Arc::clone(&metrics),
                online: Arc::clone(&online),
                sessions: Arc::clone(&sessions),
                scheme: clients::scheme(&config),
            });
            tokio::spawn(listener::run(listener, desk, tls.clone(), crowd.clone(), watch.clone()));
        }
        Ok(Running {
            config,
            addresses,
            authority,
            presence: online.all(),
            groups: backends.iter().map(|(realm, backend)| (realm.clone(), Arc::clone(&backend.groups))).collect(),
            backends,
            remarks,
            phase,
            admin,
            couriers,
            readiness,
            certificates: files,
            _scratch: scratch,
        })
    }
}

impl Running {
    /// Reads the certificate files again; `why` is for the log. If they are invalid, the previous certificate stays in
    /// use.
    pub fn reload(&self, why: &str) {
        if let Some(files) = &self.certificates {
            reload(files, why);
        } else {
            tracing::info!(why, "there are no certificate files to reload");
        }
    }

    /// Stops accepting connections, waits for the requests in flight up to a limit, and ends.
    ///
    /// Returns whether all of them were finished.
    pub async fn shutdown(mut self) -> bool {
        // the admin listener reports the draining, so it is closed last
        let admin = self.admin.take();
        self.readiness.drains();
        self.phase.send_replace(Phase::Draining);
        let drained = timeout(self.config.limits.drain_time(), self.phase.closed()).await.is_ok();
        self.phase.send_replace(Phase::Cut);
        if let Some(admin) = admin {
            admin.abort();
        }
        // aborted requests need a moment to notice
        let cut = timeout(std::time::Duration::from_secs(1), self.phase.closed()).await;
        self.couriers.end().await;
        drained && cut.is_ok()
    }
}

/// Makes the clock continue from the time that the data folder has.
fn resume_clock_of(stores: &dyn Stores, clock: &SystemClock) -> Result<(), StartError> {
    let Some(database) = stores.database() else { return Ok(()) };
    let kept = ClockFile::of(database.path()).read();
    if let Some(at) = kept.map_err(|error| StoreError(format!("the kept time cannot be read: {error}")))? {
        realms::raise_clock(clock, at);
    }
    Ok(())
}

/// Writes the time to the data folder now and then.
fn keep_clock(stores: &dyn Stores, clock: Option<&Arc<SystemClock>>, phase: &watch::Sender<Phase>) {
    if let (Some(clock), Some(database)) = (clock, stores.database()) {
        tokio::spawn(ClockFile::of(database.path()).keep(Arc::clone(clock), phase.subscribe()));
    }
}

/// Serves the control socket, if there is a data folder.
fn control(stores: &dyn Stores, metrics: &Arc<Metrics>, phase: &watch::Sender<Phase>, remarks: &mut Vec<String>) {
    #[cfg(unix)]
    if let Some(database) = stores.database() {
        match Control::listen(database, metrics) {
            Ok(control) => drop(tokio::spawn(control.run(phase.subscribe()))),
            Err(error) => remarks.push(format!(
                "backups can be taken only while this gateway is stopped, as its control socket cannot be made: {error}"
            )),
        }
    }
}

fn mount(config: &Config, surfaces: Vec<Arc<dyn Surface>>, metrics: &Metrics) -> Vec<Arc<Mounted>> {
    let mounted = surfaces.into_iter().map(|surface| {
        let url = clients::public_url(config, surface.vendor());
        Arc::new(Mounted::new(surface, url, metrics))
    });
    mounted.collect()
}

fn shared_site(config: &Config, mounted: &[Arc<Mounted>]) -> Site {
    let mut hosts = HashMap::new();
    for mounted in mounted {
        let names = config.vendor(mounted.vendor).hosts;
        hosts.extend(names.into_iter().map(|host| (host.to_ascii_lowercase(), Arc::clone(mounted))));
    }
    Site::shared(mounted.to_vec(), hosts)
}
