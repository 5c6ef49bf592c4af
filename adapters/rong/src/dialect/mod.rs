//! The vendor's words to neutral words and back.

pub(crate) mod events;
pub(crate) mod limits;
pub(crate) mod message;
pub(crate) mod page;
pub(crate) mod permissions;
pub(crate) mod profile;
pub(crate) mod role;
pub(crate) mod time;
