//! The protocol of the client SDKs: JSON over WebSocket, in binary frames (`/binfo`) or text frames (`/info`).
//!
//! - `clients`: the endpoints.
//! - `frame`: requests, replies and pushes as bytes.
//! - `login`: signing in, and the key that clients send with each later request.
//! - `session`: one connection.
//! - `facts`: facts as frames.
//!
//! Clients' requests are handled by the same commands as the server API's (`calls`), with the signed-in user as the
//! caller. Nothing here does I/O: frames and facts in, frames and calls out.

mod clients;
mod facts;
mod frame;
mod login;
mod session;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;

pub(crate) use clients::Clients;
