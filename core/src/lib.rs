//! Chat groups, in neutral terms without any vendor's.
//!
//! - [`model`]: groups, members, users, policies, messages and their validated ids.
//! - [`decision`]: a decision in progress (`Draft`).
//! - [`facts`]: the rows that were fetched for a decision.
//! - [`operation`]: one file per operation; each is a pure function of facts, actor and time.
//! - [`query`]: one file per question a surface may ask.
//! - [`speech`]: the rule of who may send messages.
//! - [`event`]: events, and their audience.
//! - [`refusal`]: the one error type.
//! - [`bounds`]: how large a row or an event may be, whatever surfaces let through.
//! - [`ports`]: what a backend of a realm offers ([`ports::Groups`], [`ports::Log`], [`ports::Maintenance`]), and
//!   [`ports::Store`], which operations run on.
//! - [`engine`]: gathers facts, decides, commits; the one implementation of `Groups` over a `Store`.
//! - [`log`]: a realm's log over a `Store`.
//! - [`retention`]: deleting events and messages that a realm keeps no longer.
//! - [`memory`]: the store that lives in memory.
//! - [`invariants`]: what must hold between rows, for tests and seeds.
//!
//! No socket, no clock, no randomness and no wire format lives here.

pub mod bounds;
pub mod decision;
pub mod engine;
pub mod event;
pub mod facts;
pub mod invariants;
mod keyed;
pub mod log;
pub mod memory;
pub mod model;
pub mod operation;
pub mod ports;
pub mod query;
pub mod refusal;
pub mod retention;
pub mod speech;
