//! Mapping between the vendor's terms and the core's.

pub(crate) mod content;
pub(crate) mod events;
pub(crate) mod flags;
pub(crate) mod ids;
pub(crate) mod limits;
pub(crate) mod links;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod profile;
pub(crate) mod time;

use conclave_core::operation::Cleanup;

/// What is deleted when a member leaves: the allowlist entry, but not the mute.
pub(crate) const CLEANUP: Cleanup = Cleanup { mute: false, allowance: true, follows: true };
