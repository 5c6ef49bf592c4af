//! Tencent Chat (TIM) over the neutral core: its server API and its client protocol.
//!
//! - `realm`: one app at the vendor: its credentials, its settings, its groups.
//! - `auth`: authentication of callers.
//! - `dialect`: mapping between the vendor's terms and neutral ones.
//! - `refusals`: the table of error codes.
//! - `calls`: the commands, one file each, for all callers.
//! - `push`: events as clients receive them.
//! - `settings`: the app's settings.
//! - `socket`: the protocol of the client SDKs.
//! - `rest`: the commands' routes and responses over HTTP.
//! - `surface`: finds the command and the app, authenticates the caller, and runs the command.
//! - `uploads`: the addresses of files that messages refer to, and their bytes.
//! - `vendor`: registration.
//! - [`webhooks`]: notifications and questions to the app's server.

mod auth;
mod calls;
mod dialect;
mod group_reads;
mod push;
mod realm;
mod refusals;
mod rest;
mod settings;
mod socket;
mod surface;
mod uploads;
mod vendor;
pub mod webhooks;

/// The vendor's name in paths, configuration and devices.
pub(crate) const VENDOR: &str = "tencent";

pub use auth::user_sig;
pub use calls::SignedIn;
pub use realm::{Credentials, TencentRealm};
pub use settings::Settings;
pub use surface::Tencent;
pub use vendor::Section;
