//! `/entrust/group/manager/add.json` and `…/remove.json`.

use conclave_core::model::UserId;
use conclave_core::operation::{Demote, OnOutsider, Promote};
use serde::Serialize;

use crate::dialect::limits;
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    /// Those who were not made managers because they are not in the group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_ids: Vec<UserId>,
}

/// Makes members managers; who is not in the group is named in the answer, the others are made managers.
pub(crate) async fn add(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userIds", limits::HOSTED_USERS)?;
    let group = call.hosted_group().await?;
    let most = call.settings().managers;
    if users.len() > most as usize {
        return Err(Failure { manager_count: Some(group.admins.into()), ..Code::TooMany.into() });
    }
    let promote = Promote { group: group.id.clone(), users, most: Some(most), on_outsider: OnOutsider::Skip };
    let promoted = call.run(promote).await?;
    envelope::with(&Wire { user_ids: promoted.outsiders })
}

/// Makes managers ordinary members; refuses when one of them is no manager.
pub(crate) async fn remove(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userIds", limits::MANAGERS)?;
    let group = call.hosted_group().await?;
    call.run(Demote { group: group.id.clone(), users, skip_others: false }).await?;
    envelope::done()
}
