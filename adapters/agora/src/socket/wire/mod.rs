//! The protobuf messages of MSYNC, the client SDKs' protocol. Field numbers and kinds are the vendor's; names are those
//! of its SDKs.
//!
//! proto2: the SDKs check whether a field is present, even if its value is zero, so every single field is optional and
//! written when it is set. Repeated numbers are not packed. Enumerations are numbers; the modules beside the messages
//! name the values.

#![expect(clippy::struct_field_names, reason = "wire names are the vendor's")]

mod chat;
mod envelope;
mod group;
mod sync;
#[cfg(test)]
mod tests;

pub(crate) use chat::*;
pub(crate) use envelope::*;
pub(crate) use group::*;
pub(crate) use sync::*;
