//! One WebSocket connection of one client.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use conclave_kit::{
    Answered, BoxFuture, Call, CallOutcome, Device, DisconnectReason, Fault, Frame, Platform, SignInRefused,
};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::client::{Outbox, Reply, Ticket, done, fault_code, identity, outcome, refused};
use super::facts::TencentFact;
use super::frame::{self, Head, Request};
use super::login::{self, Kept, Login};
use super::notices::Notices;
use crate::calls::{Command, SignedIn, Visit, VisitorCommand, answer_user, confirm, cookie_number};
use crate::realm::App;
use crate::refusals::{Code, Failure, Family};

pub(super) const LOGIN: &str = "wslogin";
pub(super) const HELLO: &str = "wshello";
pub(super) const LOGOUT: &str = "wslogout";
pub(super) const ALIVE: &str = "alive";

/// The service of signing in and out.
const STATUS: &str = "im_open_status";
/// The service of uploads, whose requests are signed by the user like a sign-in.
const UPLOADS: &str = "im_cos_msg.";
/// The service of heartbeats.
const HEARTBEAT: &str = "heartbeat";
/// The service of statistics, which clients call without having signed in.
const STATISTICS: &str = "imopenstat.";
/// How clients confirm a push that asks for it.
pub(super) const CONFIRM: &str = "ws_msg_push_ack";
/// Its service.
const MESSAGES: &str = "openim";
/// How clients fetch the notices from before they signed in.
const FETCH: &str = "openim.getmsg";

/// Heartbeat interval of signed-in clients, in seconds.
const HELLO_INTERVAL: u32 = 120;

/// The encoding of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Binary,
    /// Binary, and long frames are compressed.
    Compressed,
    Text,
}

impl Encoding {
    pub(super) fn frame(self, bytes: Bytes) -> Frame {
        match self {
            Self::Binary => Frame::Binary(bytes),
            Self::Compressed => Frame::Binary(frame::compressed(bytes)),
            Self::Text => Frame::Text(bytes),
        }
    }
}

/// One connection.
pub(crate) struct SocketSession {
    /// The app that the client names; without one, everything is refused.
    app: Option<Arc<App>>,
    device: Device,
    platform: Platform,
    encoding: Encoding,
    /// The URL of the vendor's surface as the client reaches it.
    root_url: Arc<str>,
    login: Option<Box<Kept>>,
    /// The number of the last event before the first command since the client signed in: what is later is pushed, and
    /// what is not is in the lists that the client reads.
    began: Arc<OnceLock<u64>>,
    /// Which notices it has been given since it signed in.
    notices: Notices,
    /// Who is being registered in presence, and the request that asked for it.
    signing_in: Option<Box<(Arc<Login>, Head)>>,
}

/// The vendor's reasons for signing a client out (`KickType`).
mod kick {
    pub(super) const ANOTHER_LOGIN: u32 = 1;
    pub(super) const BY_APP: u32 = 3;
}

impl SocketSession {
    pub(super) fn new(
        app: Option<Arc<App>>,
        (device, platform): (Device, Platform),
        encoding: Encoding,
        root_url: Arc<str>,
    ) -> Self {
        Self {
            app,
            device,
            platform,
            encoding,
            root_url,
            login: None,
            began: Arc::default(),
            notices: Notices::default(),
            signing_in: None,
        }
    }

    fn answer(&self, head: &Head, body: &[u8], out: &mut Outbox<'_>) {
        out.send(self.encoding.frame(frame::answer(head, body)));
    }

    fn done(&self, head: &Head, operation: Option<&'static str>, out: &mut Outbox<'_>) {
        out.count(operation, CallOutcome::Answered);
        self.answer(head, &done(), out);
    }

    fn refuse(&self, head: &Head, operation: Option<&'static str>, failure: &Failure, out: &mut Outbox<'_>) {
        out.count(operation, outcome(failure));
        self.answer(head, &refused(failure), out);
    }

    fn sign_in(app: &Arc<App>, head: Head, out: &mut Outbox<'_>) {
        let (app, asked) = (Arc::clone(app), head.clone());
        let work = async move {
            match login::sign_in(&app, &asked).await {
                Ok(login) => Answered::done(Reply::SignedIn(Arc::new(login))),
                Err(failure) => Answered::with(Reply::Body(refused(&failure)), outcome(&failure)),
            }
        };
        // one after another, so that the last one counts
        out.call(Call::new(Some(LOGIN), Ticket::Request(head), work).in_lane(0));
    }

    /// A command that needs no user.
    fn visit(app: &Arc<App>, command: &'static VisitorCommand, request: Request, out: &mut Outbox<'_>) {
        let Request { head, body } = request;
        let (app, asked, bytes) = (Arc::clone(app), head.clone(), body.len());
        let work = async move {
            let visit = Visit { app: &app, identifier: &asked.identifier, usersig: &asked.usersig, body: &body };
            match command.run(&visit).await {
                Ok(answer) => Answered::done(Reply::Body(answer.into_bytes())),
                Err(failure) => Answered::with(Reply::Body(refused(&failure)), outcome(&failure)),
            }
        };
        out.call(Call::new(Some(command.name), Ticket::Request(head), work).holding(bytes));
    }

    fn command(&self, app: &Arc<App>, request: Request, out: &mut Outbox<'_>) {
        let Request { head, body } = request;
        let operation = Command::named(&head.servcmd).map(|command| command.name);
        let known = self.login.as_ref().filter(|login| login.has_key(&head.a2)).map(|login| login.user.clone());
        // uploads are signed like a sign-in
        let is_signed = head.servcmd.starts_with(UPLOADS) && !head.usersig.is_empty();
        if known.is_none() && head.a2.is_empty() && !is_signed {
            return self.refuse(&head, operation, &Code::SigEmpty.into(), out);
        }
        let (lane, bytes) = (lane(&body), body.len());
        // a command that only reads is simply repeated
        let changes = Command::named(&head.servcmd).is_some_and(|command| command.changes);
        let once = changes.then(|| request_id(&self.device, &head, &body));
        let client = head.a2.clone();
        let (app, device, asked) = (Arc::clone(app), self.device.to_string(), head.clone());
        let root_url = Arc::clone(&self.root_url);
        let began = Arc::clone(&self.began);
        let work = async move {
            // a reconnected client repeats its requests before it signs in again
            let user = match known {
                Some(user) => user,
                None => match login::sign_in(&app, &asked).await {
                    Ok(login) => login.user,
                    Err(failure) => return Answered::with(Reply::Body(refused(&failure)), outcome(&failure)),
                },
            };
            let pushed_after = match began.get() {
                Some(began) => *began,
                None => match app.realm.log.last().await {
                    Ok(last) => *began.get_or_init(|| last),
                    Err(refusal) => {
                        let failure = Family::Accounts.failure(&refusal);
                        return Answered::with(Reply::Body(refused(&failure)), outcome(&failure));
                    }
                },
            };
            let user = SignedIn { user, device: Some(device), pushed_after: Some(pushed_after), root_url };
            let (answer, result) = answer_user(&app, user, &asked.servcmd, &body).await;
            match result {
                Ok(unread) => Answered::done(Reply::Body(answer)).leaving(unread),
                Err(failure) => Answered::with(Reply::Body(answer), outcome(&failure)),
            }
        };
        let call = Call::new(operation, Ticket::Request(head), work).holding(bytes);
        let call = match once {
            Some(request) => call.once(client, request),
            None => call,
        };
        out.call(match lane {
            Some(lane) => call.in_lane(lane),
            None => call,
        });
    }

    /// The client has a push that was to be confirmed.
    fn confirm(&self, app: &Arc<App>, Request { head, body }: Request, out: &mut Outbox<'_>) {
        #[derive(Deserialize)]
        struct Confirmation {
            #[serde(rename = "SessionData")]
            cookie: String,
        }
        let confirmation: Option<Confirmation> = serde_json::from_slice(&body).ok();
        let number = confirmation.and_then(|confirmation| cookie_number(&confirmation.cookie));
        // before it has those from while it was away, it does not have all up to this one
        let login = self.login.as_ref().filter(|login| login.has_key(&head.a2) && self.notices.are_complete);
        let (Some(login), Some(number)) = (login, number) else { return self.done(&head, Some(CONFIRM), out) };
        let (app, user, device) = (Arc::clone(app), login.user.clone(), self.device.to_string());
        let work = async move {
            match confirm(&app, &user, &device, number).await {
                Ok(()) => Answered::done(Reply::Body(done())),
                Err(refusal) => {
                    let failure = Family::Accounts.failure(&refusal);
                    Answered::with(Reply::Body(refused(&failure)), outcome(&failure))
                }
            }
        };
        out.call(Call::new(Some(CONFIRM), Ticket::Request(head), work).holding(body.len()));
    }

    /// Ends the client's login and notifies it.
    fn kick(&mut self, kind: u32, out: &mut Outbox<'_>) {
        self.login = None;
        let notice = json!({ "KickoutMsgNotify": { "KickType": kind, "NewInstInfo": {} } });
        let body = json!({ "EventArray": [{ "Event": 9, "C2cNotifyMsgArray": [notice] }] });
        out.send(self.encoding.frame(frame::order(frame::OFFLINE, body.to_string().as_bytes())));
    }

    pub(super) fn received(&mut self, frame: &Frame, out: &mut Outbox<'_>) {
        let Some(request) = Request::decode(frame.bytes()) else {
            // not a request that could be answered
            out.count(None, CallOutcome::Refused);
            return;
        };
        let head = &request.head;
        let Some(app) = self.app.clone() else {
            return self.refuse(head, None, &Code::AppUnknown.into(), out);
        };
        match head.servcmd.split_once('.') {
            Some((HEARTBEAT, ALIVE)) => self.done(head, Some(ALIVE), out),
            Some((STATUS, HELLO)) => self.done(head, Some(HELLO), out),
            Some((STATUS, LOGIN)) => Self::sign_in(&app, request.head, out),
            Some((STATUS, LOGOUT)) => {
                self.login = None;
                self.signing_in = None;
                out.sign_out();
                self.done(head, Some(LOGOUT), out);
            }
            // statistics are accepted and ignored
            _ if head.servcmd.starts_with(STATISTICS) => self.answer(head, &done(), out),
            Some((MESSAGES, CONFIRM)) => self.confirm(&app, request, out),
            _ => match VisitorCommand::named(&head.servcmd) {
                Some(command) => Self::visit(&app, command, request, out),
                None => self.command(&app, request, out),
            },
        }
    }

    pub(super) fn answered(&mut self, ticket: Ticket, result: Result<Reply, Fault>, out: &mut Outbox<'_>) {
        let Ticket::Request(head) = ticket else { return };
        match result {
            Ok(Reply::Body(body)) => {
                let body = if head.servcmd == FETCH { self.notices.fetched(body) } else { body };
                self.answer(&head, &body, out);
            }
            Ok(Reply::SignedIn(login)) => {
                let Some(app) = &self.app else { return };
                let identity = identity(app, &login.user, &self.device, self.platform);
                self.signing_in = Some(Box::new((login, head)));
                out.sign_in(identity);
            }
            Ok(Reply::Notices(_)) => {}
            Err(fault) => self.answer(&head, &refused(&fault_code(fault).into()), out),
        }
    }

    pub(super) fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_>) {
        let (Some(signing_in), Some(app)) = (self.signing_in.take(), self.app.clone()) else { return };
        let (login, head) = *signing_in;
        match result {
            Ok(()) => {
                let body = login.welcome(&self.device, HELLO_INTERVAL, app.realm.groups.now().seconds());
                self.login = Some(Box::new(Kept::of(&login)));
                self.notices = Notices::default();
                self.began = Arc::default();
                self.answer(&head, body.to_string().as_bytes(), out);
            }
            Err(SignInRefused::TooManyLogins | SignInRefused::Busy) => {
                self.answer(&head, &refused(&Code::TooFrequent.into()), out);
            }
            Err(SignInRefused::Unavailable) => self.answer(&head, &refused(&Code::AccountInternal.into()), out),
        }
    }

    pub(super) fn deliver(&mut self, fact: &Arc<TencentFact>, out: &mut Outbox<'_>) {
        let Some(login) = &self.login else { return };
        if fact.kept_notice().is_none_or(|number| self.notices.is_new(number)) {
            out.send(fact.frame(&login.user, self.encoding));
        }
    }

    pub(super) fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_>) {
        match reason {
            DisconnectReason::Replaced => self.kick(kick::ANOTHER_LOGIN, out),
            DisconnectReason::ByApp => self.kick(kick::BY_APP, out),
            // the client has a newer connection, or will open one
            DisconnectReason::Reconnected | DisconnectReason::ShuttingDown => out.close(),
            // it signs in again and gets the reason why it cannot
            DisconnectReason::TokenExpired | DisconnectReason::Deactivated | DisconnectReason::AccountDeleted => {
                self.login = None;
                out.send(self.encoding.frame(frame::order(frame::SIGN_IN_AGAIN, b"{}")));
            }
        }
    }

    pub(super) fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        Some(self.login.as_ref()?.recheck(self.app.clone()?))
    }
}

/// Identifies a request among those of its client, also if it is repeated over another connection.
fn request_id(device: &Device, head: &Head, body: &[u8]) -> String {
    format!("{device} {} {} {}", head.servcmd, head.seq, hex::encode(&Sha256::digest(body)[..16]))
}

/// The lane of a request: one per group.
fn lane(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct About {
        #[serde(rename = "GroupId")]
        group: String,
    }
    let about: About = serde_json::from_slice(body).ok()?;
    let mut hasher = DefaultHasher::new();
    about.group.hash(&mut hasher);
    Some(hasher.finish())
}
