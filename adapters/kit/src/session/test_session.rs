//! Drives a session without a gateway.

use std::sync::Arc;

use super::erased::{AnySession, Erased};
use super::outbox::{Outbox, Step, Steps};
use super::{Call, CallOutcome, DisconnectReason, Frame, Identity, Session};

/// A session driven without a gateway, for tests of engines: calls are run at once, one after another, and signing in
/// always succeeds.
pub struct TestSession<S: Session> {
    session: Erased<S>,
    /// Who is signed in.
    pub identity: Option<Identity>,
    /// Whether the session has closed its connection.
    pub is_closed: bool,
    /// The outcomes for the metrics, of everything so far.
    pub counted: Vec<CallOutcome>,
}

impl<S: Session> TestSession<S> {
    /// Opens a connection to this engine; also returns the frames it sends on opening.
    pub async fn open(session: S) -> (Self, Vec<Frame>) {
        let mut driven = Self { session: Erased(session), identity: None, is_closed: false, counted: Vec::new() };
        let sent = driven.run(AnySession::opened).await;
        (driven, sent)
    }

    /// The engine.
    pub fn engine(&self) -> &S {
        &self.session.0
    }

    /// Passes a frame to the engine; returns what it sends until everything the frame caused has ended.
    pub async fn receive(&mut self, frame: Frame) -> Vec<Frame> {
        self.run(|session, steps| session.received(frame, steps)).await
    }

    /// A fact is delivered.
    pub async fn deliver(&mut self, fact: &Arc<S::Fact>) -> Vec<Frame> {
        let fact: Arc<dyn std::any::Any + Send + Sync> = fact.clone();
        self.run(|session, steps| session.deliver(&fact, steps)).await
    }

    /// Facts were left out.
    pub async fn miss(&mut self) -> Vec<Frame> {
        self.run(AnySession::missed).await
    }

    /// The user is signed out from this side.
    pub async fn disconnect(&mut self, reason: DisconnectReason) -> Vec<Frame> {
        self.identity = None;
        self.run(|session, steps| session.disconnect(reason, steps)).await
    }

    /// The time the session set has passed.
    pub async fn wake(&mut self) -> Vec<Frame> {
        self.run(AnySession::woken).await
    }

    /// Why the user may not stay, if so.
    pub async fn recheck(&self) -> Option<DisconnectReason> {
        self.session.recheck()?.await
    }

    /// Starts a call as the session would, for tests of handlers; returns what is sent for it.
    pub async fn call(&mut self, call: Call<S>) -> Vec<Frame> {
        self.run(|_, steps| Outbox::<S>::over(steps).call(call)).await
    }

    async fn run(&mut self, begin: impl FnOnce(&mut Erased<S>, &mut Steps)) -> Vec<Frame> {
        let mut sent = Vec::new();
        let mut steps = Steps::new();
        begin(&mut self.session, &mut steps);
        let mut todo: std::collections::VecDeque<Step> = steps.take().into();
        while let Some(step) = todo.pop_front() {
            let mut steps = Steps::new();
            match step {
                Step::Send(frame) => sent.push(frame.frame().clone()),
                Step::Call(call) => {
                    let (work, end) = call.split();
                    let finished = work.await;
                    self.counted.push(finished.outcome);
                    self.session.answered(end(Ok(finished)), &mut steps);
                }
                Step::SignIn(identity) => {
                    self.identity = Some(*identity);
                    self.session.signed_in(Ok(()), &mut steps);
                }
                Step::SignOut => self.identity = None,
                Step::Count(counted) => self.counted.push(counted.outcome),
                Step::Wake(_) => {}
                Step::Close => {
                    self.is_closed = true;
                    break;
                }
            }
            for step in steps.take().into_iter().rev() {
                todo.push_front(step);
            }
        }
        sent
    }
}
