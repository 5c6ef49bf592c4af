//! Protocols and sessions of any vendor, as the gateway holds them. Adapters implement [`ClientProtocol`] and
//! [`Session`] and never meet these types; their own types are restored on the way back.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::refusal::Refusal;
use futures_core::future::BoxFuture;
use http::Response;

use super::call::{Answered, Call, CallOutcome, OnceKey};
use super::fact::{Fact, Recipients};
use super::outbox::{Outbox, Steps};
use super::{ClientProtocol, DisconnectReason, Endpoint, Frame, OpenRequest, Session, SignInRefused};
use crate::{Body, Fault, Unread};

/// A [`ClientProtocol`] of any vendor.
#[async_trait]
pub trait AnyProtocol: Send + Sync {
    /// See [`ClientProtocol::endpoints`].
    fn endpoints(&self) -> Vec<Endpoint>;

    /// See [`ClientProtocol::operations`].
    fn operations(&self) -> Vec<&'static str>;

    /// See [`ClientProtocol::open`].
    fn open_any(&self, request: &OpenRequest<'_>) -> Box<dyn AnySession>;

    /// See [`ClientProtocol::poll_key`].
    ///
    /// # Errors
    /// See there.
    fn poll_key_any(&self, request: &OpenRequest<'_>, body: &Bytes) -> Result<String, Box<Response<Body>>>;

    /// See [`ClientProtocol::project`].
    async fn project_any(&self, realm: &str, event: &Arc<Event>) -> Result<Vec<AnyFact>, Refusal>;
}

/// A [`Fact`] of any vendor.
#[derive(Debug, Clone)]
pub struct AnyFact {
    /// Who learns of it.
    pub to: Recipients,
    /// The vendor's fact.
    pub content: Arc<dyn Any + Send + Sync>,
    /// About how many bytes it keeps.
    pub bytes: usize,
}

/// A [`Session`] of any vendor.
pub trait AnySession: Send {
    /// See [`Session::opened`].
    fn opened(&mut self, steps: &mut Steps);

    /// See [`Session::received`].
    fn received(&mut self, frame: Frame, steps: &mut Steps);

    /// See [`Session::answered`].
    fn answered(&mut self, call: EndedCall, steps: &mut Steps);

    /// See [`Session::signed_in`].
    fn signed_in(&mut self, result: Result<(), SignInRefused>, steps: &mut Steps);

    /// See [`Session::deliver`].
    fn deliver(&mut self, fact: &Arc<dyn Any + Send + Sync>, steps: &mut Steps);

    /// See [`Session::missed`].
    fn missed(&mut self, steps: &mut Steps);

    /// See [`Session::disconnect`].
    fn disconnect(&mut self, reason: DisconnectReason, steps: &mut Steps);

    /// See [`Session::recheck`].
    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>>;

    /// See [`Session::woken`].
    fn woken(&mut self, steps: &mut Steps);
}

/// A [`Call`] of any vendor.
pub struct AnyCall {
    /// The name it is counted under.
    pub operation: Option<&'static str>,
    /// Runs after all earlier calls of its session with the same lane.
    pub lane: Option<u64>,
    /// About how many bytes it keeps while it waits.
    pub bytes: usize,
    /// Identifies it among the calls that are to be done once.
    pub once: Option<OnceKey>,
    ticket: Box<dyn Any + Send>,
    work: BoxFuture<'static, FinishedCall>,
}

/// Copies a reply whose type is not known here.
type CopyBoxed = Arc<dyn Fn(&(dyn Any + Send)) -> Option<(Box<dyn Any + Send>, usize)> + Send + Sync>;

/// What a call's work came to.
pub struct FinishedCall {
    reply: Box<dyn Any + Send>,
    copy: Option<CopyBoxed>,
    /// How it is counted.
    pub outcome: CallOutcome,
    /// The fields that no handler read.
    pub unread: Option<Unread>,
}

/// A call that has ended, for [`AnySession::answered`].
pub struct EndedCall {
    ticket: Box<dyn Any + Send>,
    result: Result<Box<dyn Any + Send>, Fault>,
}

impl AnyCall {
    pub(super) fn of<S: Session>(call: Call<S>) -> Self {
        let Call { operation, lane, bytes, once, ticket, work } = call;
        let (once, copy) = once.unzip();
        let copy = copy.map(|copy| -> CopyBoxed {
            Arc::new(move |reply| {
                let (reply, bytes) = copy(reply.downcast_ref::<S::Reply>()?);
                Some((Box::new(reply), bytes))
            })
        });
        let work = async move {
            let Answered { reply, outcome, unread } = work.await;
            FinishedCall { reply: Box::new(reply), copy, outcome, unread }
        };
        Self { operation, lane, bytes, once, ticket: Box::new(ticket), work: Box::pin(work) }
    }

    /// The work, and the function that reports its end to the session.
    pub fn split(self) -> (BoxFuture<'static, FinishedCall>, impl FnOnce(Result<FinishedCall, Fault>) -> EndedCall) {
        let ticket = self.ticket;
        (self.work, move |result: Result<FinishedCall, Fault>| EndedCall {
            ticket,
            result: result.map(|done| done.reply),
        })
    }
}

impl FinishedCall {
    /// The same once more, for a call that repeats this one.
    pub fn copy(&self) -> Option<Self> {
        Some(self.copy_with_bytes()?.0)
    }

    /// The same, with about how many bytes it keeps.
    pub fn copy_with_bytes(&self) -> Option<(Self, usize)> {
        let copy = self.copy.as_ref()?;
        let (reply, bytes) = copy(&*self.reply)?;
        let same = Self { reply, copy: Some(Arc::clone(copy)), outcome: self.outcome, unread: None };
        Some((same, bytes))
    }
}

#[async_trait]
impl<P: ClientProtocol> AnyProtocol for P {
    fn endpoints(&self) -> Vec<Endpoint> {
        ClientProtocol::endpoints(self)
    }

    fn operations(&self) -> Vec<&'static str> {
        ClientProtocol::operations(self)
    }

    fn open_any(&self, request: &OpenRequest<'_>) -> Box<dyn AnySession> {
        Box::new(Erased(self.open(request)))
    }

    fn poll_key_any(&self, request: &OpenRequest<'_>, body: &Bytes) -> Result<String, Box<Response<Body>>> {
        self.poll_key(request, body)
    }

    async fn project_any(&self, realm: &str, event: &Arc<Event>) -> Result<Vec<AnyFact>, Refusal> {
        let facts = self.project(realm, event).await?;
        Ok(facts.into_iter().map(|Fact { to, content, bytes }| AnyFact { to, content, bytes }).collect())
    }
}

/// A session behind [`AnySession`].
pub(super) struct Erased<S>(pub(super) S);

impl<S: Session> AnySession for Erased<S> {
    fn opened(&mut self, steps: &mut Steps) {
        self.0.opened(&mut Outbox::over(steps));
    }

    fn received(&mut self, frame: Frame, steps: &mut Steps) {
        self.0.received(frame, &mut Outbox::over(steps));
    }

    fn answered(&mut self, call: EndedCall, steps: &mut Steps) {
        let EndedCall { ticket, result } = call;
        // a session is given back its own ticket; anything else is a bug in the gateway
        let Ok(ticket) = ticket.downcast::<S::Ticket>() else { return wrong_type("ticket") };
        let result = match result.map(<Box<dyn Any + Send>>::downcast::<S::Reply>) {
            Ok(Ok(reply)) => Ok(*reply),
            Ok(Err(_)) => return wrong_type("reply"),
            Err(fault) => Err(fault),
        };
        self.0.answered(*ticket, result, &mut Outbox::over(steps));
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, steps: &mut Steps) {
        self.0.signed_in(result, &mut Outbox::over(steps));
    }

    fn deliver(&mut self, fact: &Arc<dyn Any + Send + Sync>, steps: &mut Steps) {
        match Arc::clone(fact).downcast::<S::Fact>() {
            Ok(fact) => self.0.deliver(&fact, &mut Outbox::over(steps)),
            Err(_) => wrong_type("fact"),
        }
    }

    fn missed(&mut self, steps: &mut Steps) {
        self.0.missed(&mut Outbox::over(steps));
    }

    fn disconnect(&mut self, reason: DisconnectReason, steps: &mut Steps) {
        self.0.disconnect(reason, &mut Outbox::over(steps));
    }

    fn recheck(&self) -> Option<BoxFuture<'static, Option<DisconnectReason>>> {
        self.0.recheck()
    }

    fn woken(&mut self, steps: &mut Steps) {
        self.0.woken(&mut Outbox::over(steps));
    }
}

fn wrong_type(what: &'static str) {
    tracing::error!(what, "internal error: a session received a value of another session's type; it is ignored");
}
