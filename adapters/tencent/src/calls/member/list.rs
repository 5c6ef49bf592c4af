//! `get_group_member_info`: the members in the order of joining, all or of some roles.

use conclave_core::model::Role;
use conclave_core::query::{ListMembers, MemberPage};
use serde::{Deserialize, Serialize};

use super::{MemberInfo, roles_named};
use crate::calls::envelope::ResponseBody;
use crate::calls::filter::MemberView;
use crate::calls::wire::Next;
use crate::calls::{Call, RenderedFrom, envelope, rendered};
use crate::dialect::kind::{Capabilities, Kind};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
    next: Option<Next>,
    member_info_filter: Option<Vec<String>>,
    member_role_filter: Option<Vec<String>>,
    #[serde(rename = "AppDefinedDataFilter_GroupMember")]
    member_keys: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListResponse {
    /// The cursor in communities; "" at the end. Other types use offsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The size of the whole group, whatever the filter.
    member_num: u32,
    member_list: Vec<MemberInfo>,
}

pub(crate) async fn list(call: &Call<'_>) -> Result<ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id)?;
    let limit = request.limit.filter(|limit| *limit != 0).unwrap_or(usize::MAX);
    if request.limit.is_some_and(|limit| limit > limits::MEMBER_PAGE) {
        return Err(Code::PageTooLarge.into());
    }
    let roles: Vec<Role> = roles_named(call, request.member_role_filter)?;
    let view = MemberView::of(request.member_info_filter, request.member_keys);
    let group = call.group(&id).await?;
    if !Capabilities::of(&group).members {
        return Err(Code::NoPermission.into());
    }
    let by_cursor = Kind::of(&group) == Kind::Community;
    let next = request.next.map_or(0, |next| next.0);
    // owner and admins are few: a community returns them in one page
    let limit = if by_cursor && !roles.is_empty() && !roles.contains(&Role::Member) { usize::MAX } else { limit };
    let list = ListMembers {
        roles,
        limit,
        // a cursor is one more than the seat of the last member returned
        after: next.checked_sub(1).filter(|_| by_cursor).map(|seat| ListMembers::after_seat(id.clone(), seat)),
        skip: if by_cursor { 0 } else { request.offset.unwrap_or(0) },
        ..MemberInfo::page(id, &view)
    };
    let found = call.ask(list).await?;
    if view.shows_online_status() {
        return respond(by_cursor, &found, MemberInfo::of_page(call, &found, &view).await);
    }
    let request = rendered::Request::Members { after: next, offset: request.offset.unwrap_or(0), limit, view };
    ResponseBody::rendered(call, RenderedFrom { request, page: found }, |from| {
        let rendered::Request::Members { view, .. } = &from.request else { return Err(Code::Internal.into()) };
        respond(by_cursor, &from.page, MemberInfo::of_rows(call, &from.page, view))
    })
}

fn respond(by_cursor: bool, found: &MemberPage, member_list: Vec<MemberInfo>) -> Result<ResponseBody, Failure> {
    let more = found.members.last().filter(|_| found.next.is_some());
    envelope::with(&ListResponse {
        next: by_cursor.then(|| more.map_or_else(String::new, |last| (last.seat + 1).to_string())),
        member_num: found.group.members,
        member_list,
    })
}
