//! Refusals as the client SDK receives them: the status of the reply to a query, or to a message.
//!
//! Hosting codes are those of the server API. Meanings are the SDK's own names for the numbers; which of them the
//! service returns in undocumented cases is inferred.

use conclave_core::refusal::{Limit, Needs, Refusal};

use super::{Code, Failure, Family};

/// The managers have to approve first; returned as a process code of a success.
pub(crate) const AWAITS_MANAGERS: i32 = 25424;
/// The invited user has to accept first; returned as a process code of a success.
pub(crate) const AWAITS_INVITEE: i32 = 25427;

/// An unsupported message or query.
pub(crate) const UNSUPPORTED: u16 = 20606;
/// The sender is not a member, or the group does not exist.
pub(crate) const NOT_IN_GROUP: u16 = 22406;
/// The sender is muted, or all members are.
pub(crate) const MUTED: u16 = 22408;
/// The message cannot be recalled.
pub(crate) const RECALL_FAILED: u16 = 25101;
/// The message is another sender's.
pub(crate) const NOT_THE_SENDER: u16 = 25107;
/// The service failed.
pub(crate) const HOSTING_FAILED: u16 = 25402;
/// A parameter is invalid.
pub(crate) const BAD_PARAMETER: u16 = 25403;
/// Clients may not use the methods of hosted groups.
pub(crate) const NO_CLIENTS: u16 = 25413;
/// Hosting is not enabled for this app.
pub(crate) const NO_HOSTING: u16 = 24369;
/// The message to extend does not exist.
pub(crate) const NOTHING_TO_EXPAND: u16 = 22201;
/// The message does not permit extensions.
pub(crate) const NOT_EXPANDABLE: u16 = 22202;
/// The extensions are invalid.
pub(crate) const BAD_EXPANSION: u16 = 22203;
/// The message cannot be edited: it does not exist, or is another sender's.
pub(crate) const NOT_MODIFIABLE: u16 = 20116;
/// Receipts of single messages are not enabled for this app.
pub(crate) const RECEIPTS_UNAVAILABLE: u16 = 26314;
/// Too many messages or users in a request about receipts, or none.
pub(crate) const RECEIPTS_TOO_MANY: u16 = 26316;
/// Conversations of this type have no receipts.
pub(crate) const RECEIPTS_CONVERSATION: u16 = 26317;
/// Receipts are not queried in this way.
pub(crate) const RECEIPTS_QUERY: u16 = 26318;
/// The message whose receipts are queried is another sender's.
pub(crate) const RECEIPTS_OF_ANOTHER: u16 = 26320;
/// The sender asked for no receipts.
pub(crate) const NO_RECEIPTS: u16 = 26321;
/// The message does not exist.
pub(crate) const RECEIPTS_NO_MESSAGE: u16 = 26322;
/// Too many queries per second.
pub(crate) const TOO_MANY_QUERIES: u16 = 25416;
/// Too many messages per second.
pub(crate) const TOO_FAST: u16 = 20604;
/// The content is too long.
pub(crate) const CONTENT_TOO_LONG: u16 = 30016;

/// The statuses that only clients get, with what they mean. The vendor publishes no texts: its clients get numbers.
pub(crate) const ALL: &[(u16, &str)] = &[
    (UNSUPPORTED, "an unsupported message or query"),
    (NOT_IN_GROUP, "the sender is not a member, or the group does not exist"),
    (MUTED, "the sender is muted, or all members are"),
    (RECALL_FAILED, "the message cannot be recalled"),
    (NOT_THE_SENDER, "the message is another sender's"),
    (HOSTING_FAILED, "the service failed"),
    (BAD_PARAMETER, "a parameter is invalid"),
    (NO_CLIENTS, "clients may not use the methods of hosted groups"),
    (NO_HOSTING, "hosting is not enabled for this app"),
    (NOTHING_TO_EXPAND, "the message to extend does not exist"),
    (NOT_EXPANDABLE, "the message does not permit extensions"),
    (BAD_EXPANSION, "the extensions are invalid"),
    (NOT_MODIFIABLE, "the message cannot be edited: it does not exist, or is another sender's"),
    (TOO_MANY_QUERIES, "too many queries per second"),
    (TOO_FAST, "too many messages per second"),
    (CONTENT_TOO_LONG, "the content is too long"),
];

/// The status of a failure from before the core was called.
pub(crate) fn of(failure: &Failure) -> u16 {
    match failure.code {
        Code::Internal | Code::Timeout => HOSTING_FAILED,
        Code::Parameter => BAD_PARAMETER,
        code => u16::try_from(code.row().0).unwrap_or(HOSTING_FAILED),
    }
}

/// The status of a group method.
pub(crate) fn hosted(refusal: &Refusal) -> u16 {
    match refusal {
        // non-members get that error, whatever else they would need to be
        Refusal::NotPermitted { needs: Needs::Membership, .. } => of(&Code::NotMember.into()),
        Refusal::LimitReached { limit: Limit::Users, .. } => of(&Code::NoPermission.into()),
        // the code of the server API is not a status that clients know
        Refusal::NotOffered { .. } => NO_HOSTING,
        _ => of(&Family::Hosted.failure(refusal)),
    }
}

/// The status of adding and removing managers.
pub(crate) fn managers(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::OwnerProtected { .. } => of(&Family::Managers.failure(refusal)),
        _ => hosted(refusal),
    }
}

/// The status of sending and reading messages.
pub(crate) fn speech(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::Muted { .. } | Refusal::GroupDisabled(_) => MUTED,
        Refusal::NotOffered { .. } => UNSUPPORTED,
        Refusal::GroupNotFound { .. }
        | Refusal::NotMembers { .. }
        | Refusal::NotPermitted { .. }
        | Refusal::InvalidId(_) => NOT_IN_GROUP,
        _ => hosted(refusal),
    }
}

/// The status of extending a message.
pub(crate) fn expansion(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::MessageNotFound { .. } | Refusal::MessageIdNotFound(_) | Refusal::MessageRecalled { .. } => {
            NOTHING_TO_EXPAND
        }
        Refusal::NotExtensible { .. } => NOT_EXPANDABLE,
        Refusal::LimitReached { limit: Limit::Extensions, .. } => BAD_EXPANSION,
        _ => speech(refusal),
    }
}

/// The status of an edit.
pub(crate) fn modification(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NotPermitted { needs: Needs::App, .. }
        | Refusal::MessageNotFound { .. }
        | Refusal::MessageIdNotFound(_)
        | Refusal::MessageRecalled { .. } => NOT_MODIFIABLE,
        _ => speech(refusal),
    }
}

/// The status of giving and querying receipts.
pub(crate) fn receipts(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NotPermitted { needs: Needs::App, .. } => RECEIPTS_OF_ANOTHER,
        Refusal::NoReceipts { .. } => NO_RECEIPTS,
        Refusal::MessageNotFound { .. } | Refusal::MessageIdNotFound(_) | Refusal::MessageRecalled { .. } => {
            RECEIPTS_NO_MESSAGE
        }
        // our choice: the vendor publishes no limit
        Refusal::LimitReached { limit: Limit::Readers, .. } => RECEIPTS_UNAVAILABLE,
        _ => speech(refusal),
    }
}

/// The status of a recall.
pub(crate) fn recall(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::NotPermitted { needs: Needs::App, .. } => NOT_THE_SENDER,
        Refusal::MessageNotFound { .. }
        | Refusal::MessageIdNotFound(_)
        | Refusal::MessageRecalled { .. }
        | Refusal::RecallTooLate { .. } => RECALL_FAILED,
        _ => speech(refusal),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::model::{GroupId, UserId};

    use super::*;

    fn group() -> GroupId {
        GroupId::new("g1").unwrap()
    }

    #[test]
    fn group_methods_have_the_codes_of_hosting() {
        let rows = [
            (Refusal::GroupNotFound { group: group(), disbanded: false }, 25410),
            (Refusal::NotPermitted { group: group(), needs: Needs::Membership }, 25418),
            (Refusal::NotPermitted { group: group(), needs: Needs::Ownership }, 25405),
            (Refusal::NotPermitted { group: group(), needs: Needs::Inviting }, 25426),
            (Refusal::OwnerProtected { group: group(), owner: UserId::new("a").unwrap() }, 25417),
            (Refusal::OwnerCannotLeave(group()), 25417),
            (Refusal::NotGoverned(group()), 25429),
            (Refusal::RequestNotFound(group()), 25421),
            (Refusal::RequestDecided(group()), 25428),
            (Refusal::JoinClosed(group()), 25414),
            (Refusal::LimitReached { limit: Limit::Follows, most: 1, now: 2 }, 25419),
            (Refusal::LimitReached { limit: Limit::Users, most: 1, now: 2 }, 25405),
            (Refusal::InvalidValue("no"), 25403),
            (Refusal::NotOffered { what: "mute" }, 24369),
            (Refusal::Unavailable("disk".to_owned()), 25402),
            (Refusal::VersionConflict { group: group(), current: 1 }, 25402),
        ];
        for (refusal, status) in rows {
            assert_eq!(hosted(&refusal), status, "{refusal}");
        }
        let owner = Refusal::OwnerProtected { group: group(), owner: UserId::new("a").unwrap() };
        assert_eq!(managers(&owner), 25425);
    }

    #[test]
    fn messages_have_codes_of_their_own() {
        let stranger = Refusal::NotMembers { group: group(), users: vec![UserId::new("a").unwrap()] };
        assert_eq!(speech(&stranger), 22406);
        assert_eq!(speech(&Refusal::GroupNotFound { group: group(), disbanded: true }), 22406);
        assert_eq!(speech(&Refusal::Muted { group: group(), everybody: true }), 22408);
        assert_eq!(speech(&Refusal::NotOffered { what: "send_message" }), 20606);
        assert_eq!(speech(&Refusal::Unavailable("disk".to_owned())), 25402);
        assert_eq!(recall(&Refusal::RecallTooLate { group: group(), sequence: 1 }), 25101);
        assert_eq!(recall(&Refusal::NotPermitted { group: group(), needs: Needs::App }), 25107);
        assert_eq!(recall(&stranger), 22406);
    }
}
