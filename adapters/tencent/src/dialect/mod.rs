//! Mapping between the vendor's terms and neutral ones: types, options, roles, fields, lengths, ids.

pub(crate) mod application;
pub(crate) mod client_message;
pub(crate) mod community;
pub(crate) mod custom;
pub(crate) mod events;
pub(crate) mod kind;
pub(crate) mod limits;
pub(crate) mod marks;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod options;
pub(crate) mod receive;
pub(crate) mod role;
pub(crate) mod time;
pub(crate) mod tiny_id;
pub(crate) mod topic;

use conclave_core::operation::Cleanup;

/// What is deleted when a membership ends: the place on the allowlist, which this vendor does not have, and whom the member
/// follows. A mute stays (behaviour rules, section 5).
pub(crate) const CLEANUP: Cleanup = Cleanup { mute: false, allowance: true, follows: true };
