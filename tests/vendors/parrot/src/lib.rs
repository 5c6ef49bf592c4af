//! A made-up vendor, to show what adding one takes: a server API of three routes, a client protocol, webhooks,
//! settings, credentials.
//!
//! - `api`: the routes.
//! - `refusals`: the one table from the core's refusals to the vendor's errors.
//! - `socket`: the client protocol, lines of text.
//! - `vendor`: registration.
//! - `webhooks`: notifications to the app's server.

mod api;
mod refusals;
mod socket;
mod vendor;
mod webhooks;

pub use api::Parrot;
pub use vendor::{Credentials, Section, Settings};
pub use webhooks::WebhookSettings;
