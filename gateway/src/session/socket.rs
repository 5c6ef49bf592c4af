//! One WebSocket, from its upgrade to its end.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conclave_kit::{Caller, Connected, Departure, Dismissal, Done, Door, Outbox, Outcome, Session};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use http::header::UPGRADE;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::mailbox::{Mail, Mailbox};
use super::online::Online;
use super::realm::{Newcomer, Presented};
use crate::answer::Desk;
use crate::listener::{Phase, Seat};
use crate::metrics::Metrics;
use crate::payload::Payload;
use crate::site::Mounted;

/// What is read of a socket at once; most clients say little at a time, and there are many of them.
const READ: usize = 1024;
/// What is gathered before it is written.
const WRITE: usize = 8 * 1024;
/// Most events told before the socket is read again.
const BURST: usize = 32;
/// How long a client may take to read what is written to it.
const SLOWEST: Duration = Duration::from_secs(30);
/// How long a client may take to end a connection that this side has ended.
const GOODBYE: Duration = Duration::from_secs(2);
/// How often it is looked at whether a client may still be connected, besides when its account changes.
const ROUND: Duration = Duration::from_mins(1);

/// What a session keeps of the connection it came by.
#[derive(Clone)]
pub(crate) struct Link {
    /// Its place among all connections.
    pub(crate) seat: Arc<Seat>,
    /// Where the client's end is.
    pub(crate) peer: SocketAddr,
    /// How far the process is on its way to its end.
    pub(crate) phase: watch::Receiver<Phase>,
}

/// Whether a request asks to become a WebSocket where clients connect.
pub(crate) fn asks(door: Option<&dyn Door>, parts: &Parts) -> bool {
    let is_upgrade = || {
        let upgrade = parts.headers.get(UPGRADE).and_then(|value| value.to_str().ok());
        upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
    };
    door.is_some_and(|door| door.path() == parts.uri.path()) && is_upgrade()
}

/// Answers such a request; the session begins once the answer is sent.
pub(crate) fn answer(desk: &Desk, mounted: Arc<Mounted>, mut parts: Parts, link: Link) -> Response<Payload> {
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let request = Request::from_parts(parts, ());
    let (response, upgrade) = match (create_response_with_body(&request, Payload::default), upgrade) {
        (Ok(response), Some(upgrade)) => (response, upgrade),
        (wrong, _) => {
            tracing::debug!(error = ?wrong.err(), "a client asks for a websocket in a way that is none");
            let mut response = Response::new(Payload::default());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return response;
        }
    };
    let parts = request.into_parts().0;
    let (online, metrics) = (Arc::clone(&desk.online), Arc::clone(&desk.metrics));
    tokio::spawn(async move {
        // the process waits for whoever holds this: let go of last, after everything the session held
        let _last = link.phase.clone();
        match upgrade.await {
            Ok(upgraded) => Box::pin(begin(upgraded, parts, mounted, online, metrics, link)).await,
            Err(error) => tracing::debug!(%error, "a client went away before it was a websocket"),
        }
    });
    response
}

/// Lets a client in or not, and stays with it.
async fn begin(
    upgraded: Upgraded,
    parts: Parts,
    mounted: Arc<Mounted>,
    online: Arc<Online>,
    metrics: Arc<Metrics>,
    link: Link,
) {
    let Some(door) = mounted.surface.door() else { return };
    let longest = Some(door.longest_frame());
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(WRITE)
        .max_message_size(longest)
        .max_frame_size(longest);
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let mut line = Line { socket, mounted: Arc::clone(&mounted) };
    let connection = uuid::Uuid::new_v4().to_string();
    let mut out = Outbox::new();
    let opened = door.open(Caller { parts: &parts, connection: &connection }, &mut out);
    let Ok(opened) = AssertUnwindSafe(opened).catch_unwind().await else {
        metrics.panics.inc();
        return;
    };
    drop(parts);
    let Some(session) = opened else {
        tracing::info!(target: "conclave::session", vendor = mounted.vendor, "a client was not let in");
        let _gone = line.send(&mut out).await;
        return line.end(None).await;
    };
    let mailbox = Arc::new(Mailbox::default());
    let mut stay = Stay { session, connection, mailbox, presented: None, online, line, out, link, heard_client: false };
    mounted.metrics.sessions.inc();
    let began = std::time::Instant::now();
    let why = AssertUnwindSafe(stay.run()).catch_unwind().await.unwrap_or_else(|_| {
        // the panic hook has told where
        metrics.panics.inc();
        "broken"
    });
    mounted.metrics.sessions.dec();
    let who = stay.session.connected();
    tracing::info!(
        target: "conclave::session",
        vendor = mounted.vendor,
        realm = who.map(|who| who.realm.as_str()),
        user = who.map(|who| who.user.as_str()),
        device = who.map(|who| who.device.as_str()),
        seconds = began.elapsed().as_secs(),
        why,
        "a session ended"
    );
}

/// The socket, and what is counted on it.
struct Line {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    mounted: Arc<Mounted>,
}

/// Why nothing more can be said to a client.
struct Lost;

impl Line {
    /// Sends what is in the outbox.
    async fn send(&mut self, out: &mut Outbox) -> Result<(), Lost> {
        let frames = out.take();
        if frames.is_empty() {
            return Ok(());
        }
        self.mounted.metrics.frames_out.inc_by(frames.len() as u64);
        let write = async {
            for frame in frames {
                self.socket.feed(Message::Binary(frame)).await?;
            }
            self.socket.flush().await
        };
        match timeout(SLOWEST, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Lost),
        }
    }

    /// Says goodbye, and waits a little until the client has read all.
    async fn end(&mut self, code: Option<CloseCode>) {
        let frame = code.map(|code| CloseFrame { code, reason: "".into() });
        let goodbye = async {
            if self.socket.close(frame).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        let _slow = timeout(GOODBYE, goodbye).await;
    }
}

/// A client that was let in.
struct Stay {
    session: Box<dyn Session>,
    /// Tells the connection apart from every other one.
    connection: String,
    mailbox: Arc<Mailbox>,
    presented: Option<Presented>,
    online: Arc<Online>,
    line: Line,
    out: Outbox,
    link: Link,
    /// The client was heard last: what waits for it comes next. Neither can keep the other from its turn.
    heard_client: bool,
}

/// What has happened.
enum Next {
    Frame(Option<Result<Message, Error>>),
    Mail(Mail),
    Silent,
    Round,
    Going,
}

impl Stay {
    /// Stays with a client until either side ends it; says why it ended.
    async fn run(&mut self) -> &'static str {
        let mut silent_at = Instant::now() + self.session.patience();
        let mut round_at = Instant::now() + ROUND;
        loop {
            // whoever is told that they are in, hears everything from then on
            if let Err(why) = self.present().await {
                return why;
            }
            if self.line.send(&mut self.out).await.is_err() {
                return "too slow or gone";
            }
            if self.out.is_closing() {
                self.end(None).await;
                return "told to";
            }
            match self.next(silent_at, round_at).await {
                Next::Frame(Some(Ok(message))) => {
                    silent_at = Instant::now() + self.session.patience();
                    match message {
                        Message::Binary(frame) => self.received(frame).await,
                        Message::Text(_) => {
                            self.end(Some(CloseCode::Unsupported)).await;
                            return "text where only bytes are spoken";
                        }
                        Message::Close(_) => {
                            self.end(None).await;
                            return "closed by the client";
                        }
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                }
                Next::Frame(Some(Err(Error::Capacity(_)))) => {
                    self.end(Some(CloseCode::Size)).await;
                    return "a frame too long";
                }
                Next::Frame(_) => return "gone",
                Next::Mail(mail) => self.read(mail).await,
                Next::Silent => {
                    self.end(None).await;
                    return "silent";
                }
                Next::Round => {
                    round_at = Instant::now() + ROUND;
                    self.look().await;
                }
                Next::Going => self.dismiss(Dismissal::Going),
            }
        }
    }

    /// Waits for what comes next. A client that speaks without a pause is looked at all the same, and so hears in
    /// between that it may no longer be here.
    async fn next(&mut self, silent_at: Instant, round_at: Instant) -> Next {
        let mail_first = self.heard_client;
        let next = tokio::select! {
            biased;
            _ = self.link.phase.wait_for(|phase| *phase != Phase::Serving) => Next::Going,
            () = sleep_until(round_at) => Next::Round,
            mail = self.mailbox.take(BURST), if mail_first => Next::Mail(mail),
            frame = self.line.socket.next() => Next::Frame(frame),
            mail = self.mailbox.take(BURST), if !mail_first => Next::Mail(mail),
            () = sleep_until(silent_at) => Next::Silent,
        };
        self.heard_client = matches!(next, Next::Frame(_));
        next
    }

    /// Makes a client known to its realm once it has proved who it is.
    async fn present(&mut self) -> Result<(), &'static str> {
        if self.presented.is_some() || self.out.is_closing() {
            return Ok(());
        }
        let Some(who) = self.session.connected().cloned() else { return Ok(()) };
        let newcomer = Newcomer {
            connected: &who,
            vendor: self.line.mounted.vendor,
            id: &self.connection,
            address: self.link.peer,
        };
        match self.online.enter(newcomer, &self.mailbox).await {
            Ok(presented) => {
                self.tell_of(&who);
                self.presented = Some(presented);
                Ok(())
            }
            Err(refusal) => {
                tracing::error!(realm = who.realm, %refusal, "a client's groups cannot be read; it is sent away");
                Err("the store failed")
            }
        }
    }

    fn tell_of(&self, who: &Connected) {
        tracing::info!(
            target: "conclave::session",
            vendor = self.line.mounted.vendor,
            realm = who.realm,
            user = who.user.as_str(),
            device = who.device,
            "a session began"
        );
    }

    async fn received(&mut self, frame: Bytes) {
        let metrics = &self.line.mounted.metrics;
        metrics.frames_in.inc();
        let began = std::time::Instant::now();
        self.session.received(frame, &mut self.out).await;
        for Done { operation, outcome } in self.out.take_notes() {
            let status = match outcome {
                Outcome::Answered => 200,
                Outcome::Refused => 400,
                Outcome::Failed => 500,
            };
            metrics.of(operation).count(Some(status), began.elapsed());
        }
        if self.out.has_signed_out()
            && let Some(presented) = &mut self.presented
        {
            presented.way = Departure::SignedOut;
        }
    }

    async fn read(&mut self, mail: Mail) {
        if let Some(why) = mail.ended {
            return self.dismiss(why);
        }
        if mail.doubted {
            self.look().await;
        }
        if mail.missed {
            self.session.missed(&mut self.out).await;
        }
        for event in mail.events {
            self.session.heard(&event, &mut self.out).await;
        }
    }

    /// Looks whether the client may still be connected.
    async fn look(&mut self) {
        if let Some(why) = self.session.outstayed().await {
            self.dismiss(why);
        }
    }

    fn dismiss(&mut self, why: Dismissal) {
        self.session.dismissed(why, &mut self.out);
        if let Some(mut presented) = self.presented.take() {
            presented.way = Departure::Dismissed(why);
        }
    }

    /// Ends the connection; from here on it no longer counts as online, however long the client takes to close.
    async fn end(&mut self, code: Option<CloseCode>) {
        self.presented = None;
        self.line.end(code).await;
    }
}
