//! Webhooks: each destination of each realm follows the realm's log.
//!
//! - [`guard`]: which addresses a webhook may connect to.
//! - [`client`]: the HTTP client.
//! - [`courier`]: delivers to one destination; [`lanes`]: in which order; [`position_store`]: its stored position.
//! - [`time`]: when retries are due, by the realm's clock.
//! - [`presence`]: notifies one destination of connection events, which are not in the log.
//!
//! Operations never wait for a webhook: the log is read after the commit. `docs/webhooks.md` has the guarantees.

pub(crate) mod client;
mod counted;
mod courier;
mod guard;
mod lanes;
mod position_store;
mod presence;
mod time;
mod watched;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use conclave_core::refusal::Refusal;
use conclave_kit::Destination;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) use counted::WebhookMetrics;
pub(crate) use guard::is_public;
pub(crate) use position_store::{INDEX, check_positions};
pub(crate) use time::DeliveryState;
use time::Time;
pub(crate) use watched::Watched;

use crate::backend::Backend;
use crate::config::{Config, Data, RealmConfig};
use crate::faults::Faults;
use crate::journal::Journals;
use crate::metrics::Metrics;
use crate::realms::clock::RealmClock;
use crate::registry::Registered;
use crate::session::RealmSessions;
pub(crate) use client::Client;
use courier::Courier;
use position_store::{PositionStore, State};
use presence::PresenceNotifier;

/// How long couriers are waited for when the process stops; each waits a little less for its running attempts.
const END: Duration = Duration::from_secs(5);

/// Why webhooks cannot be delivered.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The HTTP client could not be built.
    #[error("webhooks cannot be sent: {0}")]
    Client(#[from] rustls::Error),
    /// The delivery position of a destination cannot be read.
    #[error(
        "{path} cannot be used to store a webhook's delivery position: {error}; delete it to skip what was not delivered and continue with new events"
    )]
    PositionStore {
        /// The file or folder.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// The log cannot be read.
    #[error("the log of realm {realm} cannot be read: {refusal}")]
    Log {
        /// The realm.
        realm: String,
        /// The error.
        refusal: Refusal,
    },
}

/// The client of all webhooks, if there are any.
pub(crate) fn client(config: &Config) -> Result<Option<Arc<Client>>, WebhookError> {
    let needed = config.realms.iter().any(|realm| has_any(config, realm));
    Ok(if needed { Some(Arc::new(Client::new()?)) } else { None })
}

/// The number of destinations.
pub(crate) fn count(config: &Config) -> usize {
    all(config).len()
}

/// All destinations, with realm and vendor.
fn all(config: &Config) -> Vec<(&str, &'static str, Destination)> {
    let of = |realm| of_realm(config, realm).into_iter().map(|(vendor, to)| (&*realm.name, vendor, to));
    config.realms.iter().flat_map(of).collect()
}

/// The destinations of one realm, with the vendor.
fn of_realm(config: &Config, realm: &RealmConfig) -> Vec<(&'static str, Destination)> {
    let of = |(vendor, section): (&dyn Registered, _)| {
        let name = vendor.name();
        vendor.destinations(section).into_iter().map(move |destination| (name, destination))
    };
    config.at(realm).flat_map(of).collect()
}

/// Whether a realm's app server is notified or asked.
pub(crate) fn has_any(config: &Config, realm: &RealmConfig) -> bool {
    let asks = |(vendor, section): (&dyn Registered, _)| !vendor.questions(section).is_empty();
    !of_realm(config, realm).is_empty() || config.at(realm).any(asks)
}

/// The folder with the delivery positions of the configured realms; `None` when data is in memory.
pub(crate) fn positions(config: &Config) -> Result<Option<PathBuf>, WebhookError> {
    positions_folder(config, &all(config))
}

/// The running couriers of one realm.
pub(crate) struct Couriers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    watched: Vec<Watched>,
    /// How far each is.
    delivery_state: Vec<watch::Receiver<DeliveryState>>,
}

/// What the couriers of a realm work with.
pub(crate) struct Source<'a> {
    pub(crate) realm: &'a RealmConfig,
    pub(crate) backend: &'a Backend,
    /// Its clock, if that can be changed.
    pub(crate) clock: Option<&'a Arc<RealmClock>>,
    pub(crate) sessions: &'a RealmSessions,
    /// The fault rules of all realms.
    pub(crate) faults: &'a Arc<Faults>,
    /// The journals of all realms.
    pub(crate) journals: &'a Arc<Journals>,
    /// Where delivery positions are stored; `None` keeps them in memory.
    pub(crate) positions: Option<&'a Path>,
}

impl Couriers {
    /// Reads the delivery position of each destination, and resumes there.
    ///
    /// A new destination begins with the next event.
    pub(crate) async fn start(
        config: &Config,
        client: Option<&Arc<Client>>,
        source: Source<'_>,
        metrics: &Metrics,
    ) -> Result<Self, WebhookError> {
        let (stop, stopped) = watch::channel(false);
        let (mut tasks, mut watched, mut delivery_states) = (JoinSet::new(), Vec::new(), Vec::new());
        let Source { realm, backend, clock, sessions, faults, journals, positions } = source;
        let time = || Time::new(clock.cloned());
        let (groups, log, name) = (&backend.groups, &backend.log, &*realm.name);
        for (vendor, destination) in of_realm(config, realm) {
            let Some(client) = client else { continue };
            let metrics = || metrics.webhooks.of(name, vendor, destination.name);
            if destination.webhooks.wants_connection_events() {
                let idle =
                    DeliveryState { through: u64::MAX, finished: u64::MAX, idle: true, ..DeliveryState::default() };
                let (delivery_state, receiver) = watch::channel(idle);
                delivery_states.push(receiver);
                let notifier = PresenceNotifier {
                    time: time(),
                    delivery_state,
                    realm: name.to_owned(),
                    vendor,
                    metrics: metrics(),
                    destination: destination.clone(),
                    groups: Arc::clone(groups),
                    client: Arc::clone(client),
                    events: sessions.connection_events(),
                };
                tasks.spawn(notifier.run(stopped.clone()));
            }
            if !destination.webhooks.follows_log() {
                continue;
            }
            let position_store = match positions {
                Some(folder) => PositionStore::File(folder.join(file(name, vendor, &destination))),
                None => PositionStore::Memory,
            };
            // before the log's end is read, so that no event in between is missed
            let appended = log.subscribe();
            let failed = |refusal| WebhookError::Log { realm: name.to_owned(), refusal };
            let end = log.last().await.map_err(failed)?;
            let state = restored(&position_store, end)?;
            let (delivery_state, receiver) = watch::channel(DeliveryState { busy: true, ..DeliveryState::default() });
            delivery_states.push(receiver);
            let courier = Courier {
                time: time(),
                faults: Arc::clone(faults),
                journals: Arc::clone(journals),
                delivery_state,
                realm: name.to_owned(),
                vendor,
                metrics: metrics(),
                destination,
                groups: Arc::clone(groups),
                log: Arc::clone(log),
                client: Arc::clone(client),
                appended,
                position_store,
                state,
            };
            watched.push(courier.metrics.watched(format!("{name}.{vendor}.{}", courier.destination.name)));
            tasks.spawn(courier.run(stopped.clone()));
        }
        Ok(Self { stop, tasks, watched, delivery_state: delivery_states })
    }

    /// Each courier, for monitoring.
    pub(crate) fn watched(&self) -> Vec<Watched> {
        self.watched.clone()
    }

    /// How far each is.
    pub(crate) fn delivery_state(&self) -> Vec<watch::Receiver<DeliveryState>> {
        self.delivery_state.clone()
    }

    /// Starts no new attempts, waits briefly for running ones, and stores all positions.
    pub(crate) async fn end(mut self) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(END, all).await.is_err() {
            tracing::warn!(
                "webhooks could not be stopped in time: events of the log may be sent again after the next start, connection events are lost"
            );
        }
    }
}

/// Where positions are stored; `None` when data is in memory.
fn positions_folder(
    config: &Config,
    all: &[(&str, &'static str, Destination)],
) -> Result<Option<PathBuf>, WebhookError> {
    let Data::Folder(data) = &config.data else { return Ok(None) };
    let folder = data.join("webhooks");
    if all.is_empty() && !folder.exists() {
        return Ok(None);
    }
    let followed = all.iter().filter(|(_, _, destination)| destination.webhooks.follows_log());
    let names: Vec<_> = followed.map(|(realm, vendor, destination)| file(realm, vendor, destination)).collect();
    position_store::folder(&folder, &names)
        .map_err(|error| WebhookError::PositionStore { path: folder.clone(), error })?;
    Ok(Some(folder))
}

fn file(realm: &str, vendor: &str, destination: &Destination) -> String {
    format!("{realm}.{vendor}.{}.json", destination.name)
}

/// The delivery position of a destination; a new one starts at the log's end.
fn restored(position_store: &PositionStore, end: u64) -> Result<State, WebhookError> {
    let refuse = |error| match position_store {
        PositionStore::File(path) => WebhookError::PositionStore { path: path.clone(), error },
        PositionStore::Memory => WebhookError::PositionStore { path: PathBuf::new(), error },
    };
    let state = match position_store.load().map_err(refuse)? {
        Some(state) if state.through <= end => return Ok(state),
        Some(state) => {
            tracing::warn!(
                position = state.through,
                end,
                "a webhook's delivery position is beyond the event log (a restored backup?): it continues with the next event"
            );
            State::at(end)
        }
        None => State::at(end),
    };
    position_store.save(&state).map_err(refuse)?;
    Ok(state)
}
