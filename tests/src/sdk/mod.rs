//! The vendors' own SDKs, unmodified, driven by scripts in `tests/sdk/<vendor>/<sdk>/`.
//!
//! - [`node`], [`python`], [`rust`]: what the scripts need, installed once from lock files into the target folder.
//! - [`script`]: runs a script, hears what it reports, and meets it where it pauses.
//! - [`page`]: a client SDK that stays connected, driven call by call; [`online`]: one that is there to be online.
//! - [`gateway`]: the gateway the scripts are pointed at, and the other ways into its groups.
//! - [`tunnel`]: ways to the gateway for clients whose host is a constant.
//! - [`unread`]: what a suite sent that no handler read.
//! - [`driven`]: what a suite drove, for the coverage ledger.

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
