//! The vendor's words and the core's, both ways.

pub(crate) mod content;
pub(crate) mod events;
pub(crate) mod flags;
pub(crate) mod ids;
pub(crate) mod message;
pub(crate) mod profile;
pub(crate) mod time;

use conclave_core::operation::Cleanup;

/// What leaving a group takes along: the place on the allowlist, not the mute.
pub(crate) const CLEANUP: Cleanup = Cleanup { mute: false, allowance: true, follows: true };
