//! The one table from the core's refusals to the vendor's errors: a status and a squawk.

use conclave_core::refusal::Refusal;
use conclave_kit::{Body, Fault};
use http::{Response, StatusCode};
use serde_json::json;

/// An error as the vendor reports it.
pub(crate) struct Failure(pub(crate) StatusCode, pub(crate) &'static str);

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::GroupNotFound { .. } => Self(StatusCode::NOT_FOUND, "no such perch"),
            Refusal::GroupExists { .. } => Self(StatusCode::CONFLICT, "perch taken"),
            Refusal::NotOffered { .. } => Self(StatusCode::NOT_IMPLEMENTED, "not here"),
            Refusal::Unavailable(_) => Self(StatusCode::INTERNAL_SERVER_ERROR, "ruffled"),
            _ => Self(StatusCode::BAD_REQUEST, "no"),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self(StatusCode::BAD_REQUEST, "garbled"),
            Fault::TooLarge => Self(StatusCode::PAYLOAD_TOO_LARGE, "a mouthful"),
            Fault::TimedOut => Self(StatusCode::GATEWAY_TIMEOUT, "too slow"),
            Fault::Broken | Fault::Error(_) => Self(StatusCode::INTERNAL_SERVER_ERROR, "ruffled"),
            Fault::Busy => Self(StatusCode::SERVICE_UNAVAILABLE, "asleep"),
        }
    }
}

impl Failure {
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(json!({ "squawk": self.1 }).to_string()));
        *response.status_mut() = self.0;
        response
    }
}
