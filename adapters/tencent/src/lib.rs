//! Tencent Chat's (TIM's) server API over the neutral core.
//!
//! - `realm`: one app at the vendor: its credentials, its settings, its groups.
//! - `usersig`: who calls.
//! - `dialect`: the vendor's words to neutral words and back.
//! - `refusals`: the one table of codes.
//! - `calls`: the commands, one small file each, whoever calls them.
//! - `push`: what clients are sent of what happens.
//! - `socket`: the client SDKs' own protocol.
//! - `http`: the commands' routes and responses.
//! - `vendor`: registration.
//! - [`webhooks`]: what the app's server is told and asked.

mod calls;
mod dialect;
mod http;
mod push;
mod realm;
mod refusals;
mod settings;
mod socket;
mod surface;
mod usersig;
mod vendor;
pub mod webhooks;

/// The vendor, in paths, configuration and devices.
pub(crate) const VENDOR: &str = "tencent";

pub use calls::SignedIn;
pub use realm::{Credentials, Realm};
pub use settings::Settings;
pub use surface::Tencent;
pub use usersig::user_sig;
pub use vendor::Section;
