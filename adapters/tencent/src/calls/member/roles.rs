//! `get_role_in_group`: the roles of up to five hundred users, in the requested order.

use std::sync::Arc;

use conclave_core::model::{Member, UserId};
use conclave_core::query::MembersNamed;
use serde::{Deserialize, Serialize};

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Capabilities;
use crate::dialect::{limits, role};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "User_Account")]
    users: Option<Vec<Account>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RolesResponse {
    user_id_list: Vec<InRole>,
}

#[derive(Serialize)]
struct InRole {
    #[serde(rename = "Member_Account")]
    account: UserId,
    #[serde(rename = "Role")]
    role: &'static str,
}

pub(crate) async fn roles(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let users = call.user_ids("User_Account", request.users, limits::ROLES, Code::Parameter)?;
    let found = call.ask(MembersNamed { group, users: users.clone() }).await?;
    if !Capabilities::of(&found.group).members {
        return Err(Code::NoPermission.into());
    }
    let in_role = |(account, member): (UserId, &Option<Arc<Member>>)| {
        let role = member.as_ref().map_or(role::NOT_MEMBER, |member| role::word(&found.group, member));
        InRole { account, role }
    };
    envelope::with(&RolesResponse { user_id_list: users.into_iter().zip(&found.members).map(in_role).collect() })
}
