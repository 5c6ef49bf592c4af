//! Shared by the whole-system suites: worlds in one process, clients of each vendor's server API, and the documented
//! exchanges as data.

pub mod client;
pub mod effects;
pub mod fixture;
pub mod given;
pub mod house;
pub mod ledger;
pub mod refused;
pub mod sdk;
pub mod sign;
pub mod store_suite;
pub mod story;

pub mod vendor;
pub mod walk;
pub mod weighed;
pub mod world;
