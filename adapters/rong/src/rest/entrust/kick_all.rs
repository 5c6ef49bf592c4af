//! `/entrust/group/member/kick/all.json`: puts a user out of every hosted group that is not their own.

use conclave_core::model::{GroupId, Role, UserId};
use conclave_core::operation::{Cleanup, OnOutsider, Quiet, RemoveMembers};
use conclave_core::query::JoinedGroups;
use conclave_core::refusal::Refusal;

use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn kick_all(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let user = call.user_id("userId")?;
    let joined = call.ask(JoinedGroups::all(user.clone())).await?;
    // each group decides by itself; one that refuses does not keep the user in the others
    let mut refused = None;
    for (group, member) in &joined.groups {
        if !group.governed || member.role == Role::Owner {
            continue;
        }
        match call.attempt(removing(&group.id, &user)).await {
            Ok(_) | Err(Refusal::GroupNotFound { .. }) => {}
            Err(refusal) => refused = Some(refusal),
        }
    }
    match refused {
        Some(refusal) => Err(call.failure(&refusal)),
        None => envelope::done(),
    }
}

fn removing(group: &GroupId, user: &UserId) -> RemoveMembers {
    RemoveMembers {
        group: group.clone(),
        users: vec![user.clone()],
        reason: String::new(),
        cleanup: Cleanup { mute: true, allowance: true, follows: true },
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::Skip,
        skip_owner: true,
    }
}
