//! Mapping between the vendor's terms and neutral ones.

pub(crate) mod events;
pub(crate) mod limits;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod page;
pub(crate) mod permissions;
pub(crate) mod profile;
pub(crate) mod role;
pub(crate) mod time;
