//! `qChannelSpeMem`, `qChannelMem`, `upChannelMem`: who is in a group, and what they show there.

use std::sync::Arc;

use conclave_core::model::{Group, Member, Role};
use conclave_core::operation::UpdateMember;
use conclave_core::query::{ListMembers, MemberPage, MembersNamed};

use super::{done, page, users};
use crate::dialect::page::Place;
use crate::dialect::{limits, role};
use crate::refusals::Code;
use crate::socket::call::{Answer, Call, Denied, decode};
use crate::socket::wire::{ChannelsMemberUpdateInput, ChannelsQueryInput};

/// Robots only; there are none.
const ROBOTS_ONLY: i32 = 2;

/// Named members; who is not in is left out.
pub(crate) async fn named(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ChannelsQueryInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let wanted = Call::user_ids(&asked.ids, limits::HOSTED_USERS)?;
    call.own_group(&group).await?;
    let found = call.ask(MembersNamed { group, users: wanted }).await?;
    let members: Vec<Arc<Member>> = found.members.into_iter().flatten().collect();
    Ok(users(call.members(&members).await?, None))
}

/// A page of members by joining, all or of one role.
pub(crate) async fn by_role(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ChannelsQueryInput = decode(body)?;
    let id = Call::group_id(asked.target_id.as_ref())?;
    let wanted = role_filter(asked.role_type)?;
    let option = asked.page.unwrap_or_default();
    let size = Call::page_size(&option, 100)?;
    call.own_group(&id).await?;
    if asked.bot_type == Some(ROBOTS_ONLY) {
        return Ok(users(Vec::new(), Some(page(size, String::new(), 0))));
    }
    let newest_first = option.order == Some(1);
    let pages = call.pages(&format!("members {id} {wanted:?} {newest_first}"));
    let (after, skip) = match pages.place(option.page_token.as_deref())? {
        None => (None, 0),
        Some(Place::After(cursor)) => (Some(cursor), 0),
        Some(Place::Skip(entries)) => (None, entries),
    };
    let list = ListMembers {
        group: id,
        roles: wanted.into_iter().collect(),
        after,
        skip,
        limit: size,
        newest_first,
        with_detail: false,
    };
    let found = call.ask(list).await?;
    let total = total(&found.group, wanted);
    let token = pages.token(next(&found, wanted, skip + found.members.len(), total));
    Ok(users(call.members(&found.members).await?, Some(page(size, token, total))))
}

/// The role a filter lets through; `None` is all.
pub(super) fn role_filter(number: Option<i32>) -> Result<Option<Role>, Denied> {
    match u64::try_from(number.unwrap_or(0)) {
        Ok(number @ 0..=3) => Ok(role::filter(number, false)),
        _ => Err(Code::BadParameter.into()),
    }
}

/// Managers and owner are few and told by counting; others go on where the core says.
fn next(found: &MemberPage, wanted: Option<Role>, read: usize, total: usize) -> Option<Place> {
    if matches!(wanted, Some(Role::Admin | Role::Owner)) {
        return (!found.members.is_empty() && read < total).then_some(Place::Skip(read));
    }
    found.next.clone().map(Place::After)
}

fn total(group: &Group, wanted: Option<Role>) -> usize {
    let owners = u32::from(group.owner.is_some());
    let total = match wanted {
        None => group.members,
        Some(Role::Owner) => owners,
        Some(Role::Admin) => group.admins,
        Some(Role::Member) => group.members.saturating_sub(group.admins).saturating_sub(owners),
    };
    total as usize
}

/// A member's nickname and `extra`; what is not given stays.
pub(crate) async fn update(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ChannelsMemberUpdateInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let user = Call::user_id(asked.user_id.as_deref().unwrap_or_default())?;
    for (key, text, most) in [
        ("channelNickName", &asked.channel_nick_name, limits::NICKNAME),
        ("additional", &asked.additional, limits::EXTRA),
    ] {
        if text.as_ref().is_some_and(|text| limits::is_longer(text, most)) {
            return Err(Denied::from(Code::FieldTooLong).naming(key));
        }
    }
    call.own_group(&group).await?;
    let update =
        UpdateMember { card: asked.channel_nick_name, extra: asked.additional, ..UpdateMember::of(group, user) };
    call.run(update).await?;
    Ok(done(0))
}
