//! Listeners and their connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use crate::activity::Activity;
use crate::answer::ListenerContext;
use crate::client_address::Proxies;
use crate::config::Limits;
use crate::faults::apply::Dropped;
use crate::metrics::Metrics;
use crate::quotas::{Address, QuotaUse, Quotas};
use crate::session::Link;

/// The phases of the process's shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Everything is served.
    Serving,
    /// Requests in flight are finished, and new ones refused.
    Draining,
    /// Remaining requests are aborted.
    Cut,
}

/// Counts the process's open connections.
#[derive(Clone)]
pub(crate) struct Connections {
    open: Arc<AtomicUsize>,
    /// The connections among them that carry a session.
    sessions: Arc<AtomicUsize>,
    most: usize,
    quotas: Arc<Quotas>,
    proxies: Proxies,
    metrics: Arc<Metrics>,
}

/// One connection in this many is reserved for requests, however many client sessions there are.
const RESERVED: usize = 20;

/// A connection's slot among the counted ones.
pub(crate) struct ConnectionSlot {
    connections: Connections,
    /// Whether it exceeds the limit, and only gets that answer.
    pub(crate) over_limit: bool,
    /// The counts of its address; `None` for trusted proxies, which send requests of others.
    pub(crate) address: Option<Arc<Address>>,
    /// Its slot among those of its address.
    _of_address: Option<QuotaUse>,
    /// Whether it carries a session.
    session: AtomicBool,
}

impl Connections {
    /// Without connections.
    pub(crate) fn new(most: usize, quotas: Arc<Quotas>, proxies: Proxies, metrics: Arc<Metrics>) -> Self {
        Self { open: Arc::default(), sessions: Arc::default(), most, quotas, proxies, metrics }
    }

    /// The usage of the process.
    pub(crate) fn quotas(&self) -> &Arc<Quotas> {
        &self.quotas
    }

    /// The proxies whose `X-Forwarded-For` is trusted.
    pub(crate) fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// A slot, if there is one. A few more than the limit get one, to be answered that there are too many.
    fn slot(&self, address: IpAddr) -> Option<ConnectionSlot> {
        let (address, of_address, too_many) = if self.proxies.trusts(address) {
            (None, None, false)
        } else {
            let address = self.quotas.address(address);
            let Some((share, too_many)) = address.connection() else {
                self.metrics.turned_away.inc();
                return None;
            };
            (Some(address), Some(share), too_many)
        };
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        self.metrics.connections.inc();
        let over_limit = too_many || before >= self.most;
        let session = AtomicBool::new(false);
        let slot = ConnectionSlot { connections: self.clone(), over_limit, address, _of_address: of_address, session };
        if over_limit {
            self.metrics.turned_away.inc();
        }
        (before < self.most.saturating_add(self.most / 10).saturating_add(16)).then_some(slot)
    }
}

impl ConnectionSlot {
    /// Makes this the slot of a session; returns whether there was room for one more.
    pub(crate) fn carry_session(&self) -> bool {
        let connections = &self.connections;
        let most = connections.most - connections.most / RESERVED;
        let before = connections.sessions.fetch_add(1, Ordering::Relaxed);
        if before >= most || self.session.swap(true, Ordering::Relaxed) {
            connections.sessions.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// A slot for a session that survives its connections, among all sessions; `None` when there is none.
    pub(crate) fn place_for_session(&self) -> Option<SessionPlace> {
        let connections = &self.connections;
        let place = SessionPlace(Arc::clone(&connections.sessions));
        let before = connections.sessions.fetch_add(1, Ordering::Relaxed);
        (before < connections.most - connections.most / RESERVED).then_some(place)
    }
}

/// The slot of a session that survives its connections.
pub(crate) struct SessionPlace(Arc<AtomicUsize>);

impl Drop for SessionPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        if self.session.load(Ordering::Relaxed) {
            self.connections.sessions.fetch_sub(1, Ordering::Relaxed);
        }
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
        self.connections.metrics.connections.dec();
    }
}

/// Accepts connections until the process drains.
pub(crate) async fn run(
    listener: TcpListener,
    listener_context: Arc<ListenerContext>,
    tls: Option<TlsAcceptor>,
    connections: Connections,
    mut phase: watch::Receiver<Phase>,
) {
    let builder = Arc::new(builder(&listener_context.limits));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = phase.wait_for(|phase| *phase != Phase::Serving) => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "cannot accept connections; if the limit of open files is reached, raise it (ulimit -n)");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(slot) = connections.slot(peer.ip()) else { continue };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was closed before it was accepted");
            continue;
        }
        let connection = Connection {
            listener_context: Arc::clone(&listener_context),
            builder: Arc::clone(&builder),
            slot: Arc::new(slot),
            peer,
            phase: phase.clone(),
        };
        match tls.clone() {
            None => drop(tokio::spawn(connection.serve(stream))),
            Some(tls) => drop(tokio::spawn(connection.serve_encrypted(stream, tls))),
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Most bytes of bodies that wait unread, for one HTTP/2 stream and for a whole connection.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;

/// Most headers of a request unless hyper is given another number.
const HEADERS: usize = 100;

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(limits.header_bytes);
    if limits.headers != HEADERS {
        // hyper parses into a list on the heap then
        builder.http1().max_headers(limits.headers);
    }
    builder
        .http2()
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams)
        // what a client sends before a handler reads it is kept in memory
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    builder
}

/// How long a connection that was accepted, and has had no request yet, may take to send one while the process drains:
/// its request is probably on its way.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

struct Connection {
    listener_context: Arc<ListenerContext>,
    builder: Arc<Builder<TokioExecutor>>,
    slot: Arc<ConnectionSlot>,
    peer: SocketAddr,
    phase: watch::Receiver<Phase>,
}

impl Connection {
    async fn serve_encrypted(mut self, stream: TcpStream, tls: TlsAcceptor) {
        let patience = self.listener_context.limits.header_time();
        let drained = async {
            let _ = self.phase.wait_for(|phase| *phase != Phase::Serving).await;
            sleep(FIRST_REQUEST).await;
        };
        let handshake = tokio::select! {
            handshake = timeout(patience, tls.accept(stream)) => handshake,
            () = drained => return,
        };
        match handshake {
            Ok(Ok(stream)) => self.serve(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
            Err(_) => tracing::debug!("a handshake timed out"),
        }
    }

    /// Serves a connection until either side closes it, it is idle for too long, or the process ends.
    async fn serve<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(mut self, io: I) {
        /// How long a connection may take to close properly.
        const GRACE: Duration = Duration::from_millis(500);
        let activity = Activity::new();
        let link = Link { slot: Arc::clone(&self.slot), peer: self.peer, phase: self.phase.clone() };
        let service = service_fn(|request: Request<Incoming>| {
            let (listener_context, in_flight, link) =
                (Arc::clone(&self.listener_context), activity.begin(), link.clone());
            async move {
                let answer = listener_context.answer(request, in_flight, link).await;
                match answer.extensions().get::<Dropped>() {
                    None => Ok(answer),
                    Some(dropped) => Err(*dropped),
                }
            }
        });
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(TokioIo::new(io), service));
        let mut cut_at = None;
        let is_draining = *self.phase.borrow_and_update() == Phase::Draining;
        let mut drain_at = is_draining.then(|| Instant::now() + FIRST_REQUEST);
        loop {
            let wake = cut_at.unwrap_or_else(|| activity.cut_at(&self.listener_context.limits).into());
            let wake = drain_at.map_or(wake, |at: Instant| at.min(wake));
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        tracing::debug!(error = &*error, "a connection failed");
                    }
                    return;
                }
                () = sleep_until(wake) => {
                    if cut_at.is_some_and(|at| at <= Instant::now()) {
                        return;
                    }
                    if drain_at.is_some_and(|at| at <= Instant::now()) {
                        drain_at = None;
                        connection.as_mut().graceful_shutdown();
                    }
                    if cut_at.is_none() && Instant::from(activity.cut_at(&self.listener_context.limits)) <= Instant::now() {
                        connection.as_mut().graceful_shutdown();
                        cut_at = Some(Instant::now() + GRACE);
                    }
                }
                changed = self.phase.changed() => {
                    let phase = *self.phase.borrow_and_update();
                    if changed.is_err() || phase == Phase::Cut {
                        return;
                    }
                    if phase == Phase::Draining {
                        if activity.has_begun() {
                            connection.as_mut().graceful_shutdown();
                        } else {
                            drain_at = Some(Instant::now() + FIRST_REQUEST);
                        }
                    }
                }
            }
        }
    }
}
