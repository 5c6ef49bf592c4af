//! `get_specified_group_member_info`: certain members; users who are not members are left out.

use std::sync::Arc;

use conclave_core::model::Member;
use conclave_core::query::MembersNamed;
use serde::{Deserialize, Serialize};

use super::{MemberInfo, role_of, roles_named};
use crate::calls::filter::MemberView;
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Capabilities;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Member_List_Account")]
    members: Option<Vec<Account>>,
    member_info_filter: Option<Vec<String>>,
    member_role_filter: Option<Vec<String>>,
    #[serde(rename = "AppDefinedDataFilter_GroupMember")]
    member_keys: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NamedResponse<'g> {
    group_id: &'g str,
    member_list: Vec<MemberInfo>,
}

pub(crate) async fn named(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    // a missing list names no users: an SDK's own test relies on it
    let users = match request.members.filter(|list| !list.is_empty()) {
        Some(list) => call.user_ids("Member_List_Account", Some(list), limits::NAMED, Code::Parameter)?,
        None => Vec::new(),
    };
    let roles = roles_named(call, request.member_role_filter)?;
    let view = MemberView::of(request.member_info_filter, request.member_keys);
    let found = call.ask(MembersNamed { group, users }).await?;
    if !Capabilities::of(&found.group).members {
        return Err(Code::NoPermission.into());
    }
    let wanted = |member: &Arc<Member>| roles.is_empty() || roles.contains(&role_of(&found.group, member));
    let members: Vec<Arc<Member>> = found.members.iter().flatten().filter(|member| wanted(member)).cloned().collect();
    envelope::with(&NamedResponse {
        group_id: found.group.id.as_str(),
        member_list: MemberInfo::all(call, &found.group, &members, &view).await?,
    })
}
