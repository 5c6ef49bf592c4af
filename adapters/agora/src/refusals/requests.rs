//! The vendor's errors for requests that are refused before the core is asked: credentials, arguments, bodies.

use http::StatusCode;

use super::{
    BAD_TOKEN, BROKEN, EXCEED_LIMIT, ErrorContext, FORBIDDEN_OP, Failure, GROUP_AUTHORIZATION, GROUP_ILLEGAL, ILLEGAL,
    INVALID_GRANT, INVALID_PARAMETER, MESSAGE, METADATA, Metadata, NO_FILES, NO_SERVICE, RECALL, UNAUTHORIZED, failure,
};
use crate::auth::TokenError;
use crate::realm::App;

// --- authentication ----------------------------------------------------------------------------------------------

/// The token is invalid.
pub(crate) fn bad_token(place: ErrorContext, error: TokenError) -> Failure {
    match error {
        TokenError::Foreign => app_token_needed(),
        TokenError::Expired if !place.is_group() => {
            failure(UNAUTHORIZED, "Unable to authenticate due to expired access token")
        }
        // SDKs that exchange tokens here wait for ever without the number
        TokenError::Expired | TokenError::Invalid if place == ErrorContext::Token => {
            Failure { code: Some(40001), ..failure(UNAUTHORIZED, "Unable to authenticate (OAuth)") }
        }
        TokenError::Expired | TokenError::Invalid => failure(UNAUTHORIZED, "Unable to authenticate (OAuth)"),
    }
}

/// A user token where an app token is needed.
pub(crate) fn app_token_needed() -> Failure {
    failure(BAD_TOKEN, "Unable to authenticate due to corrupt access token")
}

/// The token is missing.
pub(crate) fn no_token(place: ErrorContext) -> Failure {
    if place.is_group() {
        return failure(GROUP_AUTHORIZATION, "token is blank!");
    }
    failure(UNAUTHORIZED, "Unable to authenticate (OAuth)")
}

/// The token is missing, and registration is not open.
pub(crate) fn registration_closed() -> Failure {
    failure(UNAUTHORIZED, "Open registration doesn't allow, so register user need token,")
}

/// A refused grant.
pub(crate) fn grant(description: &'static str) -> Failure {
    failure(INVALID_GRANT, description)
}

// --- invalid requests --------------------------------------------------------------------------------------------

/// A parameter of the group service is invalid.
pub(crate) fn invalid(description: impl Into<String>) -> Failure {
    failure(INVALID_PARAMETER, description)
}

/// An argument of the group service is invalid.
pub(crate) fn group_illegal(description: impl Into<String>) -> Failure {
    failure(GROUP_ILLEGAL, description)
}

/// Attributes are written or requested in an invalid form.
pub(crate) fn metadata(description: impl Into<String>) -> Failure {
    failure(METADATA, description)
}

/// An attribute, or a batch of them, is over a limit.
pub(crate) fn metadata_limit(limit: Metadata, description: &'static str) -> Failure {
    limit.on(failure(METADATA, description))
}

/// The attributes of a user who is not a member.
pub(crate) fn no_metadata() -> Failure {
    Metadata::NotMember
        .on(failure((StatusCode::NOT_FOUND, "MetadataException", "MetadataException"), "user not in group"))
}

/// An upload without a file.
pub(crate) fn no_file_given() -> Failure {
    let kind = (StatusCode::BAD_REQUEST, "IllegalArgumentException", "java.lang.IllegalArgumentException");
    failure(kind, "file must be provided.")
}

/// A response that would be too large. Our choice: the vendor documents none.
pub(crate) fn answer_too_large() -> Failure {
    failure(EXCEED_LIMIT, "response size is more than max limit, ask for less at once")
}

/// A file whose name is too long. Our choice: the vendor publishes no error text.
pub(crate) fn file_name_too_long() -> Failure {
    let kind = (StatusCode::BAD_REQUEST, "IllegalArgumentException", "java.lang.IllegalArgumentException");
    failure(kind, "file name is too long.")
}

/// No file with this id. Our choice: the vendor publishes no error text.
pub(crate) fn file_unknown(file: &str) -> Failure {
    failure(NO_FILES, format!("share file {file} does not exist!"))
}

/// No attachment of this id, or its time is over. Our choice: clients know the error's name, its text is
/// not published.
pub(crate) fn attachment_unknown(file: &str) -> Failure {
    failure((StatusCode::NOT_FOUND, "file_expired", "FileExpiredException"), format!("chatfile {file} does not exist"))
}

/// An attachment is read without its secret. Clients look for these words.
pub(crate) fn attachment_forbidden() -> Failure {
    failure((StatusCode::FORBIDDEN, "forbidden_op", "ForbiddenOpException"), "chatfile no permission")
}

/// An upload to a group that a web SDK is refused: they take every other status for success.
pub(crate) fn of_upload(failure: Failure) -> Failure {
    Failure { status: StatusCode::BAD_REQUEST, ..failure }
}

/// An upload of an attachment that a web SDK is refused: after a 400 `agora-chat` 1.4.0 calls its own error handler
/// without end, and its promise stays pending; with any other status they find that the file is missing, and reject it.
pub(crate) fn of_attachment(failure: Failure) -> Failure {
    let status = if failure.status == StatusCode::BAD_REQUEST { StatusCode::FORBIDDEN } else { failure.status };
    Failure { status, ..failure }
}

/// Why a message is not recalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotRecalled {
    /// There is no such message, or it was recalled before.
    NotFound,
    /// It was sent to somebody else.
    OtherTarget,
}

impl NotRecalled {
    /// The vendor's words (REST documentation, recalling a message).
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NotFound => "not_found msg",
            Self::OtherTarget => "can't find msg to",
        }
    }
}

/// A recall that cannot be read.
pub(crate) fn recall(description: impl Into<String>) -> Failure {
    failure(RECALL, description)
}

/// A message that is not recalled.
pub(crate) fn not_recalled(why: NotRecalled) -> Failure {
    let status = match why {
        NotRecalled::NotFound => StatusCode::FORBIDDEN,
        NotRecalled::OtherTarget => StatusCode::BAD_REQUEST,
    };
    Failure { status, ..recall(why.words()) }
}

/// An invalid message.
pub(crate) fn message(description: impl Into<String>) -> Failure {
    failure(MESSAGE, description)
}

/// A message over the limit.
pub(crate) fn message_too_large() -> Failure {
    Failure { code: Some(14007), ..message("message is too large") }
}

/// Why a message is not changed. The vendor publishes exception and text of each, and not the word of `error`, which is
/// ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rewrite {
    /// Neither a text nor a custom message.
    Unsupported,
    /// The id is no number.
    NotANumber,
    /// It was changed as often as is permitted.
    TooOften,
    /// There is no such message, or it was recalled.
    Unavailable,
}

/// A message that is not changed.
pub(crate) fn rewrite(why: Rewrite) -> Failure {
    match why {
        Rewrite::Unsupported => failure(
            (StatusCode::BAD_REQUEST, "unsupported_message_type", "UnsupportedMessageTypeException"),
            "The message is of a type that is currently not supported for modification.",
        ),
        Rewrite::NotANumber => failure(
            (StatusCode::BAD_REQUEST, "invalid_message_id", "InvalidMessageIdException"),
            "The provided message ID is not a valid number.",
        ),
        Rewrite::TooOften => failure(
            (StatusCode::FORBIDDEN, "edit_limit_exceeded", "EditLimitExceededException"),
            "The message has reached its edit limit and cannot be modified further.",
        ),
        Rewrite::Unavailable => failure(
            (StatusCode::NOT_FOUND, "message_unavailable", "MessageUnavailableException"),
            "The message is unavailable or has expired.",
        ),
    }
}

/// More messages per second than the app may send.
pub(crate) fn message_rate() -> Failure {
    Failure { status: StatusCode::FORBIDDEN, ..message("message send reach limit") }
}

/// A message that is not a JSON object. The exception's name is ours.
pub(crate) fn message_body() -> Failure {
    let kind = (StatusCode::BAD_REQUEST, "invalid_request_body", "InvalidRequestBodyException");
    failure(kind, "Request body is invalid. Please check body is correct.")
}

/// No history of that hour.
pub(crate) fn no_history(app: &App, hour: &str) -> Failure {
    let kind = (StatusCode::NOT_FOUND, "storage_object_not_found", "StorageObjectNotFoundException");
    let key = app.key();
    failure(kind, format!("Failed to find chat message history download url for appkey: {key}, time: {hour}"))
}

/// An announcement over the limit.
pub(crate) fn announcement_too_long() -> Failure {
    failure(FORBIDDEN_OP, "announce info length exceeds limit!")
}

/// An argument of the user or token service is invalid.
pub(crate) fn illegal(description: impl Into<String>) -> Failure {
    failure(ILLEGAL, description)
}

/// The body is not JSON.
pub(crate) fn not_json(description: impl Into<String>) -> Failure {
    failure((StatusCode::BAD_REQUEST, "json_parse", "com.fasterxml.jackson.core.JsonParseException"), description)
}

/// No such app.
pub(crate) fn app_unknown(org: &str, app: &str, rest: &str) -> Failure {
    failure(
        (StatusCode::NOT_FOUND, "organization_application_not_found", "OrganizationApplicationNotFoundException"),
        format!("Could not find application for {org}/{app} from URI: {org}/{app}{rest}"),
    )
}

/// No such operation, or no such account.
pub(crate) fn no_service() -> Failure {
    failure(NO_SERVICE, "Service resource not found")
}

/// The path does not accept this method.
pub(crate) fn no_method() -> Failure {
    Failure { status: StatusCode::METHOD_NOT_ALLOWED, ..failure(BROKEN, "HTTP 405 Method Not Allowed") }
}

/// A fault outside of the surface.
pub(crate) fn fault(fault: conclave_kit::Fault) -> Failure {
    use conclave_kit::Fault;
    match fault {
        Fault::TooLarge => {
            Failure { status: StatusCode::PAYLOAD_TOO_LARGE, ..failure(BROKEN, "Request Entity Too Large") }
        }
        Fault::Malformed => Failure { status: StatusCode::BAD_REQUEST, ..failure(BROKEN, "HTTP 400 Bad Request") },
        Fault::TimedOut => Failure { status: StatusCode::SERVICE_UNAVAILABLE, ..failure(BROKEN, "Request Timeout") },
        Fault::Busy => failure(
            (StatusCode::TOO_MANY_REQUESTS, "reach_limit", "EasemobReachLimitException"),
            "This request has reached api limit",
        ),
        Fault::Broken => failure(BROKEN, "Internal Server Error"),
        Fault::Error(position) => super::error_at(position),
    }
}
