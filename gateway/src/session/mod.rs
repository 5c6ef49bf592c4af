//! Who is connected, and what wakes them.
//!
//! - `online`: all realms' sessions; [`realm`]: those of one, who follow its log.
//! - `presence`: who is online where, and in which groups: an event costs as much as there are sessions to tell.
//! - `mailbox`: what waits for one session, bounded.
//! - `socket`: one WebSocket from its upgrade to its end.
//!
//! A vendor's protocol is an engine without I/O ([`conclave_kit::Session`]); everything it needs of the world is
//! here. Events reach sessions from the realm's log, so nothing is told that is not committed.

mod mailbox;
mod online;
mod presence;
mod realm;
mod socket;

pub(crate) use online::Online;
pub(crate) use socket::{Link, answer, asks};
