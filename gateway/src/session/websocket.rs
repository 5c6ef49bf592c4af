//! A session's frames over a WebSocket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conclave_kit::{Endpoint, Frame, FrameKind, OutFrame, Transport};
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::UPGRADE;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::calls::Workshop;
use super::driver::{self, Link};
use crate::answer::Desk;
use crate::payload::Payload;
use crate::site::Mounted;

/// What is read of a socket at once; most clients say little at a time, and there are many of them.
const READ: usize = 1024;
/// What is gathered before it is written.
const WRITE: usize = 8 * 1024;
/// Most bytes that wait to be written. Nothing is added before the client has taken what came before, so only a single
/// frame that is longer can exceed this; it closes the connection.
const WRITE_MOST: usize = 16 * 1024 * 1024;
/// How long a client may take to read what is written to it.
const SLOWEST: Duration = Duration::from_secs(30);
/// How long a client may take to close a connection that this side has closed.
const GOODBYE: Duration = Duration::from_secs(2);

/// The endpoint at which a request asks to become a WebSocket.
pub(crate) fn endpoint_of(endpoints: &[Endpoint], parts: &Parts) -> Option<Endpoint> {
    let upgrade = parts.headers.get(UPGRADE).and_then(|value| value.to_str().ok())?;
    if !upgrade.eq_ignore_ascii_case("websocket") {
        return None;
    }
    let is_there = |endpoint: &&Endpoint| endpoint.path.matches(parts.uri.path());
    endpoints.iter().find(is_there).copied()
}

/// Answers such a request; the session begins once the answer is sent.
pub(crate) fn upgrade(
    desk: &Desk,
    mounted: Arc<Mounted>,
    endpoint: Endpoint,
    mut parts: Parts,
    link: Link,
) -> Response<Payload> {
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let request = Request::from_parts(parts, ());
    let (response, upgrade) = match (create_response_with_body(&request, Payload::default), upgrade) {
        (Ok(response), Some(upgrade)) => (response, upgrade),
        (wrong, _) => {
            tracing::debug!(error = ?wrong.err(), "a client asks for a websocket in a way that is none");
            let mut response = Response::new(Payload::default());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return response;
        }
    };
    let parts = request.into_parts().0;
    let (online, metrics) = (Arc::clone(&desk.online), Arc::clone(&desk.metrics));
    let workshop = Workshop { mounted, metrics, time: desk.limits.request_time(), phase: link.phase.clone() };
    tokio::spawn(async move {
        // the process waits for whoever holds this: let go of last, after everything the session held
        let _last = link.phase.clone();
        match upgrade.await {
            Ok(upgraded) => {
                let line = Line::new(upgraded, endpoint).await;
                Box::pin(driver::run(line, endpoint, parts, workshop, online, link)).await;
            }
            Err(error) => tracing::debug!(%error, "a client went away before it was a websocket"),
        }
    });
    response
}

/// The frames of one session.
pub(super) struct Line {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    kind: FrameKind,
}

/// What comes from a client.
pub(super) enum Incoming {
    /// A frame.
    Frame(Frame),
    /// A sign of life without a frame.
    Alive,
    /// The client has closed the connection.
    Closed,
    /// The connection broke.
    Gone,
    /// What the endpoint does not take: the connection is closed.
    Unacceptable(Code, &'static str),
}

/// Why a connection is closed, as far as a client is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Code {
    /// A kind of frame that is not taken here.
    Unsupported,
    /// A frame that is too long.
    TooLong,
}

/// Nothing more can be sent to a client.
pub(super) struct Lost;

impl Line {
    async fn new(upgraded: Upgraded, endpoint: Endpoint) -> Self {
        let longest = Some(endpoint.limits.frame_bytes);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ)
            .write_buffer_size(WRITE)
            .max_write_buffer_size(WRITE_MOST)
            .max_message_size(longest)
            .max_frame_size(longest);
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        let Transport::WebSocket(kind) = endpoint.transport;
        Self { socket, kind }
    }

    /// Waits for what the client sends. Can be dropped and called again without a loss.
    pub(super) async fn next(&mut self) -> Incoming {
        match self.socket.next().await {
            Some(Ok(Message::Binary(frame))) if self.kind.allows_binary() => Incoming::Frame(Frame::Binary(frame)),
            Some(Ok(Message::Text(text))) if self.kind.allows_text() => Incoming::Frame(Frame::Text(text.into())),
            Some(Ok(Message::Binary(_))) => Incoming::Unacceptable(Code::Unsupported, "bytes where only text is taken"),
            Some(Ok(Message::Text(_))) => Incoming::Unacceptable(Code::Unsupported, "text where only bytes are taken"),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Incoming::Alive,
            Some(Ok(Message::Close(_))) => Incoming::Closed,
            Some(Err(Error::Capacity(_))) => Incoming::Unacceptable(Code::TooLong, "a frame too long"),
            Some(Err(_)) | None => Incoming::Gone,
        }
    }

    /// Sends frames, and waits until the client has taken them or is too slow. The frames are removed.
    pub(super) async fn send(&mut self, frames: &mut Vec<OutFrame>) -> Result<(), Lost> {
        let write = async {
            for frame in frames.drain(..) {
                self.socket.feed(message(frame)?).await?;
            }
            self.socket.flush().await
        };
        match timeout(SLOWEST, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::debug!(%error, "frames could not be sent");
                Err(Lost)
            }
            Err(_) => Err(Lost),
        }
    }

    /// Closes the connection, and waits a little until the client has read everything.
    pub(super) async fn close(&mut self, code: Option<Code>) {
        let code = code.map(|code| match code {
            Code::Unsupported => CloseCode::Unsupported,
            Code::TooLong => CloseCode::Size,
        });
        let frame = code.map(|code| CloseFrame { code, reason: "".into() });
        let goodbye = async {
            if self.socket.close(frame).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        let _slow = timeout(GOODBYE, goodbye).await;
    }
}

fn message(frame: OutFrame) -> Result<Message, Error> {
    let frame = match frame {
        OutFrame::Own(frame) => frame,
        OutFrame::Shared(shared) => shared.frame().clone(),
    };
    Ok(match frame {
        Frame::Binary(bytes) => Message::Binary(bytes),
        Frame::Text(bytes) => Message::Text(text(bytes)?),
    })
}

fn text(bytes: Bytes) -> Result<Utf8Bytes, Error> {
    Utf8Bytes::try_from(bytes).map_err(|error| Error::Utf8(error.to_string()))
}
