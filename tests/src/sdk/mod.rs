//! The vendors' own SDKs, unmodified, driven by scripts in `tests/sdk/<vendor>/<sdk>/`.
//!
//! - [`node`], [`python`], [`rust`]: the scripts' dependencies, installed once from lock files into the target folder.
//! - [`script`]: runs a script, reads its reports, and synchronizes with its pauses.
//! - [`page`]: a client SDK that stays connected, driven call by call; [`online`]: a user who is only online.
//! - [`gateway`]: the gateway that the scripts use, and callers of its server APIs.
//! - [`tunnel`]: connections to the gateway for clients with a constant host.
//! - [`unread`]: the request fields of a suite that no handler read.
//! - [`driven`]: the operations that a suite drove, for the coverage ledger.

pub mod driven;
pub mod gateway;
pub mod node;
pub mod online;
pub mod page;
pub mod python;
pub mod rust;
pub mod script;
mod toolbox;
pub mod tunnel;
pub mod unread;
