//! Joining and leaving by users themselves, and decisions about applications and invitations: commands for clients
//! only.

pub(super) mod apply;
pub(super) mod decide;
pub(super) mod invitation;
pub(super) mod pending;
pub(super) mod quit;

use conclave_core::model::GroupId;
use conclave_core::query::GroupById;

use super::Call;
use crate::dialect::kind::Kind;
use crate::refusals::Failure;

/// Most members that a group may have by a call of this vendor, whatever its own limit is.
async fn most_members(call: &Call<'_>, group: &GroupId) -> Result<Option<u32>, Failure> {
    let found = call.look_up(GroupById { group: group.clone() }).await?;
    Ok(Kind::of(&found.group).capacity(call.settings()))
}

/// `HandleMsg`: whether the user is admitted.
fn is_agreed(call: &Call<'_>, word: Option<&str>) -> Result<bool, Failure> {
    match word {
        Some("Agree") => Ok(true),
        Some("Reject") => Ok(false),
        _ => Err(call.parameter("HandleMsg is illegal")),
    }
}
