//! The protobuf messages in frames. Field numbers and kinds are the vendor's; names are those of its SDKs.
//!
//! proto2: the SDK throws when a required field of a reply is missing, so required fields are plain here and always
//! written; a missing optional one reaches applications as `null`. Fields of clients' messages that are not read are
//! omitted here.

#![expect(clippy::struct_field_names, reason = "wire names are the vendor's")]

mod event;
mod group;
mod message;
mod receipts;
mod sync;

pub(crate) use event::*;
pub(crate) use group::*;
pub(crate) use message::*;
pub(crate) use receipts::*;
pub(crate) use sync::*;

/// The type of conversations in groups.
pub(crate) const GROUP: i32 = 3;

/// A key and a value.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ProfileInfo {
    #[prost(string, optional, tag = "1")]
    pub(crate) key: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}

impl ProfileInfo {
    pub(crate) fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: Some(key.into()), value: Some(value.into()) }
    }
}
