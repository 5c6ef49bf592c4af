//! Live rooms: members in the room, marks, and room admins.
//!
//! A user is in a live room while they are a member and connected, through any vendor's protocol. At the vendor a lost
//! connection ends the membership, while members of the neutral group stay. Members with the mark for being shown count
//! as in the room, too.

pub(super) mod admins;
pub(super) mod marks;
pub(super) mod members;
pub(super) mod present;

use std::collections::HashSet;
use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Member, UserId};
use conclave_core::query::{FindUsers, MarkedMembers};

use crate::calls::Call;
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::dialect::marks::{SHOWN, is_shown};
use crate::refusals::{Code, Failure};

/// The group, which must be a live room.
async fn room(call: &Call<'_>, id: &GroupId) -> Result<Arc<Group>, Failure> {
    let group = call.group(id).await?;
    if Kind::of(&group) == Kind::AvChatRoom { Ok(group) } else { Err(Code::NoPermission.into()) }
}

/// The members with the mark for being shown, of the latest who have it, as only those are listed.
async fn shown(call: &Call<'_>, group: &Group) -> Result<Vec<Arc<Member>>, Failure> {
    if !group.marks.contains_key(&SHOWN) {
        return Ok(Vec::new());
    }
    let marked = MarkedMembers { group: group.id.clone(), mark: SHOWN, limit: limits::LIVE_MEMBERS };
    let mut found = call.look_up(marked).await?.0;
    let now = call.now();
    found.retain(|member| is_shown(member, now));
    Ok(found)
}

/// All members in the room.
async fn there(call: &Call<'_>, group: &Group) -> Result<HashSet<UserId>, Failure> {
    let online = call.app.realm.presence.online_in(&group.id).await;
    let shown = shown(call, group).await?;
    Ok(online.into_iter().chain(shown.iter().map(|member| member.user.clone())).collect())
}

/// Nick and avatar of these users, in order; "" if unknown.
async fn faces(call: &Call<'_>, users: Vec<UserId>) -> Result<Vec<(String, String)>, Failure> {
    let found = call.ask(FindUsers { ids: users, folded: false }).await?.0;
    let face =
        |user: Option<_>| user.map(|user: Arc<conclave_core::model::User>| (user.nick.clone(), user.avatar.clone()));
    Ok(found.into_iter().map(|user| face(user).unwrap_or_default()).collect())
}
