//! A made-up protocol that pushes whole facts over text frames, with concurrent calls.
//!
//! A client sends `NUMBER COMMAND WORDS…` and receives `NUMBER ANSWER`; events of its groups arrive as `message
//! SEQUENCE`. With `as USER/DEVICE` after the number a command has its own credentials, as some vendors' do: such
//! commands need no sign-in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use conclave::clock::{RandomMint, SystemClock};
use conclave::config::Admin;
use conclave::{Backend, Config, Gateway, Running};
use conclave_core::engine::Engine;
use conclave_core::event::{Actor, Event, Happening};
use conclave_core::memory::Memory;
use conclave_core::model::{Body as Said, GroupId, Millis, Sender, Settings, UserId};
use conclave_core::operation::{Operation, Reply, SendMessage};
use conclave_core::ports::{Groups, GroupsExt as _};
use conclave_core::query::{Answer, FindUsers, Query};
use conclave_core::refusal::Refusal;
use conclave_kit::{
    Answered, AnyProtocol, Body, BoxFuture, Call, CallOutcome, ClientProtocol, Device, DisconnectReason, Endpoint,
    Exceeding, Exchange, Fact, Fault, FoundRoute, Frame, FrameKind, Identity, LoginScope, OpenRequest, Outbox,
    PathPattern, Recipients, RouteInfo, Session, SessionLimits, SharedFrame, SignInRefused, Surface, Transport, Unread,
    message_at,
};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Response};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What the protocol shares with the test.
#[derive(Default)]
pub(crate) struct House {
    groups: OnceLock<Arc<dyn Groups>>,
    gates: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// How many events were projected.
    pub(crate) projected: AtomicUsize,
    /// How many frames of facts were encoded.
    pub(crate) encoded: AtomicUsize,
    /// How many messages calls have sent, whatever their number of replies.
    pub(crate) said: AtomicUsize,
}

impl House {
    fn gate(&self, name: &str) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap();
        Arc::clone(gates.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    /// Releases one call that waits at this gate.
    pub(crate) fn open_gate(&self, name: &str) {
        self.gate(name).add_permits(1);
    }

    async fn wait_at(&self, name: &str) {
        self.gate(name).acquire().await.unwrap().forget();
    }

    fn groups(&self) -> Arc<dyn Groups> {
        Arc::clone(self.groups.get().expect("a gateway"))
    }
}

pub(crate) struct Pusher(Arc<House>);

#[async_trait]
impl Surface for Pusher {
    fn vendor(&self) -> &'static str {
        "pusher"
    }

    fn routes(&self) -> Vec<RouteInfo> {
        Vec::new()
    }

    fn route(&self, _: &Method, _: &str) -> Option<FoundRoute> {
        None
    }

    async fn serve(&self, _: Exchange) -> Response<Body> {
        let mut answer = Response::new(Body::from("no endpoint".to_owned()));
        *answer.status_mut() = http::StatusCode::NOT_FOUND;
        answer
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
impl ClientProtocol for Pusher {
    type Session = Push;

    fn endpoints(&self) -> Vec<Endpoint> {
        let limits = SessionLimits {
            frame_bytes: 1000,
            running_calls: 4,
            waiting_calls: 8,
            linger: Duration::from_millis(500),
            ..SessionLimits::default()
        };
        let endpoint = |name, path, transport| Endpoint { name, path, transport, limits };
        vec![
            endpoint("text", PathPattern::EndsWith("/text"), Transport::WebSocket(FrameKind::Text)),
            endpoint("any", PathPattern::Exact("/any"), Transport::WebSocket(FrameKind::Any)),
            endpoint("sock", PathPattern::Exact("/sock"), Transport::SockJs),
        ]
    }

    fn operations(&self) -> Vec<&'static str> {
        COMMANDS.to_vec()
    }

    fn open(&self, request: &OpenRequest<'_>) -> Push {
        Push { house: Arc::clone(&self.0), endpoint: request.endpoint, signing_in: None, identity: None }
    }

    async fn project(&self, _: &str, event: &Arc<Event>) -> Result<Vec<Fact<Arc<SharedFrame>>>, Refusal> {
        self.0.projected.fetch_add(1, Ordering::Relaxed);
        let Happening::MessageSent { sequence, .. } = &event.what else { return Ok(Vec::new()) };
        self.0.encoded.fetch_add(1, Ordering::Relaxed);
        let mut text = format!("message {sequence}");
        if let Some(group) = &event.group
            && let Some(sent) = message_at(group, *sequence, &*self.0.groups()).await?
            && let Said::Text(said) = &sent.body
            && said.len() > 2
        {
            text = format!("{text} {said}");
        }
        let bytes = text.len();
        Ok(vec![Fact::new(Recipients::audience(event), SharedFrame::new(Frame::text(text))).of_bytes(bytes)])
    }
}

/// The commands that are calls.
const COMMANDS: &[&str] = &["say", "wait", "say-and-wait", "panic", "who", "long"];

pub(crate) struct Push {
    house: Arc<House>,
    endpoint: &'static str,
    /// The number of the request that signs in.
    signing_in: Option<(String, Identity)>,
    identity: Option<Identity>,
}

/// One request, split into words.
struct Asked {
    number: String,
    command: String,
    words: Vec<String>,
    actor: Option<Actor>,
}

impl Push {
    fn read(&self, text: &str) -> Asked {
        let mut words = text.split(' ').map(str::to_owned);
        let mut next = || words.next().unwrap_or_default();
        let (number, mut command) = (next(), next());
        let mut actor = self.identity.as_ref().map(Identity::actor);
        if command == "as" {
            let credentials = next();
            let (user, device) = credentials.split_once('/').unwrap();
            let identity = Identity::new("dev", UserId::new(user).unwrap(), Device::new("pusher", device));
            actor = Some(identity.actor());
            command = next();
        }
        Asked { number, command, words: words.collect(), actor }
    }
}

async fn say(house: &House, actor: &Actor, group: &str) -> String {
    let Actor::User { user, .. } = actor else { return "nobody".to_owned() };
    house.said.fetch_add(1, Ordering::Relaxed);
    let group = GroupId::new(group).unwrap();
    let send = SendMessage::new(group, Sender::User(user.clone()), Said::Text("hi".to_owned()));
    match house.groups().run(actor, send).await {
        Ok(posted) => format!("said {}", posted.message.sequence),
        Err(_) => "refused".to_owned(),
    }
}

impl Session for Push {
    type Ticket = String;
    type Reply = String;
    type Fact = Arc<SharedFrame>;

    fn opened(&mut self, out: &mut Outbox<'_, Self>) {
        if self.endpoint == "sock" {
            out.send_text("welcome");
        }
    }

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_, Self>) {
        let bytes = frame.into_bytes();
        let asked = self.read(std::str::from_utf8(&bytes).unwrap());
        let Asked { number, command, words, actor } = asked;
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        match command.as_str() {
            "beat" => return out.send_text(format!("{number} beat")),
            "login" => {
                let device = Device::new("pusher", word(1));
                let identity = Identity::new("dev", UserId::new(word(0)).unwrap(), device);
                let identity = match word(2) {
                    "one" => identity.with_rule(LoginScope::User, 1, Exceeding::RefuseNewest),
                    _ => identity.with_rule(LoginScope::Device, 1, Exceeding::ReplaceOldest),
                };
                self.signing_in = Some((number, identity.clone()));
                return out.sign_in(identity);
            }
            "logout" => {
                self.identity = None;
                out.sign_out();
                return out.send_text(format!("{number} bye"));
            }
            "close" => return out.close(),
            "later" => return out.wake_after(Duration::from_millis(50)),
            _ => {}
        }
        let operation = COMMANDS.iter().copied().find(|known| *known == command);
        let (house, ticket) = (Arc::clone(&self.house), number.clone());
        let lane = (command == "say").then_some(1);
        let key = words.iter().find_map(|word| word.strip_prefix("once=")).map(str::to_owned);
        let work = async move {
            let word = |at: usize| words.get(at).map_or("", String::as_str);
            let Some(actor) = actor else {
                let answer = if command == "who" { "a visitor" } else { "sign in" };
                return Answered::with(format!("{number} {answer}"), CallOutcome::Refused);
            };
            let answer = match command.as_str() {
                "say" => say(&house, &actor, word(0)).await,
                "wait" => {
                    house.wait_at(word(0)).await;
                    "waited".to_owned()
                }
                "say-and-wait" => {
                    let said = say(&house, &actor, word(0)).await;
                    house.wait_at(word(1)).await;
                    said
                }
                "panic" => panic!("asked to"),
                "who" => actor.behind().map_or("nobody".to_owned(), ToString::to_string),
                "long" => "x".repeat(word(0).parse().unwrap()),
                _ => return Answered::with(format!("{number} what?"), CallOutcome::Refused),
            };
            Answered::done(format!("{number} {answer}")).leaving(Unread::of(["colour"].into_iter()))
        };
        let mut call = Call::new(operation, ticket, work).holding(bytes.len());
        if let Some(lane) = lane {
            call = call.in_lane(lane);
        }
        if let Some(key) = key {
            call = call.once(key.clone(), key);
        }
        out.call(call);
    }

    fn answered(&mut self, number: String, result: Result<String, Fault>, out: &mut Outbox<'_, Self>) {
        match result {
            Ok(answer) => out.send_text(answer),
            Err(fault) => out.send_text(format!("{number} fault {fault:?}")),
        }
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_, Self>) {
        let (number, identity) = self.signing_in.take().unwrap();
        match result {
            Ok(()) => {
                out.send_text(format!("{number} hello {}", identity.user));
                self.identity = Some(identity);
            }
            Err(refused) => out.send_text(format!("{number} {refused:?}")),
        }
    }

    fn deliver(&mut self, fact: &Arc<Arc<SharedFrame>>, out: &mut Outbox<'_, Self>) {
        out.send(Arc::clone(&**fact));
    }

    fn missed(&mut self, out: &mut Outbox<'_, Self>) {
        out.send_text("missed");
    }

    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_, Self>) {
        // as with some vendors, the connection stays open
        self.identity = None;
        out.send_text(format!("signed out {reason:?}"));
    }

    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        let (groups, user) = (self.house.groups(), self.identity.as_ref()?.user.clone());
        Some(Box::pin(async move {
            let found = groups.ask(&Actor::app(), FindUsers { ids: vec![user], folded: false }).await.ok()?;
            let user = found.0.into_iter().next().flatten();
            user.is_none_or(|user| !user.active).then_some(DisconnectReason::Deactivated)
        }))
    }

    fn woken(&mut self, out: &mut Outbox<'_, Self>) {
        out.send_text("woken");
    }
}

/// Groups whose lists of joined groups wait at the gate `joined`.
struct Slow {
    groups: Arc<dyn Groups>,
    house: Arc<House>,
}

#[async_trait]
impl Groups for Slow {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        self.groups.perform(actor, operation).await
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        if matches!(query, Query::JoinedGroups(_)) {
            self.house.wait_at("joined").await;
        }
        self.groups.read(actor, query).await
    }

    fn now(&self) -> Millis {
        self.groups.now()
    }
}

/// The same, with a backend that lists a user's groups slowly.
pub(crate) async fn start_slow() -> (Running, Arc<House>) {
    let house = Arc::<House>::default();
    let (clock, mint) = (Arc::new(SystemClock::default()), Arc::new(RandomMint));
    let engine = Engine::new(Arc::new(Memory::new()), clock, mint, Settings::default());
    let backend = Backend::engine(engine);
    let groups = Arc::new(Slow { groups: Arc::clone(&backend.groups), house: Arc::clone(&house) });
    let backend = Backend { groups, ..backend };
    let config = Config::development().unwrap();
    let surface = Arc::new(Pusher(Arc::clone(&house)));
    let gateway = Gateway::builder(config).backend("dev", backend).surface(surface).start().await.unwrap();
    assert!(house.groups.set(Arc::clone(&gateway.groups["dev"])).is_ok());
    super::register(&gateway).await;
    (gateway, house)
}

/// A gateway that serves the protocol.
pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> (Running, Arc<House>) {
    let house = Arc::<House>::default();
    let mut config = Config::development().unwrap();
    config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    let gateway = Gateway::builder(config).surface(Arc::new(Pusher(Arc::clone(&house)))).start().await.unwrap();
    assert!(house.groups.set(Arc::clone(&gateway.groups["dev"])).is_ok());
    super::register(&gateway).await;
    (gateway, house)
}

/// A client over a WebSocket.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn at(gateway: &Running, path: &str) -> Self {
        Self(connect_async(format!("ws://{}/pusher{path}", gateway.addresses.shared)).await.expect("a websocket").0)
    }

    pub(crate) async fn login(gateway: &Running, user: &str, device: &str) -> Self {
        let mut socket = Self::at(gateway, "/text").await;
        assert_eq!(socket.asks(&format!("0 login {user} {device}")).await, format!("0 hello {user}"));
        socket
    }

    pub(crate) async fn says(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("an open socket");
    }

    pub(crate) async fn receives(&mut self) -> String {
        let next = timeout(Duration::from_secs(20), self.0.next()).await.expect("nothing in time");
        match next {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("not a text: {other:?}"),
        }
    }

    pub(crate) async fn asks(&mut self, text: &str) -> String {
        self.says(text).await;
        self.receives().await
    }

    /// Only the reply to this has been received.
    pub(crate) async fn has_nothing(&mut self) {
        assert_eq!(self.asks("9 beat").await, "9 beat");
    }
}
