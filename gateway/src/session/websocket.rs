//! A session's frames over a WebSocket, plain or as `SockJS` frames them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use conclave_kit::{Endpoint, Frame, FrameKind, OutFrame};
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::UPGRADE;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::driver::Opening;
use super::line::{Code, Incoming, Line, Lost};
use super::sockjs;
use crate::payload::Payload;

/// Bytes read of a socket at once; most clients send little at a time, and there are many of them.
const READ: usize = 1024;
/// Bytes gathered before they are written.
const WRITE: usize = 8 * 1024;
/// Most bytes that wait to be written. Nothing is added before the client has read earlier frames, so only a single
/// longer frame can exceed this; it closes the connection.
const WRITE_MOST: usize = 16 * 1024 * 1024;
/// The interval of heartbeats to a `SockJS` client.
const HEARTBEAT: Duration = Duration::from_secs(25);
/// How long a client may take to close a connection that this side has closed.
const GOODBYE: Duration = Duration::from_secs(2);

/// Whether a request is for a WebSocket upgrade.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// How frames are encoded in a WebSocket's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// One message is one frame.
    Plain(FrameKind),
    /// `SockJS` framing.
    SockJs,
}

/// Responds to an upgrade request; the session begins once the response is sent.
pub(super) fn upgrade(framing: Framing, mut opening: Opening) -> Response<Payload> {
    let upgrade = opening.parts.extensions.remove::<OnUpgrade>();
    let request = Request::from_parts(opening.parts, ());
    let (response, upgrade) = match (create_response_with_body(&request, Payload::default), upgrade) {
        (Ok(response), Some(upgrade)) => (response, upgrade),
        (wrong, _) => {
            tracing::debug!(error = ?wrong.err(), "an invalid websocket upgrade request");
            let mut response = Response::new(Payload::default());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return response;
        }
    };
    opening.parts = request.into_parts().0;
    let opening = Box::new(opening);
    tokio::spawn(async move {
        // the process waits for holders of this, so it is dropped last, after everything the session held
        let _last = opening.link.phase.clone();
        match upgrade.await {
            Ok(upgraded) => {
                let socket = Socket::new(upgraded, opening.endpoint, framing, opening.context.write_time);
                let line = Line::Socket(Box::new(Box::pin(socket).await));
                if let Some(driver) = opening.session(line) {
                    driver.run().await;
                }
            }
            Err(error) => tracing::debug!(%error, "a client disconnected during the websocket upgrade"),
        }
    });
    response
}

/// The frames of one session.
pub(super) struct Socket {
    messages: WebSocketStream<TokioIo<Upgraded>>,
    framing: Framing,
    /// Remaining frames of a message with several.
    read: VecDeque<Frame>,
    longest: usize,
    /// When the next heartbeat is sent to a `SockJS` client.
    heartbeat_at: Instant,
    /// Timeout for the client to read.
    slowest: Duration,
}

impl Socket {
    async fn new(upgraded: Upgraded, endpoint: Endpoint, framing: Framing, slowest: Duration) -> Self {
        let longest = endpoint.limits.frame_bytes;
        // frames in a SockJS message are quoted and escaped
        let message =
            Some(if framing == Framing::SockJs { longest.saturating_mul(2).saturating_add(1024) } else { longest });
        let config = WebSocketConfig::default()
            .read_buffer_size(READ)
            .write_buffer_size(WRITE)
            .max_write_buffer_size(WRITE_MOST)
            .max_message_size(message)
            .max_frame_size(message);
        let mut messages = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        if framing == Framing::SockJs {
            // clients fall back to other transports when this does not arrive at once
            let _slow = timeout(slowest, messages.send(Message::text("o"))).await;
        }
        Self { messages, framing, read: VecDeque::new(), longest, heartbeat_at: Instant::now() + HEARTBEAT, slowest }
    }

    /// Waits for the client's next input. Cancel safe.
    pub(super) async fn next(&mut self) -> Incoming {
        loop {
            if let Some(frame) = self.read.pop_front() {
                return Incoming::Frame(frame);
            }
            let message = match self.framing {
                Framing::Plain(_) => self.messages.next().await,
                // on the heap, so that other sessions have no room for it
                Framing::SockJs => match Box::pin(self.next_of_sockjs()).await {
                    Ok(message) => message,
                    Err(Lost) => return Incoming::Gone,
                },
            };
            let kind = match self.framing {
                Framing::Plain(kind) => Some(kind),
                Framing::SockJs => None,
            };
            return match (message, kind) {
                (Some(Ok(Message::Binary(frame))), Some(kind)) if kind.allows_binary() => {
                    Incoming::Frame(Frame::Binary(frame))
                }
                (Some(Ok(Message::Text(text))), Some(kind)) if kind.allows_text() => {
                    Incoming::Frame(Frame::Text(text.into()))
                }
                (Some(Ok(Message::Text(text))), None) => match sockjs::frames(text.as_bytes()) {
                    Some(frames) if frames.iter().all(|frame| frame.bytes().len() <= self.longest) => {
                        self.read.extend(frames);
                        continue;
                    }
                    Some(_) => Incoming::Unacceptable(Code::TooLong, "a frame too long"),
                    // clients send empty messages to find out whether a proxy buffers
                    None if text.is_empty() => continue,
                    None => Incoming::Unacceptable(Code::Unsupported, "a message that is not of SockJS"),
                },
                (Some(Ok(Message::Binary(_))), _) => {
                    Incoming::Unacceptable(Code::Unsupported, "a binary frame where only text is accepted")
                }
                (Some(Ok(Message::Text(_))), _) => {
                    Incoming::Unacceptable(Code::Unsupported, "a text frame where only binary is accepted")
                }
                (Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))), _) => Incoming::Alive,
                (Some(Ok(Message::Close(_))), _) => Incoming::Closed,
                (Some(Err(Error::Capacity(_))), _) => Incoming::Unacceptable(Code::TooLong, "a frame too long"),
                (Some(Err(_)) | None, _) => Incoming::Gone,
            };
        }
    }

    /// Waits for the next message, and sends heartbeats meanwhile.
    async fn next_of_sockjs(&mut self) -> Result<Option<Result<Message, Error>>, Lost> {
        loop {
            tokio::select! {
                message = self.messages.next() => return Ok(message),
                () = sleep_until(self.heartbeat_at) => {
                    self.heartbeat_at = Instant::now() + HEARTBEAT;
                    self.write(vec![Message::text("h")]).await?;
                }
            }
        }
    }

    /// Sends and removes frames, and waits until the client has read them or is too slow.
    pub(super) async fn send(&mut self, frames: &mut Vec<OutFrame>) -> Result<(), Lost> {
        let batch = match self.framing {
            Framing::SockJs if !frames.is_empty() => {
                let message = sockjs::message(frames);
                frames.clear();
                vec![Message::text(message)]
            }
            _ => {
                let messages: Result<_, Error> = frames.drain(..).map(message).collect();
                messages.map_err(|error| lost(&error))?
            }
        };
        self.write(batch).await
    }

    async fn write(&mut self, messages: Vec<Message>) -> Result<(), Lost> {
        let write = async {
            for message in messages {
                self.messages.feed(message).await?;
            }
            self.messages.flush().await
        };
        match timeout(self.slowest, write).await {
            Ok(result) => result.map_err(|error| lost(&error)),
            Err(_) => Err(Lost),
        }
    }

    /// Closes the connection, and waits briefly until the client has read everything.
    pub(super) async fn close(&mut self, code: Option<Code>) {
        let code = code.map(|code| match code {
            Code::Unsupported => CloseCode::Unsupported,
            Code::TooLong => CloseCode::Size,
        });
        let frame = code.map(|code| CloseFrame { code, reason: "".into() });
        let goodbye = async {
            if self.framing == Framing::SockJs {
                let _gone = self.messages.send(Message::text(sockjs::GO_AWAY)).await;
            }
            if self.messages.close(frame).await.is_ok() {
                while let Some(Ok(_)) = self.messages.next().await {}
            }
        };
        let _slow = timeout(GOODBYE, goodbye).await;
    }
}

fn lost(error: &Error) -> Lost {
    tracing::debug!(%error, "frames could not be sent");
    Lost
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
