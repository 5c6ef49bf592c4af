//! `/entrust/group/query.json`: a page of the app's hosted groups by creation.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Key, UserId};
use conclave_core::query::{Cursor, ListGroups};
use serde::Serialize;

use super::owner;
use crate::dialect::page::PageStart;
use crate::dialect::profile;
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupsResponse<'a> {
    page_token: String,
    groups: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    group_id: &'a GroupId,
    name: &'a str,
    /// Documented.
    group_profile: String,
    /// Read by the Go and Java SDKs instead.
    portrait_url: &'a str,
    creator: &'a str,
    owner: &'a str,
    /// Time of creation, in milliseconds.
    time: u64,
}

impl<'a> Entry<'a> {
    fn of(group: &'a Group) -> Result<Self, Failure> {
        Ok(Self {
            group_id: &group.id,
            name: &group.profile.name,
            group_profile: profile::shown(group)?,
            portrait_url: &group.profile.avatar,
            creator: group.creator.as_ref().map_or("", UserId::as_str),
            owner: owner(group),
            time: group.created.0,
        })
    }
}

/// Groups read at a time, so that consecutive legacy ones cost few reads.
const AT_LEAST: usize = 64;

/// A group's position in the order of creation.
fn place(group: &Group) -> Cursor {
    Cursor(Key::Created(group.created, group.id.clone()).encode())
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let size = call.size(50, 1000)?;
    let newest_first = call.newest_first()?;
    let pages = call.pages("groups");
    let mut after = match pages.place(call.form.given("pageToken"))? {
        None => None,
        Some(PageStart::After(cursor)) => Some(cursor),
        Some(PageStart::Skip(_)) => return Err(Code::PageToken.into()),
    };
    // legacy groups are in the same list and are skipped; one extra group shows whether there is a next page
    let mut groups: Vec<Arc<Group>> = Vec::new();
    loop {
        let limit = (size + 1 - groups.len()).max(AT_LEAST);
        let list = ListGroups { discoverable: false, after, skip: 0, limit, newest_first };
        let page = call.ask(list).await?;
        groups.extend(page.groups.into_iter().filter(|group| group.governed));
        after = page.next;
        if after.is_none() || groups.len() > size {
            break;
        }
    }
    let more = groups.len() > size;
    groups.truncate(size);
    let next = groups.last().filter(|_| more).map(|group| PageStart::After(place(group)));
    envelope::with(&GroupsResponse {
        page_token: pages.token(next),
        groups: groups.iter().map(|group| Entry::of(group)).collect::<Result<_, _>>()?,
    })
}
