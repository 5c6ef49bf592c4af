//! Refusals of what clients send, as the SDKs make error types of them: a code and words, both of which they look at.

use conclave_core::refusal::{Limit, Needs, Refusal};

use crate::socket::frame::Refused;
use crate::socket::wire::status;

/// The SDKs wait for ever for `PERMISSION_DENIED` with words they do not know.
pub(super) fn too_large() -> Refused {
    Refused::new(status::PERMISSION_DENIED, "Sorry, data is too large")
}

/// The vendor's code and words.
pub(super) fn word(refusal: &Refusal) -> Refused {
    let fail = |reason: &str| Refused::new(status::FAIL, reason);
    match refusal {
        Refusal::Muted { everybody: false, .. } => Refused::new(status::USER_MUTED, "you were muted"),
        // only those on the allowlist may speak
        Refusal::Muted { everybody: true, .. } => fail("not in group or chatroom white list"),
        Refusal::GroupNotFound { .. } => fail("group not found"),
        Refusal::GroupDisabled(_) => fail("group is disabled"),
        Refusal::Blocked { .. } => fail("blocked"),
        Refusal::NotPermitted { needs: Needs::Membership, .. } | Refusal::NotMembers { .. } => {
            fail("not in group or chatroom")
        }
        Refusal::LimitReached { limit: Limit::Targets, .. } => fail("limit directed users"),
        Refusal::RecallTooLate { .. } => fail("exceed recall time limit"),
        Refusal::NotPermitted { .. } | Refusal::AppOnly => fail("Sorry, you are not the sender of this message"),
        Refusal::MessageNotFound { .. } | Refusal::MessageIdNotFound(_) | Refusal::MessageRecalled { .. } => {
            fail("Sorry, message does not exist")
        }
        Refusal::Vetoed { words, .. } => Refused::new(
            status::PERMISSION_DENIED_EXTERNAL,
            if words.is_empty() { "refused by the app" } else { words },
        ),
        Refusal::Unavailable(_) => fail(""),
        other => fail(&other.to_string()),
    }
}
