//! The vendor's error in a response, for logs and metrics: at some vendors the HTTP status does not show it.

use std::fmt;

use http::{Response, StatusCode};

use crate::Body;

/// An error as its vendor numbers or names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VendorCode {
    /// A number.
    Number(u32),
    /// A name, where the vendor's errors have names.
    Name(&'static str),
}

/// Whose doing an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The caller's: nothing was done, and the same call would be refused again.
    Refused,
    /// The caller's, who has no valid credentials.
    Unauthenticated,
    /// This server's: it failed, and the error is logged.
    Failed,
}

/// The error in a response; attached to it without being sent to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VendorError {
    /// The vendor's code.
    pub code: VendorCode,
    /// Whether the caller or the server causes it.
    pub class: ErrorClass,
}

impl VendorError {
    /// Sends it along with the answer.
    pub fn go_with(self, answer: &mut Response<Body>) {
        answer.extensions_mut().insert(self);
    }

    /// The error of a response that has only a status; `None` when that is not an error.
    pub fn of_status(status: StatusCode) -> Option<Self> {
        let class = ErrorClass::of_status(status)?;
        Some(Self { code: VendorCode::Number(u32::from(status.as_u16())), class })
    }
}

impl ErrorClass {
    /// The class of a status; `None` when it is not an error.
    pub fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::UNAUTHORIZED => Some(Self::Unauthenticated),
            status if status.is_server_error() => Some(Self::Failed),
            status if status.is_client_error() => Some(Self::Refused),
            _ => None,
        }
    }

    /// The name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unauthenticated => "unauthenticated",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for VendorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
