//! The endpoints of clients.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conclave_core::event::Event;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    ClientProtocol, Device, Endpoint, Fact, FrameKind, OpenRequest, PathPattern, Platform, SessionLimits, Transport,
    query_pairs,
};

use super::facts::{TencentFact, facts};
use super::session::{ALIVE, CONFIRM, Encoding, HELLO, LOGIN, LOGOUT, TencentSession};
use crate::VENDOR;
use crate::calls::{COMMANDS, Callers};
use crate::realm::App;

/// Clients send a heartbeat every two minutes when they have nothing else to send; see `HelloInterval`.
const SILENCE: Duration = Duration::from_mins(5);

/// The endpoint with binary frames.
const BINARY: &str = "binfo";
/// The endpoint with text frames: clients in development, and some mini programs.
const TEXT: &str = "info";

/// What clients say in `compress` that take compressed frames.
const GZIP: &str = "gzip";

/// Longest `instanceid` that is kept; clients generate 32 characters.
const LONGEST_DEVICE: usize = 64;

/// The client protocol for all apps.
pub(crate) struct Clients {
    /// The apps, by id.
    apps: Arc<HashMap<u32, Arc<App>>>,
}

impl Clients {
    /// The client protocol of these apps.
    pub(crate) fn new(apps: Arc<HashMap<u32, Arc<App>>>) -> Self {
        Self { apps }
    }

    /// The app with this id.
    pub(crate) fn app(&self, sdkappid: u32) -> Option<&Arc<App>> {
        self.apps.get(&sdkappid)
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
        vec![endpoint(BINARY, "/binfo", FrameKind::Binary), endpoint(TEXT, "/info", FrameKind::Text)]
    }

    fn operations(&self) -> Vec<&'static str> {
        let served: HashSet<&str> =
            COMMANDS.iter().filter(|command| command.callers != Callers::Users).map(|command| command.name).collect();
        let mut names = vec![LOGIN, HELLO, LOGOUT, ALIVE, CONFIRM];
        for command in COMMANDS {
            if !served.contains(command.name) && !names.contains(&command.name) {
                names.push(command.name);
            }
        }
        names
    }

    fn open(&self, request: &OpenRequest<'_>) -> TencentSession {
        let query = query_pairs(request.parts.uri.query().unwrap_or_default());
        let value = |key: &str| query.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        let app = value("sdkappid").parse().ok().and_then(|id| self.app(id)).cloned();
        let id = value("instanceid");
        let plain = (1..=LONGEST_DEVICE).contains(&id.len()) && !id.chars().any(char::is_control);
        // a client that does not send its id is a new device each time
        let device = Device::new(VENDOR, if plain { id } else { request.connection });
        let encoding = match value("compress") {
            _ if request.endpoint == TEXT => Encoding::Text,
            GZIP => Encoding::Compressed,
            _ => Encoding::Binary,
        };
        TencentSession::new(app, device, platform(value("platform")), encoding)
    }

    async fn project(&self, realm: &str, event: &Arc<Event>) -> Result<Vec<Fact<TencentFact>>, Refusal> {
        match self.apps.values().find(|app| app.realm.name == realm) {
            Some(app) => facts(app, event).await,
            None => Ok(Vec::new()),
        }
    }
}

/// A client's platform: the web SDK sends 7, also in Node.js. Other numbers are not published.
fn platform(number: &str) -> Platform {
    if number == "7" { Platform::Web } else { Platform::Unknown }
}
