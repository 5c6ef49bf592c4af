//! Work that a session requests and the gateway runs.

use futures_core::future::BoxFuture;
use http::StatusCode;

use super::Session;
use crate::{ErrorClass, Unread, VendorError};

/// Work that a session requests: it may read and write the store, ask an app's server, and wait.
///
/// The gateway runs the calls of one session concurrently, within the limits of its endpoint; each has the timeout of
/// an HTTP request, its own tracing span, and is counted under its operation. A call that has begun is finished even if
/// the client disconnects meanwhile.
pub struct Call<S: Session> {
    pub(super) operation: Option<&'static str>,
    pub(super) lane: Option<u64>,
    pub(super) bytes: usize,
    pub(super) once: Option<(OnceKey, CopyReply<S::Reply>)>,
    pub(super) ticket: S::Ticket,
    pub(super) work: BoxFuture<'static, Answered<S::Reply>>,
}

/// Copies a reply, and returns how many bytes the copy keeps.
pub(super) type CopyReply<R> = fn(&R) -> (R, usize);

/// Identifies a call among those that are to be done once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OnceKey {
    /// The client: how much is kept of its calls is limited for each.
    pub client: String,
    /// The request.
    pub request: String,
}

/// A reply that can be given to the repetitions of its call.
pub trait Repeatable: Clone {
    /// About how many bytes it keeps.
    fn bytes(&self) -> usize;
}

impl Repeatable for String {
    fn bytes(&self) -> usize {
        self.len()
    }
}

/// How a call ended.
#[derive(Debug)]
pub struct Answered<R> {
    /// What the session gets.
    pub reply: R,
    /// How it is counted.
    pub outcome: CallOutcome,
    /// The fields of the request that no handler read.
    pub unread: Option<Unread>,
}

/// What became of a request, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// It was done.
    Answered,
    /// It was refused without a code of the vendor's; the client is at fault.
    Refused,
    /// It could not be done; this side is at fault.
    Failed,
    /// The client got this error.
    Error(VendorError),
}

impl CallOutcome {
    /// The HTTP status that it is counted as.
    pub fn status(self) -> u16 {
        match self {
            Self::Answered => 200,
            Self::Refused => 400,
            Self::Failed => 500,
            Self::Error(error) => match error.class {
                ErrorClass::Refused => 400,
                ErrorClass::Unauthenticated => 401,
                ErrorClass::Failed => 500,
            },
        }
    }

    /// The error, if it is one.
    pub fn error(self) -> Option<VendorError> {
        match self {
            Self::Answered => None,
            Self::Error(error) => Some(error),
            Self::Refused | Self::Failed => StatusCode::from_u16(self.status()).ok().and_then(VendorError::of_status),
        }
    }
}

impl<S: Session> Call<S> {
    /// Work to be done under one of [`super::ClientProtocol::operations`], or under none of them.
    ///
    /// The ticket is returned with the reply, also if there is none because the work took too long or panicked.
    pub fn new(
        operation: Option<&'static str>,
        ticket: S::Ticket,
        work: impl Future<Output = Answered<S::Reply>> + Send + 'static,
    ) -> Self {
        Self { operation, lane: None, bytes: 0, once: None, ticket, work: Box::pin(work) }
    }

    /// Runs after all earlier calls of this session with the same lane, e.g. the hash of a group's id where the order of
    /// messages matters. Calls without a lane wait for none.
    #[must_use]
    pub fn in_lane(mut self, lane: u64) -> Self {
        self.lane = Some(lane);
        self
    }

    /// Is done once, however often a client repeats it, also over another connection: a call with the same key that runs
    /// or has ended within the last minutes gives its reply to this one, which is not run. One that ended with a
    /// [`crate::Fault`] is done again.
    ///
    /// `client` has to be something that only this client knows, and `request` has to include everything that identifies
    /// the request: the client's number of it and what it asks for. A reply of the class
    /// [`crate::ErrorClass::Unauthenticated`] is not kept.
    #[must_use]
    pub fn once(mut self, client: impl Into<String>, request: impl Into<String>) -> Self
    where
        S::Reply: Repeatable,
    {
        let key = OnceKey { client: client.into(), request: request.into() };
        self.once = Some((key, |reply| (reply.clone(), reply.bytes())));
        self
    }

    /// About how many bytes it keeps while it waits, e.g. the length of its request.
    #[must_use]
    pub fn holding(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

impl<R> Answered<R> {
    /// Done.
    pub fn done(reply: R) -> Self {
        Self { reply, outcome: CallOutcome::Answered, unread: None }
    }

    /// With this outcome.
    pub fn with(reply: R, outcome: CallOutcome) -> Self {
        Self { reply, outcome, unread: None }
    }

    /// The same, with the fields that no handler read.
    #[must_use]
    pub fn leaving(self, unread: Unread) -> Self {
        Self { unread: Some(unread), ..self }
    }
}
