//! `get_group_info`: up to fifty groups, with an outcome for each, in the requested order.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId};
use conclave_core::query::{FindGroups, ListMembers};
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::BaseInfo;
use crate::calls::filter::{GroupView, MemberView, ResponseFilter};
use crate::calls::member::MemberInfo;
use crate::calls::{Call, RenderedFrom, envelope, rendered};
use crate::dialect::custom::{self, Pair};
use crate::dialect::kind::Capabilities;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id_list: Option<Vec<String>>,
    response_filter: Option<ResponseFilter>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupInfoResponse<'g> {
    pub(super) group_info: Vec<Item<'g>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Item<'g> {
    pub(super) group_id: &'g str,
    pub(super) error_code: u32,
    pub(super) error_info: String,
    #[serde(flatten)]
    pub(super) base: Option<BaseInfo<'g>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_defined_data: Option<Vec<Pair>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) member_list: Option<Vec<MemberInfo>>,
}

pub(crate) async fn info(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let ids = ids(call, request.group_id_list)?;
    let view = ResponseFilter::group_view(request.response_filter);
    let groups = find(call, &ids).await?;
    if let ([id], [Ok(group)]) = (&ids[..], &groups[..])
        && let Some(response) = one(call, id, group, &view).await?
    {
        return Ok(response);
    }
    let mut seen = Vec::with_capacity(ids.len());
    // what the members have at least in the response, so that no more are read than it can hold
    let mut bytes = 0;
    for found in groups {
        let one = match found {
            Ok(group) => with_members(call, group, &view, limits::ANSWER - bytes).await,
            Err(failure) => Err(failure),
        };
        match &one {
            Ok((_, members)) => bytes += members.iter().flatten().map(MemberInfo::least_bytes).sum::<usize>(),
            Err(failure) if failure.code == Code::AnswerTooLarge => return Err(failure.clone()),
            Err(_) => {}
        }
        if bytes >= limits::ANSWER {
            return Err(Code::AnswerTooLarge.into());
        }
        seen.push(one);
    }
    let items = ids.iter().zip(&mut seen).map(|(id, one)| match one {
        Ok((group, members)) => Item { member_list: members.take(), ..Item::of(call, id, group, &view) },
        Err(failure) => failed(id, failure),
    });
    envelope::with(&GroupInfoResponse { group_info: items.collect() })
}

/// The response for a single group whose members were all read. `None` for every other, and where members' online status is
/// shown.
async fn one(
    call: &Call<'_>,
    id: &str,
    group: &Group,
    view: &GroupView,
) -> Result<Option<envelope::ResponseBody>, Failure> {
    let shows_rows = |members: &&MemberView| Capabilities::of(group).members && !members.shows_online_status();
    let Some(members) = view.members.as_ref().filter(shows_rows) else { return Ok(None) };
    let list =
        ListMembers { limit: limits::ANSWER / MemberInfo::SMALLEST, ..MemberInfo::page(group.id.clone(), members) };
    let page = match call.try_ask(list).await {
        Ok(page) if page.next.is_none() => page,
        _ => return Ok(None),
    };
    let by_user = call.user().is_some();
    let request = rendered::Request::Group { id: id.to_owned(), by_user, view: view.clone() };
    let response = envelope::ResponseBody::rendered(call, RenderedFrom { request, page }, |from| {
        let page = &from.page;
        let members = MemberInfo::of_rows(call, page, members);
        let item = Item { member_list: Some(members), ..Item::of(call, id, &page.group, view) };
        envelope::with(&GroupInfoResponse { group_info: vec![item] })
    });
    response.map(Some)
}

/// The requested ids: at least one, and not too many.
pub(super) fn ids(call: &Call<'_>, given: Option<Vec<String>>) -> Result<Vec<String>, Failure> {
    let ids = call.required("GroupIdList", given.filter(|ids| !ids.is_empty()))?;
    if ids.len() > limits::GROUPS_READ {
        return Err(call.parameter(format!("GroupIdList: at most {} groups", limits::GROUPS_READ)));
    }
    Ok(ids)
}

/// One entry for each id: the group's header, or the reason why it is missing. An invalid id is reported like an id
/// that was never used.
pub(super) async fn find(call: &Call<'_>, ids: &[String]) -> Result<Vec<Result<Arc<Group>, Failure>>, Failure> {
    let parsed: Vec<Option<GroupId>> = ids.iter().map(|id| GroupId::new(id).ok()).collect();
    let found = call.ask(FindGroups { groups: parsed.iter().flatten().cloned().collect() }).await?;
    let mut found = found.0.into_iter();
    let of = |id: &Option<GroupId>| match id.as_ref().and_then(|_| found.next()) {
        Some(Ok(group)) => Ok(group),
        Some(Err(refusal)) => Err(call.failure(&refusal)),
        None => Err(Code::NoGroup.into()),
    };
    Ok(parsed.iter().map(of).collect())
}

/// A group and its members, which have `room` bytes in the response at most; the header is as it was when they were read.
async fn with_members(
    call: &Call<'_>,
    group: Arc<Group>,
    view: &GroupView,
    room: usize,
) -> Result<(Arc<Group>, Option<Vec<MemberInfo>>), Failure> {
    let Some(view) = view.members.as_ref().filter(|_| Capabilities::of(&group).members) else {
        return Ok((group, None));
    };
    let list = ListMembers { limit: room / MemberInfo::SMALLEST, ..MemberInfo::page(group.id.clone(), view) };
    match call.try_ask(list).await {
        Ok(found) if found.next.is_some() => Err(Code::AnswerTooLarge.into()),
        Ok(found) => {
            let members = MemberInfo::of_page(call, &found, view).await;
            Ok((found.group, Some(members)))
        }
        // users who are not members read its profile only
        Err(Refusal::NotPermitted { .. }) => Ok((group, None)),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}

impl<'g> Item<'g> {
    /// The group without its members.
    pub(super) fn of(call: &Call<'_>, id: &'g str, group: &'g Group, view: &GroupView) -> Self {
        let custom = custom::pairs(&call.settings().group_keys, view.custom.as_deref(), &group.profile.fields);
        let filtered_out = view.custom.as_ref().is_some_and(Vec::is_empty);
        Self {
            group_id: id,
            error_code: 0,
            error_info: String::new(),
            base: Some(BaseInfo::of(call, group, &view.base)),
            app_defined_data: (!filtered_out).then_some(custom),
            member_list: None,
        }
    }
}

pub(super) fn failed<'g>(id: &'g str, failure: &Failure) -> Item<'g> {
    Item {
        group_id: id,
        error_code: failure.code.row().0,
        error_info: failure.text.clone().into_owned(),
        base: None,
        app_defined_data: None,
        member_list: None,
    }
}
