//! Sessions of connected clients, and delivery to them.
//!
//! - `online`: the sessions of all realms; `realm`: those of one, and the delivery of its log.
//! - `registry`: which users are online where, in which groups and with which roles.
//! - `mailbox`: deliveries that wait for one session, bounded.
//! - `calls`: the calls of one session; `repeats`: those that are performed once for several.
//! - `driver`: runs one session; `login`: its signed-in user.
//! - `line`: its connection: `websocket`, or `polled` over HTTP requests; `sockjs` and `http` answer those.
//!
//! A vendor's protocol is an engine without I/O ([`conclave_kit::Session`]); its I/O is here. Sessions get events from
//! the realm's log, so only committed ones are delivered.

mod calls;
mod driver;
mod http;
mod line;
mod login;
mod mailbox;
mod online;
mod polled;
mod realm;
mod registry;
mod repeats;
mod sockjs;
mod websocket;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{Method, Response};
use conclave_kit::{Endpoint, Fault, Transport};
use hyper::body::Incoming;

pub(crate) use calls::PERFORMING;
pub(crate) use driver::Link;
pub(crate) use online::Online;
pub(crate) use realm::RealmSessions;

use self::calls::CallContext;
use self::driver::Opening;
use self::http::{Carrier, long_poll};
use self::polled::PolledSessions;
use self::repeats::Repeats;
use self::sockjs::Wanted;
use self::websocket::{Framing, is_upgrade, upgrade};
use crate::activity::InFlight;
use crate::answer::ListenerContext;
use crate::listener::SessionPlace;
use crate::payload::Payload;
use crate::quotas::QuotaUse;
use crate::surface_table::Mounted;

/// The data that the sessions of all listeners share.
#[derive(Default)]
pub(crate) struct Shared {
    polled: Arc<PolledSessions>,
    repeats: Arc<Repeats>,
}

/// The slots that a session occupies until this is dropped.
struct Slots {
    /// One of its address's.
    _of_address: QuotaUse,
    /// One of all sessions, unless that is its connection's slot.
    _of_all: Option<SessionPlace>,
}

/// The target of a request of a client's connection.
pub(crate) struct Destination {
    endpoint: Endpoint,
    way: Carrying,
}

impl Destination {
    /// Whether it takes over the connection.
    pub(crate) fn is_socket(&self) -> bool {
        matches!(self.way, Carrying::Socket(_))
    }
}

enum Carrying {
    Socket(Framing),
    SockJs(Wanted),
    LongPolling(&'static str),
}

/// The endpoint of a request, if any.
pub(crate) fn destination(endpoints: &[Endpoint], parts: &Parts, root: usize) -> Option<Destination> {
    let path = parts.uri.path().get(root..)?;
    endpoints.iter().find_map(|endpoint| {
        let way = match endpoint.transport {
            Transport::WebSocket(kind) => {
                let leads = is_upgrade(&parts.headers) && endpoint.path.matches(path);
                leads.then_some(Carrying::Socket(Framing::Plain(kind)))
            }
            Transport::SockJs if !endpoint.path.may_lead(path) => None,
            Transport::SockJs => {
                let wanted = [0, 1, 3].into_iter().find_map(|count| sockjs::wanted(&endpoint.path.rest(path, count)?));
                wanted.map(|wanted| match wanted {
                    Wanted::Socket if is_upgrade(&parts.headers) => Carrying::Socket(Framing::SockJs),
                    Wanted::RawSocket if is_upgrade(&parts.headers) => {
                        Carrying::Socket(Framing::Plain(conclave_kit::FrameKind::Text))
                    }
                    wanted => Carrying::SockJs(wanted),
                })
            }
            Transport::LongPolling { content_type } => {
                let leads = parts.method == Method::POST && endpoint.path.matches(path);
                leads.then_some(Carrying::LongPolling(content_type))
            }
        };
        way.map(|way| Destination { endpoint: *endpoint, way })
    })
}

/// Whether a request is a preflight that the destination answers itself.
pub(crate) fn answers_preflight(destination: &Destination) -> bool {
    matches!(destination.way, Carrying::SockJs(_))
}

/// Responds to a request of a client's connection.
pub(crate) async fn answer(
    listener_context: &ListenerContext,
    mounted: &Arc<Mounted>,
    destination: Destination,
    request: (Parts, Incoming),
    in_flight: InFlight,
    (mut link, address): (Link, IpAddr),
) -> Response<Payload> {
    let Destination { endpoint, way } = destination;
    if address != link.peer.ip() {
        // behind a proxy, the client's own port is not known
        link.peer = SocketAddr::new(address, 0);
    }
    let carrier = Carrier {
        mounted,
        sessions: &listener_context.sessions,
        online: &listener_context.online,
        metrics: &listener_context.metrics,
        limits: &listener_context.limits,
        counts: listener_context.counts(&link, address),
    };
    match way {
        Carrying::Socket(framing) => {
            let Some(of_address) = carrier.counts.session() else {
                let busy = mounted.surface.fault(Fault::Busy);
                return busy.map(|body| Payload::new(body, Some(in_flight)));
            };
            let slots = Slots { _of_address: of_address, _of_all: None };
            let context = CallContext {
                mounted: Arc::clone(mounted),
                metrics: Arc::clone(&listener_context.metrics),
                time: listener_context.limits.request_time(),
                repeats: Arc::clone(&listener_context.sessions.repeats),
                faults: Arc::clone(&listener_context.online.faults),
                journals: Arc::clone(&listener_context.online.journals),
                write_time: listener_context.limits.write_time(),
                phase: link.phase.clone(),
            };
            let online = Arc::clone(&listener_context.online);
            upgrade(framing, Opening { endpoint, parts: request.0, context, online, link, slots })
        }
        Carrying::SockJs(wanted) => sockjs::answer(carrier, endpoint, wanted, request, in_flight, link).await,
        Carrying::LongPolling(content_type) => {
            long_poll(carrier, endpoint, content_type, request, in_flight, link).await
        }
    }
}
