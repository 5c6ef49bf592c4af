//! Joining and leaving by users themselves, and decisions about applications and invitations: commands for clients
//! only.

pub(super) mod apply;
pub(super) mod decide;
pub(super) mod invitation;
pub(super) mod pending;
pub(super) mod quit;

use super::Call;
use crate::refusals::Failure;

/// `HandleMsg`: whether the user is admitted.
fn is_agreed(call: &Call<'_>, word: Option<&str>) -> Result<bool, Failure> {
    match word {
        Some("Agree") => Ok(true),
        Some("Reject") => Ok(false),
        _ => Err(call.parameter("HandleMsg is illegal")),
    }
}
