//! Tencent Chat's (TIM's) server API over the neutral core.
//!
//! - `realm`: one app at the vendor: its credentials, its settings, its groups.
//! - `usersig`: authentication of callers.
//! - `dialect`: mapping between the vendor's terms and neutral ones.
//! - `refusals`: the table of error codes.
//! - `calls`: the commands, one file each, for all callers.
//! - `push`: events as clients receive them.
//! - `socket`: the protocol of the client SDKs.
//! - `http`: the commands' routes and responses.
//! - `vendor`: registration.
//! - [`webhooks`]: notifications and questions to the app's server.

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

/// The vendor's name in paths, configuration and devices.
pub(crate) const VENDOR: &str = "tencent";

pub use calls::SignedIn;
pub use realm::{Credentials, TencentRealm};
pub use settings::Settings;
pub use surface::Tencent;
pub use usersig::user_sig;
pub use vendor::Section;
