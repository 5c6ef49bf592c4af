//! `RongCloud` over the neutral core: its server API and its client protocol.
//!
//! - [`realm`]: one app at the vendor: its credentials, its settings, its groups.
//! - `auth`: authentication of calls and connections.
//! - `calls`: the methods of hosted groups, for the app's server and for clients.
//! - `dialect`: mapping between the vendor's terms and neutral ones.
//! - `refusals`: the table of error codes; `refusals/client`: those of the client protocol.
//! - `rest`: the routes, one file per endpoint or family.
//! - `settings`: the app's settings.
//! - `socket`: the protocol of the client SDK, and the navigator that leads to it.
//! - `surface`: finds the endpoint and the app, and runs the call.
//! - `vendor`: registration.
//! - [`webhooks`]: notifications to the app's server.

mod auth;
mod calls;
mod dialect;
mod group_reads;
mod realm;
mod refusals;
mod rest;
mod settings;
mod socket;
mod surface;
mod vendor;
pub mod webhooks;

pub use auth::token::InvalidToken;
pub use realm::{Credentials, RongRealm};
pub use settings::Settings;
pub use surface::Rong;
pub use vendor::Section;

/// The vendor's name in paths, configuration and devices.
pub(crate) const VENDOR: &str = "rong";
