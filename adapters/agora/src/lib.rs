//! The server API of Agora Chat (also sold as Easemob and `EasyIM`) over the neutral core.
//!
//! - [`realm`]: one app as this surface knows it: its identity, credentials and settings.
//! - [`surface`]: finds the app, checks the token, finds the operation, words the answer.
//! - `auth`: tokens, passwords and who is calling.
//! - `calls`: what is done for users and the app alike, whatever the transport.
//! - `dialect`: the vendor's words and the core's, both ways.
//! - `pace`: how many messages an app sends in a second.
//! - `refusals`: the one table from the core's refusals to the vendor's errors.
//! - `rest`: the operations, one small file per family.
//! - `socket`: the client SDKs' own protocol.
//! - `vendor`: registration.
//! - [`webhooks`]: what the app's server is told.

mod auth;
mod calls;
mod dialect;
mod pace;
pub mod realm;
mod refusals;
mod rest;
pub mod settings;
mod socket;
pub mod surface;
mod vendor;
pub mod webhooks;

/// The vendor, in paths, configuration and devices.
pub(crate) const VENDOR: &str = "agora";

pub use realm::{Credentials, Realm};
pub use settings::Settings;
pub use surface::Agora;
pub use vendor::Section;
