//! The one table of the vendor's codes, and which reason of the core gets which.
//!
//! Numbers and meanings are the vendor's published table. Texts are free at the vendor, whose clients compare codes;
//! where a text of the real service is known from logs it is used as it stands, mistakes included.

use std::borrow::Cow;

use conclave_core::refusal::{Limit, Refusal};
use conclave_kit::ErrorClass;

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

            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

codes! {
    // --- the gateway of the vendor
    /// The request is larger than it may be.
    HttpParse = 60002, "HTTP parse Error";
    /// The body is not a JSON object.
    NotJson = 60003, "HTTP JSON parse error";
    /// The app's id is not a number.
    AppIdIllegal = 60006, "sdkappid is illegal";
    /// It took too long.
    Timeout = 60008, "service timeout or request format error,please check and try again";
    /// No such command, or no such service.
    NotFound = 60009, "resource not found";
    /// The caller is no admin of the app.
    NeedsAdmin = 60010, "need app admin";
    /// No app is named.
    AppIdMissing = 60012, "sdkappid is required";
    /// An account is not given as a text.
    AccountNotText = 60015, "account must be a string";
    /// The process is at its limits.
    TooFrequent = 60018, "request too frequent";

    // --- signatures
    /// Out of its time, or revoked.
    SigExpired = 70001, "usersig expired";
    /// Not given.
    SigEmpty = 70002, "usersig is empty";
    /// Cannot be read.
    SigIllegal = 70003, "usersig is illegal";
    /// Made with another key.
    SigForged = 70009, "usersig check failed";
    /// Made for another account than the one that calls.
    SigIdentifier = 70013, "identifier does not match usersig";
    /// Made for another app than the one that is called.
    SigApp = 70014, "sdkappid does not match usersig";
    /// No app has this id.
    AppUnknown = 70020, "sdkappid not found";
    /// The account may not be used.
    AccountBlocked = 70051, "identifier is on the blocklist";

    // --- accounts
    /// No such account.
    AccountMissing = 70107, "Err_TLS_PT_Open_Login_Account_Not_Exist";
    /// No such account to read the profile of.
    NoProfile = 40003, "user account does not exist";
    /// As many accounts as there may be.
    AccountQuota = 70398, "account quota reached";
    /// A parameter of an account command is missing or wrong.
    AccountParameter = 70402, "invalid parameter";
    /// Something broke in an account command.
    AccountInternal = 70500, "internal error, please retry";

    // --- messages: the service that changes them has codes of its own
    /// A parameter is missing or wrong.
    RequestIllegal = 20001, "request is illegal";
    /// Something broke.
    MessageInternal = 20005, "internal error, please retry";
    /// The request is JSON of another shape.
    MessageNotJson = 90001, "Fail to Parse json data of body, Please check it";
    /// The message is too long.
    MessageTooLong = 90055, "message is too long";

    // --- groups
    /// Something broke.
    Internal = 10002, "internal error, please retry";
    /// No such command.
    UnknownCommand = 10003, "unknown command";
    /// A parameter is missing or wrong.
    Parameter = 10004, "invalid parameter";
    /// Too many accounts in one request.
    TooManyAccounts = 10005, "too many members";
    /// Not permitted, or not for groups of this type.
    NoPermission = 10007, "no permission";
    /// The owner stays.
    OwnerStays = 10009, "group owner can not quit";
    /// The group was dissolved.
    Dissolved = 10010, "this group does not exist";
    /// In already.
    AlreadyMember = 10013, "user is already a member";
    /// No room for more members.
    Full = 10014, "group is full";
    /// There never was such a group.
    NoGroup = 10015, "invalid group id";
    /// The app's server said no.
    Webhook = 10016, "rejected by callback";
    /// May not speak.
    Muted = 10017, "member is muted";
    /// The answer would be larger than 1 MB.
    AnswerTooLarge = 10018, "response is too large, use paging";
    /// No such account.
    NoAccount = 10019, "user account does not exist";
    /// The group id is taken.
    GroupIdUsed = 10021, "group id has be used!";
    /// Somebody else has decided.
    Decided = 10024, "application has been handled";
    /// The group id is taken, by the one who asks for it.
    GroupIdOwn = 10025, "group id has be used by youself!";
    /// No such message.
    NoMessage = 10030, "message does not exist";
    /// More messages than the group takes in a second.
    MessageRate = 10023, "msg count exceeds limit,please retry later";
    /// Too late to recall.
    RecallTooLate = 10031, "message is too old to recall";
    /// Recalled already, or nothing that can be.
    NotRecallable = 10032, "message can not be recalled";
    /// Nothing is recalled in groups of this type.
    RecallUnsupported = 10033, "group type does not support recall";
    /// In as many groups as a user may be.
    TooManyGroups = 10037, "user has joined too many groups";
    /// More members from the start than there may be.
    TooManyMembers = 10038, "too many members";
    /// No history is kept in groups of this type.
    NoHistory = 10044, "group type has no history";
    /// The key of an attribute is too long.
    AttributeKeyTooLong = 10045, "attribute key is too long";
    /// The value of an attribute is too long.
    AttributeValueTooLong = 10046, "attribute value is too long";
    /// As many attributes as there may be.
    TooManyAttributes = 10047, "too many attributes";
    /// The attributes are too long together.
    AttributesTooLong = 10048, "attributes are too long";
    /// No such attribute.
    NoAttribute = 10050, "attribute does not exist";
    /// More people mentioned than there may be.
    TooManyMentions = 10053, "too many accounts in GroupAtInfo";
    /// A page of more members than there may be.
    PageTooLarge = 10054, "too many members in one page";
    /// Somebody else has written.
    WriteConflict = 10056, "write conflict, read again";
    /// As many groups as the app may have.
    GroupQuota = 10058, "group quota of the app reached";
    /// The plan does not have it.
    NotInPlan = 10059, "the plan does not include this feature";
    /// The group has more members than receipts are kept of.
    TooManyReaders = 10060, "group is too large for read receipts";
    /// The message was for who was there then, and is kept nowhere.
    PassedMessage = 10061, "online messages have no read receipts";
    /// Nobody wanted to know who reads the message.
    NoReceipt = 10062, "message has no read receipt";
    /// As many counters as there may be.
    TooManyCounters = 10063, "too many counters";
    /// A message is too long.
    TextTooLong = 80002, "message is too long";
    /// The app's server was asked and did not answer.
    WebhookFailed = 80003, "callback failed or timed out";
    /// Somebody else has written the key of an extension.
    ExtensionConflict = 23001, "message extension has been changed, read again";
    /// No such topic, or no longer.
    NoTopic = 110_003, "topic does not exist";
    /// Communities are switched off.
    NoCommunities = 11000, "community is not enabled";
}

/// A failure as the vendor tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) text: Cow<'static, str>,
    /// The number that the app's server gave instead of the code's.
    own: Option<u32>,
}

impl Code {
    /// Whose doing it is: every answer has the status 200, so only the code says it.
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
    /// What the app's server said, in its own number and words.
    pub(crate) fn own(number: u32, text: String) -> Self {
        Self { code: Code::Webhook, text: Cow::Owned(text), own: Some(number) }
    }

    /// The number the caller gets.
    pub(crate) fn number(&self) -> u32 {
        self.own.unwrap_or(self.code.row().0)
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self { code, text: Cow::Borrowed(code.row().1), own: None }
    }
}

impl Code {
    /// The same code in other words.
    pub(crate) fn saying(self, text: impl Into<Cow<'static, str>>) -> Failure {
        Failure { code: self, text: text.into(), own: None }
    }
}

/// Commands whose failures have codes of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// Accounts: `im_open_login_svc`.
    Accounts,
    /// `create_group`: too many initial members are told apart from a group that is full.
    Creation,
    /// `openim`: messages are changed.
    Messages,
    /// All other commands of groups.
    Groups,
}

impl Family {
    /// The code of a parameter that is missing or wrong.
    pub(crate) fn parameter(self) -> Code {
        match self {
            Self::Accounts => Code::AccountParameter,
            Self::Messages => Code::RequestIllegal,
            Self::Creation | Self::Groups => Code::Parameter,
        }
    }

    /// The code of a request of another shape.
    pub(crate) fn misshapen(self) -> Code {
        if self == Self::Messages { Code::MessageNotJson } else { self.parameter() }
    }

    /// The code for a reason of the core.
    pub(crate) fn code(self, refusal: &Refusal) -> Code {
        match (self, refusal) {
            (_, Refusal::InStep { refusal, .. }) => self.code(refusal),
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

    /// The failure for a reason of the core. What failed in the store is for the log only.
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
        // ours: nothing is documented for a whole command that is not there
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
