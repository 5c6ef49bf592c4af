//! One connection of one device.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conclave_core::model::{GroupId, Queue};
use conclave_core::refusal::Refusal;
use conclave_kit::{Answered, BoxFuture, Call, CallOutcome, DisconnectReason, Fault, Frame, Session, SignInRefused};
use prost::Message as _;
use prost::bytes::Bytes;

use super::frame::{self, Refused};
use super::login::{Login, Request};
use super::news::AgoraFact;
use super::queues::{Asked, Delivery, Next, Question, Queues};
use super::send::{Sent, Upward};
use super::store::{self, QueueItems, Waiting};
use super::wire::{CommSyncUl, Jid, MSync, Meta, Provision, command, ns, statistics, status};
use super::{Apps, LOGOUT, PROVISION, QUEUE, UNREAD};
use crate::refusals;

type Outbox<'a> = conclave_kit::Outbox<'a, AgoraSession>;

/// One connection.
pub(crate) struct AgoraSession {
    apps: Arc<Apps>,
    /// Unique among all connections.
    connection: String,
    encoding: Encoding,
    stage: Stage,
    queues: Queues,
    /// The groups whose messages the user does not receive.
    shielded: BTreeSet<GroupId>,
    /// Whether waiting queues are being read, at the client's request or not.
    looking: bool,
    /// How many statistics the client sends until it has handled the list of unread queues that it asked for; `None` if
    /// it has not asked for one. The SDKs send one after each list, and one when they ask for the first.
    statistics: Option<u8>,
}

/// The encoding of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Binary.
    Binary,
    /// Base64, as text.
    Text,
}

impl Encoding {
    fn send(self, out: &mut Outbox<'_>, frame: Bytes) {
        match self {
            Self::Binary => out.send_binary(frame),
            Self::Text => out.send_text(STANDARD.encode(frame)),
        }
    }

    /// Reads a client's frame; `None` when it is invalid.
    fn read(self, frame: Frame) -> Option<MSync> {
        let bytes = match self {
            Self::Binary => frame.into_bytes(),
            Self::Text => STANDARD.decode(frame.bytes()).ok()?.into(),
        };
        MSync::decode(bytes).ok()
    }
}

/// The stages of a connection.
enum Stage {
    /// It has not signed in.
    New,
    /// Its token is being verified.
    Verifying,
    /// Accepted, and not registered in presence yet.
    Entering(Arc<Login>),
    /// It is online.
    In(Arc<Login>),
    /// Refused or signed out: no more frames are sent.
    Over,
}

/// A call of this session.
pub(crate) enum Ticket {
    Provision,
    /// Reads the waiting queues; whether the client asked.
    Waiting(bool),
    Queue(Queue),
    /// An item from the client, by its id.
    Sent(u64),
}

/// The result of a call.
pub(crate) enum Reply {
    Provision(Result<Box<Login>, Refused>),
    Waiting(Result<Waiting, Refusal>),
    Queue(Result<QueueItems, Refusal>),
    Sent(Sent),
}

impl AgoraSession {
    pub(super) fn new(apps: Arc<Apps>, connection: String, encoding: Encoding) -> Self {
        let (stage, queues, shielded) = (Stage::New, Queues::default(), BTreeSet::new());
        Self { apps, connection, encoding, stage, queues, shielded, looking: false, statistics: None }
    }

    fn login(&self) -> Option<&Arc<Login>> {
        match &self.stage {
            Stage::In(login) => Some(login),
            _ => None,
        }
    }

    // --- signing in and out --------------------------------------------------------------------------------

    fn provision(&mut self, frame: &MSync, out: &mut Outbox<'_>) {
        if matches!(self.stage, Stage::Verifying | Stage::Entering(_) | Stage::Over) {
            return;
        }
        let asked = Provision::decode(frame.payload.clone().unwrap_or_default());
        let wrong = |_| Refused::new(status::WRONG_PARAMETER, "Sorry, parameter is invalid");
        let request = asked.map_err(wrong).and_then(|asked| Request::read(&self.apps, frame, &asked, &self.connection));
        match request {
            Ok(request) => {
                self.stage = Stage::Verifying;
                let work = async move {
                    let login = request.verify().await.map(Box::new);
                    let outcome = login.as_ref().map_or_else(Refused::sign_in_outcome, |_| CallOutcome::Answered);
                    Answered::with(Reply::Provision(login), outcome)
                };
                out.call(Call::new(Some(PROVISION), Ticket::Provision, work));
            }
            Err(refused) => {
                out.count(Some(PROVISION), refused.sign_in_outcome());
                self.turn_away(&refused, out);
            }
        }
    }

    /// The SDKs do not close a refused connection themselves.
    fn turn_away(&mut self, refused: &Refused, out: &mut Outbox<'_>) {
        self.stage = Stage::Over;
        self.encoding.send(out, frame::sign_in_refused(refused));
        out.close();
    }

    fn logout(&mut self, out: &mut Outbox<'_>) {
        out.count(Some(LOGOUT), CallOutcome::Answered);
        self.stage = Stage::Over;
        out.sign_out();
        self.encoding.send(out, frame::signed_out());
        out.close();
    }

    // --- queues --------------------------------------------------------------------------------------------

    /// Reads the waiting queues.
    fn look(&mut self, login: &Arc<Login>, asked: bool, out: &mut Outbox<'_>) {
        self.looking = true;
        self.queues.forget();
        let login = Arc::clone(login);
        let work = async move {
            let waiting = store::waiting(&login).await;
            let outcome = if waiting.is_ok() { CallOutcome::Answered } else { CallOutcome::Failed };
            Answered::with(Reply::Waiting(waiting), outcome)
        };
        out.call(Call::new(asked.then_some(UNREAD), Ticket::Waiting(asked), work).in_lane(LOOKING));
    }

    fn waiting(&mut self, login: &Login, asked: bool, waiting: Waiting, out: &mut Outbox<'_>) {
        self.looking = false;
        let Waiting { queues, floor, is_complete } = waiting;
        let (names, now) = (login.app.names(), login.now());
        let jid = |queue: &Queue| names.queue(login.user(), queue);
        let listed: Vec<Queue> = queues.iter().map(|(queue, _)| queue.clone()).collect();
        let others = self.queues.learn(&listed, floor, is_complete, asked);
        let list = queues.iter().filter_map(|(queue, n)| Some((jid(queue)?, *n)));
        if asked {
            self.encoding.send(out, frame::unread(list.collect(), now));
        } else {
            for (queue, _) in list {
                self.encoding.send(out, frame::notice(queue));
            }
        }
        for queue in others {
            if let Some(queue) = jid(&queue) {
                self.encoding.send(out, frame::notice(queue));
            }
        }
    }

    /// Reads queues that a client has received a list of and does not ask for. `agora-chat` 1.3 ignores a queue that it was
    /// reading when its last connection ended (it keeps `_queues` and `unSyncQueue`), until it receives items of it and
    /// their end.
    fn read_unasked(&mut self, login: &Arc<Login>, out: &mut Outbox<'_>) {
        for queue in self.queues.unasked() {
            if let Asked::Store(question) = self.queues.ask(&queue, None) {
                Self::question(login, queue, question, out);
            }
        }
    }

    /// The client has sent statistics, which need no reply.
    fn statistics(&mut self, login: &Arc<Login>, out: &mut Outbox<'_>) {
        let Some(left @ 1..) = self.statistics else { return };
        self.statistics = Some(left - 1);
        if left == 1 && !self.looking {
            self.read_unasked(login, out);
        }
    }

    fn ask_queue(&mut self, login: &Arc<Login>, jid: Jid, key: Option<u64>, out: &mut Outbox<'_>) {
        let Some(queue) = login.app.names().asked(login.user(), &jid) else {
            // a queue that does not exist is empty
            out.count(Some(QUEUE), CallOutcome::Answered);
            self.encoding.send(out, frame::end_of_queue(jid, login.now()));
            return;
        };
        match self.queues.ask(&queue, key) {
            Asked::Store(question) => Self::question(login, queue, question, out),
            Asked::End => {
                out.count(Some(QUEUE), CallOutcome::Answered);
                self.end(login, &queue, out);
            }
            Asked::Nothing => out.count(Some(QUEUE), CallOutcome::Answered),
        }
    }

    fn question(login: &Arc<Login>, queue: Queue, question: Question, out: &mut Outbox<'_>) {
        let (login, ticket) = (Arc::clone(login), Ticket::Queue(queue.clone()));
        let work = async move {
            let answer = store::answer(&login, &queue, question).await;
            let outcome = if answer.is_ok() { CallOutcome::Answered } else { CallOutcome::Failed };
            Answered::with(Reply::Queue(answer), outcome)
        };
        out.call(Call::new(Some(QUEUE), ticket, work));
    }

    fn end(&self, login: &Login, queue: &Queue, out: &mut Outbox<'_>) {
        let jid = login.app.names().queue(login.user(), queue);
        if let Some(jid) = jid {
            self.encoding.send(out, frame::end_of_queue(jid, login.now()));
        }
    }

    fn queue_answered(&mut self, login: &Arc<Login>, queue: Queue, answer: QueueItems, out: &mut Outbox<'_>) {
        let QueueItems { page, items } = answer;
        match self.queues.answered(&queue, page) {
            Next::Send => {
                let key = page.and_then(|page| page.key).unwrap_or_default();
                let jid = login.app.names().queue(login.user(), &queue);
                if let Some(jid) = jid {
                    self.encoding.send(out, frame::items(jid, items, key, login.now()));
                }
            }
            Next::End => self.end(login, &queue, out),
            Next::Store(question) => Self::question(login, queue, question, out),
            Next::Nothing => {}
        }
    }

    // --- items from the client -------------------------------------------------------------------------------

    fn sync(&mut self, login: &Arc<Login>, payload: Bytes, out: &mut Outbox<'_>) {
        let Ok(sync) = CommSyncUl::decode(payload) else { return self.broken("a frame that cannot be read", out) };
        match sync {
            CommSyncUl { meta: Some(meta), .. } => self.send(login, meta, out),
            CommSyncUl { queue: Some(queue), key, .. } => self.ask_queue(login, queue, key, out),
            _ => {}
        }
    }

    fn send(&mut self, login: &Arc<Login>, meta: Meta, out: &mut Outbox<'_>) {
        if meta.ns.unwrap_or(ns::STATISTIC) == ns::STATISTIC {
            return self.statistics(login, out);
        }
        let (meta_id, bytes) = (meta.id.unwrap_or(0), meta.payload.as_ref().map_or(0, Bytes::len));
        match Upward::read(login, meta) {
            Ok(upward) => {
                let (operation, lane) = (upward.operation, upward.lane());
                let login = Arc::clone(login);
                let work = async move {
                    let sent = upward.perform(&login).await;
                    let outcome = sent.outcome();
                    Answered::with(Reply::Sent(sent), outcome)
                };
                out.call(Call::new(Some(operation), Ticket::Sent(meta_id), work).in_lane(lane).holding(bytes));
            }
            Err(refused) => {
                out.count(None, refused.outcome());
                let refused = login.in_known_words(refused);
                self.encoding.send(out, frame::sent(meta_id, Some(0), Some(&refused), Vec::new(), login.now()));
            }
        }
    }

    fn broken(&mut self, what: &str, out: &mut Outbox<'_>) {
        tracing::debug!(connection = self.connection, "a client is disconnected: {what}");
        self.stage = Stage::Over;
        out.close();
    }

    /// Ends the session, with the reason that the SDKs report to their apps. They do not reconnect after it.
    fn farewell(&self, login: &Login, operation: i32, out: &mut Outbox<'_>) {
        let user = login.app.names().device(&crate::dialect::ids::shown(login.user()), Some(&login.resource));
        let now = login.now();
        self.encoding.send(out, frame::farewell(operation, now.0, user, now));
    }
}

/// The lane of reads of the waiting queues, which run one after another, so that the last result is the latest state.
const LOOKING: u64 = 0;

impl Session for AgoraSession {
    type Ticket = Ticket;
    type Reply = Reply;
    type Fact = AgoraFact;

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_>) {
        if matches!(self.stage, Stage::Over) {
            return;
        }
        let Some(frame) = self.encoding.read(frame) else {
            return self.broken("a frame that cannot be read", out);
        };
        let login = self.login().cloned();
        let payload = frame.payload.clone().unwrap_or_default();
        match (frame.command, login) {
            (Some(command::PROVISION), _) => self.provision(&frame, out),
            (Some(command::LOGOUT), _) => self.logout(out),
            (Some(command::UNREAD), Some(login)) => {
                self.statistics = Some(if self.statistics.is_none() { 2 } else { 1 });
                self.look(&login, true, out);
            }
            (Some(command::SYNC) | None, Some(login)) => self.sync(&login, payload, out),
            // invalid, or sent before signing in
            _ => {}
        }
    }

    fn answered(&mut self, ticket: Ticket, result: Result<Reply, Fault>, out: &mut Outbox<'_>) {
        let login = self.login().cloned();
        match (result, ticket, login) {
            (Ok(Reply::Provision(Ok(login))), ..) if matches!(self.stage, Stage::Verifying) => {
                let login = Arc::<Login>::from(login);
                self.queues = Queues::default();
                self.statistics = None;
                self.shielded = login.shielded.iter().cloned().collect();
                self.stage = Stage::Entering(Arc::clone(&login));
                out.sign_in(login.identity.clone());
            }
            (Ok(Reply::Provision(Err(refused))), ..) => self.turn_away(&refused, out),
            // the SDKs try again when a connection ends without a reply
            (Err(_), Ticket::Provision, _) => self.broken("it could not be verified in time", out),
            (Ok(Reply::Waiting(Ok(waiting))), Ticket::Waiting(asked), Some(login)) => {
                self.waiting(&login, asked, waiting, out);
            }
            (Ok(Reply::Waiting(Err(_))) | Err(_), Ticket::Waiting(_), _) => {
                // the next heartbeat tries again
                self.looking = false;
            }
            (Ok(Reply::Queue(Ok(answer))), Ticket::Queue(queue), Some(login)) => {
                self.queue_answered(&login, queue, answer, out);
            }
            (Ok(Reply::Queue(Err(refusal))), Ticket::Queue(queue), Some(login)) => {
                tracing::error!(app = %login.app.key(), "a queue cannot be read: {refusal}");
                self.queues.failed(&queue);
                self.end(&login, &queue, out);
            }
            (Err(_), Ticket::Queue(queue), Some(login)) => {
                self.queues.failed(&queue);
                self.end(&login, &queue, out);
            }
            (Ok(Reply::Sent(sent)), _, Some(login)) => {
                let Sent { meta_id, server_id, refused, metas } = sent;
                let refused = refused.map(|refused| login.in_known_words(refused));
                self.encoding.send(out, frame::sent(meta_id, server_id, refused.as_ref(), metas, login.now()));
            }
            (Err(fault), Ticket::Sent(meta_id), Some(login)) => {
                // an error that a test asks for has the text of the server API
                let text = match fault {
                    Fault::Error(position) => refusals::error_at(position).description,
                    _ => String::new(),
                };
                let refused = Refused::new(status::FAIL, text);
                self.encoding.send(out, frame::sent(meta_id, Some(0), Some(&refused), Vec::new(), login.now()));
            }
            _ => {}
        }
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_>) {
        let Stage::Entering(login) = &self.stage else { return };
        let login = Arc::clone(login);
        match result {
            Ok(()) => {
                self.encoding.send(out, frame::signed_in(&login.resource, login.auth_token()));
                self.stage = Stage::In(login);
            }
            Err(SignInRefused::TooManyLogins) => {
                let reason = "Sorry, the number of devices exceeds the limit";
                self.turn_away(&Refused::new(status::TOO_MANY_DEVICES, reason), out);
            }
            Err(SignInRefused::Busy) => {
                let reason = "Sorry, the app online count limit";
                self.turn_away(&Refused::new(status::PERMISSION_DENIED, reason), out);
            }
            Err(SignInRefused::Unavailable) => self.broken("the user's groups could not be read", out),
        }
    }

    fn deliver(&mut self, fact: &Arc<AgoraFact>, out: &mut Outbox<'_>) {
        let Some(login) = self.login().cloned() else { return };
        let news = &fact.news;
        if let Some(on) = news.shields {
            if on {
                self.shielded.insert(news.group.clone());
            } else {
                self.shielded.remove(&news.group);
            }
            if news.is_by(&login.device) {
                return;
            }
        }
        let unwanted = news.is_message && self.shielded.contains(&news.group);
        if unwanted || !news.is_known_to(login.knows_lists) {
            return;
        }
        let queue = news.queue(login.user());
        // made only where it is needed: the frame that pushes an item to a group has it already
        let jid = || login.app.names().queue(login.user(), &queue);
        if news.passing {
            if let Some(jid) = jid() {
                self.encoding.send(out, frame::passing(jid, news.meta.clone(), news.at));
            }
            return;
        }
        match (self.queues.deliver(&queue, news.key), &queue) {
            (Delivery::Push, Queue::Group(_)) => out.send(fact.shared(self.encoding)),
            (Delivery::Push, Queue::Own | Queue::All(_)) => {
                if let Some(jid) = jid() {
                    self.encoding.send(out, frame::items(jid, vec![news.meta.clone()], news.key, news.at));
                }
            }
            (Delivery::Notice, _) => {
                if let Some(jid) = jid() {
                    self.encoding.send(out, frame::notice(jid));
                }
            }
            (Delivery::Nothing, _) => {}
        }
    }

    fn missed(&mut self, out: &mut Outbox<'_>) {
        let Some(login) = self.login().cloned() else { return };
        self.look(&login, false, out);
    }

    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_>) {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        if let Stage::In(login) | Stage::Entering(login) = stage {
            let operation = match reason {
                DisconnectReason::AccountDeleted => Some(statistics::USER_REMOVED),
                // a page in another tab has the same device, and ends the earlier one (documentation: login on several
                // devices); an SDK that reconnects has closed its earlier connection, and does not read this
                DisconnectReason::Replaced | DisconnectReason::Reconnected => {
                    Some(statistics::USER_LOGIN_ANOTHER_DEVICE)
                }
                DisconnectReason::ByApp | DisconnectReason::Deactivated => {
                    Some(statistics::USER_KICKED_BY_OTHER_DEVICE)
                }
                // all tokens of the user were revoked, for example by a new password
                DisconnectReason::TokenExpired => Some(statistics::USER_KICKED_BY_CHANGE_PASSWORD),
                // the client reconnects by itself
                DisconnectReason::ShuttingDown => None,
            };
            if let Some(operation) = operation {
                self.farewell(&login, operation, out);
            }
        }
        out.close();
    }

    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        self.login().map(|login| Box::pin(login.recheck()) as BoxFuture<'static, _>)
    }
}
