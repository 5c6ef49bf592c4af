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

use prost::encoding::{DecodeContext, decode_key, skip_field};

/// How often a field occurs in a message, without decoding it. A message that cannot be read to its end has those before.
pub(crate) fn occurrences(mut message: &[u8], wanted: u32) -> usize {
    let mut count = 0;
    while !message.is_empty() {
        let Ok((tag, kind)) = decode_key(&mut message) else { break };
        count += usize::from(tag == wanted);
        if skip_field(kind, tag, &mut message, DecodeContext::default()).is_err() {
            break;
        }
    }
    count
}
