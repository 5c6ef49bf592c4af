//! Clients that stay connected, and what reaches them.
//!
//! - `online`: the sessions of all realms; `realm`: those of one, and the delivery of its log.
//! - `registry`: which users are online where, in which groups and with which roles.
//! - `mailbox`: what waits for one session, bounded.
//! - `calls`: the calls of one session.
//! - `driver`: one session from its opening to its end; `websocket`: a session's frames over a WebSocket.
//!
//! A vendor's protocol is an engine without I/O ([`conclave_kit::Session`]); everything it needs of the world is here.
//! Events reach sessions from the realm's log, so nothing is delivered that is not committed.

mod calls;
mod driver;
mod mailbox;
mod online;
mod realm;
mod registry;
mod websocket;

pub(crate) use calls::PERFORMING;
pub(crate) use driver::Link;
pub(crate) use online::Online;
pub(crate) use websocket::{endpoint_of, upgrade};
