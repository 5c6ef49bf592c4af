//! The table of the vendor's codes, and the mapping of the core's refusals to them.
//!
//! Numbers and meanings are the vendor's published table. The vendor does not guarantee texts, and its clients compare
//! codes; where a text of the real service is known from logs it is used unchanged, mistakes included.

use std::borrow::Cow;

use conclave_core::refusal::{Limit, Refusal};
use conclave_kit::{ErrorClass, ErrorInfo};
use serde_json::Value;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// A documented code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// The number and the usual text.
            pub(crate) fn row(self) -> (u32, &'static str) {
                match self {
                    $(Self::$name => ($number, $text),)*
                }
            }

            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

codes! {
    // --- the vendor's gateway
    /// The request is larger than it may be.
    HttpParse = 60002, "HTTP parse Error";
    /// The body is not a JSON object.
    NotJson = 60003, "HTTP JSON parse error";
    /// The app's id is not a number.
    AppIdIllegal = 60006, "sdkappid is illegal";
    /// The request timed out.
    Timeout = 60008, "service timeout or request format error,please check and try again";
    /// No such command, or no such service.
    NotFound = 60009, "resource not found";
    /// The caller is not an admin of the app.
    NeedsAdmin = 60010, "need app admin";
    /// The app's id is missing.
    AppIdMissing = 60012, "sdkappid is required";
    /// An account is not a text.
    AccountNotText = 60015, "account must be a string";
    /// The process is at its limits.
    TooFrequent = 60018, "request too frequent";

    // --- signatures
    /// Expired, not valid yet, or revoked.
    SigExpired = 70001, "usersig expired";
    /// Missing.
    SigEmpty = 70002, "usersig is empty";
    /// Malformed.
    SigIllegal = 70003, "usersig is illegal";
    /// Signed with another key.
    SigForged = 70009, "usersig check failed";
    /// Signed for another account than the calling one.
    SigIdentifier = 70013, "identifier does not match usersig";
    /// Signed for another app than the called one.
    SigApp = 70014, "sdkappid does not match usersig";
    /// No app has this id.
    AppUnknown = 70020, "sdkappid not found";
    /// A client that polls was signed out: another client of its user signed in, or the app did it.
    PollKicked = 91101, "long polling kick out";
    /// The account is blocked.
    AccountBlocked = 70051, "identifier is on the blocklist";

    // --- accounts
    /// No such account.
    AccountMissing = 70107, "Err_TLS_PT_Open_Login_Account_Not_Exist";
    /// The account whose profile is requested does not exist.
    NoProfile = 40003, "user account does not exist";
    /// The maximum number of accounts is reached.
    AccountQuota = 70398, "account quota reached";
    /// A parameter of an account command is missing or invalid.
    AccountParameter = 70402, "invalid parameter";
    /// An internal error of an account command.
    AccountInternal = 70500, "internal error, please retry";

    // --- messages: the service that edits them has codes of its own
    /// A parameter is missing or invalid.
    RequestIllegal = 20001, "request is illegal";
    /// The message was changed meanwhile; the response has what it says now.
    EditConflict = 20027, "message modify conflict";
    /// An internal error.
    MessageInternal = 20005, "internal error, please retry";
    /// The request is JSON of another structure.
    MessageNotJson = 90001, "Fail to Parse json data of body, Please check it";
    /// The message is too long.
    MessageTooLong = 90055, "message is too long";

    // --- groups
    /// An internal error.
    Internal = 10002, "internal error, please retry";
    /// No such command.
    UnknownCommand = 10003, "unknown command";
    /// A parameter is missing or invalid.
    Parameter = 10004, "invalid parameter";
    /// Too many accounts in one request.
    TooManyAccounts = 10005, "too many members";
    /// Not permitted, or not for groups of this type.
    NoPermission = 10007, "no permission";
    /// The owner cannot leave.
    OwnerStays = 10009, "group owner can not quit";
    /// The group was dissolved.
    Dissolved = 10010, "this group does not exist";
    /// Already a member.
    AlreadyMember = 10013, "user is already a member";
    /// The maximum number of members is reached.
    Full = 10014, "group is full";
    /// The group never existed.
    NoGroup = 10015, "invalid group id";
    /// The app's server refused.
    Webhook = 10016, "rejected by callback";
    /// The sender is muted.
    Muted = 10017, "member is muted";
    /// The response would be larger than 1 MB.
    AnswerTooLarge = 10018, "response is too large, use paging";
    /// No such account.
    NoAccount = 10019, "user account does not exist";
    /// The group id is in use.
    GroupIdUsed = 10021, "group id has be used!";
    /// The request is already decided.
    Decided = 10024, "application has been handled";
    /// The group id is in use, by a group of the caller.
    GroupIdOwn = 10025, "group id has be used by youself!";
    /// No such message.
    NoMessage = 10030, "message does not exist";
    /// More messages per second than the group permits.
    MessageRate = 10023, "msg count exceeds limit,please retry later";
    /// The time for recalling is over.
    RecallTooLate = 10031, "message is too old to recall";
    /// Already recalled, or not a message that can be.
    NotRecallable = 10032, "message can not be recalled";
    /// Groups of this type have no recall.
    RecallUnsupported = 10033, "group type does not support recall";
    /// The user is in the maximum number of groups.
    TooManyGroups = 10037, "user has joined too many groups";
    /// Too many first members.
    TooManyMembers = 10038, "too many members";
    /// Groups of this type have no history.
    NoHistory = 10044, "group type has no history";
    /// The key of an attribute is too long.
    AttributeKeyTooLong = 10045, "attribute key is too long";
    /// The value of an attribute is too long.
    AttributeValueTooLong = 10046, "attribute value is too long";
    /// The maximum number of attributes is reached.
    TooManyAttributes = 10047, "too many attributes";
    /// The attributes are too long in total.
    AttributesTooLong = 10048, "attributes are too long";
    /// No such attribute.
    NoAttribute = 10050, "attribute does not exist";
    /// Too many mentioned users.
    TooManyMentions = 10053, "too many accounts in GroupAtInfo";
    /// Too many members in one page.
    PageTooLarge = 10054, "too many members in one page";
    /// Another client has written in between.
    WriteConflict = 10056, "write conflict, read again";
    /// The maximum number of messages is pinned.
    TooManyPins = 10070, "pinned message count exceeds limit";
    /// The message is pinned already.
    AlreadyPinned = 10071, "message has been pinned";
    /// The maximum number of the app's groups is reached.
    GroupQuota = 10058, "group quota of the app reached";
    /// The plan does not include it.
    NotInPlan = 10059, "the plan does not include this feature";
    /// The group has more members than receipts are stored for.
    TooManyReaders = 10060, "group is too large for read receipts";
    /// The message was for online members, and is not stored.
    PassedMessage = 10061, "online messages have no read receipts";
    /// The sender of the message asked for no receipts.
    NoReceipt = 10062, "message has no read receipt";
    /// The maximum number of counters is reached.
    TooManyCounters = 10063, "too many counters";
    /// A message is too long.
    TextTooLong = 80002, "message is too long";
    /// The app's server was asked and did not answer.
    WebhookFailed = 80003, "callback failed or timed out";
    /// Another client has written the key of an extension.
    ExtensionConflict = 23001, "message extension has been changed, read again";
    /// The topic does not exist, or was deleted.
    NoTopic = 110_003, "topic does not exist";
    /// Communities are switched off.
    NoCommunities = 11000, "community is not enabled";
}

/// All errors; every response has the status 200.
pub(crate) fn listed() -> Vec<ErrorInfo> {
    let row = |code: &Code| {
        let (number, text) = code.row();
        ErrorInfo { code: number.to_string(), status: Some(200), text }
    };
    Code::ALL.iter().map(row).collect()
}

/// The error at a position of [`listed`].
pub(crate) fn code_at(position: usize) -> Code {
    Code::ALL.get(position).copied().unwrap_or(Code::Internal)
}

/// A failure in the vendor's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) text: Cow<'static, str>,
    /// The number that the app's server gave in place of the code's.
    own: Option<u32>,
    /// Further fields of the response.
    pub(crate) fields: Option<Box<Value>>,
}

impl Code {
    /// The class of the error: every response has the status 200, so only the code shows it.
    pub(crate) fn class(self) -> ErrorClass {
        match self {
            Self::Internal | Self::MessageInternal | Self::AccountInternal | Self::Timeout => ErrorClass::Failed,
            Self::SigExpired
            | Self::SigEmpty
            | Self::SigIllegal
            | Self::SigForged
            | Self::SigIdentifier
            | Self::SigApp
            | Self::AppUnknown
            | Self::NeedsAdmin => ErrorClass::Unauthenticated,
            _ => ErrorClass::Refused,
        }
    }
}

impl Failure {
    /// The app server's own number and text.
    pub(crate) fn own(number: u32, text: String) -> Self {
        Self { code: Code::Webhook, text: Cow::Owned(text), own: Some(number), fields: None }
    }

    /// The same with further fields in the response.
    pub(crate) fn with(self, fields: Value) -> Self {
        Self { fields: Some(Box::new(fields)), ..self }
    }

    /// The number in the response.
    pub(crate) fn number(&self) -> u32 {
        self.own.unwrap_or(self.code.row().0)
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { code, text: Cow::Borrowed(code.row().1), own: None, fields: None }
    }
}

impl Code {
    /// The same code with another text.
    pub(crate) fn saying(self, text: impl Into<Cow<'static, str>>) -> Failure {
        Failure { code: self, text: text.into(), own: None, fields: None }
    }
}

/// Commands whose failures have codes of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// Accounts: `im_open_login_svc`.
    Accounts,
    /// `create_group`: too many first members have another code than a full group.
    Creation,
    /// `openim`: messages are edited.
    Messages,
    /// All other commands of groups.
    Groups,
}

impl Family {
    /// The code of a missing or invalid parameter.
    pub(crate) fn parameter(self) -> Code {
        match self {
            Self::Accounts => Code::AccountParameter,
            Self::Messages => Code::RequestIllegal,
            Self::Creation | Self::Groups => Code::Parameter,
        }
    }

    /// The code of a request with another structure.
    pub(crate) fn misshapen(self) -> Code {
        if self == Self::Messages { Code::MessageNotJson } else { self.parameter() }
    }

    /// The code for a refusal of the core.
    pub(crate) fn code(self, refusal: &Refusal) -> Code {
        match (self, refusal) {
            (_, Refusal::InStep { refusal, .. }) => self.code(refusal),
            (_, Refusal::TooLarge { what: "answer", .. }) => Code::AnswerTooLarge,
            (Self::Accounts, Refusal::UserNotFound(_)) => Code::AccountMissing,
            (Self::Accounts, Refusal::Unavailable(_)) => Code::AccountInternal,
            (Self::Accounts, Refusal::InvalidId(_) | Refusal::InvalidValue(_) | Refusal::TooLarge { .. }) => {
                Code::AccountParameter
            }
            (Self::Messages, Refusal::Unavailable(_)) => Code::MessageInternal,
            (Self::Messages, Refusal::InvalidId(_) | Refusal::InvalidValue(_)) => Code::RequestIllegal,
            (Self::Messages, Refusal::TooLarge { .. }) => Code::MessageTooLong,
            (Self::Creation, Refusal::GroupFull { .. }) => Code::TooManyMembers,
            _ => code(refusal),
        }
    }

    /// The failure for a refusal of the core. Details of a store failure are logged only.
    pub(crate) fn failure(self, refusal: &Refusal) -> Failure {
        if let Refusal::InStep { refusal, .. } = refusal {
            return self.failure(refusal);
        }
        if let Refusal::Unavailable(why) = refusal {
            tracing::error!(%why, "the store failed");
        }
        match refusal {
            Refusal::Vetoed { code: Some(code), words } => Failure::own(*code, words.clone()),
            _ => self.code(refusal).into(),
        }
    }
}

/// The table.
fn code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::TooLarge { what: "message", .. } => Code::TextTooLong,
        Refusal::GroupNotFound { disbanded: true, .. } => Code::Dissolved,
        Refusal::GroupNotFound { disbanded: false, .. } => Code::NoGroup,
        Refusal::GroupExists { yours: true, .. } => Code::GroupIdOwn,
        Refusal::GroupExists { yours: false, .. } | Refusal::TopicExists { .. } => Code::GroupIdUsed,
        Refusal::UserNotFound(_) => Code::NoAccount,
        Refusal::Vetoed { .. } => Code::Webhook,
        Refusal::NotPermitted { .. }
        | Refusal::AppOnly
        | Refusal::OwnerProtected { .. }
        | Refusal::GroupDisabled(_)
        | Refusal::UserDeactivated(_)
        | Refusal::Blocked { .. }
        | Refusal::JoinClosed(_)
        | Refusal::NotGoverned(_)
        | Refusal::AlreadyGoverned(_)
        | Refusal::Unsupported { .. } => Code::NoPermission,
        Refusal::UserExists(_)
        | Refusal::NotMembers { .. }
        | Refusal::SameOwner { .. }
        | Refusal::NotAdmin { .. }
        | Refusal::CapacityTooLow { .. }
        | Refusal::RequestNotFound(_)
        | Refusal::FileNotFound { .. }
        | Refusal::NotExtensible { .. }
        | Refusal::TooLarge { .. }
        | Refusal::InvalidId(_)
        | Refusal::InvalidValue(_) => Code::Parameter,
        Refusal::AlreadyMembers { .. } => Code::AlreadyMember,
        Refusal::OwnerCannotLeave(_) => Code::OwnerStays,
        Refusal::GroupFull { .. } => Code::Full,
        Refusal::TooManyGroupsOfUser(_) => Code::TooManyGroups,
        Refusal::LimitReached { limit, .. } => limit_code(*limit),
        Refusal::Muted { .. } => Code::Muted,
        Refusal::RequestDecided(_) => Code::Decided,
        Refusal::VersionConflict { .. } => Code::WriteConflict,
        Refusal::KeyNotFound(_) => Code::NoAttribute,
        Refusal::MessageNotFound { .. } | Refusal::MessageIdNotFound(_) => Code::NoMessage,
        Refusal::MessageRecalled { .. } => Code::NotRecallable,
        Refusal::RecallTooLate { .. } => Code::RecallTooLate,
        Refusal::NoReceipts { .. } => Code::NoReceipt,
        Refusal::TopicNotFound { .. } => Code::NoTopic,
        // our choice: the vendor documents no code for an unsupported command of a backend
        Refusal::NotOffered { .. } => Code::NotInPlan,
        Refusal::InStep { refusal, .. } => code(refusal),
        Refusal::Unavailable(_) => Code::Internal,
    }
}

fn limit_code(limit: Limit) -> Code {
    match limit {
        Limit::Groups => Code::GroupQuota,
        Limit::Users => Code::AccountQuota,
        Limit::Attributes => Code::TooManyAttributes,
        Limit::AttributeBytes => Code::AttributesTooLong,
        Limit::Counters => Code::TooManyCounters,
        Limit::Readers => Code::TooManyReaders,
        Limit::Pins => Code::TooManyPins,
        Limit::Admins
        | Limit::Follows
        | Limit::MutedEverywhere
        | Limit::Files
        | Limit::Fields
        | Limit::Targets
        | Limit::Extensions
        | Limit::Marks => Code::Parameter,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
