//! A surface whose clients receive everything as text, and its clients.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave::Running;
use conclave_core::event::{Actor, Event, Happening};
use conclave_core::model::UserId;
use conclave_core::ports::{Groups, GroupsExt as _};
use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    AnyProtocol, Body, BoxFuture, ClientProtocol, Device, DisconnectReason, Endpoint, Exceeding, Exchange, Fact, Fault,
    FoundRoute, Frame, FrameKind, Identity, LoginScope, OpenRequest, Outbox, PathPattern, Platform, Recipients,
    RouteInfo, Session, SessionLimits, SignInRefused, Surface, Transport,
};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Response};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A surface whose clients name their user in the query, and receive everything as text.
#[derive(Default)]
pub(super) struct Talker {
    pub(super) groups: Arc<OnceLock<Arc<dyn Groups>>>,
    pub(super) thoughts: Arc<Thoughts>,
}

/// Sessions that block their thread, as no engine may, so that others fill their mailboxes meanwhile.
#[derive(Default)]
pub(super) struct Thoughts {
    pub(super) thinking: AtomicBool,
    pub(super) may_end: AtomicBool,
}

impl Thoughts {
    fn think(&self) {
        self.thinking.store(true, Ordering::Relaxed);
        while !self.may_end.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[async_trait]
impl Surface for Talker {
    fn vendor(&self) -> &'static str {
        "talker"
    }

    fn routes(&self) -> Vec<RouteInfo> {
        Vec::new()
    }

    fn route(&self, _method: &Method, _path: &str) -> Option<FoundRoute> {
        None
    }

    async fn serve(&self, _exchange: Exchange) -> Response<Body> {
        Response::new(Body::from("not a socket".to_owned()))
    }

    fn fault(&self, fault: Fault) -> Response<Body> {
        let mut answer = Response::new(Body::from(format!("{fault:?}")));
        *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        answer
    }

    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        Some(self)
    }
}

#[async_trait]
impl ClientProtocol for Talker {
    type Session = Talk;

    fn endpoints(&self) -> Vec<Endpoint> {
        let limits = SessionLimits { frame_bytes: 1000, ..SessionLimits::default() };
        let endpoint = |name, path, limits| Endpoint {
            name,
            path: PathPattern::Exact(path),
            transport: Transport::WebSocket(FrameKind::Binary),
            limits,
        };
        let sleepy = SessionLimits { silence: Duration::from_millis(300), ..limits };
        vec![endpoint("socket", "/socket", limits), endpoint("sleepy", "/sleepy", sleepy)]
    }

    fn open(&self, request: &OpenRequest<'_>) -> Talk {
        let user = request.parts.uri.query().and_then(|user| UserId::new(user).ok());
        let identity = user.map(|user| {
            let is_bob = user.as_str() == "bob";
            let identity = Identity::new("dev", user, Device::new("talker", request.connection));
            // two at a time, one after another
            if is_bob {
                identity.on(Platform::Web).with_rule(LoginScope::Platform, 2, Exceeding::ReplaceOldest)
            } else {
                identity
            }
        });
        Talk { identity, groups: Arc::clone(&self.groups), thoughts: Arc::clone(&self.thoughts) }
    }

    async fn project(&self, _realm: &str, event: &Arc<Event>) -> Result<Vec<Fact<String>>, Refusal> {
        let shown = match &event.what {
            Happening::MessageSent { sequence, .. } => format!("message {sequence}"),
            Happening::MembersJoined { users, .. } => format!("joined {users:?}"),
            Happening::MembersLeft { users, .. } => format!("left {users:?}"),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Fact::new(Recipients::audience(event), shown)])
    }
}

pub(super) struct Talk {
    identity: Option<Identity>,
    groups: Arc<OnceLock<Arc<dyn Groups>>>,
    thoughts: Arc<Thoughts>,
}

impl Session for Talk {
    type Ticket = ();
    type Reply = ();
    type Fact = String;

    fn opened(&mut self, out: &mut Outbox<'_, Self>) {
        if let Some(identity) = &self.identity {
            out.sign_in(identity.clone());
        } else {
            out.send_binary("who are you");
            out.close();
        }
    }

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_, Self>) {
        match &**frame.bytes() {
            b"panic" => panic!("asked to"),
            b"bye" => {
                out.send_binary("bye");
                out.close();
            }
            b"think" => self.thoughts.think(),
            b"busy" => std::thread::sleep(Duration::from_millis(5)),
            _ => out.send(frame),
        }
    }

    fn answered(&mut self, (): (), _: Result<(), Fault>, _: &mut Outbox<'_, Self>) {}

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_, Self>) {
        assert_eq!(result, Ok(()));
        let user = self.identity.as_ref().map(|identity| &identity.user);
        out.send_binary(format!("hello {}", user.unwrap()));
    }

    fn deliver(&mut self, fact: &Arc<String>, out: &mut Outbox<'_, Self>) {
        out.send_binary(String::clone(fact));
    }

    fn missed(&mut self, out: &mut Outbox<'_, Self>) {
        out.send_binary("missed");
    }

    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_, Self>) {
        out.send_binary(format!("disconnected {reason:?}"));
        out.close();
    }

    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        let (groups, user) = (Arc::clone(self.groups.get()?), self.identity.as_ref()?.user.clone());
        Some(Box::pin(async move {
            let found = groups.ask(&Actor::app(), FindUsers { ids: vec![user], folded: false }).await.ok()?;
            let user = found.0.into_iter().next().flatten();
            user.is_none_or(|user| !user.active).then_some(DisconnectReason::Deactivated)
        }))
    }
}

/// A client of it.
pub(super) struct Ear(pub(super) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Ear {
    pub(super) async fn open(gateway: &Running, user: &str) -> Self {
        let mut ear = Self::knock(gateway, user).await;
        assert_eq!(ear.receives().await, format!("hello {user}"));
        ear
    }

    pub(super) async fn knock(gateway: &Running, user: &str) -> Self {
        Self::knock_at(gateway, "socket", user).await
    }

    pub(super) async fn knock_at(gateway: &Running, endpoint: &str, user: &str) -> Self {
        let url = format!("ws://{}/talker/{endpoint}?{user}", gateway.addresses.shared);
        Self(connect_async(url).await.expect("a websocket").0)
    }

    pub(super) async fn says(&mut self, frame: &[u8]) {
        self.0.send(Message::Binary(Bytes::copy_from_slice(frame))).await.expect("an open socket");
    }

    pub(super) async fn receives(&mut self) -> String {
        match self.next().await {
            Some(Ok(Message::Binary(frame))) => String::from_utf8(frame.to_vec()).unwrap(),
            other => panic!("not a frame: {other:?}"),
        }
    }

    /// The close code of the other side, if it closes.
    pub(super) async fn closed(&mut self) -> Option<CloseCode> {
        match self.next().await {
            Some(Ok(Message::Close(frame))) => frame.map(|frame| frame.code),
            None | Some(Err(_)) => None,
            other => panic!("not the end: {other:?}"),
        }
    }

    /// Only the reply to this has been received.
    pub(super) async fn has_nothing(&mut self) {
        self.says(b"anything?").await;
        assert_eq!(self.receives().await, "anything?");
    }

    pub(super) async fn next(&mut self) -> Option<Result<Message, Error>> {
        timeout(Duration::from_secs(10), self.0.next()).await.expect("nothing in time")
    }
}
