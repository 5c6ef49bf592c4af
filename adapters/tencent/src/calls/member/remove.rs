//! `delete_group_member`: removes up to a hundred members; users who are not members count as removed.

use conclave_core::operation::{OnOutsider, Quiet, RemoveMembers};
use serde::Deserialize;

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Capabilities;
use crate::dialect::{CLEANUP, limits};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "MemberToDel_Account")]
    members: Option<Vec<Account>>,
    silence: Option<u32>,
    reason: Option<String>,
}

pub(crate) async fn remove(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let users = call.user_ids("MemberToDel_Account", request.members, limits::REMOVED, Code::TooManyAccounts)?;
    if !Capabilities::of(&*call.group(&group).await?).members {
        // here the vendor returns an invalid parameter, not a missing capability of the type
        return Err(Code::Parameter.into());
    }
    let reason = request.reason.unwrap_or_default();
    if reason.len() > limits::REMOVAL_REASON {
        return Err(call.parameter("Reason is too long"));
    }
    let remove = RemoveMembers {
        group,
        users,
        reason,
        // a mute is kept for a user who leaves and joins again
        cleanup: CLEANUP,
        quiet: if request.silence == Some(1) && call.user().is_none() { Quiet::Clients } else { Quiet::Nobody },
        on_outsider: OnOutsider::Skip,
        skip_owner: false,
    };
    call.run(remove).await?;
    envelope::done()
}
