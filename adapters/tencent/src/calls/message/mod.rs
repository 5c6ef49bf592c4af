//! `group_open_http_svc`: what is said in groups.

pub(super) mod broadcast;
pub(super) mod delete;
pub(super) mod extensions;
pub(super) mod history;
pub(super) mod modify;
pub(super) mod notify;
mod rate;
pub(super) mod recall;
pub(super) mod receipts;
pub(super) mod send;

pub(crate) use rate::Rate;

use serde_json::Value;

use conclave_core::model::{Body, Labels};

use crate::dialect::{limits, message};
use crate::refusals::{Code, Failure};

/// The neutral body of a request's elements.
pub(super) fn body(elements: Option<Vec<Value>>) -> Result<(Body, Labels), Failure> {
    let elements = elements.unwrap_or_default();
    let bytes: usize = elements.iter().map(|element| element.to_string().len()).sum();
    if bytes > limits::MESSAGE {
        return Err(Code::TextTooLong.into());
    }
    message::read(&elements).ok_or_else(|| Code::Parameter.saying("MsgBody is illegal"))
}
