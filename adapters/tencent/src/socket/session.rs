//! One connection of one client.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use conclave_kit::{
    Answered, BoxFuture, Call, CallOutcome, Device, DisconnectReason, Exceeding, Fault, Frame, Identity, LoginScope,
    Platform, Session, SignInRefused, VendorCode, VendorError,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::facts::TencentFact;
use super::frame::{self, Head, Request};
use super::login::{self, Login};
use super::notices::Notices;
use crate::calls::{Command, FEATURES, SignedIn, answer_user, confirm, cookie_number, envelope};
use crate::dialect::tiny_id;
use crate::realm::App;
use crate::refusals::{Code, Failure, Family};

type Outbox<'a> = conclave_kit::Outbox<'a, TencentSession>;

pub(super) const LOGIN: &str = "wslogin";
pub(super) const HELLO: &str = "wshello";
pub(super) const LOGOUT: &str = "wslogout";
pub(super) const ALIVE: &str = "alive";

/// The service of signing in and out.
const STATUS: &str = "im_open_status";
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
pub(crate) struct TencentSession {
    /// The app that the client names; without one, everything is refused.
    app: Option<Arc<App>>,
    device: Device,
    platform: Platform,
    encoding: Encoding,
    login: Option<Arc<Login>>,
    /// The number of the last event before the first command since the client signed in: what is later is pushed, and
    /// what is not is in the lists that the client reads.
    began: Arc<OnceLock<u64>>,
    /// Which notices it has been given since it signed in.
    notices: Notices,
    /// Who is being registered in presence, and the request that asked for it.
    signing_in: Option<(Arc<Login>, Head)>,
}

/// A call of this session: the request it answers.
pub(crate) struct Ticket(Head);

/// The result of a call.
#[derive(Clone)]
pub(crate) enum Reply {
    /// The body of the reply.
    Body(Bytes),
    SignedIn(Arc<Login>),
}

/// The vendor's reasons for signing a client out (`KickType`).
mod kick {
    pub(super) const ANOTHER_LOGIN: u32 = 1;
    pub(super) const BY_APP: u32 = 3;
}

impl TencentSession {
    pub(super) fn new(app: Option<Arc<App>>, device: Device, platform: Platform, encoding: Encoding) -> Self {
        Self {
            app,
            device,
            platform,
            encoding,
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
        out.call(Call::new(Some(LOGIN), Ticket(head), work).in_lane(0));
    }

    fn command(&self, app: &Arc<App>, request: Request, out: &mut Outbox<'_>) {
        let Request { head, body } = request;
        let operation = Command::named(&head.servcmd).map(|command| command.name);
        let known = self.login.as_ref().filter(|login| login.key == head.a2).map(|login| login.user.clone());
        if known.is_none() && head.a2.is_empty() {
            return self.refuse(&head, operation, &Code::SigEmpty.into(), out);
        }
        let (lane, bytes) = (lane(&body), body.len());
        let once = changes(&head.servcmd).then(|| once(&self.device, &head, &body));
        let (app, device, asked) = (Arc::clone(app), self.device.to_string(), head.clone());
        let began = Arc::clone(&self.began);
        let work = async move {
            // a reconnected client repeats its requests before it signs in again
            let user = match known {
                Some(user) => user,
                None => match login::by_key(&app, &asked).await {
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
            let user = SignedIn { user, device: Some(device), pushed_after: Some(pushed_after) };
            let (answer, result) = answer_user(&app, user, &asked.servcmd, &body).await;
            match result {
                Ok(unread) => Answered::done(Reply::Body(answer)).leaving(unread),
                Err(failure) => Answered::with(Reply::Body(answer), outcome(&failure)),
            }
        };
        let call = Call::new(operation, Ticket(head), work).holding(bytes);
        let call = match once {
            Some(key) => call.once(key),
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
        let login = self.login.as_ref().filter(|login| login.key == head.a2 && self.notices.are_complete);
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
        out.call(Call::new(Some(CONFIRM), Ticket(head), work).holding(body.len()));
    }

    /// Ends the client's login and notifies it.
    fn kick(&mut self, kind: u32, out: &mut Outbox<'_>) {
        self.login = None;
        let notice = json!({ "KickoutMsgNotify": { "KickType": kind, "NewInstInfo": {} } });
        let body = json!({ "EventArray": [{ "Event": 9, "C2cNotifyMsgArray": [notice] }] });
        out.send(self.encoding.frame(frame::order(frame::OFFLINE, body.to_string().as_bytes())));
    }
}

impl Session for TencentSession {
    type Ticket = Ticket;
    type Reply = Reply;
    type Fact = TencentFact;

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_>) {
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
            _ => self.command(&app, request, out),
        }
    }

    fn answered(&mut self, Ticket(head): Ticket, result: Result<Reply, Fault>, out: &mut Outbox<'_>) {
        match result {
            Ok(Reply::Body(body)) => {
                let body = if head.servcmd == FETCH { self.notices.fetched(body) } else { body };
                self.answer(&head, &body, out);
            }
            Ok(Reply::SignedIn(login)) => {
                let Some(app) = &self.app else { return };
                let identity = Identity::new(&*app.realm.name, login.user.clone(), self.device.clone());
                // the same client connects again: its older connection is dead
                let identity = identity.on(self.platform).with_rule(LoginScope::Device, 1, Exceeding::ReplaceOldest);
                let identity = match app.realm.settings.web_logins {
                    0 => identity,
                    most => identity.with_rule(LoginScope::Platform, most, Exceeding::ReplaceOldest),
                };
                self.signing_in = Some((login, head));
                out.sign_in(identity);
            }
            Err(fault) => {
                let code = match fault {
                    Fault::Busy => Code::TooFrequent,
                    Fault::TimedOut => Code::Timeout,
                    Fault::Malformed | Fault::TooLarge => Code::NotJson,
                    Fault::Broken => Code::Internal,
                };
                self.answer(&head, &refused(&code.into()), out);
            }
        }
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_>) {
        let (Some((login, head)), Some(app)) = (self.signing_in.take(), self.app.clone()) else { return };
        match result {
            Ok(()) => {
                let body = welcome(&login, &self.device, app.realm.groups.now().seconds());
                self.login = Some(login);
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

    fn deliver(&mut self, fact: &Arc<TencentFact>, out: &mut Outbox<'_>) {
        let Some(login) = &self.login else { return };
        if fact.kept_notice().is_none_or(|number| self.notices.is_new(number)) {
            out.send(fact.frame(&login.user, self.encoding));
        }
    }

    fn missed(&mut self, out: &mut Outbox<'_>) {
        // a client reads the events it missed only when it reconnects
        out.close();
    }

    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_>) {
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

    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        let (app, login) = (self.app.clone()?, self.login.clone()?);
        Some(Box::pin(login::recheck(app, login)))
    }
}

/// The reply to a sign-in.
fn welcome(login: &Login, device: &Device, now: u64) -> Value {
    json!({
        "ActionStatus": "OK",
        "ErrorCode": 0,
        "ErrorInfo": "",
        "A2Key": login.key,
        "TinyId": tiny_id::of(&login.user),
        "InstId": instance(device),
        "HelloInterval": HELLO_INTERVAL,
        "TimeStamp": now,
        "CustomStatus": "",
        "PurchaseBits": FEATURES,
        "RichMsgAuthKey": "",
    })
}

/// The number of a client among its user's; never 0, which has another meaning to clients.
fn instance(device: &Device) -> u64 {
    let mut hasher = DefaultHasher::new();
    device.id.hash(&mut hasher);
    hasher.finish() % 1_000_000 + 1000
}

fn done() -> Bytes {
    Bytes::from_static(br#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#)
}

fn refused(failure: &Failure) -> Bytes {
    envelope::refuse(failure).into_bytes()
}

/// A refusal's outcome for the metrics.
fn outcome(failure: &Failure) -> CallOutcome {
    CallOutcome::Error(VendorError { code: VendorCode::Number(failure.number()), class: failure.code.class() })
}

/// Whether a command may change something: reads can simply be repeated.
fn changes(servcmd: &str) -> bool {
    let name = servcmd.split_once('.').map_or("", |(_, name)| name);
    !["get", "search", "fetch"].iter().any(|word| name.split('_').any(|part| part == *word))
}

/// Identifies a request, also if it is repeated over another connection.
fn once(device: &Device, head: &Head, body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    (&head.a2, body).hash(&mut hasher);
    format!("{device} {} {} {:x}", head.servcmd, head.seq, hasher.finish())
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
