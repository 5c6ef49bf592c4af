//! The endpoints of clients.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conclave_core::event::Event;
use conclave_core::refusal::Refusal;
use conclave_kit::{ClientProtocol, Endpoint, Fact, FrameKind, OpenRequest, PathPattern, SessionLimits, Transport};

use super::news::{self, AgoraFact};
use super::session::{AgoraSession, Encoding};
use super::{Apps, LOGOUT, PROVISION, QUEUE, UNREAD, send};

/// Clients send a heartbeat after 30 to 60 seconds of silence; apps may set a longer interval.
const SILENCE: Duration = Duration::from_mins(3);

/// The endpoint of current SDKs, with binary frames.
const WEBSOCKET: &str = "websocket";
/// The endpoint of older SDKs: `SockJS`, with the same frames in base64.
const SOCKJS: &str = "sockjs";

/// The client protocol for all apps.
pub(crate) struct Clients {
    apps: Arc<Apps>,
}

impl Clients {
    /// The client protocol of these apps.
    pub(crate) fn new(apps: Arc<Apps>) -> Self {
        Self { apps }
    }
}

#[async_trait]
impl ClientProtocol for Clients {
    type Session = AgoraSession;

    fn endpoints(&self) -> Vec<Endpoint> {
        let limits = SessionLimits { silence: SILENCE, ..SessionLimits::default() };
        let endpoint = |name, path, transport| Endpoint { name, path: PathPattern::Exact(path), transport, limits };
        vec![
            endpoint(WEBSOCKET, "/websocket", Transport::WebSocket(FrameKind::Binary)),
            endpoint(SOCKJS, "/ws", Transport::SockJs),
        ]
    }

    fn operations(&self) -> Vec<&'static str> {
        vec![
            PROVISION,
            UNREAD,
            QUEUE,
            send::MESSAGE,
            send::RECEIPT,
            send::RECALL,
            send::EDIT,
            send::CONVERSATION,
            LOGOUT,
        ]
    }

    fn open(&self, request: &OpenRequest<'_>) -> AgoraSession {
        let encoding = if request.endpoint == SOCKJS { Encoding::Text } else { Encoding::Binary };
        AgoraSession::new(Arc::clone(&self.apps), request.connection.to_owned(), encoding)
    }

    async fn project(&self, realm: &str, event: &Arc<Event>) -> Result<Vec<Fact<AgoraFact>>, Refusal> {
        match self.apps.of_realm(realm) {
            Some(app) => news::project(&app, event).await,
            None => Ok(Vec::new()),
        }
    }
}
