//! A session's connection to its client, whatever the transport.

use conclave_kit::{Frame, OutFrame};

use super::polled::Polled;
use super::websocket::Socket;

/// The connection to one client.
pub(super) enum Line {
    /// Over a WebSocket.
    Socket(Box<Socket>),
    /// Polled by HTTP requests.
    Polled(Polled),
}

/// Input from a client.
pub(super) enum Incoming {
    Frame(Frame),
    /// A heartbeat without a frame.
    Alive,
    /// The client has closed the connection.
    Closed,
    /// The connection broke, or the client sends no more requests.
    Gone,
    /// Input that the endpoint does not accept: the connection is closed.
    Unacceptable(Code, &'static str),
}

/// Why a connection is closed, as reported to the client.
#[derive(Debug, Clone, Copy)]
pub(super) enum Code {
    /// A kind of frame that is not accepted.
    Unsupported,
    /// A frame that is too long.
    TooLong,
}

/// Nothing more can be sent to the client.
pub(super) struct Lost;

impl Line {
    /// Waits for the client's next input. Cancel safe.
    pub(super) async fn next(&mut self) -> Incoming {
        match self {
            Self::Socket(socket) => socket.next().await,
            Self::Polled(polled) => polled.next().await,
        }
    }

    /// Sends and removes frames. Over a socket this waits until the client has read them or is too slow.
    pub(super) async fn send(&mut self, frames: &mut Vec<OutFrame>) -> Result<(), Lost> {
        match self {
            Self::Socket(socket) => socket.send(frames).await,
            Self::Polled(polled) => polled.send(frames),
        }
    }

    /// Whether the session may be given more to send.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Polled(polled) => polled.has_room(),
        }
    }

    /// Waits until the session may be given more to send.
    pub(super) async fn room(&mut self) -> Result<(), Lost> {
        match self {
            Self::Socket(_) => Ok(()),
            Self::Polled(polled) => polled.room().await,
        }
    }

    /// Closes the connection, and waits briefly until the client has received everything.
    pub(super) async fn close(&mut self, code: Option<Code>) {
        match self {
            Self::Socket(socket) => socket.close(code).await,
            Self::Polled(polled) => polled.close(code).await,
        }
    }
}
