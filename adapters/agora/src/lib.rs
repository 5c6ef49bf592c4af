//! The server API of Agora Chat (also sold as Easemob and `EasyIM`) over the neutral core.
//!
//! - [`realm`]: one app: its identity, credentials and settings.
//! - [`surface`]: finds the app, checks the token, finds the operation, encodes the response.
//! - `auth`: tokens, passwords and authentication.
//! - `calls`: commands that users and the app have in common, for all transports.
//! - `dialect`: mapping between the vendor's terms and the core's.
//! - `refusals`: the one table from the core's refusals to the vendor's errors.
//! - `rest`: the operations, one file per family.
//! - `socket`: the protocol of the client SDKs.
//! - `vendor`: registration.
//! - [`webhooks`]: notifications to the app's server.

mod auth;
mod calls;
mod dialect;
pub mod realm;
mod refusals;
mod rest;
pub mod settings;
mod socket;
pub mod surface;
mod uploads;
mod vendor;
pub mod webhooks;

/// The vendor's name in paths, configuration and devices.
pub(crate) const VENDOR: &str = "agora";

pub use realm::{AgoraRealm, Credentials};
pub use settings::Settings;
pub use surface::Agora;
pub use vendor::Section;
