//! Tencent Chat's (TIM's) server API over the neutral core.
//!
//! - `realm`: one app at the vendor: its credentials, its settings, its groups.
//! - `usersig`: who calls.
//! - `dialect`: the vendor's words to neutral words and back.
//! - `refusals`: the one table of codes.
//! - `rest`: the commands, one small file each.
//! - [`webhooks`]: what the app's server is told and asked.

mod dialect;
mod realm;
mod refusals;
mod rest;
mod settings;
mod surface;
mod usersig;
pub mod webhooks;

pub use realm::{Credentials, Realm, SetupError};
pub use settings::Settings;
pub use surface::Tencent;
pub use usersig::user_sig;
