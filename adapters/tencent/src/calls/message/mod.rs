//! `group_open_http_svc`: messages in groups.

pub(super) mod broadcast;
pub(super) mod delete;
pub(super) mod extensions;
pub(super) mod history;
pub(super) mod modify;
pub(super) mod notify;
pub(super) mod pins;
pub(super) mod read_marks;
pub(super) mod recall;
pub(super) mod recalls;
pub(super) mod receipts;
pub(super) mod send;

pub(super) use history::{TIP, faces, tips};

use serde_json::Value;

use conclave_core::model::{Body, Labels};

use crate::dialect::{limits, message};
use crate::refusals::{Code, Failure};

/// The neutral body of a request's elements.
pub(super) fn body(elements: Option<Vec<Value>>) -> Result<(Body, Labels), Failure> {
    message::checked(&elements.unwrap_or_default())
}

/// Refuses texts beside the elements that are longer than the elements may be.
pub(super) fn check_beside<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<(), Failure> {
    let is_long = texts.into_iter().any(|text| text.len() > limits::MESSAGE);
    if is_long { Err(Code::TextTooLong.into()) } else { Ok(()) }
}
