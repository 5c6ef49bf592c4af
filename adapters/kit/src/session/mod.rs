//! The interface between the gateway and a vendor's own client protocol.
//!
//! An adapter implements [`ClientProtocol`] (once per vendor) and [`Session`] (one value per connected client). A
//! session is a protocol engine without I/O: frames go in; frames, calls and state changes come out through an
//! [`Outbox`]. The gateway owns the sockets and the HTTP requests, runs the calls concurrently, knows who is online,
//! and delivers committed events.
//!
//! ```text
//! client --frame--> Session::received --Outbox--> send a frame | start a Call | sign in | sign out | close
//!                   Session::answered <---------- the Call has ended
//!                   Session::signed_in <--------- the user is registered in presence (or was refused)
//! log ----event---> ClientProtocol::project ----> facts with their recipients, once per event and vendor
//!                   Session::deliver <----------- each fact, in the order of the log
//! ```
//!
//! - [`Endpoint`]: where clients connect, over which [`Transport`], within which [`SessionLimits`].
//! - [`Frame`] and [`SharedFrame`]: what travels; a shared frame is encoded once for all sessions that receive it.
//! - [`Call`]: work that may wait (for the store, for an app's server); its reply is sent before the events it caused.
//! - [`Identity`]: who is signed in, from which [`Device`]; with [`LoginRule`]s that replace or refuse.
//! - [`Fact`]: what one event means to this vendor, and its [`Recipients`].
//! - [`TestSession`]: drives a session without a gateway, for tests.

mod call;
mod endpoint;
mod erased;
mod fact;
mod frame;
mod identity;
mod outbox;
mod test_session;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::refusal::Refusal;
use futures_core::future::BoxFuture;
use http::{Response, StatusCode};

pub use call::{Answered, Call, CallOutcome, OnceKey, Repeatable};
pub use endpoint::{Endpoint, FrameKind, OpenRequest, PathPattern, RootUrl, SessionLimits, Transport};
pub use erased::{AnyCall, AnyFact, AnyProtocol, AnySession, EndedCall, FinishedCall};
pub use fact::{Fact, MemberFilter, Recipients};
pub use frame::{Frame, OutFrame, SharedFrame};
pub use identity::{Device, Exceeding, Identity, LoginRule, LoginScope};
pub use outbox::{Counted, Outbox, Step, Steps};
pub use test_session::TestSession;

use crate::{Body, Fault};

/// A vendor's client protocol: where its clients connect, and what the realm's events mean to them.
#[async_trait]
pub trait ClientProtocol: Send + Sync {
    /// One client's protocol engine.
    type Session: Session;

    /// Where clients connect. Read once, when the surface is mounted.
    fn endpoints(&self) -> Vec<Endpoint>;

    /// The vendor's names of all calls, for listings and metrics; none is also the name of an HTTP route.
    fn operations(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Makes the engine of a client that connects. Nothing is proved yet: a session that needs to look something up
    /// starts a call in [`Session::opened`], and one that refuses sends its reason there and closes.
    fn open(&self, request: &OpenRequest<'_>) -> Self::Session;

    /// Names the session that a long-polling request belongs to, or answers the request in its stead.
    ///
    /// Anyone who knows a session's name receives what the session sends: the name is to be proved by the request, for
    /// instance by a token in it.
    ///
    /// # Errors
    /// The vendor's answer to a request that proves no session.
    fn poll_key(&self, request: &OpenRequest<'_>, body: &Bytes) -> Result<String, Box<Response<Body>>> {
        let _ = (request, body);
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NOT_FOUND;
        Err(Box::new(answer))
    }

    /// What an event means to this vendor's clients, in the order in which they are to learn of it.
    ///
    /// Called once for each event whose audience includes a user who is signed in through this vendor, whatever the
    /// number of sessions. Recipients outside of the event's audience are ignored. After an error or a timeout, the
    /// sessions of the audience are notified that they have missed events.
    async fn project(
        &self,
        realm: &str,
        event: &Arc<Event>,
    ) -> Result<Vec<Fact<<Self::Session as Session>::Fact>>, Refusal>;
}

/// One client's protocol engine, without I/O.
///
/// The gateway calls one method at a time and executes what is in the outbox, in order, before the next call. No method
/// may block or wait: whatever does is a [`Call`]. The output of one method call has to be small, however many events
/// there are.
pub trait Session: Send + Sized + 'static {
    /// Identifies a call to the session that started it, e.g. the client's number of the request.
    type Ticket: Send + 'static;
    /// What a call returns to the session that started it: what to send, what to remember.
    type Reply: Send + 'static;
    /// What an event means to this vendor's clients; shared by all sessions it is delivered to.
    type Fact: Send + Sync + 'static;

    /// The connection is open. A protocol in which the server sends first, or which identifies its clients by the URL
    /// they connect to, begins here.
    fn opened(&mut self, out: &mut Outbox<'_, Self>) {
        let _ = out;
    }

    /// A frame has arrived.
    fn received(&mut self, frame: Frame, out: &mut Outbox<'_, Self>);

    /// A call has ended: with its reply, or because it took too long, panicked, or was one too many.
    ///
    /// Events that the call caused are delivered to this session only after what is sent here. The gateway recognizes
    /// them by their actor: calls have to act as [`Identity::actor`], the signed-in user on their device.
    fn answered(&mut self, ticket: Self::Ticket, result: Result<Self::Reply, Fault>, out: &mut Outbox<'_, Self>);

    /// The user of [`Outbox::sign_in`] is online now and receives everything that is committed from here on; or they
    /// are not, with the reason. Send the client its reply here.
    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_, Self>);

    /// An event for the signed-in user. Facts are delivered in the order of the log, each at least once: after signing
    /// in, one may be delivered that the session knows already.
    fn deliver(&mut self, fact: &Arc<Self::Fact>, out: &mut Outbox<'_, Self>);

    /// Facts were dropped, because the client reads too slowly or the process is too busy: notify the client to fetch
    /// what it has missed.
    fn missed(&mut self, out: &mut Outbox<'_, Self>);

    /// The gateway or another login has signed the user out: notify the client of the reason. If the vendor's server
    /// ends the connection too, close it; for [`DisconnectReason::ShuttingDown`] it is closed in any case.
    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_, Self>);

    /// Work that finds out whether the user may stay signed in (`None`: yes). Asked for when the account has changed, and
    /// every minute.
    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        None
    }

    /// The time set by [`Outbox::wake_after`] has passed.
    fn woken(&mut self, out: &mut Outbox<'_, Self>) {
        let _ = out;
    }
}

/// Why a user could not sign in although the session requested it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInRefused {
    /// The user has as many sessions as a [`LoginRule`] permits, and the rule refuses the newest.
    TooManyLogins,
    /// A limit of the process is reached: sessions of this user, of this client's address, or of the realm.
    Busy,
    /// The user's groups could not be read in time.
    Unavailable,
}

/// Why a connection was ended, or a user signed out, from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The user signed in on another device, and a [`LoginRule`] allows no more.
    Replaced,
    /// The same device connected again; this is its older connection.
    Reconnected,
    /// The token is no longer valid.
    TokenExpired,
    /// The account was deactivated.
    Deactivated,
    /// The account was deleted.
    AccountDeleted,
    /// The app's server ended the session; the user has to sign in again.
    ByApp,
    /// The process shuts down; clients reconnect by themselves.
    ShuttingDown,
}

/// How long clients may be silent if their protocol does not define it: twice the usual minute between heartbeats.
pub(crate) const DEFAULT_SILENCE: Duration = Duration::from_mins(2);
