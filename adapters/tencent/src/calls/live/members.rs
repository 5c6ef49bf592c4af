//! `get_members`: the members of a live room, latest first; only the latest thousand are listed.

use std::cmp::Reverse;
use std::sync::Arc;

use conclave_core::model::{Group, Member, UserId};
use conclave_core::query::MembersNamed;
use serde::{Deserialize, Serialize};

use super::{faces, room, there};
use crate::calls::wire::Next;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::dialect::marks::is_hidden;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    /// The cursor: 0, or the end of the last page.
    timestamp: Option<Next>,
    /// Only members with this mark.
    mark: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MembersResponse {
    member_list: Vec<Entry>,
    next_timestamp: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    join_time: u64,
    #[serde(rename = "Member_Account")]
    account: UserId,
    nick_name: String,
    /// The server API's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    /// The clients' name.
    #[serde(skip_serializing_if = "Option::is_none")]
    face_url: Option<String>,
    /// For clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    marks: Option<Vec<u32>>,
}

pub(crate) async fn list(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = room(call, &call.group_id(request.group_id)?).await?;
    let before = request.timestamp.map_or(0, |next| next.0);
    let all = listed(call, &group, request.mark).await?;
    let mut page: Vec<_> = all.into_iter().filter(|member| before == 0 || place(&group, member) < before).collect();
    let more = page.len() > limits::LIVE_PAGE;
    page.truncate(limits::LIVE_PAGE);
    let next_timestamp = page.last().filter(|_| more).map_or(0, |last| place(&group, last));
    let faces = faces(call, page.iter().map(|member| member.user.clone()).collect()).await?;
    let of_user = call.user().is_some();
    let entry = |(member, (nick_name, face)): (Arc<Member>, (String, String))| {
        let (avatar, face_url) = if of_user { (None, Some(face)) } else { (Some(face), None) };
        let marks = of_user.then(|| member.marks.keys().copied().collect());
        Entry { join_time: member.joined.seconds(), account: member.user.clone(), nick_name, avatar, face_url, marks }
    };
    envelope::with(&MembersResponse { member_list: page.into_iter().zip(faces).map(entry).collect(), next_timestamp })
}

/// The cursor after a member: the moment of joining since the room began, with the order within the millisecond. It only
/// grows, so members who join meanwhile move nobody, and clients read it as a double without losing digits.
fn place(group: &Group, member: &Member) -> u64 {
    const ORDER_BITS: u32 = 12;
    let joined = member.joined.0.saturating_sub(group.created.0) + 1;
    joined << ORDER_BITS | (member.seat & ((1 << ORDER_BITS) - 1))
}

/// The members to return, latest first. Only those of the page are kept in memory.
async fn listed(call: &Call<'_>, group: &Group, mark: Option<u32>) -> Result<Vec<Arc<Member>>, Failure> {
    let is_listed =
        |member: &Arc<Member>| !is_hidden(member) && mark.is_none_or(|mark| member.marks.contains_key(&mark));
    let latest_first = |member: &Arc<Member>| Reverse(member.seat);
    let there: Vec<UserId> = there(call, group).await?.into_iter().collect();
    let mut members: Vec<Arc<Member>> = Vec::new();
    for users in there.chunks(limits::LIVE_MEMBERS) {
        let found = call.ask(MembersNamed { group: group.id.clone(), users: users.to_vec() }).await?.members;
        members.extend(found.into_iter().flatten().filter(is_listed));
        if members.len() > limits::LIVE_MEMBERS {
            members.select_nth_unstable_by_key(limits::LIVE_MEMBERS, latest_first);
            members.truncate(limits::LIVE_MEMBERS);
        }
    }
    members.sort_unstable_by_key(latest_first);
    Ok(members)
}
