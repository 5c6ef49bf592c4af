//! `/entrust/group/member/kick/all.json`: removes a user from every hosted group except their own.

use conclave_core::model::{GroupId, Role, UserId};
use conclave_core::operation::{Cleanup, OnOutsider, OnRefusal, Quiet, RemoveMembers};
use conclave_core::query::JoinedGroups;
use conclave_core::refusal::Refusal;

use crate::refusals::Failure;
use crate::rest::{Call, envelope};

/// Groups read at a time.
const PAGE: usize = 100;

pub(crate) async fn kick_all(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let (mut operations, mut after) = (Vec::new(), None);
    loop {
        let joined = call.ask(JoinedGroups { after, limit: PAGE, ..JoinedGroups::all(user.clone()) }).await?;
        let others = joined.groups.iter().filter(|(group, member)| group.governed && member.role != Role::Owner);
        operations.extend(others.map(|(group, _)| removing(&group.id, &user)));
        after = joined.next;
        if after.is_none() {
            break;
        }
    }
    // a refusal by one group does not keep the user in the others
    let removed = call.run_each(OnRefusal::Skip, operations).await?;
    let refusals = removed.into_iter().filter_map(Result::err);
    match refusals.filter(|refusal| !matches!(refusal, Refusal::GroupNotFound { .. })).last() {
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
