//! Which error an answer is, for logs and metrics.

use std::fmt;

use http::StatusCode;

/// An error's number: the HTTP status, as long as surfaces do not give their vendor's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum VendorCode {
    /// A number.
    Number(u32),
}

/// Whose doing an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ErrorClass {
    /// The caller's: nothing was done, and the same call would be refused again.
    Refused,
    /// The caller's, who has no valid credentials.
    Unauthenticated,
    /// Ours.
    Failed,
}

/// The error that an answer is; goes with it beside everything the client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct VendorError {
    /// The vendor's code.
    pub(crate) code: VendorCode,
    /// Whose doing it is.
    pub(crate) class: ErrorClass,
}

impl VendorError {
    /// The error of an answer that says only its status; `None` when that is no error.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        let class = ErrorClass::of_status(status)?;
        Some(Self { code: VendorCode::Number(u32::from(status.as_u16())), class })
    }
}

impl ErrorClass {
    /// What a status says; `None` when it is no error.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::UNAUTHORIZED => Some(Self::Unauthenticated),
            status if status.is_server_error() => Some(Self::Failed),
            status if status.is_client_error() => Some(Self::Refused),
            _ => None,
        }
    }

    /// The name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
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
        }
    }
}
