//! The table from the core's refusals, and from invalid requests, to the errors of the REST API. The client protocol has
//! another one: `socket::send::refused`.
//!
//! Clients compare these texts byte for byte: do not change any. Where the vendor publishes no text, the row
//! contains the phrase its SDKs look for, or follows the pattern of similar errors, and is marked "our choice".

mod requests;
#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;

use conclave_core::model::GroupId;
use conclave_core::refusal::{Limit, Needs, Refusal};
use conclave_kit::ErrorInfo;
use http::StatusCode;

pub(crate) use requests::{
    NotRecalled, Rewrite, announcement_too_long, answer_too_large, app_token_needed, app_unknown, attachment_forbidden,
    attachment_unknown, bad_token, fault, file_name_too_long, file_unknown, grant, group_illegal, illegal, invalid,
    message, message_body, message_rate, message_too_large, metadata, metadata_limit, no_file_given, no_history,
    no_metadata, no_method, no_service, no_token, not_json, not_recalled, of_attachment, of_upload, recall,
    registration_closed, rewrite,
};

use crate::dialect::ids::{file_uuid, shown};
use crate::realm::App;

/// Where a refusal happened; the vendor's errors differ by service and by operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorContext {
    /// Groups in general.
    Group,
    /// Changing a group's fields.
    Modify,
    /// Transferring a group.
    Transfer,
    /// Listing members.
    Members,
    /// Adding one member.
    AddOne,
    /// Adding and removing admins.
    Admin,
    /// Tokens.
    Token,
    /// Accounts.
    User,
    /// Attributes of members.
    Attributes,
    /// Shared files.
    Files,
    /// Files that messages refer to.
    Attachment,
    /// Messages.
    Message,
}

impl ErrorContext {
    /// Whether this is answered by the group service.
    pub(crate) fn is_group(self) -> bool {
        !matches!(self, Self::Token | Self::User | Self::Message | Self::Attachment)
    }
}

/// An error of the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) exception: &'static str,
    pub(crate) description: String,
    /// The numeric code that some services add.
    pub(crate) code: Option<u32>,
}

const FORBIDDEN_OP: (StatusCode, &str, &str) =
    (StatusCode::FORBIDDEN, "forbidden_op", "com.easemob.group.exception.ForbiddenOpException");
const EXCEED_LIMIT: (StatusCode, &str, &str) =
    (StatusCode::FORBIDDEN, "exceed_limit", "com.easemob.group.exception.ExceedLimitException");
const NOT_FOUND: (StatusCode, &str, &str) =
    (StatusCode::NOT_FOUND, "resource_not_found", "com.easemob.group.exception.ResourceNotFoundException");
const NOT_FOUND_READ: (StatusCode, &str, &str) = (
    StatusCode::NOT_FOUND,
    "service_resource_not_found",
    "com.easemob.group.exception.ServiceResourceNotFoundException",
);
const INVALID_PARAMETER: (StatusCode, &str, &str) =
    (StatusCode::BAD_REQUEST, "invalid_parameter", "com.easemob.group.exception.InvalidParameterException");
const GROUP_ILLEGAL: (StatusCode, &str, &str) =
    (StatusCode::BAD_REQUEST, "illegal_argument", "com.easemob.group.exception.IllegalArgumentException");
const GROUP_AUTHORIZATION: (StatusCode, &str, &str) =
    (StatusCode::UNAUTHORIZED, "group_authorization", "com.easemob.group.exception.GroupAuthorizationException");
const ILLEGAL: (StatusCode, &str, &str) =
    (StatusCode::BAD_REQUEST, "illegal_argument", "java.lang.IllegalArgumentException");
const UNAUTHORIZED: (StatusCode, &str, &str) = (StatusCode::UNAUTHORIZED, "unauthorized", "EasemobSecurityException");
const BAD_TOKEN: (StatusCode, &str, &str) =
    (StatusCode::UNAUTHORIZED, "auth_bad_access_token", "EasemobSecurityException");
const INVALID_GRANT: (StatusCode, &str, &str) =
    (StatusCode::BAD_REQUEST, "invalid_grant", "EasemobInvalidGrantException");
const RESOURCE_LIMITED: (StatusCode, &str, &str) =
    (StatusCode::TOO_MANY_REQUESTS, "resource_limited", "EasemobResourceLimitedException");
const NO_SERVICE: (StatusCode, &str, &str) = (
    StatusCode::NOT_FOUND,
    "service_resource_not_found",
    "org.apache.usergrid.services.exceptions.ServiceResourceNotFoundException",
);
const DUPLICATE: (StatusCode, &str, &str) = (
    StatusCode::BAD_REQUEST,
    "duplicate_unique_property_exists",
    "org.apache.usergrid.persistence.exceptions.DuplicateUniquePropertyExistsException",
);
const METADATA: (StatusCode, &str, &str) = (StatusCode::BAD_REQUEST, "metadata_error", "MetadataException");
const NO_FILES: (StatusCode, &str, &str) =
    (StatusCode::NOT_FOUND, "RestGroupFeignException", "RestGroupFeignException");
const MESSAGE: (StatusCode, &str, &str) = (StatusCode::BAD_REQUEST, "message_send_error", "MessageSendException");
const RECALL: (StatusCode, &str, &str) = (StatusCode::BAD_REQUEST, "message_recall_error", "MessageRecallException");
const BROKEN: (StatusCode, &str, &str) =
    (StatusCode::INTERNAL_SERVER_ERROR, "web_application", "javax.ws.rs.WebApplicationException");

/// The kinds of errors, each name once, with a usual text: what tests can ask for.
const KINDS: [((StatusCode, &str, &str), &str); 15] = [
    (FORBIDDEN_OP, "forbidden operation on group owner!"),
    (EXCEED_LIMIT, "members size is greater than max user size !"),
    (NOT_FOUND, "grpID does not exist!"),
    (NOT_FOUND_READ, "do not find this group"),
    (INVALID_PARAMETER, "invalid parameter"),
    (GROUP_ILLEGAL, "illegal argument"),
    (GROUP_AUTHORIZATION, "no permission"),
    (UNAUTHORIZED, "Unable to authenticate"),
    (BAD_TOKEN, "Unable to authenticate due to corrupt access token"),
    (INVALID_GRANT, "invalid username or password"),
    (RESOURCE_LIMITED, "You have exceeded the limit of the community edition"),
    (DUPLICATE, "Entity user requires that property named username be unique"),
    (METADATA, "metadata error"),
    (REACH_LIMIT, "This request has reached api limit"),
    (BROKEN, "Internal Server Error"),
];
const REACH_LIMIT: (StatusCode, &str, &str) =
    (StatusCode::TOO_MANY_REQUESTS, "reach_limit", "EasemobReachLimitException");

/// The errors that tests can ask for, by their names.
pub(crate) fn listed() -> Vec<ErrorInfo> {
    let row = |((status, error, _), text): &((StatusCode, &str, &str), &'static str)| ErrorInfo {
        code: (*error).to_owned(),
        status: Some(status.as_u16()),
        text,
    };
    KINDS.iter().map(row).collect()
}

/// The error at a position of [`listed`].
pub(crate) fn error_at(position: usize) -> Failure {
    let (kind, text) = KINDS.get(position).copied().unwrap_or((BROKEN, "Internal Server Error"));
    failure(kind, text)
}

fn failure(kind: (StatusCode, &'static str, &'static str), description: impl Into<String>) -> Failure {
    Failure { status: kind.0, error: kind.1, exception: kind.2, description: description.into(), code: None }
}

/// The codes of the attributes service, by which client SDKs distinguish its errors. The codes are derived from the
/// errors that those SDKs create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// Writing is not permitted.
    NoPermission = 60001,
    /// Not a member.
    NotMember = 60003,
    /// A member's attributes exceed their total size.
    Total = 60006,
    /// A call names too many attributes or members.
    Batch = 60007,
    /// A key is invalid.
    Key = 60009,
    /// A value is invalid.
    Value = 60010,
}

impl Metadata {
    /// The failure with the number of this error.
    fn on(self, failure: Failure) -> Failure {
        Failure { code: Some(self as u32), ..failure }
    }
}

// --- what the core refuses ----------------------------------------------------------------------------------

/// The vendor's error for a refusal at this place.
#[allow(clippy::too_many_lines, reason = "one row each: the table is the point")]
pub(crate) fn word(app: &App, place: ErrorContext, refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::GroupNotFound { group, .. } => group_unknown(place, group.as_str()),
        Refusal::GroupExists { group, .. } => failure(GROUP_ILLEGAL, format!("group ID {group} already exists!")),
        Refusal::UserNotFound(user) => user_unknown(place, &shown(user)),
        Refusal::UserExists(user) => user_exists(app, &shown(user)),
        Refusal::UserDeactivated(_) => failure(INVALID_GRANT, "user not activated"),
        Refusal::NotPermitted { needs, .. } => role_too_low(place, *needs),
        Refusal::AppOnly if place.is_group() => role_too_low(place, Needs::App),
        Refusal::AppOnly => app_token_needed(),
        Refusal::NotMembers { group, users } => not_members(place, group, &users.iter().map(shown).collect::<Vec<_>>()),
        Refusal::AlreadyMembers { group, users } => {
            let users = users.iter().map(shown).collect::<Vec<_>>().join(", ");
            failure(FORBIDDEN_OP, format!("can not join this group, reason:user: {users} already in group: {group}\n"))
        }
        Refusal::OwnerProtected { .. } => failure(FORBIDDEN_OP, "forbidden operation on group owner!"),
        Refusal::OwnerCannotLeave(_) => failure(FORBIDDEN_OP, "owner can not quit group"),
        Refusal::SameOwner { .. } => failure(FORBIDDEN_OP, "new owner and old owner are the same"),
        Refusal::NotAdmin { group, user } => {
            failure(FORBIDDEN_OP, format!("user:{} is not admin of group:{group}", shown(user)))
        }
        Refusal::GroupFull { .. } if place == ErrorContext::AddOne => {
            failure(EXCEED_LIMIT, "group member list is full!")
        }
        Refusal::GroupFull { .. } => failure(EXCEED_LIMIT, "members size is greater than max user size !"),
        Refusal::CapacityTooLow { .. } => {
            failure(FORBIDDEN_OP, "current user count is larger than the maxUsers that you want to update !")
        }
        Refusal::TooManyGroupsOfUser(user) => {
            failure(EXCEED_LIMIT, format!("user {} has joined too many groups!", shown(user)))
        }
        Refusal::LimitReached { limit: Limit::Groups, .. } => {
            failure(EXCEED_LIMIT, format!("appKey:{} has create too many groups!", app.key()))
        }
        Refusal::LimitReached { limit: Limit::Users, .. } => failure(
            RESOURCE_LIMITED,
            "You have exceeded the limit of the community edition,Please upgrade to the enterprise edition",
        ),
        // our choice
        Refusal::LimitReached { limit: Limit::Admins, most, .. } => {
            failure(EXCEED_LIMIT, format!("group admin size is more than max limit : {most}"))
        }
        // our choice: the limit is published, its error text is not
        Refusal::LimitReached { limit: Limit::AttributeBytes, .. } => {
            Metadata::Total.on(failure(METADATA, "exceeds chatgroup user metadata total limit"))
        }
        // our choice
        Refusal::LimitReached { limit, most, .. } => {
            failure(EXCEED_LIMIT, format!("{limit} size is more than max limit : {most}"))
        }
        // our choice: a limit of this server where the vendor documents none
        Refusal::TooLarge { what: "message", .. } => message_too_large(),
        Refusal::TooLarge { what: "answer", .. } => answer_too_large(),
        Refusal::TooLarge { what, most } => {
            failure(EXCEED_LIMIT, format!("{what} size is more than max limit : {most}"))
        }
        Refusal::GroupDisabled(_) => failure(FORBIDDEN_OP, "can not operate this group, reason: group is disabled"),
        Refusal::Blocked { group, users } => {
            let users = users.iter().map(shown).collect::<Vec<_>>().join(", ");
            failure(
                FORBIDDEN_OP,
                format!("can not join this group, reason:user {users} is in the blacklist of group {group}"),
            )
        }
        // our choice
        Refusal::JoinClosed(group) => {
            failure(FORBIDDEN_OP, format!("can not join this group, reason:group {group} is not public"))
        }
        // our choice
        Refusal::RequestNotFound(group) => {
            failure(FORBIDDEN_OP, format!("no request or invitation is waiting in group: {group}"))
        }
        // our choice
        Refusal::RequestDecided(group) => {
            failure(FORBIDDEN_OP, format!("this request or invitation is decided already in group: {group}"))
        }
        // our choice: a group without roles, created through another surface
        Refusal::NotGoverned(group) => failure(
            FORBIDDEN_OP,
            format!("can not operate this group, reason: group {group} has no owner and no roles"),
        ),
        // our choice
        Refusal::Unsupported { group, what } => {
            failure(FORBIDDEN_OP, format!("can not operate this group, reason: group {group} does not support {what}"))
        }
        Refusal::FileNotFound { file, .. } => file_unknown(&file_uuid(file)),
        // our choice: the vendor publishes no error text
        Refusal::MessageIdNotFound(id) => failure(NOT_FOUND, format!("message {id} does not exist!")),
        Refusal::MessageNotFound { sequence, .. } => failure(NOT_FOUND, format!("message {sequence} does not exist!")),
        Refusal::InvalidId(_) => invalid("id is not legal"),
        Refusal::InvalidValue(what) => invalid(*what),
        // our choice
        Refusal::Vetoed { words, .. } if words.is_empty() => failure(FORBIDDEN_OP, "refused by the app's server"),
        Refusal::Vetoed { words, .. } => failure(FORBIDDEN_OP, format!("refused by the app's server: {words}")),
        // our choice; client SDKs look for "service not open!"
        Refusal::NotOffered { what } => failure(FORBIDDEN_OP, format!("{what}: service not open!")),
        Refusal::InStep { refusal, .. } => word(app, place, refusal),
        Refusal::Unavailable(_) => failure(BROKEN, "Internal Server Error"),
        // our choice: no route of the REST API causes it (a mute only refuses clients: `socket::send::refused`)
        other => failure(FORBIDDEN_OP, other.to_string()),
    }
}

/// No group of this id.
pub(crate) fn group_unknown(place: ErrorContext, group: &str) -> Failure {
    match place {
        ErrorContext::Attributes => Failure { status: StatusCode::NOT_FOUND, ..failure(METADATA, "group not exists") },
        ErrorContext::Files => failure(NO_FILES, format!("grpID {group} does not exist!")),
        ErrorContext::Members => failure(NOT_FOUND_READ, format!("do not find this group:{group}")),
        _ => failure(NOT_FOUND, format!("grpID {group} does not exist!")),
    }
}

/// No user of this name.
pub(crate) fn user_unknown(place: ErrorContext, user: &str) -> Failure {
    match place {
        ErrorContext::User => no_service(),
        ErrorContext::Token => Failure { status: StatusCode::NOT_FOUND, ..failure(INVALID_GRANT, "user not found") },
        _ => failure(NOT_FOUND, format!("username {user} doesn't exist!")),
    }
}

/// The name is in use.
pub(crate) fn user_exists(app: &App, user: &str) -> Failure {
    let uuid = app.uuid;
    failure(
        DUPLICATE,
        format!(
            "Application {uuid} Entity user requires that property named username be unique, value of {user} exists"
        ),
    )
}

/// These are not members.
pub(crate) fn not_members(place: ErrorContext, group: &GroupId, users: &[Cow<'_, str>]) -> Failure {
    let users = users.join(", ");
    match place {
        ErrorContext::Transfer => failure(FORBIDDEN_OP, outsider(&users, group)),
        ErrorContext::Admin => failure(NOT_FOUND, outsider(&users, group)),
        ErrorContext::Attributes => {
            Metadata::NotMember.on(failure(METADATA, format!("Some users are not in the group: {users}")))
        }
        _ => failure(FORBIDDEN_OP, format!("users [{users}] are not members of this group!")),
    }
}

/// The text for one user who is not in the group.
pub(crate) fn outsider(user: &str, group: &GroupId) -> String {
    format!("user: {user} doesn't exist in group: {group}")
}

fn role_too_low(place: ErrorContext, needs: Needs) -> Failure {
    let text = match (place, needs) {
        (ErrorContext::Modify, Needs::Management | Needs::Membership) => {
            "you have no permission to do this,group fields require group admin privileges to be modified"
        }
        // only admins can invite where members may not
        (_, Needs::Management | Needs::Inviting) => {
            "you have no permission to do this, group admin permission is required"
        }
        // our choice, three times: the vendor publishes the text for admins only
        (_, Needs::Membership) => "you have no permission to do this, group member permission is required",
        (_, Needs::Ownership) => "you have no permission to do this, group owner permission is required",
        (_, Needs::App) => "you have no permission to do this, app admin permission is required",
    };
    let failure = failure(GROUP_AUTHORIZATION, text);
    if place == ErrorContext::Attributes { Metadata::NoPermission.on(failure) } else { failure }
}

/// All invited users are members already. Client SDKs look for both halves of this text.
pub(crate) fn all_invited(already: &Failure) -> Failure {
    let description = format!("invite users to join group failed: {}", already.description);
    Failure { description, ..already.clone() }
}

/// Why somebody is still muted whose mute in the group has ended. Our choice: only another vendor has such mutes.
pub(crate) fn muted_everywhere(user: &str) -> String {
    format!("user: {user} is muted in all groups")
}

/// A user requests another user's private data. Our choice: the vendor documents none.
pub(crate) fn not_yours() -> Failure {
    failure(GROUP_AUTHORIZATION, "you have no permission to do this, only the user may")
}
