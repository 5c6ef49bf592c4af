//! The interface between the gateway and a vendor's own client protocol.
//!
//! A protocol engine does no I/O: whole frames go in, frames come out. The gateway owns the sockets, knows who is
//! online where, wakes sessions up, and holds back whoever reads too slowly.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Event;
use conclave_core::model::UserId;

use crate::Platform;

/// Where a vendor's clients connect.
#[async_trait]
pub trait Door: Send + Sync {
    /// The path below the surface's root at which the connection is upgraded to a WebSocket.
    fn path(&self) -> &'static str;

    /// The vendor's names of what clients ask for on their way to the connection and over it, for listings and
    /// metrics; none is also a route's.
    fn operations(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The longest frame a client may send, in bytes; the gateway closes on longer ones before they are read.
    fn longest_frame(&self) -> usize;

    /// Lets a client in, or says why not: then there is no session, and the connection is closed once what is in
    /// the outbox is sent.
    async fn open(&self, caller: Caller<'_>, out: &mut Outbox) -> Option<Box<dyn Session>>;
}

/// A client at the door.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The upgrade request: path below the surface's root, query and headers.
    pub parts: &'a http::request::Parts,
    /// Tells this connection apart from every other one; not a secret.
    pub connection: &'a str,
}

/// Who is connected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connected {
    /// In which realm, by its name in the configuration.
    pub realm: String,
    /// Who.
    pub user: UserId,
    /// From which device: the same text as in the actor of what the session does.
    pub device: String,
    /// On what.
    pub platform: Platform,
    /// How many connections through this vendor, on this platform, the user may have; whoever comes replaces the
    /// oldest beyond that. 0 is any number.
    pub most: usize,
}

impl Connected {
    /// Somebody whose platform is not known, and who may have any number of connections.
    pub fn new(realm: impl Into<String>, user: UserId, device: impl Into<String>) -> Self {
        Self { realm: realm.into(), user, device: device.into(), platform: Platform::Unknown, most: 0 }
    }

    /// The same, on this.
    #[must_use]
    pub fn on(self, platform: Platform) -> Self {
        Self { platform, ..self }
    }

    /// The same, with at most so many connections alike.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        Self { most, ..self }
    }
}

/// One client's connection.
///
/// The gateway calls one method at a time and sends what is in the outbox before the next call. Each call adds few
/// frames, and of bounded size, however much there is to tell: clients fetch the rest themselves.
#[async_trait]
pub trait Session: Send {
    /// Who is connected, as soon as they have proved it. Never changes afterwards.
    fn connected(&self) -> Option<&Connected>;

    /// A whole frame has come.
    async fn received(&mut self, frame: Bytes, out: &mut Outbox);

    /// Something was committed that this user is to hear of: its audience names the user, or a group the user is
    /// in. Events come in their order, each at least once; one may come that the session knows already.
    async fn heard(&mut self, event: &Arc<Event>, out: &mut Outbox);

    /// Events were left out because the client read too slowly, or the process was too busy: the client is told
    /// to fetch whatever it has missed.
    async fn missed(&mut self, out: &mut Outbox);

    /// Why the client may no longer be connected, if so: its token or its account no longer counts. Looked at when
    /// the account has changed, and every now and then.
    async fn outstayed(&mut self) -> Option<Dismissal>;

    /// The connection is to end, and the client is to know why.
    fn dismissed(&mut self, why: Dismissal, out: &mut Outbox);

    /// How long a client may be silent before the connection is taken for dead.
    fn patience(&self) -> Duration;
}

/// Why a connection is ended from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dismissal {
    /// The user connected elsewhere, and one connection is permitted.
    Replaced,
    /// The token is no longer good.
    TokenExpired,
    /// The account may no longer be used.
    Deactivated,
    /// The account is gone.
    AccountDeleted,
    /// The app's server ended the connection; whoever was signed in signs in anew.
    ByApp,
    /// The process is going; clients come back by themselves.
    Going,
}

/// Something a client asked for, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Done {
    /// One of [`Door::operations`]; `None` when it is none of them.
    pub operation: Option<&'static str>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of something a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was answered.
    Answered,
    /// It was refused.
    Refused,
    /// It could not be done, through no fault of the client's.
    Failed,
}

/// What goes out to one client.
#[derive(Debug, Default)]
pub struct Outbox {
    frames: Vec<Bytes>,
    done: Vec<Done>,
    closing: bool,
    signed_out: bool,
}

impl Outbox {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more frame. Nothing is sent after the connection was to be closed.
    pub fn send(&mut self, frame: impl Into<Bytes>) {
        if !self.closing {
            self.frames.push(frame.into());
        }
    }

    /// Notes what a client asked for and what came of it, to be counted.
    pub fn note(&mut self, operation: Option<&'static str>, outcome: Outcome) {
        self.done.push(Done { operation, outcome });
    }

    /// Takes what was noted, in order.
    pub fn take_notes(&mut self) -> Vec<Done> {
        std::mem::take(&mut self.done)
    }

    /// Closes the connection once everything before is sent.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// The client says that its user signs out, which is more than going away; closes the connection.
    pub fn sign_out(&mut self) {
        self.signed_out = true;
        self.close();
    }

    /// Whether the client has said so.
    pub fn has_signed_out(&self) -> bool {
        self.signed_out
    }

    /// Whether the connection is to be closed.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes the frames out, in order.
    pub fn take(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_the_end() {
        let mut out = Outbox::new();
        out.send(vec![1]);
        out.close();
        out.send(vec![2]);
        assert_eq!(out.take(), [Bytes::from_static(&[1])]);
        assert!(out.is_closing() && out.take().is_empty());
    }
}
