//! `change_group_owner`: a member becomes the owner, the old owner an ordinary member.

use conclave_core::operation::Transfer;
use conclave_core::refusal::Refusal;
use serde::Deserialize;

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Capabilities;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "NewOwner_Account")]
    new_owner: Option<Account>,
    #[serde(rename = "From_Account")]
    from: Option<Account>,
}

pub(crate) async fn change(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let to = call.user_id("NewOwner_Account", request.new_owner)?;
    let for_user = call.acting_user("From_Account", request.from)?;
    if !Capabilities::of(&*call.group(&group).await?).transfer {
        return Err(Code::NoPermission.into());
    }
    let transfer = Transfer { group, to: to.clone(), leave: None };
    match call.attempt(for_user, transfer).await {
        Ok(()) => envelope::done(),
        Err(refusal @ Refusal::NotMembers { .. }) => {
            // an id without an account has an error code of its own
            call.check_account(&to).await?;
            Err(call.failure(&refusal))
        }
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
