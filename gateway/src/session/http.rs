//! Sessions whose frames are carried by HTTP requests: their start, and long polling.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conclave_kit::{Body, Endpoint, Fault, Frame, OpenRequest};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::calls::CallContext;
use super::driver::{Link, Opening};
use super::line::Line;
use super::online::Online;
use super::polled::{Exchange, Key, Polled, Received};
use super::{Shared, Slots};
use crate::activity::InFlight;
use crate::config::Limits;
use crate::metrics::Metrics;
use crate::payload::{self, Payload};
use crate::quotas::{Address, Buffer};
use crate::surface_table::Mounted;

/// The dependencies of responses.
pub(super) struct Carrier<'a> {
    pub(super) mounted: &'a Arc<Mounted>,
    pub(super) sessions: &'a Shared,
    pub(super) online: &'a Arc<Online>,
    pub(super) metrics: &'a Arc<Metrics>,
    pub(super) limits: &'a Limits,
    /// The counts of the client's address.
    pub(super) counts: Arc<Address>,
}

impl Carrier<'_> {
    /// A counter for the bytes of a body.
    pub(super) fn buffer(&self) -> Buffer {
        self.counts.buffer()
    }

    /// How long a response may be silent before its connection counts as idle.
    pub(super) fn quiet(&self) -> Duration {
        self.limits.request_time().max(self.limits.body_time()) / 2
    }
}

/// Starts a session for a request.
///
/// # Errors
/// There are as many sessions as there may be.
pub(super) fn open(
    carrier: &Carrier<'_>,
    endpoint: Endpoint,
    key: &Key,
    exchange: &Arc<Exchange>,
    parts: Parts,
    link: Link,
) -> Result<(), Fault> {
    let polled = Polled::new(Arc::clone(exchange), endpoint.limits);
    let of_all = link.slot.place_for_session();
    let (Some(of_address), Some(of_all)) = (carrier.counts.session(), of_all) else {
        carrier.sessions.polled.remove(key);
        return Err(Fault::Busy);
    };
    let slots = Slots { _of_address: of_address, _of_all: Some(of_all) };
    let line = Line::Polled(polled);
    let context = CallContext {
        mounted: Arc::clone(carrier.mounted),
        metrics: Arc::clone(carrier.metrics),
        time: carrier.limits.request_time(),
        repeats: Arc::clone(&carrier.sessions.repeats),
        faults: Arc::clone(&carrier.online.faults),
        journals: Arc::clone(&carrier.online.journals),
        write_time: carrier.limits.write_time(),
        phase: link.phase.clone(),
    };
    let (polled, key) = (Arc::clone(&carrier.sessions.polled), key.clone());
    let opening = Opening { endpoint, parts, context, online: Arc::clone(carrier.online), link, slots };
    // the session continues when the connection of this request has ended, and keeps its slot among the connections
    tokio::spawn(async move {
        let _last = opening.link.phase.clone();
        if let Some(driver) = opening.session(line) {
            driver.run().await;
        }
        polled.remove(&key);
    });
    Ok(())
}

/// Long polling: a request is a frame of the session it names, and its response is the next frame of that session.
pub(super) async fn long_poll(
    carrier: Carrier<'_>,
    endpoint: Endpoint,
    content_type: &'static str,
    (parts, mut body): (Parts, Incoming),
    in_flight: InFlight,
    link: Link,
) -> Response<Payload> {
    let surface = &carrier.mounted.surface;
    let answer = |response: Response<Body>| response.map(|body| Payload::new(body, None));
    let body = match payload::frames(&mut body, &parts.headers, carrier.limits, carrier.buffer()).await {
        Ok(body) if body.len() <= endpoint.limits.frame_bytes => body,
        Ok(_) => return answer(surface.fault(Fault::TooLarge)),
        Err(fault) => return answer(surface.fault(fault)),
    };
    let Some(protocol) = surface.client_protocol() else { return answer(surface.fault(Fault::Broken)) };
    let request = OpenRequest { endpoint: endpoint.name, parts: &parts, connection: "", peer: Some(link.peer) };
    let session = match protocol.poll_key_any(&request, &body) {
        Ok(session) => session,
        Err(refusal) => return answer(*refusal),
    };
    let key: Key = (carrier.mounted.vendor, endpoint.name, session);
    let (exchange, is_new) = carrier.sessions.polled.find_or_open(&key);
    if is_new && let Err(fault) = open(&carrier, endpoint, &key, &exchange, parts, link) {
        return answer(surface.fault(fault));
    }
    // a client that sends another request has given up the earlier one
    let mut receiver = exchange.take_over();
    let frame = String::from_utf8(body.to_vec()).map_or(Frame::Binary(body), Frame::text);
    if tokio::time::timeout(carrier.limits.request_time(), exchange.bring(vec![frame])).await.is_err() {
        return answer(surface.fault(Fault::Busy));
    }
    let quiet = carrier.quiet();
    loop {
        in_flight.touch();
        match receiver.next(1, Instant::now() + quiet).await {
            Received::Frames(frames) => {
                let bytes = frames.into_iter().next().map_or_else(Bytes::new, |frame| frame.frame().bytes().clone());
                let mut response = Response::new(Payload::new(Body::Whole(bytes), Some(in_flight)));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                return response;
            }
            Received::Nothing if receiver.is_current() => {}
            Received::Nothing | Received::Ended => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                return answer(response);
            }
        }
    }
}
