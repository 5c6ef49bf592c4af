//! One client: over a WebSocket, or over HTTP requests. What both have in common.

use std::sync::Arc;

use bytes::Bytes;
use conclave_core::model::UserId;
use conclave_kit::{
    BoxFuture, CallOutcome, Device, DisconnectReason, Exceeding, Fault, Frame, Identity, LoginScope, Platform,
    Repeatable, Session, SignInRefused, VendorCode, VendorError,
};

use serde_json::Value;

use super::facts::TencentFact;
use super::frame::Head;
use super::login::Login;
use super::polling::PollingSession;
use super::session::SocketSession;
use crate::calls::envelope;
use crate::realm::App;
use crate::refusals::{self, Code, Failure};

pub(super) type Outbox<'a> = conclave_kit::Outbox<'a, TencentSession>;

/// One client's session.
pub(crate) enum TencentSession {
    /// Requests, replies and pushes are frames of a WebSocket.
    Socket(SocketSession),
    /// Requests are HTTP requests of their own; pushes are the responses to polls. Boxed, as it is larger and rarer.
    Polling(Box<PollingSession>),
}

/// A call of a session.
pub(crate) enum Ticket {
    /// It answers this request.
    Request(Head),
    /// A polling client signs in.
    SignIn,
    /// Notices that waited for a polling client are read.
    Notices,
    /// A polling client has confirmed notices.
    Confirm,
}

/// The result of a call.
#[derive(Clone)]
pub(crate) enum Reply {
    /// The body of the reply.
    Body(Bytes),
    /// The user who signs in.
    SignedIn(Arc<Login>),
    /// Notices, each with the number of its event.
    Notices(Arc<Vec<(u64, Value)>>),
}

impl Repeatable for Reply {
    fn bytes(&self) -> usize {
        match self {
            Self::Body(body) => body.len(),
            // only commands are done once
            Self::SignedIn(_) | Self::Notices(_) => 0,
        }
    }
}

impl Session for TencentSession {
    type Ticket = Ticket;
    type Reply = Reply;
    type Fact = TencentFact;

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_>) {
        match self {
            Self::Socket(session) => session.received(&frame, out),
            Self::Polling(session) => session.received(&frame, out),
        }
    }

    fn answered(&mut self, ticket: Ticket, result: Result<Reply, Fault>, out: &mut Outbox<'_>) {
        match self {
            Self::Socket(session) => session.answered(ticket, result, out),
            Self::Polling(session) => session.answered(&ticket, result, out),
        }
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_>) {
        match self {
            Self::Socket(session) => session.signed_in(result, out),
            Self::Polling(session) => session.signed_in(result, out),
        }
    }

    fn deliver(&mut self, fact: &Arc<TencentFact>, out: &mut Outbox<'_>) {
        match self {
            Self::Socket(session) => session.deliver(fact, out),
            Self::Polling(session) => session.deliver(fact, out),
        }
    }

    fn missed(&mut self, out: &mut Outbox<'_>) {
        // a client reads the events it missed only when it connects again
        out.close();
    }

    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_>) {
        match self {
            Self::Socket(session) => session.disconnect(reason, out),
            Self::Polling(session) => session.disconnect(reason, out),
        }
    }

    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        match self {
            Self::Socket(session) => session.recheck(),
            Self::Polling(session) => session.recheck(),
        }
    }

    fn woken(&mut self, out: &mut Outbox<'_>) {
        if let Self::Polling(session) = self {
            session.woken(out);
        }
    }
}

/// A user on a device, with the rules of the app about how many logins there may be.
pub(super) fn identity(app: &App, user: &UserId, device: &Device, platform: Platform) -> Identity {
    let identity = Identity::new(&*app.realm.name, user.clone(), device.clone());
    // the same client connects again: its older connection is dead
    let identity = identity.on(platform).with_rule(LoginScope::Device, 1, Exceeding::ReplaceOldest);
    match app.realm.settings.web_logins {
        0 => identity,
        most => identity.with_rule(LoginScope::Platform, most, Exceeding::ReplaceOldest),
    }
}

/// A reply without content.
pub(super) fn done() -> Bytes {
    Bytes::from_static(br#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}"#)
}

/// A refusal as a reply.
pub(super) fn refused(failure: &Failure) -> Bytes {
    envelope::refuse(failure).into_bytes()
}

/// A refusal's outcome for the metrics.
pub(super) fn outcome(failure: &Failure) -> CallOutcome {
    CallOutcome::Error(VendorError { code: VendorCode::Number(failure.number()), class: failure.code.class() })
}

/// The vendor's error for a call without a result.
pub(super) fn fault_code(fault: Fault) -> Code {
    match fault {
        Fault::Busy => Code::TooFrequent,
        Fault::TimedOut => Code::Timeout,
        Fault::Malformed | Fault::TooLarge => Code::NotJson,
        Fault::Broken => Code::Internal,
        Fault::Error(position) => refusals::code_at(position),
    }
}
