//! `get_group_self_member_info`: groups as one of their members sees them, with the member's own entry. Source: the
//! clients' protocol.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Member};
use conclave_core::query::GroupById;
use conclave_core::refusal::{Needs, Refusal};
use serde::Deserialize;

use super::info::{GroupInfoResponse, Item, failed, ids};
use crate::calls::filter::{GroupView, ResponseFilter};
use crate::calls::member::MemberInfo;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id_list: Option<Vec<String>>,
    response_filter: Option<ResponseFilter>,
}

pub(crate) async fn info(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let ids = ids(call, request.group_id_list)?;
    let view = ResponseFilter::group_view(request.response_filter);
    let mut seen = Vec::with_capacity(ids.len());
    for id in &ids {
        seen.push(see(call, id).await);
    }
    let mut group_info = Vec::with_capacity(ids.len());
    for (id, seen) in ids.iter().zip(&seen) {
        group_info.push(match seen {
            Ok((group, own)) => item(call, id, group, own.as_ref(), &view).await?,
            Err(failure) => failed(id, failure),
        });
    }
    envelope::with(&GroupInfoResponse { group_info })
}

/// The group and the caller's membership. Clients treat a returned group as one of the user's own, so non-members are
/// refused, except for live rooms, which clients never list and read before they join.
async fn see(call: &Call<'_>, id: &str) -> Result<(Arc<Group>, Option<Arc<Member>>), Failure> {
    let id = GroupId::new(id).map_err(|_| Code::NoGroup)?;
    let found = call.ask(GroupById { group: id.clone() }).await?;
    if found.own.is_none() && Kind::of(&found.group) != Kind::AvChatRoom {
        return Err(call.failure(&Refusal::NotPermitted { group: id, needs: Needs::Membership }));
    }
    Ok((found.group, found.own))
}

async fn item<'g>(
    call: &Call<'_>,
    id: &'g str,
    group: &'g Group,
    own: Option<&Arc<Member>>,
    view: &GroupView,
) -> Result<Item<'g>, Failure> {
    let member_list = match (&view.members, own) {
        (Some(view), Some(own)) => Some(MemberInfo::all(call, group, std::slice::from_ref(own), view).await?),
        (Some(_), None) => Some(Vec::new()),
        (None, _) => None,
    };
    Ok(Item { member_list, ..Item::of(call, id, group, view) })
}
