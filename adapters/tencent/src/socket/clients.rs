//! The endpoints of clients.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    Apps, Body, ClientProtocol, Device, Endpoint, Fact, FrameKind, OpenRequest, PathPattern, Platform, SessionLimits,
    Transport, query_pairs,
};
use http::Response;

use super::client::TencentSession;
use super::facts::{TencentFact, facts};
use super::frame::Head;
use super::login;
use super::polling::{POLL, PollingSession};
use super::session::{ALIVE, CONFIRM, Encoding, HELLO, LOGIN, LOGOUT, SocketSession};
use crate::VENDOR;
use crate::calls::{COMMANDS, Callers, VISITOR_COMMANDS};
use crate::realm::App;
use crate::refusals::Code;
use crate::rest;

/// Clients send a heartbeat every two minutes when they have nothing else to send; see `HelloInterval`.
const SILENCE: Duration = Duration::from_mins(5);

/// The endpoint with binary frames.
const BINARY: &str = "binfo";
/// The endpoint with text frames: clients in development, and some mini programs.
const TEXT: &str = "info";

/// How long a client that polls may take between two polls: a page in the background is slow.
const BETWEEN_POLLS: Duration = Duration::from_mins(1);

/// What clients say in `compress` that take compressed frames.
const GZIP: &str = "gzip";

/// Longest `instanceid` that is kept; clients generate 32 characters.
const LONGEST_DEVICE: usize = 64;

/// The client protocol for all apps.
pub(crate) struct Clients {
    /// The apps, by id.
    apps: Arc<Apps<u32, App>>,
}

impl Clients {
    /// The client protocol of these apps.
    pub(crate) fn new(apps: Arc<Apps<u32, App>>) -> Self {
        Self { apps }
    }

    /// The app that a query names.
    fn named_in(&self, query: &[(String, String)]) -> Option<Arc<App>> {
        value(query, "sdkappid").parse().ok().and_then(|id| self.app(id))
    }

    /// The app with this id.
    pub(crate) fn app(&self, sdkappid: u32) -> Option<Arc<App>> {
        self.apps.get(&sdkappid)
    }

    /// All apps.
    pub(crate) fn apps(&self) -> &Apps<u32, App> {
        &self.apps
    }
}

#[async_trait]
impl ClientProtocol for Clients {
    type Session = TencentSession;

    fn endpoints(&self) -> Vec<Endpoint> {
        let limits = SessionLimits { silence: SILENCE, ..SessionLimits::default() };
        let endpoint = |name, path, frames| Endpoint {
            name,
            path: PathPattern::EndsWith(path),
            transport: Transport::WebSocket(frames),
            limits,
        };
        let polling = Endpoint {
            name: POLL,
            path: PathPattern::EndsWith("/v4/openim/longpolling"),
            transport: Transport::LongPolling { content_type: "application/json" },
            limits: SessionLimits { linger: BETWEEN_POLLS, ..limits },
        };
        vec![endpoint(BINARY, "/binfo", FrameKind::Binary), endpoint(TEXT, "/info", FrameKind::Text), polling]
    }

    fn operations(&self) -> Vec<&'static str> {
        let served: HashSet<&str> =
            COMMANDS.iter().filter(|command| command.callers != Callers::Users).map(|command| command.name).collect();
        let mut names = vec![LOGIN, HELLO, LOGOUT, ALIVE, CONFIRM, POLL];
        let commands = COMMANDS.iter().map(|command| command.name);
        for name in commands.chain(VISITOR_COMMANDS.iter().map(|command| command.name)) {
            if !served.contains(name) && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn poll_key(&self, request: &OpenRequest<'_>, _: &Bytes) -> Result<String, Box<Response<Body>>> {
        let query = query_pairs(request.parts.uri.query().unwrap_or_default());
        let refuse = |code: Code| Box::new(rest::refuse(&code.into()));
        let app = self.named_in(&query).ok_or_else(|| refuse(Code::AppUnknown))?;
        let device = login::polling_device(&app, value(&query, "a2")).map_err(refuse)?;
        Ok(format!("{}:{}", app.realm.credentials.sdkappid, device.id))
    }

    fn open(&self, request: &OpenRequest<'_>) -> TencentSession {
        let query = query_pairs(request.parts.uri.query().unwrap_or_default());
        let app = self.named_in(&query);
        let value = |key: &str| value(&query, key);
        if request.endpoint == POLL {
            let head = Head::of_query(value("a2"), value("tinyid"));
            let device = app.as_ref().and_then(|app| login::polling_device(app, &head.a2).ok());
            let device = device.unwrap_or_else(|| Device::new(VENDOR, request.connection));
            return TencentSession::Polling(Box::new(PollingSession::new(app, head, device)));
        }
        let id = value("instanceid");
        let plain = (1..=LONGEST_DEVICE).contains(&id.len()) && !id.chars().any(char::is_control);
        // a client that does not send its id is a new device each time
        let device = Device::new(VENDOR, if plain { id } else { request.connection });
        let encoding = match value("compress") {
            _ if request.endpoint == TEXT => Encoding::Text,
            GZIP => Encoding::Compressed,
            _ => Encoding::Binary,
        };
        TencentSession::Socket(SocketSession::new(
            app,
            (device, platform(value("platform"))),
            encoding,
            request.root_url(),
        ))
    }

    async fn project(&self, realm: &str, event: &Arc<Event>) -> Result<Vec<Fact<TencentFact>>, Refusal> {
        match self.apps.of_realm(realm) {
            Some(app) => facts(&app, event).await,
            None => Ok(Vec::new()),
        }
    }
}

/// The first value of a name in a query; "" without one.
fn value<'q>(query: &'q [(String, String)], key: &str) -> &'q str {
    query.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str())
}

/// A client's platform: the web SDK sends 7, also in Node.js. Other numbers are not published.
fn platform(number: &str) -> Platform {
    if number == "7" { Platform::Web } else { Platform::Unknown }
}
