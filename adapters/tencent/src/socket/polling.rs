//! The session of a client that polls: `tim-js-sdk` up to 2.10.2. Its requests are HTTP requests of their own; what is
//! pushed to it are the responses to its polls (`openim/longpolling`).
//!
//! A session begins with the first poll, and signs in by the key of the login that the poll carries.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conclave_kit::{
    Answered, BoxFuture, Call, CallOutcome, Device, DisconnectReason, Fault, Frame, Platform, SignInRefused,
};
use serde::Deserialize;
use serde_json::Value;

use super::client::{Outbox, Reply, Ticket, fault_code, identity, outcome, refused};
use super::facts::TencentFact;
use super::frame::{self, Head};
use super::login::{self, Login};
use super::session::CONFIRM;
use crate::calls::{confirm, notices_after};
use crate::push::low;
use crate::realm::App;
use crate::refusals::{Code, Failure, Family};

/// The endpoint's name, and the vendor's name of the command.
pub(super) const POLL: &str = "longpolling";

/// How long a poll is held. Clients give up after 30 seconds.
const HELD: Duration = Duration::from_secs(25);

/// Most notices of which it is remembered that the client has not confirmed them.
const REMEMBERED: usize = 1000;

/// The session of one client.
pub(crate) struct PollingSession {
    /// The app of the client's key; without one, every poll is refused.
    app: Option<Arc<App>>,
    /// The request's key and number of the user.
    head: Head,
    device: Device,
    state: State,
    /// Polls without a response.
    waiting: usize,
    /// Events whose notices were sent, and not confirmed by a later poll.
    sent: Vec<u64>,
    /// The last event whose notices were read from the store: one that is delivered late is not sent again.
    read_up_to: u64,
}

enum State {
    /// No poll has come yet.
    New,
    /// The key is checked.
    Checking,
    /// The user is being registered in presence.
    SigningIn(Arc<Login>),
    /// The user is signed in.
    SignedIn(Arc<Login>),
}

/// A poll.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Poll {
    cookie: Option<Cookie>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cookie {
    /// The number of the last notice that the client has received. Clients add 1 for each response without one.
    notice_seq: Option<u64>,
}

impl PollingSession {
    pub(super) fn new(app: Option<Arc<App>>, head: Head, device: Device) -> Self {
        Self { app, head, device, state: State::New, waiting: 0, sent: Vec::new(), read_up_to: 0 }
    }

    /// Responds to a poll, or to the next one if none waits.
    fn send(&mut self, body: Bytes, out: &mut Outbox<'_>) {
        self.waiting = self.waiting.saturating_sub(1);
        out.send(Frame::Text(body));
    }

    fn refuse(&mut self, failure: &Failure, out: &mut Outbox<'_>) {
        out.count(Some(POLL), outcome(failure));
        self.send(refused(failure), out);
        out.close();
    }

    pub(super) fn received(&mut self, frame: &Frame, out: &mut Outbox<'_>) {
        self.waiting += 1;
        out.wake_after(HELD);
        let Some(app) = self.app.clone() else { return self.refuse(&Code::AppUnknown.into(), out) };
        let Ok(poll) = serde_json::from_slice::<Poll>(frame.bytes()) else {
            out.count(Some(POLL), outcome(&Code::NotJson.into()));
            return self.send(refused(&Code::NotJson.into()), out);
        };
        match &self.state {
            State::New => {
                self.state = State::Checking;
                let head = self.head.clone();
                let work = async move {
                    // the key of a WebSocket's client names no client that polls
                    let is_polling = |login: &Login| login.polling_device().is_some();
                    let login = login::by_key(&app, &head).await;
                    match login
                        .and_then(|login| if is_polling(&login) { Ok(login) } else { Err(Code::SigExpired.into()) })
                    {
                        Ok(login) => Answered::done(Reply::SignedIn(Arc::new(login))),
                        Err(failure) => Answered::with(Reply::Body(refused(&failure)), outcome(&failure)),
                    }
                };
                out.call(Call::new(Some(POLL), Ticket::SignIn, work).in_lane(0));
            }
            State::SignedIn(login) => {
                let login = Arc::clone(login);
                out.count(Some(POLL), CallOutcome::Answered);
                self.confirm(app, login, &poll, out);
            }
            State::Checking | State::SigningIn(_) => {}
        }
    }

    /// The client has the notices up to the number that it sends.
    fn confirm(&mut self, app: Arc<App>, login: Arc<Login>, poll: &Poll, out: &mut Outbox<'_>) {
        let Some(seen) = poll.cookie.as_ref().and_then(|cookie| cookie.notice_seq) else { return };
        let Some(number) = self.sent.iter().rev().find(|number| low(**number) <= seen).copied() else { return };
        self.sent.retain(|sent| *sent > number);
        let device = self.device.to_string();
        let work = async move {
            match confirm(&app, &login.user, &device, number).await {
                Ok(()) => Answered::done(Reply::Body(Bytes::new())),
                Err(refusal) => {
                    let failure = Family::Accounts.failure(&refusal);
                    tracing::warn!(why = %failure.text, "the position of a client's notices could not be stored; they are delivered again");
                    Answered::with(Reply::Body(Bytes::new()), outcome(&failure))
                }
            }
        };
        out.call(Call::new(Some(CONFIRM), Ticket::Confirm, work).in_lane(1));
    }

    pub(super) fn answered(&mut self, ticket: &Ticket, result: Result<Reply, Fault>, out: &mut Outbox<'_>) {
        match (ticket, result) {
            (Ticket::SignIn, Ok(Reply::SignedIn(login))) => {
                let Some(app) = &self.app else { return };
                let identity = identity(app, &login.user, &self.device, Platform::Web);
                self.state = State::SigningIn(login);
                out.sign_in(identity);
            }
            (Ticket::SignIn, Ok(Reply::Body(refusal))) => {
                self.send(refusal, out);
                out.close();
            }
            (Ticket::SignIn, Err(fault)) => self.refuse(&fault_code(fault).into(), out),
            (Ticket::Notices, Ok(Reply::Notices(notices))) => self.give(&notices, out),
            // the client's next session reads them
            (Ticket::Notices, _) => out.close(),
            (Ticket::Confirm | Ticket::Request(_) | Ticket::SignIn, _) => {}
        }
    }

    pub(super) fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_>) {
        let State::SigningIn(login) = std::mem::replace(&mut self.state, State::New) else { return };
        let Some(app) = self.app.clone() else { return };
        match result {
            Ok(()) => {
                self.state = State::SignedIn(Arc::clone(&login));
                // between the login and the first poll nothing was pushed
                let device = self.device.to_string();
                let work = async move {
                    match notices_after(&app, &login.user, &device, login.began()).await {
                        Ok(notices) => Answered::done(Reply::Notices(Arc::new(notices))),
                        Err(refusal) => {
                            let failure = Family::Accounts.failure(&refusal);
                            Answered::with(Reply::Body(refused(&failure)), outcome(&failure))
                        }
                    }
                };
                out.call(Call::new(Some(POLL), Ticket::Notices, work).in_lane(0));
            }
            Err(SignInRefused::TooManyLogins | SignInRefused::Busy) => self.refuse(&Code::TooFrequent.into(), out),
            Err(SignInRefused::Unavailable) => self.refuse(&Code::AccountInternal.into(), out),
        }
    }

    /// Sends the notices from before the session, except those that were delivered meanwhile.
    fn give(&mut self, notices: &[(u64, Value)], out: &mut Outbox<'_>) {
        let delivered = std::mem::take(&mut self.sent);
        let new: Vec<&(u64, Value)> = notices.iter().filter(|(number, _)| !delivered.contains(number)).collect();
        self.read_up_to = notices.last().map_or(0, |(number, _)| *number);
        self.sent = new.iter().map(|(number, _)| *number).chain(delivered).collect();
        self.sent.sort_unstable();
        self.sent.truncate(REMEMBERED);
        if !new.is_empty() {
            let entries: Vec<&Value> = new.iter().map(|(_, entry)| entry).collect();
            self.send(frame::polled(&serde_json::to_vec(&entries).unwrap_or_default()), out);
        }
    }

    pub(super) fn deliver(&mut self, fact: &Arc<TencentFact>, out: &mut Outbox<'_>) {
        let State::SignedIn(login) = &self.state else { return };
        let frame = fact.polled(&login.user);
        if let Some(number) = fact.kept_notice() {
            if number <= self.read_up_to {
                return;
            }
            if self.sent.len() < REMEMBERED {
                self.sent.push(number);
            }
        }
        self.waiting = self.waiting.saturating_sub(1);
        out.send(frame);
    }

    /// Nothing has happened for long enough.
    pub(super) fn woken(&mut self, out: &mut Outbox<'_>) {
        if self.waiting > 0 {
            self.waiting = 0;
            out.send(Frame::Text(frame::polled(b"[]")));
        }
    }

    pub(super) fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_>) {
        let code = match reason {
            DisconnectReason::Replaced | DisconnectReason::ByApp => Code::PollKicked,
            // the client polls again, or has signed out
            DisconnectReason::Reconnected | DisconnectReason::ShuttingDown => return out.close(),
            DisconnectReason::TokenExpired | DisconnectReason::Deactivated | DisconnectReason::AccountDeleted => {
                Code::SigExpired
            }
        };
        self.state = State::New;
        self.send(refused(&code.into()), out);
        out.close();
    }

    pub(super) fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        let (Some(app), State::SignedIn(login)) = (&self.app, &self.state) else { return None };
        Some(login.recheck(Arc::clone(app)))
    }
}
