//! What the whole-system suites share: a world to tell stories in, clients that speak each vendor's server API,
//! and the documented exchanges as data.

pub mod client;
pub mod fixture;
pub mod house;
pub mod ledger;
pub mod refused;
pub mod sdk;
pub mod sign;
pub mod store_suite;
pub mod story;
pub mod told;
pub mod vendor;
pub mod walk;
pub mod weighed;
pub mod world;
