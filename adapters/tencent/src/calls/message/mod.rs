//! `group_open_http_svc`: what is said in groups.

pub(super) mod broadcast;
pub(super) mod delete;
pub(super) mod extensions;
pub(super) mod history;
pub(super) mod modify;
pub(super) mod notify;
mod rate;
pub(super) mod read_marks;
pub(super) mod recall;
pub(super) mod recalls;
pub(super) mod receipts;
pub(super) mod send;

pub(super) use history::faces;
pub(crate) use rate::Rate;

use serde_json::Value;

use conclave_core::model::{Body, Labels};

use crate::dialect::message;
use crate::refusals::Failure;

/// The neutral body of a request's elements.
pub(super) fn body(elements: Option<Vec<Value>>) -> Result<(Body, Labels), Failure> {
    message::checked(&elements.unwrap_or_default())
}
