//! The protocol of the client SDKs: JSON over WebSocket, in binary frames (`/binfo`) or text frames (`/info`).
//!
//! - `clients`: where clients connect.
//! - `frame`: requests, answers and pushes as bytes.
//! - `notices`: which notices a connection has been given.
//! - `login`: who signs in, and the key that they show with each request from then on.
//! - `session`: one connection.
//! - `facts`: facts as frames.
//!
//! Clients' requests are handled by the same commands as the server API's (`calls`), with the signed-in user as the
//! caller. Nothing here does I/O: frames and facts in, frames and calls out.

mod clients;
mod facts;
mod frame;
mod login;
mod notices;
mod session;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;

pub(crate) use clients::Clients;
