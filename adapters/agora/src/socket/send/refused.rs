//! Refusals of items from clients: a code and a text, from both of which the SDKs build their error types.

use conclave_core::refusal::{Limit, Needs, Refusal};

use crate::socket::frame::Refused;
use crate::socket::wire::status;

/// With `PERMISSION_DENIED` and an unknown text the SDKs' promise stays pending for ever.
pub(super) fn too_large() -> Refused {
    Refused::new(status::PERMISSION_DENIED, "Sorry, data is too large")
}

/// The vendor's code and text.
pub(super) fn word(refusal: &Refusal) -> Refused {
    let fail = |reason: &str| Refused::new(status::FAIL, reason);
    match refusal {
        Refusal::Muted { everybody: false, .. } => Refused::new(status::USER_MUTED, "you were muted"),
        // only members on the allowlist may send messages
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
