//! `qChannelMemSpeJoin`, `qChannelMemJoin`: the groups of the caller.

use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Key, Member};
use conclave_core::query::{Cursor, FindGroups, JoinedGroups, RemarksOf};

use super::members::role_filter;
use super::profile::show_all;
use super::{groups, page};
use crate::dialect::limits;
use crate::dialect::page::PageStart;
use crate::refusals::Code;
use crate::socket::call::{Call, QueryReply, decode};
use crate::socket::show;
use crate::socket::wire::{ChannelsJoinedInfo, ChannelsQueryInput};

/// The named groups of the caller.
pub(crate) async fn named(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsQueryInput = decode(body)?;
    if asked.ids.len() > limits::CLIENT_PROFILES {
        return Err(Code::QueryCount.into());
    }
    let ids: Vec<GroupId> = asked.ids.iter().map(|id| Call::group_id(Some(id))).collect::<Result<_, _>>()?;
    let found = call.look(FindGroups { groups: ids }).await?.0.into_iter().flatten().collect();
    Ok(groups(show_all(call, found, true).await?, None))
}

/// A page of the caller's groups in the order of joining, all or of one role. The numbers for the order are the reverse
/// of those in lists of members (seen on the wire).
pub(crate) async fn by_role(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsQueryInput = decode(body)?;
    let wanted = role_filter(asked.role_type)?;
    let option = asked.page.unwrap_or_default();
    let size = Call::page_size(&option, 100)?;
    let newest_first = option.order != Some(1);
    let pages = call.pages(&format!("joined {wanted:?} {newest_first}"));
    let after = match pages.place(option.page_token.as_deref())? {
        None => None,
        Some(PageStart::After(cursor)) => Some(cursor),
        Some(PageStart::Skip(_)) => return Err(Code::PageToken.into()),
    };

    // the total counts matching groups, so all of the user's groups are read
    let mut joined = call.ask(JoinedGroups { newest_first, ..JoinedGroups::all(call.user.clone()) }).await?.groups;
    joined.retain(|(group, member)| group.governed && wanted.is_none_or(|role| role == member.role));
    let total = joined.len();
    if let Some(after) = &after {
        joined.retain(|entry| if newest_first { place(entry).0 < after.0 } else { place(entry).0 > after.0 });
    }
    let more = joined.len() > size;
    joined.truncate(size);
    let next = joined.last().filter(|_| more).map(place).map(PageStart::After);
    let ids = joined.iter().map(|(group, _)| group.id.clone()).collect();
    let remarks = call.ask(RemarksOf { user: call.user.clone(), groups: ids }).await?.0;
    let shown = joined.iter().zip(remarks).map(|((group, member), remark)| ChannelsJoinedInfo {
        user_info: Some(show::own(member, &remark)),
        ..show::group(group)
    });
    Ok(groups(shown.collect(), Some(page(size, pages.token(next), total))))
}

/// An entry's position in the order of joining.
fn place((group, member): &(Arc<Group>, Arc<Member>)) -> Cursor {
    Cursor(Key::Joined(member.user.clone(), member.joined, group.id.clone()).encode())
}
