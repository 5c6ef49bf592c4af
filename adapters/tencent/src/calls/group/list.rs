//! `get_appid_group_list`: all groups of the app, in the order of creation, page by page.

use conclave_core::model::{Group, Millis};
use conclave_core::query::{CountGroups, ListGroups};
use serde::{Deserialize, Serialize};

use crate::calls::wire::Next;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    limit: Option<usize>,
    next: Option<Next>,
    group_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListResponse {
    /// The total number, not only of this page.
    total_count: usize,
    group_id_list: Vec<Id>,
    /// The cursor of the next page; 0 at the end.
    next: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Id {
    group_id: String,
}

/// Groups that are read at a time to find those of one type.
const CHUNK: usize = 1000;
/// Bits of `Next` that count groups created in one second. The rest are the second, so that the number is one that
/// JavaScript holds exactly until 2038, and every client after.
const COUNTED: u32 = 22;

/// A position in the order of creation: behind this many groups created in this second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct ListPosition {
    second: u64,
    passed: u64,
}

impl ListPosition {
    fn of(next: u64) -> Self {
        Self { second: next >> COUNTED, passed: next & ((1 << COUNTED) - 1) }
    }

    fn next(self) -> u64 {
        self.second << COUNTED | self.passed
    }

    /// The position behind the next group.
    fn behind(self, group: &Group) -> Self {
        let second = group.created.seconds();
        let passed = if second == self.second { self.passed + 1 } else { 1 };
        Self { second, passed }
    }

    fn list(self, limit: usize) -> ListGroups {
        ListGroups {
            discoverable: false,
            after: Some(ListGroups::created_from(Millis::from_seconds(self.second))),
            skip: usize::try_from(self.passed).unwrap_or(usize::MAX),
            limit,
            newest_first: false,
        }
    }
}

pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let limit = request.limit.filter(|limit| *limit != 0).unwrap_or(limits::GROUP_PAGE);
    if limit > limits::GROUP_PAGE {
        return Err(call.parameter(format!("Limit: at most {}", limits::GROUP_PAGE)));
    }
    let kind = request.group_type.filter(|word| !word.is_empty());
    let kind = kind.map(|word| Kind::named(&word).ok_or_else(|| call.parameter("GroupType is illegal"))).transpose()?;
    let from = ListPosition::of(request.next.map_or(0, |next| next.0));
    match kind {
        None => all(call, from, limit).await,
        Some(kind) => of_kind(call, kind, from, limit).await,
    }
}

async fn all(call: &Call<'_>, from: ListPosition, limit: usize) -> Result<envelope::ResponseBody, Failure> {
    let page = call.ask(from.list(limit)).await?;
    let total_count = call.ask(CountGroups { discoverable: false }).await?.0;
    let place = page.groups.iter().fold(from, |place, group| place.behind(group));
    envelope::with(&ListResponse {
        total_count,
        group_id_list: page.groups.iter().map(|group| Id { group_id: group.id.as_str().to_owned() }).collect(),
        next: if page.next.is_some() { place.next() } else { 0 },
    })
}

/// There is no index by type: all groups are read, which counting them needs anyway.
async fn of_kind(
    call: &Call<'_>,
    kind: Kind,
    from: ListPosition,
    limit: usize,
) -> Result<envelope::ResponseBody, Failure> {
    let (mut place, mut last) = (ListPosition::default(), from);
    let mut total_count = 0;
    let mut ids = Vec::new();
    let mut more = false;
    loop {
        let page = call.ask(place.list(CHUNK)).await?;
        for group in &page.groups {
            place = place.behind(group);
            if Kind::of(group) != kind {
                continue;
            }
            total_count += 1;
            if place <= from {
                continue;
            }
            if ids.len() == limit {
                more = true;
            } else {
                ids.push(Id { group_id: group.id.as_str().to_owned() });
                last = place;
            }
        }
        if page.next.is_none() {
            break;
        }
    }
    envelope::with(&ListResponse { total_count, group_id_list: ids, next: if more { last.next() } else { 0 } })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn places_survive_next_and_sort_as_it_does() {
        let place = ListPosition { second: 1_700_000_100, passed: 3 };
        assert_eq!(ListPosition::of(place.next()), place);
        assert!(ListPosition { second: 1_700_000_100, passed: 4 }.next() > place.next());
        assert!(ListPosition { second: 1_700_000_101, passed: 1 }.next() > place.next());
        assert!(ListPosition { second: i32::MAX as u64, passed: (1 << COUNTED) - 1 }.next() < 1 << 53);
        assert_eq!(ListPosition::of(0), ListPosition::default());
    }
}
