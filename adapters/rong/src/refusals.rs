//! The table of the vendor's codes, and the mapping of the core's refusals to them.
//!
//! Codes, meanings and HTTP status are the vendor's published table; 254xx are the numbers in its client SDKs, whose
//! HTTP status on the server API is not documented and so is a setting. The vendor does not guarantee texts.

pub(crate) mod client;

use std::borrow::Cow;

use conclave_core::refusal::{Limit, Needs, Refusal};
use conclave_kit::{Body, ErrorClass, ErrorInfo, VendorCode, VendorError};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::dialect::limits;
use crate::rest::envelope;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $status:literal, $text:literal;)*) => {
        /// A documented code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// The number, the HTTP status (0: the configured one) and the usual text.
            pub(crate) fn row(self) -> (u32, u16, &'static str) {
                match self {
                    $(Self::$name => ($number, $status, $text),)*
                }
            }

            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

codes! {
    /// No such endpoint.
    NotFound = 404, 404, "Not Found";
    /// Endpoints accept POST only.
    Method = 405, 405, "Method Not Allowed";
    /// The older table has this status for a full group, too; hosted groups have a code of their own.
    LegacyFull = 405, 405, "group member count exceeds the limit";
    /// Refused for a reason that older endpoints have no code for.
    Refused = 403, 403, "request refused";
    /// An internal error.
    Internal = 1000, 500, "internal error";
    /// Unknown app key.
    AppKey = 1001, 401, "appkey/secret mismatch";
    /// A parameter is missing or invalid; the text names it.
    Parameter = 1002, 400, "invalid parameter";
    /// The signature does not verify.
    Signature = 1004, 401, "signature error";
    /// A parameter is too long.
    TooLong = 1005, 400, "parameter too long";
    /// Too many calls.
    TooFrequent = 1008, 429, "call frequency exceeds the limit";
    /// Switched off in the console.
    NotEnabled = 1009, 430, "service not enabled";
    /// The data to delete or read does not exist.
    NoData = 1015, 200, "data does not exist";
    /// Timed out.
    Timeout = 1050, 504, "internal service timeout";
    /// The app has its maximum number of users.
    UserLimit = 2007, 403, "number of registered users exceeds the limit";
    /// A parameter of a hosting call is invalid.
    BadParameter = 25403, 0, "hosting parameter error";
    /// Not possible for this group.
    Illegal = 25404, 0, "illegal operation";
    /// Not permitted.
    NoPermission = 25405, 0, "no permission";
    /// A text of a hosting call is too long.
    FieldTooLong = 25406, 0, "parameter length exceeds the limit";
    /// A text of a hosting call has an invalid format.
    BadFormat = 25407, 0, "parameter contains illegal characters or has a wrong format";
    /// A value must be a number.
    NotANumber = 25408, 0, "parameter value must be a number";
    /// The group id is in use.
    GroupExists = 25409, 0, "group id already exists";
    /// No such group.
    NoGroup = 25410, 0, "group id does not exist";
    /// The maximum number of members is reached.
    Full = 25411, 0, "group member count exceeds the limit";
    /// Already a member.
    AlreadyMember = 25412, 0, "user already in group";
    /// Nobody may join.
    JoinClosed = 25414, 0, "nobody may join this group";
    /// The key of the extended profile is not configured.
    ExtKey = 25415, 0, "extended profile key does not exist";
    /// The owner cannot leave or be removed.
    OwnerStays = 25417, 0, "owner cannot be kicked out or quit";
    /// Not a member.
    NotMember = 25418, 0, "user not in group";
    /// The maximum number of managers, or of followed members, is reached.
    TooMany = 25419, 0, "managers exceed the limit";
    /// Not a manager.
    NotManager = 25420, 0, "user is not a manager of the group";
    /// No such application or invitation.
    NoRequest = 25421, 0, "application does not exist";
    /// Too many groups in one query.
    QueryCount = 25422, 0, "number of groups queried exceeds the limit";
    /// A group must have a name.
    NoName = 25423, 0, "group name must not be empty";
    /// The owner cannot be a manager.
    OwnerNotManager = 25425, 0, "owner cannot be set as manager";
    /// Not permitted to invite.
    NoInviting = 25426, 0, "no permission to invite";
    /// The request is already decided.
    Decided = 25428, 0, "application has already been handled";
    /// A group without roles.
    NotHosted = 25429, 0, "legacy group must be imported before it can be hosted";
    /// Not a group id.
    BadGroupId = 25430, 0, "group id contains illegal characters";
    /// Not a page token of this list.
    PageToken = 25432, 0, "pageToken cannot be parsed";
}

/// All errors, each number once: those of the server API, then those that only clients get.
pub(crate) fn listed(status_254xx: u16) -> Vec<ErrorInfo> {
    let of_api = Code::ALL.iter().map(|code| {
        let (number, status, text) = code.row();
        let status = if status == 0 { status_254xx } else { status };
        ErrorInfo { code: number.to_string(), status: Some(status), text }
    });
    let of_clients = client::ALL.iter();
    let of_clients = of_clients.map(|(code, text)| ErrorInfo { code: code.to_string(), status: None, text });
    let mut listed: Vec<ErrorInfo> = Vec::new();
    for error in of_api.chain(of_clients) {
        if !listed.iter().any(|known| known.code == error.code) {
            listed.push(error);
        }
    }
    listed
}

/// The number of an error by its position in [`listed`].
pub(crate) fn number_at(position: usize) -> Option<u32> {
    listed(0).get(position).and_then(|error| error.code.parse().ok())
}

/// The code of an error by its position in [`listed`]; `None` for those that only clients get.
pub(crate) fn code_at(position: usize) -> Option<Code> {
    let number = number_at(position)?;
    Code::ALL.iter().copied().find(|code| code.row().0 == number)
}

/// A failure in the vendor's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) text: Cow<'static, str>,
    /// The number of managers, if their limit is exceeded.
    pub(crate) manager_count: Option<u64>,
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { code, text: Cow::Borrowed(code.row().2), manager_count: None }
    }
}

impl Code {
    /// The same code with another text.
    pub(crate) fn saying(self, text: impl Into<Cow<'static, str>>) -> Failure {
        Failure { text: text.into(), ..self.into() }
    }
}

/// Calls whose failures have codes of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// `/group`, `/user`, `/message`: codes below 10000.
    Legacy,
    /// `/entrust`.
    Hosted,
    /// `/entrust/group/manager`: the owner is refused with another code.
    Managers,
}

impl Family {
    /// The family a path belongs to.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/entrust/group/manager/") {
            Self::Managers
        } else if path.starts_with("/entrust/") {
            Self::Hosted
        } else {
            Self::Legacy
        }
    }

    /// The vendor's failure for a refusal of the core.
    pub(crate) fn failure(self, refusal: &Refusal) -> Failure {
        if let Refusal::InStep { refusal, .. } = refusal {
            return self.failure(refusal);
        }
        let code = self.code(refusal);
        let mut failure = match refusal {
            // the store's error text is logged, and not returned to callers
            Refusal::Unavailable(_) | Refusal::NotOffered { .. } => code.into(),
            _ if code.row().0 < 2000 => code.saying(refusal.to_string()),
            _ => code.into(),
        };
        match refusal {
            Refusal::LimitReached { limit: Limit::Admins, now, .. } => failure.manager_count = Some(*now),
            Refusal::LimitReached { limit: Limit::Follows, .. } => {
                failure.text = Cow::Borrowed("followed members exceed the limit");
            }
            _ => {}
        }
        failure
    }

    fn code(self, refusal: &Refusal) -> Code {
        let hosted = self != Self::Legacy;
        let either = |legacy: Code, other: Code| if hosted { other } else { legacy };
        match refusal {
            Refusal::GroupNotFound { group, .. } if limits::is_group_id(group.as_str()) => {
                either(Code::Parameter, Code::NoGroup)
            }
            Refusal::GroupNotFound { .. } | Refusal::InvalidId(_) => either(Code::Parameter, Code::BadGroupId),
            Refusal::GroupExists { .. } | Refusal::AlreadyGoverned(_) => either(Code::Parameter, Code::GroupExists),
            Refusal::UserNotFound(_) | Refusal::NotMembers { .. } => either(Code::Parameter, Code::NotMember),
            Refusal::TooLarge { what: "answer", .. } => Code::Refused,
            Refusal::TooLarge { .. } => either(Code::TooLong, Code::FieldTooLong),
            Refusal::UserExists(_)
            | Refusal::TopicExists { .. }
            | Refusal::InvalidValue(_)
            | Refusal::SameOwner { .. }
            | Refusal::CapacityTooLow { .. } => either(Code::Parameter, Code::BadParameter),
            Refusal::NotPermitted { needs: Needs::Inviting, .. } => either(Code::Refused, Code::NoInviting),
            Refusal::NotPermitted { .. }
            | Refusal::AppOnly
            | Refusal::UserDeactivated(_)
            | Refusal::GroupDisabled(_)
            | Refusal::Vetoed { .. }
            | Refusal::Blocked { .. }
            | Refusal::Muted { .. }
            | Refusal::TooManyGroupsOfUser(_) => either(Code::Refused, Code::NoPermission),
            Refusal::AlreadyMembers { .. } => either(Code::Parameter, Code::AlreadyMember),
            Refusal::OwnerProtected { .. } if self == Self::Managers => Code::OwnerNotManager,
            Refusal::OwnerProtected { .. } | Refusal::OwnerCannotLeave(_) => Code::OwnerStays,
            Refusal::NotAdmin { .. } => either(Code::Parameter, Code::NotManager),
            Refusal::GroupFull { .. } => either(Code::LegacyFull, Code::Full),
            Refusal::LimitReached { limit, .. } => limit_code(*limit, hosted),
            Refusal::JoinClosed(_) => either(Code::Refused, Code::JoinClosed),
            Refusal::RequestNotFound(_) => either(Code::NoData, Code::NoRequest),
            Refusal::RequestDecided(_) => either(Code::Refused, Code::Decided),
            Refusal::NotGoverned(_) => either(Code::Refused, Code::NotHosted),
            Refusal::Unsupported { .. } | Refusal::RecallTooLate { .. } => either(Code::Refused, Code::Illegal),
            Refusal::KeyNotFound(_) => either(Code::NoData, Code::ExtKey),
            Refusal::MessageRecalled { .. }
            | Refusal::MessageNotFound { .. }
            | Refusal::MessageIdNotFound(_)
            | Refusal::NoReceipts { .. }
            | Refusal::TopicNotFound { .. }
            | Refusal::NotExtensible { .. }
            | Refusal::FileNotFound { .. } => Code::NoData,
            Refusal::NotOffered { .. } => Code::NotEnabled,
            Refusal::VersionConflict { .. } | Refusal::Unavailable(_) => Code::Internal,
            Refusal::InStep { refusal, .. } => self.code(refusal),
        }
    }
}

fn limit_code(limit: Limit, hosted: bool) -> Code {
    match limit {
        Limit::Users => Code::UserLimit,
        Limit::Admins | Limit::Follows => Code::TooMany,
        Limit::Fields | Limit::Attributes if hosted => Code::FieldTooLong,
        Limit::Groups if hosted => Code::NoPermission,
        Limit::Groups => Code::Refused,
        _ if hosted => Code::BadParameter,
        _ => Code::Parameter,
    }
}

#[derive(Serialize)]
struct FailureResponse<'a> {
    code: u32,
    #[serde(rename = "errorMessage")]
    text: &'a str,
    #[serde(rename = "managerCount", skip_serializing_if = "Option::is_none")]
    manager_count: Option<u64>,
}

impl Failure {
    /// Logs errors that the caller did not cause.
    pub(crate) fn log(&self) {
        if self.code.row().1 >= 500 {
            tracing::error!(code = self.code.row().0, "{}", self.text);
        }
    }

    /// The response; 254xx have the configured status.
    pub(crate) fn into_response(self, status_254xx: u16) -> Response<Body> {
        let (code, status, _) = self.code.row();
        let status = if status == 0 { status_254xx } else { status };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let wire = FailureResponse { code, text: &self.text, manager_count: self.manager_count };
        let mut answer = envelope::json(status, &wire);
        let class = ErrorClass::of_status(status).unwrap_or(ErrorClass::Refused);
        VendorError { code: VendorCode::Number(code), class }.go_with(&mut answer);
        answer
    }
}

#[cfg(test)]
mod tests;
