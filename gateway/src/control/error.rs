//! The errors of the control API. Programs compare the codes; the messages are for people.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::realms::running::RealmError;

/// The body of every refusal.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct ErrorBody {
    error: ErrorView,
}

/// Why a request was refused. Nothing was changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
struct ErrorView {
    /// Stable: programs may compare it.
    code: Code,
    /// For people; it may change.
    message: String,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:ident;)*) => {
        /// The code of an error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        pub(super) enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// As in answers.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }
        }
    };
}

codes! {
    /// The request is malformed, or a value is not accepted.
    BadRequest = "bad_request", BAD_REQUEST;
    /// The control token is missing or wrong.
    Unauthorized = "unauthorized", UNAUTHORIZED;
    /// The host that the request names is not served.
    ForbiddenHost = "forbidden_host", FORBIDDEN;
    /// A web page of another origin calls.
    ForbiddenOrigin = "forbidden_origin", FORBIDDEN;
    /// There is no such endpoint.
    NoSuchEndpoint = "no_such_endpoint", NOT_FOUND;
    /// The endpoint has other methods.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// There is no such realm.
    NoSuchRealm = "no_such_realm", NOT_FOUND;
    /// A realm of this name, or with this identity at a vendor, exists.
    RealmExists = "realm_exists", CONFLICT;
    /// The realm is part of the gateway's configuration.
    RealmIsConfigured = "realm_is_configured", CONFLICT;
    /// There are as many created realms as there may be.
    TooManyRealms = "too_many_realms", TOO_MANY_REQUESTS;
    /// The realm is on a durable store, where this is not offered.
    DurableRealm = "durable_realm", CONFLICT;
    /// The file cannot be a realm's data; the message says where and why.
    BadSeed = "bad_seed", UNPROCESSABLE_ENTITY;
    /// The realm has no journal.
    NoJournal = "no_journal", CONFLICT;
    /// There is no such vendor.
    NoSuchVendor = "no_such_vendor", NOT_FOUND;
    /// The vendor has no such operation.
    NoSuchOperation = "no_such_operation", BAD_REQUEST;
    /// The vendor has no such error.
    NoSuchError = "no_such_error", BAD_REQUEST;
    /// There is no such fault rule.
    NoSuchFault = "no_such_fault", NOT_FOUND;
    /// The realm has as many fault rules as it may have.
    TooManyFaults = "too_many_faults", TOO_MANY_REQUESTS;
    /// There is no such group in the realm.
    NoSuchGroup = "no_such_group", NOT_FOUND;
    /// There is no such snapshot of the realm.
    NoSuchSnapshot = "no_such_snapshot", NOT_FOUND;
    /// A snapshot of this name exists.
    SnapshotExists = "snapshot_exists", CONFLICT;
    /// The realm has as many snapshots as it may have.
    TooManySnapshots = "too_many_snapshots", TOO_MANY_REQUESTS;
    /// The clock is after that time already.
    ClockBackwards = "clock_backwards", CONFLICT;
    /// The body is larger than accepted.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE;
    /// The request took too long.
    TimedOut = "timed_out", REQUEST_TIMEOUT;
    /// An error of the gateway, which is in its log.
    Internal = "internal", INTERNAL_SERVER_ERROR;
}

/// A refused request.
#[derive(Debug, Clone)]
pub(super) struct ControlError {
    pub(super) code: Code,
    pub(super) message: String,
    /// The methods of the endpoint, where another one was requested.
    pub(super) allowed: Option<String>,
}

impl ControlError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), allowed: None }
    }

    /// For a value that is not accepted.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.code.status()
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let body = ErrorBody { error: ErrorView { code: self.code, message: self.message.clone() } };
        // two texts can always be written
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl From<RealmError> for ControlError {
    fn from(error: RealmError) -> Self {
        use conclave_kit::SetupError;
        let code = match &error {
            RealmError::Unknown(_) => Code::NoSuchRealm,
            RealmError::Exists(_) | RealmError::Setup(SetupError::SameApp { .. }) => Code::RealmExists,
            RealmError::Configured(_) => Code::RealmIsConfigured,
            RealmError::TooMany => Code::TooManyRealms,
            RealmError::Durable(_) => Code::DurableRealm,
            RealmError::Setup(_) | RealmError::Config(_) => Code::BadRequest,
            RealmError::Webhooks(_) | RealmError::Store(_) => {
                tracing::error!(%error, "a control request failed");
                Code::Internal
            }
        };
        Self::new(code, error.to_string())
    }
}
