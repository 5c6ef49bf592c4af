//! What a session wants done.

use std::marker::PhantomData;
use std::time::Duration;

use super::call::{Call, CallOutcome};
use super::erased::AnyCall;
use super::frame::OutFrame;
use super::identity::Identity;
use super::{Frame, Session};

/// What a session wants done, in order. Nothing follows [`Outbox::close`].
pub struct Outbox<'a, S: Session> {
    steps: &'a mut Steps,
    session: PhantomData<fn(S)>,
}

/// One thing a session wants done.
pub enum Step {
    /// Send a frame.
    Send(OutFrame),
    /// Run a call.
    Call(Box<AnyCall>),
    /// Register the user in presence, and report it to the session; what follows does not wait for it. The user who was signed in before is signed out first.
    SignIn(Box<Identity>),
    /// Remove the user from presence, at the client's request. The connection stays.
    SignOut,
    /// Count a request that needed no call.
    Count(Counted),
    /// Wake the session after this time.
    Wake(Duration),
    /// Close the connection once everything before is sent.
    Close,
}

/// A request that was answered without a call, to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// One of the protocol's operations; `None` when it is none of them.
    pub operation: Option<&'static str>,
    /// The call's outcome.
    pub outcome: CallOutcome,
}

/// What one call of a [`Session`](crate::Session) method asks of the gateway, in order.
#[derive(Default)]
pub struct Steps {
    steps: Vec<Step>,
    closed: bool,
}

impl Steps {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes and returns the steps, in order.
    pub fn take(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn push(&mut self, step: Step) {
        if !self.closed {
            self.steps.push(step);
        }
    }
}

impl<'a, S: Session> Outbox<'a, S> {
    pub(super) fn over(steps: &'a mut Steps) -> Self {
        Self { steps, session: PhantomData }
    }

    /// Sends a frame: this session's own, or a [`super::SharedFrame`].
    pub fn send(&mut self, frame: impl Into<OutFrame>) {
        self.steps.push(Step::Send(frame.into()));
    }

    /// Sends bytes as a binary frame of this session's own.
    pub fn send_binary(&mut self, bytes: impl Into<bytes::Bytes>) {
        self.send(Frame::binary(bytes));
    }

    /// Sends text as a text frame of this session's own.
    pub fn send_text(&mut self, text: impl Into<String>) {
        self.send(Frame::text(text));
    }

    /// Starts a call; its end is reported to [`Session::answered`].
    pub fn call(&mut self, call: Call<S>) {
        self.steps.push(Step::Call(Box::new(AnyCall::of(call))));
    }

    /// Signs a user in; the result is reported to [`Session::signed_in`], unless the session signs out or in again before.
    pub fn sign_in(&mut self, identity: Identity) {
        self.steps.push(Step::SignIn(Box::new(identity)));
    }

    /// Signs the user out, at the client's request; the connection stays until it is closed.
    pub fn sign_out(&mut self) {
        self.steps.push(Step::SignOut);
    }

    /// Counts a request that was answered without a call.
    pub fn count(&mut self, operation: Option<&'static str>, outcome: CallOutcome) {
        self.steps.push(Step::Count(Counted { operation, outcome }));
    }

    /// Calls [`Session::woken`] after this time, instead of at any time set before.
    pub fn wake_after(&mut self, time: Duration) {
        self.steps.push(Step::Wake(time));
    }

    /// Closes the connection once everything before is sent. Nothing follows.
    pub fn close(&mut self) {
        self.steps.push(Step::Close);
        self.steps.closed = true;
    }
}
