//! The protocol of the client SDKs: JSON over WebSocket, in binary frames (`/binfo`) or text frames (`/info`), and for
//! old SDKs over HTTP requests (`/v4/<service>/<command>`) of which one polls (`/v4/openim/longpolling`).
//!
//! - `clients`: where clients connect.
//! - `frame`: requests, answers and pushes as bytes.
//! - `notices`: which notices a connection has been given.
//! - `login`: who signs in, and the key that they show with each request from then on.
//! - `client`: one client's session: `session` over a WebSocket, or `polling` over HTTP requests.
//! - `facts`: facts as frames.
//!
//! Clients' requests are handled by the same commands as the server API's (`calls`), with the signed-in user as the
//! caller. Nothing here does I/O: frames and facts in, frames and calls out.

mod client;
mod clients;
mod facts;
mod frame;
pub(crate) mod login;
mod notices;
mod polling;
mod session;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;

pub(crate) use clients::Clients;
pub(crate) use frame::Head;
