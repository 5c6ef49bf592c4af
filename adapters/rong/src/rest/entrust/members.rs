//! `/entrust/group/member/query.json`: a page of members in the order of joining, all or of one role.

use serde::Serialize;

use super::MemberWire;
use crate::calls::members::{self, Page, PageFound};
use crate::dialect::role;
use crate::refusals::{Code, Failure};
use crate::rest::{Call, RenderedFrom, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MembersResponse<'a> {
    /// The number of members with the requested role.
    total_count: u32,
    page_token: &'a str,
    members: Vec<MemberWire<'a>>,
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let role = role::filter(call.number("type", 0, 0..=role::MOST)?, false);
    let size = call.size(50, 100)?;
    let newest_first = call.newest_first()?;
    let group = call.group_id()?;
    let (token, pages) = (call.form.given("pageToken"), call.pages(&format!("members {group} {role:?}")));
    let page = Page { role, token, size, newest_first, pages };
    let found = members::by_role(&call.caller(), group, page).await.map_err(|why| call.not_done(why))?;
    let PageFound { members, total, token } = found;
    envelope::ResponseBody::rendered(call, RenderedFrom::Members { members, total, token }, |from| {
        let RenderedFrom::Members { members, total, token } = from else { return Err(Code::Internal.into()) };
        let members = members.iter().map(|member| MemberWire::of(member)).collect();
        envelope::with(&MembersResponse { total_count: *total, page_token: token, members })
    })
}
