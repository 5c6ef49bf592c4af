//! `qChannelSpeMem`, `qChannelMem`, `upChannelMem`: the members of a group, with their nicknames.

use conclave_core::model::Role;

use super::{done, page, users};
use crate::calls::members::{self, Page};
use crate::dialect::{limits, role};
use crate::refusals::Code;
use crate::socket::call::{Call, Denied, QueryReply, decode};
use crate::socket::wire::{ChannelsMemberUpdateInput, ChannelsQueryInput};

/// Only bots, which are not supported.
const ROBOTS_ONLY: i32 = 2;

/// Named members; users who are not members are skipped.
pub(crate) async fn named(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsQueryInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let wanted = Call::user_ids(&asked.ids, limits::HOSTED_USERS)?;
    let members = members::named(&call.caller(), group, wanted).await?;
    Ok(users(call.members(&members).await?, None))
}

/// A page of members in the order of joining, all or of one role.
pub(crate) async fn by_role(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsQueryInput = decode(body)?;
    let id = Call::group_id(asked.target_id.as_ref())?;
    let wanted = role_filter(asked.role_type)?;
    let option = asked.page.unwrap_or_default();
    let size = Call::page_size(&option, 100)?;
    if asked.bot_type == Some(ROBOTS_ONLY) {
        call.own_group(&id).await?;
        return Ok(users(Vec::new(), Some(page(size, String::new(), 0))));
    }
    let newest_first = option.order == Some(1);
    let pages = call.pages(&format!("members {id} {wanted:?} {newest_first}"));
    let token = option.page_token.as_deref();
    let asked = Page { role: wanted, token, size, newest_first, pages };
    let found = members::by_role(&call.caller(), id, asked).await?;
    let returned = page(size, found.token, found.total as usize);
    Ok(users(call.members(&found.members).await?, Some(returned)))
}

/// The role of a filter; `None` is all.
pub(super) fn role_filter(number: Option<i32>) -> Result<Option<Role>, Denied> {
    match u64::try_from(number.unwrap_or(0)) {
        Ok(number @ 0..=3) => Ok(role::filter(number, false)),
        _ => Err(Code::BadParameter.into()),
    }
}

/// A member's nickname and `extra`; missing fields stay as they are.
pub(crate) async fn update(call: &Call<'_>, body: &[u8]) -> QueryReply {
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
    members::set(&call.caller(), group, user, (asked.channel_nick_name, asked.additional)).await?;
    Ok(done(0))
}
