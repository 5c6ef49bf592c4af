//! One connection of one device.

mod pulls;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conclave_core::model::{Message, Millis};
use conclave_kit::{
    Answered, BoxFuture, Call as KitCall, CallOutcome, DisconnectReason, ErrorClass, Fault, Frame, Session,
    SignInRefused, VendorCode, VendorError,
};
use prost::Message as _;

use super::call::{Call, Denied, millis};
use super::connect::{Login, LoginRequest, status};
use super::facts::{RongFact, What};
use super::feed::{FeedPosition, Kind, Reader};
use super::frame::{self, Incoming, Mode, Request};
use super::wire::NotifyMsg;
use super::{message, topics};
use crate::auth::token::{self, InvalidToken};
use crate::dialect::message::uid;
use crate::refusals::{self, client};

use pulls::{placed, pull_changes, pull_edits, pull_messages};

type Outbox<'a> = conclave_kit::Outbox<'a, RongSession>;

/// Clients ping every 15 seconds; a connection that is silent for this long is dead.
pub(super) const SILENCE: Duration = Duration::from_mins(1);

/// The statuses in the last frame, for the reason a connection ends.
mod farewell {
    pub(super) const REPLACED: u8 = 1;
    pub(super) const PROTOCOL: u8 = 2;
    pub(super) const REDIRECT: u8 = 6;
    pub(super) const TOKEN_EXPIRED: u8 = 7;
    pub(super) const ACCOUNT_DELETED: u8 = 9;
}

/// What a notice tells the client to fetch.
mod notice {
    pub(super) const MESSAGES: i32 = 1;
    pub(super) const CHANGES: i32 = 11;
    pub(super) const EDITS: i32 = 12;
}

/// One connection.
pub(crate) struct RongSession {
    stage: Stage,
    /// The last number of a frame that the client confirms.
    last_id: u16,
    inbox: Option<FeedPosition>,
    changes: Option<FeedPosition>,
    edits: Option<FeedPosition>,
    queries: Pace,
    messages: Pace,
}

/// The stages of a connection.
enum Stage {
    /// Refused with this status.
    Refused(u8),
    /// Its token is being verified.
    Connecting(Box<LoginRequest>),
    /// Its token is valid, and it is being registered in presence. The request is kept for the first frame.
    Entering(Arc<Login>, Box<LoginRequest>),
    /// Accepted. There are many such connections, and most of them wait: nothing is kept for them that is not needed.
    In(Arc<Login>),
}

/// A call of this session.
pub(crate) enum Ticket {
    Connect,
    Publish(u16),
    Query(u16),
}

/// The result of a call.
pub(crate) enum Reply {
    Connected(Result<Login, u8>),
    Frame(Bytes),
    /// A pull: the frame, and how far the client has fetched.
    Pulled(Bytes, Kind, Option<FeedPosition>),
}

/// The requests in the current second.
#[derive(Debug, Default)]
struct Pace {
    second: u64,
    done: u32,
}

impl Pace {
    /// Whether one more is permitted, of so many per second; 0 is unlimited.
    fn allows(&mut self, now: Millis, most: u32) -> bool {
        if most == 0 {
            return true;
        }
        if self.second != now.seconds() {
            *self = Self { second: now.seconds(), done: 0 };
        }
        self.done = self.done.saturating_add(1);
        self.done <= most
    }
}

impl RongSession {
    /// A client that connects, or the status with which it is refused.
    pub(crate) fn new(request: Result<LoginRequest, u8>) -> Self {
        let stage = match request {
            Ok(request) => Stage::Connecting(Box::new(request)),
            Err(status) => Stage::Refused(status),
        };
        let (inbox, changes, edits) = (None, None, None);
        Self { stage, last_id: 0, inbox, changes, edits, queries: Pace::default(), messages: Pace::default() }
    }

    fn login(&self) -> Option<&Arc<Login>> {
        match &self.stage {
            Stage::Entering(login, _) | Stage::In(login) => Some(login),
            Stage::Refused(_) | Stage::Connecting(_) => None,
        }
    }

    fn refuse(&mut self, status: u8, out: &mut Outbox<'_>) {
        self.stage = Stage::Refused(status);
        out.send_binary(frame::refused(status));
        out.close();
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    fn place(&self, kind: Kind) -> Option<FeedPosition> {
        match kind {
            Kind::Inbox => self.inbox,
            Kind::Changes => self.changes,
            Kind::Edits => self.edits,
        }
    }

    fn place_mut(&mut self, kind: Kind) -> &mut Option<FeedPosition> {
        match kind {
            Kind::Inbox => &mut self.inbox,
            Kind::Changes => &mut self.changes,
            Kind::Edits => &mut self.edits,
        }
    }

    // --- requests of the client ------------------------------------------------------------------------------

    fn query(&mut self, login: &Arc<Login>, request: Request, out: &mut Outbox<'_>) {
        let now = login.now();
        let operation = topics::known(topics::QUESTIONS, &request.topic);
        let most = login.app.realm.settings.client_queries;
        if topics::is_of_groups(&request.topic) && !self.queries.allows(now, most) {
            out.count(operation, outcome(client::TOO_MANY_QUERIES));
            out.send_binary(frame::answered(request.id, now, client::TOO_MANY_QUERIES, &[]));
            return;
        }
        let (login, ticket) = (Arc::clone(login), Ticket::Query(request.id));
        let (lane, bytes) = (lane(&request), request.body.len());
        let pulled = match request.topic.as_str() {
            "pullMsg" => Some(Kind::Inbox),
            "pullEventChange" => Some(Kind::Changes),
            "pullModifyMsg" => Some(Kind::Edits),
            _ => None,
        };
        let left = pulled.and_then(|kind| self.place(kind));
        let work = async move {
            let (answer, place) = match pulled {
                Some(Kind::Inbox) => placed(pull_messages(&login, left, &request.body).await),
                Some(Kind::Changes) => placed(pull_changes(&login, left, &request.body).await),
                Some(Kind::Edits) => placed(pull_edits(&login, left, &request.body).await),
                None => (topics::answer(&login.call(), &request.topic, &request.body).await, None),
            };
            let (status, body) = match answer {
                Ok(body) => (0, body),
                Err(denied) => (denied.status, Denied::body(&denied)),
            };
            let frame = frame::answered(request.id, login.now(), status, &body);
            let reply =
                pulled.map_or_else(|| Reply::Frame(frame.clone()), |kind| Reply::Pulled(frame.clone(), kind, place));
            Answered::with(reply, outcome(status))
        };
        out.call(KitCall::new(operation, ticket, work).in_lane(lane).holding(bytes));
    }

    fn publish(&mut self, login: &Arc<Login>, request: Request, out: &mut Outbox<'_>) {
        let now = login.now();
        let operation = topics::known(topics::MESSAGES, &request.topic);
        if !self.messages.allows(now, login.app.realm.settings.client_messages) {
            out.count(operation, outcome(client::TOO_FAST));
            out.send_binary(frame::published(request.id, now, client::TOO_FAST, ""));
            return;
        }
        let (login, ticket) = (Arc::clone(login), Ticket::Publish(request.id));
        let (lane, bytes) = (lane(&request), request.body.len());
        let work = async move {
            let call = login.call();
            let done = match request.topic.as_str() {
                "pgMsgP" => message::send::send(&call, &request, true).await,
                "pgMsgS" => message::send::send(&call, &request, false).await,
                "recallMsg" => message::recall::recall(&call, &request).await,
                _ => Err(client::UNSUPPORTED),
            };
            let (status, frame) = match done {
                Ok((at, uid)) => (0, frame::published(request.id, at, 0, &uid)),
                Err(status) => (status, frame::published(request.id, login.now(), status, "")),
            };
            Answered::with(Reply::Frame(frame), outcome(status))
        };
        out.call(KitCall::new(operation, ticket, work).in_lane(lane).holding(bytes));
    }

    // --- notifications of the client -------------------------------------------------------------------------

    /// Tells the client to fetch. The timestamp must be later than any the client has.
    fn notify(&mut self, login: &Login, kind: Kind, at: u64, out: &mut Outbox<'_>) {
        let (topic, number) = match kind {
            Kind::Inbox => ("s_ntf", notice::MESSAGES),
            Kind::Changes => ("s_cmd", notice::CHANGES),
            Kind::Edits => ("s_cmd", notice::EDITS),
        };
        let time = self.place(kind).map_or(at, |place| at.max(place.time.saturating_add(1)));
        let body = NotifyMsg { kind: number, time: Some(millis(time)) }.encode_to_vec();
        let id = self.next_id();
        out.send_binary(frame::publish(Mode::Confirmed, login.now(), topic, login.identity.user.as_str(), id, &body));
    }

    /// A message that the user sent on another device: as it was sent, and how it was confirmed.
    fn echo(&mut self, login: &Login, sent: &Message, out: &mut Outbox<'_>) {
        let id = self.next_id();
        let body = message::up(sent).encode_to_vec();
        out.send_binary(frame::publish(Mode::Echo, login.now(), "pgMsgP", sent.group.as_str(), id, &body));
        out.send_binary(frame::published(id, sent.at, 0, &uid(&sent.id)));
    }

    /// A message that is stored nowhere is sent whole.
    fn pass(&mut self, login: &Login, sent: &Message, out: &mut Outbox<'_>) {
        let id = self.next_id();
        let user = &login.identity.user;
        let body = message::down(sent, user).encode_to_vec();
        out.send_binary(frame::publish(Mode::Confirmed, login.now(), "s_msg", user.as_str(), id, &body));
    }
}

impl Login {
    fn now(&self) -> Millis {
        self.app.realm.groups.now()
    }

    fn reader(&self) -> Reader<'_> {
        Reader { app: &self.app, user: &self.identity.user, device: &self.device }
    }

    fn call(&self) -> Call<'_> {
        Call::new(&self.app, &self.identity.user, &self.device)
    }
}

/// The lane of a request: one per target. A client that sends two messages to a group sees them there in that order.
fn lane(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    match request.topic.as_str() {
        "pullMsg" | "pullEventChange" | "pullModifyMsg" => request.topic.hash(&mut hasher),
        _ => request.target.hash(&mut hasher),
    }
    hasher.finish()
}

/// The outcome of a status for the metrics.
fn outcome(status: u16) -> CallOutcome {
    let class = match status {
        0 => return CallOutcome::Answered,
        client::HOSTING_FAILED => ErrorClass::Failed,
        _ => ErrorClass::Refused,
    };
    CallOutcome::Error(VendorError { code: VendorCode::Number(u32::from(status)), class })
}

/// The outcome of a sign-in that was refused.
fn sign_in_outcome(status: u8) -> CallOutcome {
    let class = match status {
        status::UNAVAILABLE => ErrorClass::Failed,
        status::TOKEN | status::TOKEN_EXPIRED | status::IDENTIFIER => ErrorClass::Unauthenticated,
        _ => ErrorClass::Refused,
    };
    CallOutcome::Error(VendorError { code: VendorCode::Number(u32::from(status)), class })
}

/// The status of a call that failed.
fn failed(fault: Fault) -> u16 {
    match fault {
        Fault::Busy => client::TOO_MANY_QUERIES,
        Fault::Malformed | Fault::TooLarge | Fault::TimedOut | Fault::Broken => client::HOSTING_FAILED,
        Fault::Error(position) => {
            let number = refusals::number_at(position).and_then(|number| u16::try_from(number).ok());
            number.unwrap_or(client::HOSTING_FAILED)
        }
    }
}

impl Session for RongSession {
    type Ticket = Ticket;
    type Reply = Reply;
    type Fact = RongFact;

    fn opened(&mut self, out: &mut Outbox<'_>) {
        match &self.stage {
            Stage::Connecting(request) => {
                let request = LoginRequest::clone(request);
                let work = async move {
                    let login = request.verify().await;
                    let outcome =
                        login.as_ref().map_or_else(|status| sign_in_outcome(*status), |_| CallOutcome::Answered);
                    Answered::with(Reply::Connected(login), outcome)
                };
                out.call(KitCall::new(Some(topics::CONNECT), Ticket::Connect, work));
            }
            Stage::Refused(status) => {
                let status = *status;
                out.count(Some(topics::CONNECT), sign_in_outcome(status));
                self.refuse(status, out);
            }
            Stage::Entering(..) | Stage::In(_) => {}
        }
    }

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_>) {
        let incoming = match Incoming::decode(frame.bytes()) {
            Ok(incoming) => incoming,
            Err(bad) => {
                tracing::debug!("a client is disconnected: {bad}");
                out.send_binary(frame::disconnect(farewell::PROTOCOL));
                out.close();
                return;
            }
        };
        // a client may not send anything before it is accepted
        let login = self.login().cloned();
        match (incoming, login) {
            (Incoming::Ping, _) => out.send_binary(frame::pong()),
            (Incoming::Confirmed(_), _) => {}
            (Incoming::Disconnect(_), _) => {
                out.sign_out();
                out.close();
            }
            (Incoming::Publish(request), Some(login)) => self.publish(&login, request, out),
            (Incoming::Query(request), Some(login)) => self.query(&login, request, out),
            (Incoming::Publish(_) | Incoming::Query(_), None) => {
                out.send_binary(frame::disconnect(farewell::PROTOCOL));
                out.close();
            }
        }
    }

    fn answered(&mut self, ticket: Ticket, result: Result<Reply, Fault>, out: &mut Outbox<'_>) {
        let now = self.login().map_or(Millis(0), |login| login.now());
        match (result, ticket) {
            (Ok(Reply::Frame(frame)), _) => out.send_binary(frame),
            (Ok(Reply::Pulled(frame, kind, place)), _) => {
                if place.is_some() {
                    *self.place_mut(kind) = place;
                }
                out.send_binary(frame);
            }
            (Ok(Reply::Connected(Ok(login))), _) => {
                let Stage::Connecting(request) = &self.stage else { return };
                out.sign_in(login.identity.clone());
                self.stage = Stage::Entering(Arc::new(login), request.clone());
            }
            (Ok(Reply::Connected(Err(status))), _) => self.refuse(status, out),
            (Err(_), Ticket::Connect) => self.refuse(status::UNAVAILABLE, out),
            (Err(fault), Ticket::Publish(id)) => out.send_binary(frame::published(id, now, failed(fault), "")),
            (Err(fault), Ticket::Query(id)) => out.send_binary(frame::answered(id, now, failed(fault), &[])),
        }
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_>) {
        match (result, &self.stage) {
            (Ok(()), Stage::Entering(login, request)) => {
                let user = login.identity.user.as_str();
                out.send_binary(frame::accepted(request.version, user, &request.connection, login.now()));
                self.stage = Stage::In(Arc::clone(login));
            }
            _ => self.refuse(status::UNAVAILABLE, out),
        }
    }

    fn deliver(&mut self, fact: &Arc<RongFact>, out: &mut Outbox<'_>) {
        let Some(login) = self.login().cloned() else { return };
        let kind = match &fact.what {
            What::Passing(sent) => return self.pass(&login, sent, out),
            What::Fetch(kind) => *kind,
            What::SentElsewhere(_) => Kind::Inbox,
        };
        if self.place(kind).is_some_and(|place| fact.sequence != 0 && fact.sequence <= place.sequence) {
            return;
        }
        match &fact.what {
            What::SentElsewhere(sent) => self.echo(&login, sent, out),
            What::Fetch(_) | What::Passing(_) => self.notify(&login, kind, fact.at, out),
        }
    }

    fn missed(&mut self, out: &mut Outbox<'_>) {
        let Some(login) = self.login().cloned() else { return };
        let now = login.now().0;
        self.notify(&login, Kind::Inbox, now, out);
        self.notify(&login, Kind::Changes, now, out);
        self.notify(&login, Kind::Edits, now, out);
    }

    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_>) {
        let status = match reason {
            DisconnectReason::Replaced | DisconnectReason::Reconnected => farewell::REPLACED,
            // revokes the tokens too when the app disconnects the user
            DisconnectReason::TokenExpired | DisconnectReason::ByApp => farewell::TOKEN_EXPIRED,
            DisconnectReason::Deactivated => farewell::PROTOCOL,
            DisconnectReason::AccountDeleted => farewell::ACCOUNT_DELETED,
            // clients ask the navigator again, which may return another address by then, and keep trying
            DisconnectReason::ShuttingDown => farewell::REDIRECT,
        };
        out.send_binary(frame::disconnect(status));
        out.close();
    }

    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        let login = Arc::clone(self.login()?);
        Some(Box::pin(async move {
            match token::check(&login.app, &login.claim).await {
                Ok(_) => None,
                Err(InvalidToken::Forged | InvalidToken::Expired) => Some(DisconnectReason::TokenExpired),
                Err(InvalidToken::UserGone) => Some(DisconnectReason::AccountDeleted),
                Err(InvalidToken::UserBlocked) => Some(DisconnectReason::Deactivated),
                Err(InvalidToken::Unknown(refusal)) => {
                    tracing::error!("a client's token could not be checked again; the connection is kept: {refusal}");
                    None
                }
            }
        }))
    }
}
