//! Start and end of the gateway. Everything is checked and bound before the first request of a client is answered;
//! shutdown finishes the requests in flight.

mod builder;
mod encryption;
mod listening;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use conclave_core::ports::{Groups, Store, StoreError};
use conclave_kit::{Blobs, Endpoint, Post, Presence, RouteInfo, SetupError, Surface};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::admin;
use crate::answer::ListenerContext;
use crate::backend::{Backend, Backends};
#[cfg(unix)]
use crate::backup::control::Control as ControlSocket;
use crate::client_address::Proxies;
use crate::clients;
use crate::clock::{RandomMint, SystemClock};
use crate::clock_file::ClockFile;
use crate::config::{Admin, Config, ConfigError, Data};
use crate::control::{self, Control};
use crate::descriptors::{self, Budget};
use crate::housekeeping;
use crate::listener::{self, Connections, Phase};
use crate::metrics::Metrics;
use crate::operators::Hosts;
use crate::origin::Pages;
use crate::quotas::Quotas;
use crate::readiness::Readiness;
use crate::realms::running::Realms;
use crate::realms::{self, Dependencies, OpenedRealm, Stores};
use crate::registry::Host;
use crate::session::{self, Online, RealmSessions};
use crate::surface_table::{Mounted, SurfaceTable};
use crate::tls::CertificateFiles;
pub use crate::tls::TlsError;
use crate::webhooks::{self, Watched, WebhookError};
pub use builder::Builder;
use encryption::{Encryption, Scratch, encryption, reload, reload_on_change};
use listening::{ADMIN, CONTROL, address_of, bind, bind_vendors, most_connections, operators_listener};

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

/// The surfaces and realms behind the listeners.
struct Opened {
    dependencies: Dependencies,
    surfaces: Vec<Arc<dyn Surface>>,
    hosts: Vec<Host>,
    realms: BTreeMap<String, OpenedRealm>,
    sessions: BTreeMap<String, Arc<RealmSessions>>,
    online: Arc<Online>,
}

impl Opened {
    /// Each realm's backend.
    fn backends(&self) -> Backends {
        self.realms.iter().map(|(name, realm)| (name.clone(), realm.backend.clone())).collect()
    }
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
    /// The control API.
    pub control: Option<SocketAddr>,
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
    control: Option<JoinHandle<()>>,
    realms: Arc<Realms>,
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
        let dependencies = Dependencies { stores, blobs, clock, mint, post };
        let config = &self.config;
        let realms = realms::open(config, &self.backends, &dependencies, metrics)?;
        let online = Arc::new(Online::new(realms.len(), &config.limits, metrics));
        let refused = |error: SetupError| StartError::Surface(error.to_string());
        let hosts = realms::hosts(config, config.control != Admin::Off).map_err(refused)?;
        let mut sessions = BTreeMap::new();
        for realm in &config.realms {
            let Some(opened) = realms.get(&realm.name) else { continue };
            let of_realm = online.add(&realm.name, &opened.backend);
            let presence = Arc::clone(&of_realm) as Arc<dyn Presence>;
            realms::serve(config, &hosts, realm, opened, &presence, dependencies.post.as_ref()).map_err(refused)?;
            sessions.insert(realm.name.clone(), of_realm);
        }
        let mut surfaces: Vec<Arc<dyn Surface>> = hosts.iter().map(|host| Arc::clone(&host.surface)).collect();
        surfaces.extend(self.surfaces.iter().map(Arc::clone));
        Ok(Opened { dependencies, surfaces, hosts, realms, sessions, online })
    }

    /// Checks, opens and binds everything, and then accepts requests.
    pub async fn start(self) -> Result<Running, StartError> {
        crate::config::check(&self.config)?;
        let metrics = Arc::new(Metrics::new());
        let client = webhooks::client(&self.config)?;
        let budget = descriptors::limit().map(|limit| Budget::of(limit, webhooks::count(&self.config)));
        let opened = self.open(&metrics, client.clone().map(|client| client as Arc<dyn Post>), budget)?;
        let backends = opened.backends();
        let Opened { dependencies, surfaces, hosts, realms, sessions: realm_sessions, online } = opened;
        let stores = Arc::clone(&dependencies.stores);
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
        control_socket(&*stores, &metrics, &phase, &mut remarks);
        keep_clock(&*stores, self.system_clock.as_ref(), &phase);
        let mut bound = vec![(
            "listen".to_owned(),
            bind("listen", config.listen, &mut inherited).await?,
            shared_surfaces(&config, &mounted),
        )];
        let mut addresses = Addresses {
            shared: address_of(&bound[0].1, config.listen),
            vendors: BTreeMap::new(),
            admin: None,
            control: None,
        };
        bind_vendors(&config, &mounted, &mut inherited, &mut addresses, &mut bound).await?;
        let most_connections = most_connections(config.limits.connections, budget, &mut remarks);
        if let Some(health) = stores.health() {
            metrics.measured.of_store(health);
        }
        if let (Data::Folder(folder), Some(_)) = (&config.data, stores.health()) {
            metrics.measured.of_folder(folder.clone());
        }
        let readiness = Arc::new(Readiness::new(&config.limits, stores.health()));
        let admin = operators_listener(&ADMIN, config.admin, &mut inherited, &mut remarks).await?;
        let control = operators_listener(&CONTROL, config.control, &mut inherited, &mut remarks).await?;
        if let Some(left) = inherited.first().and_then(|listener| listener.local_addr().ok()) {
            return Err(StartError::Surface(format!(
                "the service manager passes a socket for {left}, which no setting names: set listen, admin, control or a vendor's listen to it"
            )));
        }
        addresses.admin = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        let admin = admin.map(|listener| {
            let hosts = Hosts::of(&config.admin_hosts);
            tokio::spawn(admin::run(listener, hosts, Arc::clone(&metrics), Arc::clone(&readiness)))
        });

        let shared = realms::running::Shared {
            config: config.clone(),
            dependencies,
            hosts,
            mounted: mounted.clone(),
            online: Arc::clone(&online),
            metrics: Arc::clone(&metrics),
            phase: phase.clone(),
            client,
        };
        let (running, presence, watched) = begin(shared, &realms, realm_sessions).await?;
        readiness.watch(watched);
        addresses.control = control.as_ref().and_then(|listener| listener.local_addr().ok());
        let control = control.map(|listener| {
            let control = Arc::new(Control::new(Arc::clone(&running), addresses.clone()));
            tokio::spawn(control::run(listener, control))
        });
        tokio::spawn(Arc::clone(&readiness).log(phase.subscribe()));
        housekeeping::empty_trash(stores, config.limits.trash_days, &metrics, &phase);
        if let Some(files) = &files {
            tokio::spawn(reload_on_change(Arc::clone(files), phase.subscribe()));
        }
        let connections = Connections::new(
            most_connections,
            Quotas::new(&config.limits),
            Proxies::of(&config.trusted_proxies),
            Arc::clone(&metrics),
        );
        accept(&config, bound, &connections, &online, tls.as_ref(), &watch);
        Ok(Running {
            config,
            addresses,
            authority,
            presence,
            groups: backends.iter().map(|(realm, backend)| (realm.clone(), Arc::clone(&backend.groups))).collect(),
            backends,
            remarks,
            phase,
            admin,
            control,
            realms: running,
            readiness,
            certificates: files,
            _scratch: scratch,
        })
    }
}

/// A realm of a running gateway, for calls without a vendor.
pub struct OpenRealm {
    /// Commands, reads and the log.
    pub backend: Backend,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
    /// The bytes of its files.
    pub blobs: Arc<dyn Blobs>,
    /// Its rows, where they are in memory.
    pub rows: Option<Arc<dyn Store>>,
}

impl Running {
    /// A realm that is open now, also one that was created at run time.
    pub fn realm(&self, name: &str) -> Option<OpenRealm> {
        let realm = self.realms.get(name).ok()?;
        let OpenedRealm { backend, in_memory, blobs, .. } = realm.opened.clone();
        let presence = Arc::clone(&realm.sessions) as Arc<dyn Presence>;
        Some(OpenRealm { backend, presence, blobs, rows: in_memory.map(|data| data.rows as Arc<dyn Store>) })
    }

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
        let (admin, control) = (self.admin.take(), self.control.take());
        self.readiness.drains();
        self.phase.send_replace(Phase::Draining);
        let drained = timeout(self.config.limits.drain_time(), self.phase.closed()).await.is_ok();
        self.phase.send_replace(Phase::Cut);
        for listener in [admin, control].into_iter().flatten() {
            listener.abort();
        }
        // aborted requests need a moment to notice
        let cut = timeout(std::time::Duration::from_secs(1), self.phase.closed()).await;
        self.realms.end().await;
        drained && cut.is_ok()
    }
}

/// Accepts connections on every bound address.
fn accept(
    config: &Config,
    bound: Vec<(String, TcpListener, SurfaceTable)>,
    connections: &Connections,
    online: &Arc<Online>,
    tls: Option<&TlsAcceptor>,
    watch: &watch::Receiver<Phase>,
) {
    let sessions = Arc::<session::Shared>::default();
    let pages = Pages::of(config);
    for (_, listener, surfaces) in bound {
        let listener_context = Arc::new(ListenerContext {
            address: Arc::from(address_of(&listener, config.listen).to_string()),
            surfaces,
            limits: config.limits.clone(),
            quotas: Arc::clone(connections.quotas()),
            proxies: connections.proxies().clone(),
            pages: pages.clone(),
            metrics: Arc::clone(connections.metrics()),
            online: Arc::clone(online),
            sessions: Arc::clone(&sessions),
            scheme: clients::scheme(config),
        });
        tokio::spawn(listener::run(listener, listener_context, tls.cloned(), connections.clone(), watch.clone()));
    }
}

/// Begins the work of the configured realms. Returns them with their presence and their webhooks, for monitoring.
async fn begin(
    shared: realms::running::Shared,
    opened: &BTreeMap<String, OpenedRealm>,
    mut sessions: BTreeMap<String, Arc<RealmSessions>>,
) -> Result<(Arc<Realms>, BTreeMap<String, Arc<dyn Presence>>, Vec<Watched>), WebhookError> {
    let running = Arc::new(Realms::new(shared));
    let positions = webhooks::positions(running.config())?;
    let (mut watched, mut presence) = (Vec::new(), BTreeMap::new());
    for realm in &running.config().realms {
        let Some(opened) = opened.get(&realm.name).cloned() else { continue };
        let Some(sessions) = sessions.remove(&realm.name) else { continue };
        presence.insert(realm.name.clone(), Arc::clone(&sessions) as Arc<dyn Presence>);
        watched.extend(running.run_configured(realm, opened, sessions, positions.as_deref()).await?);
    }
    Ok((running, presence, watched))
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
fn control_socket(
    stores: &dyn Stores,
    metrics: &Arc<Metrics>,
    phase: &watch::Sender<Phase>,
    remarks: &mut Vec<String>,
) {
    #[cfg(unix)]
    if let Some(database) = stores.database() {
        match ControlSocket::listen(database, metrics) {
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

fn shared_surfaces(config: &Config, mounted: &[Arc<Mounted>]) -> SurfaceTable {
    let mut hosts = HashMap::new();
    for mounted in mounted {
        let names = config.vendor(mounted.vendor).hosts;
        hosts.extend(names.into_iter().map(|host| (host.to_ascii_lowercase(), Arc::clone(mounted))));
    }
    SurfaceTable::shared(mounted.to_vec(), hosts)
}
