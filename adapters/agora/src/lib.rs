//! Agora Chat (also sold as Easemob and `EasyIM`) over the neutral core: its server API and its client protocol.
//!
//! - [`realm`]: one app: its identity, credentials and settings.
//! - [`surface`]: finds the app, checks the token, finds the operation, encodes the response.
//! - `auth`: tokens, passwords and authentication.
//! - `calls`: commands that users and the app have in common, for all transports.
//! - `dialect`: mapping between the vendor's terms and the core's.
//! - `refusals`: the table from the core's refusals to the vendor's errors; `refusals/requests`: errors of requests that
//!   are refused before the core is asked.
//! - `rest`: the operations, one file per family.
//! - [`settings`]: the app's settings.
//! - `socket`: the protocol of the client SDKs.
//! - `uploads`: unfinished uploads of attachments in parts.
//! - `vendor`: registration.
//! - [`webhooks`]: notifications to the app's server.

mod auth;
mod calls;
mod dialect;
mod group_reads;
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
