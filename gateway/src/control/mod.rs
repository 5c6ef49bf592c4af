//! The control API, for tests against this gateway: realms at run time, their data, their clocks, faults.
//!
//! It has a listener of its own, and is described by an `OpenAPI` document that is generated from the endpoints.
//!
//! - `api`: what an endpoint is, and how it is called; `error`: the errors, with their stable codes.
//! - `openapi`: the document; `console`: the page for people; `words`: why a body is refused.
//! - One file for each family of endpoints: `realms`, `state`, `clock`, `faults`, `groups`, `events`, `sessions`,
//!   `journal`, `transfer`.

mod api;
mod clock;
mod console;
mod error;
mod events;
mod faults;
mod groups;
mod journal;
pub(crate) mod openapi;
mod realms;
mod sessions;
mod state;
mod transfer;
mod words;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conclave_kit::{Body, same};
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::ControlToken;
use crate::operators::{self, Hosts, is_of_own_page};
use crate::payload::Payload;
use crate::realms::running::Realms;
use crate::serve::Addresses;
use api::{Call, Endpoint, Found, Table};
use error::{Code, ControlError};

/// Most connections at once.
const CONNECTIONS: usize = 512;
/// Most requests with large bodies at once; others wait.
const LARGE: usize = 2;
/// How long a request's body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The control API of one gateway.
pub(crate) struct Control {
    realms: Arc<Realms>,
    addresses: Addresses,
    hosts: Hosts,
    token: Option<ControlToken>,
    table: Table,
    /// Held by requests with large bodies.
    large: Arc<Semaphore>,
}

/// Every endpoint of the control API.
fn endpoints() -> Vec<Endpoint> {
    let families = [
        realms::endpoints(),
        state::endpoints(),
        clock::endpoints(),
        faults::endpoints(),
        groups::endpoints(),
        events::endpoints(),
        sessions::endpoints(),
        journal::endpoints(),
        transfer::endpoints(),
    ];
    families.into_iter().flatten().collect()
}

/// An operation of the control API, for the command line.
pub(crate) struct Operation {
    /// As in the document.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// With parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) takes_body: bool,
}

impl Operation {
    /// The parameters in its path, in their order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(api::name_of)
    }
}

/// Every operation of the control API.
pub(crate) fn operations() -> Vec<Operation> {
    let operation = |endpoint: Endpoint| {
        let Endpoint { method, path, operation: name, summary, takes, .. } = endpoint;
        Operation { name, method, path, summary, takes_body: !matches!(takes, api::Content::Nothing) }
    };
    endpoints().into_iter().map(operation).collect()
}

/// Serves the control listener until the process ends.
pub(crate) async fn run(listener: TcpListener, control: Arc<Control>) {
    operators::serve(listener, "control", CONNECTIONS, move |request| {
        let control = Arc::clone(&control);
        async move { control.answer(request).await }
    })
    .await;
}

impl Control {
    /// Of a gateway that listens on these addresses.
    pub(crate) fn new(realms: Arc<Realms>, addresses: Addresses) -> Self {
        let config = realms.config();
        let (hosts, token) = (Hosts::of(&config.control_hosts), config.control_token.clone());
        Self { realms, addresses, hosts, token, table: Table::new(endpoints()), large: Arc::new(Semaphore::new(LARGE)) }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Payload> {
        let method = request.method().clone();
        match Arc::clone(&self).call(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let allowed = error.allowed.clone();
                let mut answer = json(error.status(), &error.body());
                if let Some(allowed) = allowed.and_then(|allowed| HeaderValue::try_from(allowed).ok()) {
                    answer.headers_mut().insert(ALLOW, allowed);
                }
                if error.code == Code::Unauthorized {
                    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                }
                tracing::debug!(%method, code = error.code.name(), why = error.message, "a control request was refused");
                answer
            }
        }
    }

    async fn call(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Payload>, ControlError> {
        if !self.hosts.knows(&request) {
            return Err(ControlError::new(Code::ForbiddenHost, "this host is not answered here; see control_hosts"));
        }
        if !is_of_own_page(&request) {
            return Err(ControlError::new(Code::ForbiddenOrigin, "web pages of other origins may not call"));
        }
        if request.method() == Method::GET
            && let Some(file) = console::file(request.uri().path())
        {
            return Ok(file);
        }
        if request.method() == Method::GET && request.uri().path() == openapi::PATH {
            return Ok(json(StatusCode::OK, openapi::document().as_bytes()));
        }
        if request.method() == Method::GET && request.uri().path() == transfer::SCHEMA_PATH {
            return Ok(json(StatusCode::OK, transfer::schema().as_bytes()));
        }
        self.authorize(&request)?;
        let (parts, body) = request.into_parts();
        let found = self.table.find(&parts.method, parts.uri.path())?;
        let Found { endpoint, parameters } = found;
        let is_large = endpoint.body_bytes > api::BODY_BYTES;
        // never closed
        let large = if is_large { Arc::clone(&self.large).acquire_owned().await.ok() } else { None };
        let body = whole(body, endpoint.body_bytes).await?;
        let query = parts.uri.query().unwrap_or_default();
        let call = Call::new(Arc::clone(&self), endpoint, parameters, query, body)?;
        let work = (endpoint.run)(call);
        // finished even if the client disconnects, which would leave a realm half changed
        let work = tokio::spawn(async move {
            let _large = large;
            work.await
        });
        let reply = work.await.map_err(|error| {
            tracing::error!(%error, operation = endpoint.operation, "a control request has failed");
            ControlError::new(Code::Internal, "the request has failed: see the gateway's log")
        })??;
        let mut answer = Response::new(Payload::new(Body::Whole(reply.body), None));
        *answer.status_mut() = endpoint.status;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        Ok(answer)
    }

    fn authorize(&self, request: &Request<Incoming>) -> Result<(), ControlError> {
        let Some(ControlToken(token)) = &self.token else { return Ok(()) };
        let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if same(given.as_bytes(), token.as_bytes()) {
            return Ok(());
        }
        Err(ControlError::new(Code::Unauthorized, "send the control token as Authorization: Bearer"))
    }
}

async fn whole(body: Incoming, most: usize) -> Result<Bytes, ControlError> {
    let collected = timeout(BODY_TIME, Limited::new(body, most).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(ControlError::new(Code::TooLarge, format!("the body has more than {most} bytes")))
        }
        Ok(Err(_)) => Err(ControlError::new(Code::BadRequest, "the body is not complete")),
        Err(_) => Err(ControlError::new(Code::TimedOut, "the body did not arrive in time")),
    }
}

fn json(status: StatusCode, body: &[u8]) -> Response<Payload> {
    let mut answer = Response::new(Payload::new(Body::Whole(Bytes::copy_from_slice(body)), None));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(api::JSON));
    answer
}
